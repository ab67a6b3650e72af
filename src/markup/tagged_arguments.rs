//! Arguments between tags: `<parameter=x>1</parameter>`.
//!
//! A value may be a text about tags. It ends at its closing tag, if another argument or the end of the call follows
//! that; a whole call within the value is a part of it. Only if no such tag comes, one may be missing.

use super::OfferedTools;
use super::call_start::begins_tagged_call;
use super::dialects::{ArgumentTags, Dialect};
use super::matching::{Match, find_within};
use crate::json::JsonStr;

/// The longest key, in bytes.
const MAX_KEY: usize = 96;
/// The longest text between a key and its value, in bytes.
const MAX_GAP: usize = 80;

/// Reads the arguments of one call.
#[derive(Debug)]
pub(super) struct TaggedArguments {
    dialect: &'static Dialect,
    /// A tag before the call opened a block, so the tag that closes the block ends the call.
    in_block: bool,
    complete: Vec<Argument>,
    open: Option<OpenValue>,
}

/// What is known of the arguments.
#[derive(Debug)]
pub(super) enum Progress {
    /// More text is needed.
    Undecided,
    /// They are complete. The tags that close the call follow.
    Complete,
    /// Up to here, they cannot be read.
    Unreadable(usize),
}

#[derive(Debug)]
struct Argument {
    tags: &'static ArgumentTags,
    key: String,
    /// As it was written, with the line ends after and before its tags.
    value: String,
}

/// A value whose end was not found so far.
#[derive(Debug)]
struct OpenValue {
    tags: &'static ArgumentTags,
    key: String,
    from: usize,
    /// The bytes up to here were read.
    position: usize,
    /// How many calls have begun within the value.
    depth: usize,
}

/// A tag in a value that is not within a call in the value.
enum Tag {
    ValueEnd,
    CallEnd,
    /// The text ends within a tag.
    Partial,
}

enum ValueEnd {
    At { end: usize, next: usize },
    Undecided,
    Unreadable(usize),
}

/// What follows the closing tag of a value.
#[derive(PartialEq)]
enum Follower {
    /// Another argument, or the end of the call.
    Expected,
    /// An argument that the call already has.
    Repetition,
    Other,
    Undecided,
}

/// What closing tags close.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Closed {
    Nothing,
    Call,
    Block,
}

/// The tags before a value.
struct Opening<'t> {
    tags: &'static ArgumentTags,
    key: &'t str,
    length: usize,
}

impl TaggedArguments {
    pub(super) fn new(dialect: &'static Dialect, in_block: bool) -> Self {
        Self { dialect, in_block, complete: Vec::new(), open: None }
    }

    /// Reads `text` from `position` on. `ended`: nothing follows it.
    pub(super) fn read(&mut self, text: &str, position: &mut usize, ended: bool) -> Progress {
        loop {
            let Some(mut value) = self.open.take() else {
                let rest = text.get(*position..).unwrap_or_default();
                *position += rest.len() - rest.trim_start().len();
                match self.begin(text, *position) {
                    Ok(value) => self.open = Some(value),
                    Err(progress) => return progress,
                }
                continue;
            };
            match self.value_end(&mut value, text, ended) {
                ValueEnd::At { end, next } => {
                    *position = next;
                    let OpenValue { tags, key, from, .. } = value;
                    let value = text.get(from..end).unwrap_or_default().to_owned();
                    self.complete.push(Argument { tags, key, value });
                }
                ValueEnd::Undecided => {
                    self.open = Some(value);
                    return Progress::Undecided;
                }
                ValueEnd::Unreadable(end) => return Progress::Unreadable(end),
            }
        }
    }

    /// The next argument, if one begins here.
    fn begin(&self, text: &str, at: usize) -> Result<OpenValue, Progress> {
        let rest = text.get(at..).unwrap_or_default();
        if self.dialect.close.iter().any(|tag| rest.starts_with(tag)) {
            return Err(Progress::Complete);
        }
        match opening(rest, self.dialect) {
            Ok(Opening { tags, key, length }) => {
                let from = at + length;
                Ok(OpenValue { tags, key: key.to_owned(), from, position: from, depth: 0 })
            }
            Err(Match::Partial) => Err(Progress::Undecided),
            Err(_) => Err(Progress::Unreadable(at)),
        }
    }

    fn value_end(&self, value: &mut OpenValue, text: &str, ended: bool) -> ValueEnd {
        while let Some((at, tag)) = self.next_tag(value, text) {
            let follower = match tag {
                Tag::CallEnd => continue,
                Tag::Partial if ended => continue,
                Tag::Partial => Follower::Undecided,
                Tag::ValueEnd => self.follower(value, text, ended),
            };
            match follower {
                Follower::Expected => return ValueEnd::At { end: at, next: value.position },
                Follower::Repetition => return ValueEnd::Unreadable(at),
                Follower::Undecided if !ended => {
                    value.position = at;
                    return ValueEnd::Undecided;
                }
                Follower::Other | Follower::Undecided => {}
            }
        }
        if ended { self.missing_end(value, text) } else { ValueEnd::Undecided }
    }

