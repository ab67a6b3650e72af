//! A block of tool calls in the text: from its opening tag to the end of its last call.
//!
//! The block reads a growing text and looks at each byte once. It decides as early as possible that the text is not a
//! call, because the client does not see the text before that.

use super::OfferedTools;
use super::after_name::{self, AfterName, NextTag};
use super::call_start::{begins_call, complete_name, may_become_name};
use super::dialects::{Arguments, DIALECTS, Dialect, Name};
use super::json_call;
use super::keyword_arguments::KeywordArguments;
use super::matching::{Match, first_tag};
use super::object_reader::{ObjectReader, Progress};
use super::placeholder;
use super::quoted_object::QuotedObject;
use super::step::{Input, Step};
use super::tagged_arguments::{self, TaggedArguments};
use crate::json::DepthScanner;
use serde_json::value::RawValue;

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
    /// A tag before the next call opened a block of its own.
    in_block: bool,
}

#[derive(Debug)]
enum State {
    /// Before a call. After an opening tag the name may follow without further markup.
    BeforeCall { after_tag: bool },
    /// Within the name.
    Name(&'static Dialect, &'static Name),
    /// Within the tag in which the name is.
    NameTag(NamedCall),
    /// Between that and the arguments.
    AfterName(NamedCall),
    /// Within a JSON object that began at `from`: the arguments, or the call itself.
    Json { from: usize, depth: DepthScanner, call: Option<NamedCall> },
    /// Within arguments that have tags.
    Arguments(NamedCall, TaggedArguments),
    /// Within an object that is not JSON.
    Object(NamedCall, Box<dyn ObjectReader>),
    /// Within arguments in an unknown form, which began at `from`. No tag begins before `searched`.
    UnknownForm { call: NamedCall, from: usize, searched: usize },
}

/// A call whose name is known.
#[derive(Debug)]
struct NamedCall {
    dialect: &'static Dialect,
    name: String,
    /// A tag before the call opened a block of its own.
    in_block: bool,
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

