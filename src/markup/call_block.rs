//! A block of tool calls in the text: from its opening tag to the end of its last call.
//!
//! The block reads a growing text and looks at each byte once. It decides as early as possible that the text is not a
//! call, because the client does not see the text before that.

use super::OfferedTools;
use super::call_start::{begins_call, complete_name, may_become_name};
use super::dialects::{ArgumentTags, Arguments, DIALECTS, Dialect, JSON, Name};
use super::json_call;
use super::matching::{Match, first_tag};
use super::quoted_object::{Progress, QuotedObject};
use super::step::Step;
use super::value_end::{self, ValueEnd};
use crate::json::{DepthScanner, JsonStr};
use serde_json::value::RawValue;

/// The longest text between a name and its arguments, in bytes.
const MAX_GAP: usize = 80;
/// The longest name of a tool or argument, with the tokens that models write around it, in bytes.
const MAX_NAME: usize = 96;

#[derive(Debug)]
pub(super) struct CallBlock {
    /// The dialects that the block may be written in.
    dialects: Vec<&'static Dialect>,
    /// The bytes that were read.
    position: usize,
    state: State,
    /// Where the last call ends, with its closing tags.
    calls_end: Option<usize>,
    /// It began with a tag. JSON alone may be something else.
    has_tag: bool,
    /// The calls are in a list, which is still open.
    in_list: bool,
    /// Nothing follows the text.
    text_ended: bool,
}

#[derive(Debug)]
enum State {
    /// Before a call. After an opening tag the name may follow without further markup.
    BeforeCall { after_tag: bool },
    /// Within the name.
    Name(&'static Dialect, &'static Name),
    /// Between the name and the arguments.
    AfterName(NamedCall),
    /// Within a JSON object that began at `from`: the arguments, or the call itself.
    Json { from: usize, depth: DepthScanner, call: Option<NamedCall> },
    /// Before an argument, or the end of the call.
    BeforeArgument(NamedCall),
    /// Within an object that is not JSON.
    Quoted(NamedCall, QuotedObject),
    /// Within the value of an argument, which began at `from`.
    Value { call: NamedCall, tags: &'static ArgumentTags, key: String, from: usize },
}

/// A call whose name is known.
#[derive(Debug)]
struct NamedCall {
    dialect: &'static Dialect,
    name: String,
    /// The arguments so far: the members of a JSON object, without its braces.
    arguments: String,
}

/// The decision of a state.
enum Next {
    /// Continue in the new state.
    Continue,
    Return(Step),
}

impl CallBlock {
    /// A block that begins with an opening tag.
    pub(super) fn after(tag: &str) -> Self {
        let dialects = DIALECTS.iter().copied().filter(|dialect| dialect.open.contains(&tag));
        let block = Self::new(dialects.collect());
        Self { position: tag.len(), state: State::BeforeCall { after_tag: true }, has_tag: true, ..block }
    }

    /// A block that begins with the tag before a call's name.
    pub(super) fn named(tag: &str) -> Self {
        let is_before_name =
            |dialect: &&Dialect| dialect.name.as_ref().is_some_and(|name| name.before == tag);
        Self { has_tag: true, ..Self::new(DIALECTS.iter().copied().filter(is_before_name).collect()) }
    }

    /// A block that begins with a JSON object, without any markup.
    pub(super) fn json() -> Self {
        Self::new(vec![JSON])
    }

    fn new(dialects: Vec<&'static Dialect>) -> Self {
        let state = State::BeforeCall { after_tag: false };
        Self {
            dialects,
            position: 0,
            state,
            calls_end: None,
            has_tag: false,
            in_list: false,
            text_ended: false,
        }
    }

    /// Whether a call has begun and its end is missing. `text` is the block from its beginning.
    pub(super) fn is_within_call(&self, text: &str, tools: &OfferedTools) -> bool {
        match self.state {
            State::BeforeCall { after_tag: false } => false,
            State::Json { from, .. } if !self.has_tag => {
                json_call::names_tool(text.get(from..).unwrap_or_default(), tools)
            }
            _ => self.has_tag,
        }
    }