    /// Where a value ends whose closing tag is missing: at the end of the call, if the text or another call follows. A
    /// text in which the call is not closed was cut.
    fn missing_end(&self, value: &OpenValue, text: &str) -> ValueEnd {
        let mut again = OpenValue { key: value.key.clone(), position: value.from, depth: 0, ..*value };
        let mut tags = std::iter::from_fn(|| self.next_tag(&mut again, text));
        match tags.find(|(_, tag)| !matches!(tag, Tag::Partial)) {
            None if !self.closes_a_call(text.get(value.from..).unwrap_or_default()) => ValueEnd::Undecided,
            Some((at, Tag::CallEnd)) if self.may_miss_end(value, text, at) => {
                ValueEnd::At { end: at, next: at }
            }
            Some((_, Tag::ValueEnd)) if self.follower(&again, text, false) == Follower::Undecided => {
                ValueEnd::Undecided
            }
            None | Some(_) => ValueEnd::Unreadable(text.len()),
        }
    }

    fn closes_a_call(&self, value: &str) -> bool {
        self.dialect.close.iter().any(|tag| value.contains(tag))
    }

    /// Whether a value can end before the closing tags at `at`. A closing tag before them would be that of the value.
    fn may_miss_end(&self, value: &OpenValue, text: &str, at: usize) -> bool {
        let (value_text, rest) = (text.get(value.from..at), text.get(at..));
        !value_text.unwrap_or_default().contains(value.tags.value_end)
            && self.ends_call(rest.unwrap_or_default(), true)
    }

    /// Moves behind the next tag that counts. Calls within the value are passed over.
    fn next_tag(&self, value: &mut OpenValue, text: &str) -> Option<(usize, Tag)> {
        let call_end = *self.dialect.close.first()?;
        loop {
            let rest = text.get(value.position..).unwrap_or_default();
            let Some(at) = rest.find('<').map(|at| value.position + at) else {
                value.position = text.len();
                return None;
            };
            let here = text.get(at..).unwrap_or_default();
            value.position = at + 1;
            let is_cut = |tag: &&str| Match::with_tag(here, tag) == Match::Partial;
            let begins = begins_tagged_call(here, self.dialect);
            if begins == Match::Partial
                || self.dialect.close.iter().chain([&value.tags.value_end]).any(is_cut)
            {
                return Some((at, Tag::Partial));
            }
            let is_within = value.depth > 0;
            if begins == Match::Yes {
                value.depth += 1;
            } else if is_within && here.starts_with(call_end) {
                value.depth -= 1;
            } else if !is_within && here.starts_with(value.tags.value_end) {
                value.position = at + value.tags.value_end.len();
                return Some((at, Tag::ValueEnd));
            } else if !is_within && self.dialect.close.iter().any(|tag| here.starts_with(tag)) {
                return Some((at, Tag::CallEnd));
            }
        }
    }

    /// What follows the closing tag that ends at the value's position.
    fn follower(&self, value: &OpenValue, text: &str, ended: bool) -> Follower {
        let rest = text.get(value.position..).unwrap_or_default().trim_start();
        match opening(rest, self.dialect) {
            Ok(Opening { key, .. }) if key == value.key || self.has(key) => return Follower::Repetition,
            Ok(_) => return Follower::Expected,
            Err(Match::Partial) => return Follower::Undecided,
            Err(_) => {}
        }
        match self.call_end(rest, ended) {
            Match::Yes => Follower::Expected,
            Match::Partial => Follower::Undecided,
            Match::No => Follower::Other,
        }
    }

    fn has(&self, key: &str) -> bool {
        self.complete.iter().any(|argument| argument.key == key)
    }

    /// Whether the call ends here: by all tags that its block needs, or by some if another call or nothing follows.
    fn call_end(&self, here: &str, ended: bool) -> Match {
        let (closed, rest) = self.closing_tags(here);
        let may_be = |tag: &str| tag.len() > rest.len() && tag.starts_with(rest);
        let closing = || self.dialect.close.iter().copied();
        match closed {
            Closed::Nothing => Match::partial_if(closing().any(may_be)),
            Closed::Call if self.in_block && !self.ends_call(here, ended) => {
                Match::partial_if(closing().chain(self.dialect.opening_tags()).any(may_be))
            }
            Closed::Call | Closed::Block => Match::Yes,
        }
    }

    /// Whether another call or the end of the text follows the closing tags.
    fn ends_call(&self, here: &str, ended: bool) -> bool {
        let (_, rest) = self.closing_tags(here);
        self.dialect.opening_tags().any(|tag| rest.starts_with(tag)) || ended && rest.is_empty()
    }