    /// A block that begins with a call, without any tag.
    pub(super) fn without_tag(dialect: &'static Dialect) -> Self {
        Self { state: State::BeforeCall { after_tag: true }, ..Self::new(vec![dialect]) }
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
            in_block: false,
        }
    }

    /// Whether a call has begun and its end is missing. `text` is the block from its beginning.
    pub(super) fn is_within_call(&self, text: &str, tools: &OfferedTools) -> bool {
        match self.state {
            State::BeforeCall { .. } if self.calls_end == Some(self.position) => false,
            State::BeforeCall { after_tag: false } => false,
            State::Json { from, .. } if !self.has_tag => {
                json_call::names_tool(text.get(from..).unwrap_or_default(), tools)
            }
            State::Object(..) => true,
            _ => self.has_tag,
        }
    }

    /// The end of the last call that was found; 0 if there was none.
    pub(super) fn calls_end(&self) -> usize {
        self.calls_end.unwrap_or(0)
    }

    /// Reads the new part of the text.
    pub(super) fn read(&mut self, input: Input<'_>) -> Step {
        let Input { text, tools, .. } = input;
        loop {
            let rest = text.get(self.position..).unwrap_or_default();
            let next = match std::mem::replace(&mut self.state, State::BeforeCall { after_tag: false }) {
                State::BeforeCall { after_tag } => self.before_call(after_tag, rest, tools),
                State::Name(dialect, name) => self.name(dialect, name, rest, tools),
                State::NameTag(call) => self.name_tag(call, rest),
                State::AfterName(call) => self.after_name(call, rest),
                State::Json { from, depth, call } => self.json_object(from, depth, call, input),
                State::Object(call, object) => self.object(call, object, rest),
                State::Arguments(call, arguments) => self.tagged_arguments(call, arguments, input),
                State::UnknownForm { call, from, searched } => self.unknown_form(call, from, searched, input),
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
            self.state = State::BeforeCall { after_tag: is_opening || after_tag && !closes };
            return Next::Continue;
        }
        for dialect in &self.dialects {
            match (begins_call(dialect, after_tag, rest, tools), &dialect.name) {
                (Match::No, _) => {}
                (Match::Partial, _) => undecided = true,
                (Match::Yes, _) if undecided => {}
                (Match::Yes, Some(name)) => {
                    self.position += gap + name.before.len();
                    self.in_block = after_tag && !name.before.is_empty();
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
            let may_match = may_become_name(rest, name.after, tools);
            return self.undecided_if(may_match, State::Name(dialect, name), self.position);
        };
        let Some(name) = complete_name(rest, (end, tag), name.after, tools) else {
            return self.not_a_call(self.position);
        };
        // What also begins the arguments, closes the call or ends the line is read again.
        let is_key = dialect.argument_tags().iter().any(|tags| tags.key == tag);
        let read_again = ["{", "(", "\n"].contains(&tag) || dialect.close.contains(&tag) || is_key;
        self.position += end + if read_again { 0 } else { tag.len() };
        let call = NamedCall { dialect, name: name.to_owned(), in_block: self.in_block };
        self.state = State::NameTag(call);
        Next::Continue
    }

    /// Passes over the rest of the tag in which the name is, if it has any.
    fn name_tag(&mut self, call: NamedCall, rest: &str) -> Next {
        match after_name::tag_length(call.dialect, rest) {
            Ok(length) => {
                self.position += length;
                self.state = State::AfterName(call);
                Next::Continue
            }
            Err(may_end) => self.undecided_if(may_end == Match::Partial, State::NameTag(call), self.position),
        }
    }

    fn after_name(&mut self, call: NamedCall, rest: &str) -> Next {
        match after_name::read(call.dialect, rest) {
            AfterName::Undecided => return self.undecided(State::AfterName(call)),
            AfterName::Prose => return self.not_a_call(self.position),
            AfterName::UnknownForm => {
                self.state = State::UnknownForm { from: self.position, searched: self.position, call };
            }
            AfterName::Argument { gap } => {
                self.position += gap;
                let arguments = TaggedArguments::new(call.dialect, call.in_block);
                self.state = State::Arguments(call, arguments);
            }
            AfterName::Object { gap } => {
                self.position += gap;
                self.state = self.object_from_here(call);
            }
            AfterName::End { gap } => {
                self.position += gap;
                return self.call(call.name, "{}".to_owned());
            }
        }
        Next::Continue
    }

    /// Looks for the end of a call that has arguments in an unknown form.
    fn unknown_form(&mut self, call: NamedCall, from: usize, searched: usize, input: Input<'_>) -> Next {
        match after_name::next_tag(call.dialect, input.text, searched) {
            Err(searched) => self.undecided(State::UnknownForm { call, from, searched }),
            Ok((at, NextTag::Opening)) => self.not_a_call(at),
            Ok((at, NextTag::Argument)) => self.lost(call.name, at),
            Ok((at, NextTag::End)) => {
                self.position = at;
                let is_written = !placeholder::is_text(input.text.get(from..at).unwrap_or_default());
                self.unreadable(call.name, is_written, at, input.tools)
            }
        }
    }

    fn tagged_arguments(
        &mut self,
        call: NamedCall,
        mut arguments: TaggedArguments,
        input: Input<'_>,
    ) -> Next {
        match arguments.read(input.text, &mut self.position, input.ended) {
            tagged_arguments::Progress::Undecided => self.undecided(State::Arguments(call, arguments)),
            tagged_arguments::Progress::Unreadable(end) => self.lost(call.name, end),
            tagged_arguments::Progress::Complete => match arguments.into_json(&call.name, input.tools) {
                Some(arguments) => self.call(call.name, arguments),
                None => self.lost(call.name, self.position),
            },
        }
    }

    fn object_from_here(&self, call: NamedCall) -> State {
        match call.dialect.arguments {
            Arguments::Quoted(quote) => State::Object(call, Box::new(QuotedObject::new(quote))),
            Arguments::Keywords => State::Object(call, Box::new(KeywordArguments::default())),
            Arguments::Json | Arguments::Tagged(_) => self.json_from_here(Some(call)),
        }
    }

    fn object(&mut self, call: NamedCall, mut object: Box<dyn ObjectReader>, rest: &str) -> Next {
        let (read, progress) = object.read(rest);
        self.position += read;
        match progress {
            Progress::Undecided => self.undecided(State::Object(call, object)),
            Progress::Complete(arguments) => {
                let next = self.call(call.name, arguments);
                // In a list, or on the next line, a name follows without a tag.
                self.state = State::BeforeCall { after_tag: true };
                next
            }
            // Without a tag, a call that was read shows that this is one too.
            Progress::Invalid if self.has_tag || self.calls_end.is_some() => {
                self.lost(call.name, self.position)
            }
            Progress::Invalid | Progress::Placeholder => self.not_a_call(self.position),
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
        Input { text, tools, ended }: Input<'_>,
    ) -> Next {
        let (new, depth_before) = (self.position, depth.clone());
        let (read, _) = depth.split(text.as_bytes().get(new..).unwrap_or_default());
        self.position += read.len();
        let closed = depth.closed();
        let find = || json_call::unclosed(text, from, new, depth_before, &self.dialects, ended);
        let unclosed = (!closed && self.has_tag).then(find).flatten();
        if !closed && unclosed.is_none() {
            return self.undecided(State::Json { from, depth, call });
        }
        self.position = unclosed.unwrap_or(self.position);
        let object = text.get(from..self.position).unwrap_or_default();
        match call {
            Some(call) if serde_json::from_str::<&RawValue>(object).is_ok() => {
                self.call(call.name, object.to_owned())
            }
            Some(call) => self.unreadable_json(call.name, from, object, tools),
            None => self.json_call(from, object, tools),
        }
    }

    /// An object that holds its tool's name.
    fn json_call(&mut self, from: usize, object: &str, tools: &OfferedTools) -> Next {
        let end = self.position;
        match json_call::parse(object, self.has_tag) {
            Some((name, arguments)) => match tools.find(&name) {
                Some(name) if !tools.is_schema(name, &arguments) => self.call(name.to_owned(), arguments),
                _ => self.not_a_call(end),
            },
            None => match json_call::damaged(object, tools).filter(|_| self.has_tag) {
                Some(name) => self.unreadable_json(name.to_owned(), from, object, tools),
                None => self.not_a_call(end),
            },
        }
    }

    /// An object that is no JSON. A missing quote can hide its end.
    fn unreadable_json(&mut self, name: String, from: usize, object: &str, tools: &OfferedTools) -> Next {
        let end = from + json_call::broken(object, &self.dialects).unwrap_or(object.len());
        self.unreadable(name, !placeholder::is_in_json(object), end, tools)
    }

    /// A call whose arguments cannot be read, up to `end`. `is_written`: they are no placeholder, such as `{...}`.
    fn unreadable(&mut self, name: String, is_written: bool, end: usize, tools: &OfferedTools) -> Next {
        if !is_written {
            self.not_a_call(end)
        } else if tools.takes_arguments(&name) {
            self.lost(name, end)
        } else {
            self.position = end;
            self.call(name, "{}".to_owned())
        }
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