    /// The end of the last call that was found; 0 if there was none.
    pub(super) fn calls_end(&self) -> usize {
        self.calls_end.unwrap_or(0)
    }

    /// Nothing follows. A value whose end was in doubt may end here.
    pub(super) fn end_text(&mut self) {
        self.text_ended = true;
    }

    /// Reads the new part of `text`, which is the block from its beginning.
    pub(super) fn read(&mut self, text: &str, tools: &OfferedTools) -> Step {
        loop {
            let rest = text.get(self.position..).unwrap_or_default();
            let next = match std::mem::replace(&mut self.state, State::BeforeCall { after_tag: false }) {
                State::BeforeCall { after_tag } => self.before_call(after_tag, rest, tools),
                State::Name(dialect, name) => self.name(dialect, name, rest, tools),
                State::AfterName(call) => self.after_name(call, rest),
                State::Json { from, depth, call } => self.json_object(from, depth, call, text, tools),
                State::Quoted(call, object) => self.quoted_object(call, object, rest),
                State::BeforeArgument(call) => self.before_argument(call, rest),
                State::Value { call, tags, key, from } => self.value(call, tags, key, from, text, tools),
            };
            if let Next::Return(step) = next {
                return step;
            }
        }
    }

    fn before_call(&mut self, after_tag: bool, rest: &str, tools: &OfferedTools) -> Next {
        let gap = rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        let tags = || self.dialects.iter().flat_map(|dialect| dialect.open.iter().chain(dialect.close));
        let mut undecided = tags().any(|tag| tag.len() > rest.len() && tag.starts_with(rest));
        if let Some(tag) = tags().filter(|tag| rest.starts_with(**tag)).max_by_key(|tag| tag.len())
            && !undecided
        {
            self.position += gap + tag.len();
            let is_opening = self.dialects.iter().any(|dialect| dialect.open.contains(tag));
            self.in_list |= *tag == "[" && self.calls_end.is_none();
            // A separator belongs to the calls only if another one follows.
            let closes = match *tag {
                "[" | "," | ";" => false,
                "]" => std::mem::take(&mut self.in_list),
                _ => !is_opening,
            };
            if closes && self.calls_end.is_some() {
                self.calls_end = Some(self.position);
            }
            self.state = State::BeforeCall { after_tag: is_opening || after_tag };
            return Next::Continue;
        }
        for dialect in &self.dialects {
            match (begins_call(dialect, after_tag, rest, tools), &dialect.name) {
                (Match::No, _) => {}
                (Match::Partial, _) => undecided = true,
                (Match::Yes, _) if undecided => {}
                (Match::Yes, Some(name)) => {
                    self.position += gap + name.before.len();
                    self.state = State::Name(dialect, name);
                    return Next::Continue;
                }
                (Match::Yes, None) => {
                    self.position += gap;
                    self.state = self.json_from_here(None);
                    return Next::Continue;
                }
            }
        }
        if undecided {
            self.undecided(State::BeforeCall { after_tag })
        } else {
            self.not_a_call(self.position)
        }
    }

    fn name(
        &mut self,
        dialect: &'static Dialect,
        name: &'static Name,
        rest: &str,
        tools: &OfferedTools,
    ) -> Next {
        let Some((end, tag)) = first_tag(rest, name.after) else {
            let may_match = rest.len() <= MAX_NAME && may_become_name(rest, name.after, tools);
            return self.undecided_if(may_match, State::Name(dialect, name), self.position);
        };
        let Some(name) = complete_name(rest, (end, tag), name.after, tools) else {
            return self.not_a_call(self.position);
        };
        // A tag that also begins the arguments or closes the call is read again.
        let is_key = dialect.argument_tags().iter().any(|tags| tags.key == tag);
        let read_again = tag == "{" || dialect.close.contains(&tag) || is_key;
        self.position += end + if read_again { 0 } else { tag.len() };
        let call = NamedCall { dialect, name: name.to_owned(), arguments: String::new() };
        self.state = State::AfterName(call);
        Next::Continue
    }