    /// What the tags at the beginning of a text close, and the text after them.
    fn closing_tags<'t>(&self, text: &'t str) -> (Closed, &'t str) {
        let (mut closed, mut rest) = (Closed::Nothing, text);
        let strip = |rest: &'t str| {
            let tags = self.dialect.close.iter().enumerate();
            tags.filter_map(|(number, tag)| Some((number, rest.strip_prefix(tag)?))).next()
        };
        while let Some((number, after)) = strip(rest) {
            closed = closed.max(if number == 0 { Closed::Call } else { Closed::Block });
            rest = after.trim_start();
        }
        (closed, rest)
    }

    /// The arguments of a call of this tool, as JSON. `None`: other text stands between them.
    pub(super) fn into_json(mut self, tool: &str, tools: &OfferedTools) -> Option<String> {
        self.split_values(|key| tools.declares(tool, key))?;
        let members = self.complete.iter().map(|Argument { tags, key, value }| {
            let value = tools.typed_argument(tool, key, tags.value_in(value));
            format!("{}:{value}", JsonStr::new(key).as_json())
        });
        Some(format!("{{{}}}", members.collect::<Vec<_>>().join(",")))
    }

    /// A value without its closing tag goes on to that of the next argument.
    fn split_values(&mut self, is_declared: impl Fn(&str) -> bool) -> Option<()> {
        let mut number = 0;
        while let Some(argument) = self.complete.get(number) {
            let next = self.second_argument(argument, &is_declared)?;
            if let (Some((at, next)), Some(argument)) = (next, self.complete.get_mut(number)) {
                argument.value.truncate(at);
                self.complete.insert(number + 1, next);
            }
            number += 1;
        }
        Some(())
    }

    /// The argument that begins within a value: it is declared, the call does not have it yet, and it has two tags, or one
    /// on a line of its own as that of the value. `None`: the value has ended before it, and text followed that.
    fn second_argument(
        &self,
        first: &Argument,
        is_declared: impl Fn(&str) -> bool,
    ) -> Option<Option<(usize, Argument)>> {
        let value = first.value.as_str();
        let is_after_line = |text: &str| text.trim_end_matches([' ', '\t']).ends_with('\n');
        let is_before_line = |text: &str| text.starts_with(['\n', '\r']);
        let second = value.match_indices('<').find_map(|(at, _)| {
            let Opening { tags, key, length } = opening(value.get(at..)?, self.dialect).ok()?;
            let after = value.get(at + length..)?;
            let is_on_line = || is_after_line(value.get(..at).unwrap_or_default()) && is_before_line(after);
            let stands_apart = tags.value.starts_with('<') || is_before_line(value) && is_on_line();
            let next = || Argument { tags, key: key.to_owned(), value: after.to_owned() };
            // The schema is parsed only for a key that may be one.
            (stands_apart && !self.has(key) && is_declared(key)).then(|| (at, next()))
        });
        let Some((at, next)) = second else { return Some(None) };
        if !value.contains(first.tags.value_end) {
            return Some(Some((at, next)));
        }
        let mut read = OpenValue { tags: first.tags, key: String::new(), from: 0, position: 0, depth: 0 };
        let mut tags = std::iter::from_fn(|| self.next_tag(&mut read, value));
        let has_ended = tags.any(|(end, tag)| matches!(tag, Tag::ValueEnd) && end < at);
        (!has_ended).then_some(None)
    }
}

/// The tags before a value, if an argument begins here.
fn opening<'t>(text: &'t str, dialect: &Dialect) -> Result<Opening<'t>, Match> {
    let forms = || dialect.argument_tags().iter().map(|tags| opening_in(tags, text));
    let is_undecided = || forms().any(|form| matches!(form, Err(Match::Partial)));
    forms().find_map(Result::ok).ok_or_else(|| Match::partial_if(is_undecided()))
}

fn opening_in<'t>(tags: &'static ArgumentTags, text: &'t str) -> Result<Opening<'t>, Match> {
    let partial = Match::partial_if(tags.key.starts_with(text));
    let key = text.strip_prefix(tags.key).ok_or(partial)?;
    let key_end = find_within(key, tags.key_end, MAX_KEY)?;
    let after = key.get(key_end + tags.key_end.len()..).unwrap_or_default();
    let gap = find_within(after, tags.value, MAX_GAP)?;
    let key = key.get(..key_end).unwrap_or_default().trim();
    // Other attributes may stand in the tag of the key, but nothing between two tags.
    let is_gap = tags.key_end == "\"" || after.get(..gap).unwrap_or_default().trim().is_empty();
    let length = text.len() - after.len() + gap + tags.value.len();
    if is_gap && !key.is_empty() && !key.contains(['<', '\n']) {
        Ok(Opening { tags, key, length })
    } else {
        Err(Match::No)
    }
}