    fn after_name(&mut self, call: NamedCall, rest: &str) -> Next {
        enum Found {
            Argument,
            Object,
            End,
        }
        let keys = call.dialect.argument_tags().iter().filter_map(|tags| rest.find(tags.key));
        let argument = keys.min().map(|at| (at, Found::Argument));
        let object = rest.find('{').map(|at| (at, Found::Object));
        let close = call.dialect.close.iter().filter(|tag| **tag != "```");
        let end = close.filter_map(|tag| rest.find(tag)).min().map(|at| (at, Found::End));
        match [argument, object, end].into_iter().flatten().min_by_key(|(at, _)| *at) {
            None => self.undecided_if(rest.len() <= MAX_GAP, State::AfterName(call), self.position),
            Some((at, _)) if at > MAX_GAP => self.not_a_call(self.position),
            // What stands there are arguments in an unknown form.
            Some((at, Found::Argument | Found::End))
                if !call.dialect.is_blank_after_name(rest.get(..at).unwrap_or_default()) =>
            {
                self.lost(call.name, self.position + at)
            }
            Some((at, found)) => {
                self.position += at;
                match found {
                    Found::Argument => self.state = State::BeforeArgument(call),
                    Found::Object => self.state = self.object_from_here(call),
                    Found::End => return self.call(call.name, "{}".to_owned()),
                }
                Next::Continue
            }
        }
    }

    fn object_from_here(&self, call: NamedCall) -> State {
        match call.dialect.arguments {
            Arguments::Quoted(quote) => State::Quoted(call, QuotedObject::new(quote)),
            Arguments::Json | Arguments::Tagged(_) => self.json_from_here(Some(call)),
        }
    }

    fn quoted_object(&mut self, call: NamedCall, mut object: QuotedObject, rest: &str) -> Next {
        let (read, progress) = object.read(rest);
        self.position += read;
        match progress {
            Progress::Undecided => self.undecided(State::Quoted(call, object)),
            Progress::Complete(arguments) => self.call(call.name, arguments),
            Progress::Invalid => self.lost(call.name, self.position),
        }
    }

    fn json_from_here(&self, call: Option<NamedCall>) -> State {
        State::Json { from: self.position, depth: DepthScanner::default(), call }
    }

    fn json_object(
        &mut self,
        from: usize,
        mut depth: DepthScanner,
        call: Option<NamedCall>,
        text: &str,
        tools: &OfferedTools,
    ) -> Next {
        let (new, depth_before) = (self.position, depth.clone());
        let (read, _) = depth.split(text.as_bytes().get(new..).unwrap_or_default());
        self.position += read.len();
        let closed = depth.closed();
        let find = || json_call::unclosed(text, from, new, depth_before, &self.dialects);
        let unclosed = (!closed && self.has_tag).then(find).flatten();
        if !closed && unclosed.is_none() {
            return self.undecided(State::Json { from, depth, call });
        }
        let end = unclosed.unwrap_or(self.position);
        let object = text.get(from..end).unwrap_or_default();
        match call {
            Some(call) if serde_json::from_str::<&RawValue>(object).is_ok() => {
                self.call(call.name, object.to_owned())
            }
            Some(call) => self.lost(call.name, end),
            None => self.json_call(object, end, tools),
        }
    }

    /// An object that holds its tool's name, up to `end`.
    fn json_call(&mut self, object: &str, end: usize, tools: &OfferedTools) -> Next {
        match json_call::parse(object, self.has_tag) {
            Some((name, arguments)) => match tools.find(&name) {
                Some(name) => self.call(name.to_owned(), arguments),
                None => self.not_a_call(end),
            },
            None => match json_call::damaged(object, tools).filter(|_| self.has_tag) {
                Some(name) => self.lost(name.to_owned(), end),
                None => self.not_a_call(end),
            },
        }
    }

    fn before_argument(&mut self, call: NamedCall, rest: &str) -> Next {
        let gap = rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        let end = self.position + gap;
        if call.dialect.close.iter().any(|tag| rest.starts_with(tag)) {
            self.position = end;
            return self.call(call.name, format!("{{{}}}", call.arguments));
        }
        let forms = call.dialect.argument_tags();
        let form = forms.iter().find_map(|tags| Some((tags, rest.strip_prefix(tags.key)?)));
        let Some((tags, tail)) = form else {
            let mut next = forms.iter().map(|tags| tags.key).chain(call.dialect.close.iter().copied());
            let may_match = next.any(|tag| tag.starts_with(rest));
            return self.argument_if(may_match, call, end);
        };
        let Some((key, after)) = tail.split_once(tags.key_end) else {
            return self.argument_if(tail.len() <= MAX_NAME, call, end);
        };
        let Some((between, value)) = after.split_once(tags.value) else {
            return self.argument_if(after.len() <= MAX_GAP, call, end);
        };
        if between.len() > MAX_GAP {
            return self.lost(call.name, end);
        }
        self.position = end + rest.len() - value.len();
        self.state = State::Value { call, tags, key: key.trim().to_owned(), from: self.position };
        Next::Continue
    }

    fn value(
        &mut self,
        mut call: NamedCall,
        tags: &'static ArgumentTags,
        key: String,
        from: usize,
        text: &str,
        tools: &OfferedTools,
    ) -> Next {
        let rest = text.get(self.position..).unwrap_or_default();
        let is_declared = |key: &str| tools.declares(&call.name, key);
        let (end, tag) = match value_end::find(rest, tags, call.dialect, self.text_ended, is_declared) {
            ValueEnd::At { end, tag } => (end, tag),
            ValueEnd::NotBefore(undecided) => {
                self.position += undecided;
                return self.undecided(State::Value { call, tags, key, from });
            }
        };
        let value = tags.value_in(text.get(from..self.position + end).unwrap_or_default());
        if !call.arguments.is_empty() {
            call.arguments.push(',');
        }
        call.arguments.push_str(JsonStr::new(&key).as_json());
        call.arguments.push(':');
        call.arguments.push_str(&tools.typed_argument(&call.name, &key, value));
        self.position += end + tag;
        self.state = State::BeforeArgument(call);
        Next::Continue
    }

    /// Waits for the rest of an argument's tag, if it may be one.
    fn argument_if(&mut self, may_match: bool, call: NamedCall, end: usize) -> Next {
        if may_match { self.undecided(State::BeforeArgument(call)) } else { self.lost(call.name, end) }
    }

    fn call(&mut self, name: String, arguments: String) -> Next {
        self.state = State::BeforeCall { after_tag: false };
        self.calls_end = Some(self.position);
        Next::Return(Step::Call { name, arguments })
    }

    fn undecided(&mut self, state: State) -> Next {
        self.state = state;
        Next::Return(Step::Undecided)
    }

    fn undecided_if(&mut self, may_match: bool, state: State, end: usize) -> Next {
        if may_match { self.undecided(state) } else { self.not_a_call(end) }
    }

    /// A tag and the name of an offered tool say that this is a call, but its arguments cannot be read.
    fn lost(&self, name: String, to: usize) -> Next {
        Next::Return(Step::Lost { name, from: self.calls_end(), to })
    }

    /// What was read up to `end` is not a call. After the last call, only the tags after it are removed.
    fn not_a_call(&self, end: usize) -> Next {
        Next::Return(self.calls_end.map_or(Step::Text(end), Step::End))
    }
}
