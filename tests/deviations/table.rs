//! The table of deviations. A new one is a new row. Contradictions between them are data too.

use super::{Case, Needs, calls, content, endings, fragments, framing, places};
use serde_json::Value;

/// One deviation from OpenAI's form.
#[derive(Debug)]
pub struct Deviation {
    pub name: &'static str,
    /// Its row of the known deviations in `docs/upstreams.md`. Empty if it was never reported.
    pub row: &'static str,
    /// What it changes.
    pub aspects: &'static [Aspect],
    pub needs: Needs,
    pub change: Change,
}

/// What a deviation changes. Two deviations with the same aspect cannot be in one reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aspect {
    Arguments,
    ArgumentsKey,
    Pieces,
    Repetition,
    Tail,
    Id,
    Name,
    Spelling,
    Index,
    Order,
    Legacy,
    Container,
    Place,
    Message,
    Reasoning,
    ReasoningValue,
    Text,
    Blanks,
    Surrogates,
    Beside,
    Choices,
    Finish,
    Usage,
    Keys,
    Framing,
}

/// All that concerns how calls are written in `tool_calls`.
pub const CALLS: &[Aspect] = &[
    Aspect::Arguments,
    Aspect::Pieces,
    Aspect::Repetition,
    Aspect::Tail,
    Aspect::Id,
    Aspect::Name,
    Aspect::Index,
    Aspect::Order,
    Aspect::Legacy,
    Aspect::Container,
    Aspect::Place,
];

/// How an upstream sends a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Any,
    Stream,
    Document,
}

/// Where a deviation takes effect. Of a pair, the one in the earlier row is applied first.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    Parts(fn(&mut Case)),
    Chunks(fn(&mut Case, &mut Vec<Value>)),
    Lines(fn(&mut Case, &mut Vec<String>)),
}

impl Change {
    pub fn of_parts(self) -> Option<fn(&mut Case)> {
        if let Self::Parts(change) = self { Some(change) } else { None }
    }

    pub fn of_chunks(self) -> Option<fn(&mut Case, &mut Vec<Value>)> {
        if let Self::Chunks(change) = self { Some(change) } else { None }
    }

    pub fn of_lines(self) -> Option<fn(&mut Case, &mut Vec<String>)> {
        if let Self::Lines(change) = self { Some(change) } else { None }
    }
}

pub const ANYTHING: Needs =
    Needs { form: Form::Any, calls: [0, 3], tool: None, reasoning: false, text: None, distinct: false };
pub const STREAM: Needs = Needs { form: Form::Stream, ..ANYTHING };
pub const DOCUMENT: Needs = Needs { form: Form::Document, ..ANYTHING };

impl Needs {
    pub const fn calls(self, least: usize, most: usize) -> Self {
        Self { calls: [least, most], ..self }
    }

    pub const fn tool(self, tool: usize) -> Self {
        Self { tool: Some(tool), ..self }
    }

    pub const fn text(self, text: bool) -> Self {
        Self { text: Some(text), ..self }
    }

    pub const fn distinct(self) -> Self {
        Self { distinct: true, ..self }
    }

    pub const fn reasoning(self) -> Self {
        Self { reasoning: true, ..self }
    }
}

/// All deviations.
pub fn all() -> Vec<&'static Deviation> {
    [calls::TABLE, fragments::TABLE, content::TABLE, endings::TABLE, places::TABLE, framing::TABLE]
        .into_iter()
        .flatten()
        .collect()
}

const NAMED_WITH_AN_INDEX: &str =
    "a piece with a name, or a new id, and an index that no call has begins a call";

/// Pairs of deviations that cannot be in one reply, with reasons.
pub const CONTRADICTIONS: &[(&[&str], &str)] = &[
    (&["a late name", "no index"], "a call without an index begins with its name"),
    (&["a late name", "the index 0 for all calls"], "a call without an index begins with its name"),
    (&["a new id on each piece", "no index"], "nothing says that the pieces are one call"),
    (
        &["a placeholder", "a new id on each piece"],
        "a call with the arguments `{}` and a new id is another call",
    ),
    (&["a placeholder", "calls in turns"], "arguments of another call settle the `{}` of a call before it"),
    (&["the same id for all calls", "no index"], "an equal call with the same id is a repetition"),
    (
        &["the same id for all calls", "the index 0 for all calls"],
        "an equal call with the same id is a repetition",
    ),
    (&["no index", "calls in turns"], "nothing says which call a piece belongs to"),
    (&["the index 0 for all calls", "calls in turns"], "nothing says which call a piece belongs to"),
    (&["an index only with the arguments", "calls in turns"], "nothing says which call an index is of"),
    (&["an index only with the arguments", "a late name"], NAMED_WITH_AN_INDEX),
    (&["an index only with the arguments", "the name on each piece"], NAMED_WITH_AN_INDEX),
    (&["an index only with the arguments", "the name in pieces"], NAMED_WITH_AN_INDEX),
    (&["an index only with the arguments", "all of the name so far"], NAMED_WITH_AN_INDEX),
    (&["an index only with the arguments", "a new id on each piece"], NAMED_WITH_AN_INDEX),
    (&["no id", "the call once more"], "a call without an id that comes with its name is another call"),
    (&["no id", "all calls once more"], "a call without an id that comes with its name is another call"),
    (&["each call in a choice", "all calls once more"], "the calls of several choices are not in one list"),
    (&["arguments are an object", "all arguments so far"], "an object has no pieces"),
    (&["no arguments", "arguments twice in one piece"], "there is nothing to repeat"),
    (
        &["arguments are a JSON string", "all arguments so far"],
        "a string that is no JSON may be a custom tool's input",
    ),
    (
        &["arguments are a JSON string", "arguments twice in one piece"],
        "a string that is no JSON may be a custom tool's input",
    ),
    (&["arguments are an object", "arguments twice in one piece"], "an object cannot hold two"),
    (
        &["a surrogate pair in two pieces", "all arguments so far"],
        "a later piece begins with all, not with a half",
    ),
    (&["a surrogate pair in two pieces", "arguments twice in one piece"], "the arguments are in one piece"),
    (&["a surrogate pair in two pieces", "several calls in one chunk"], "the arguments are in one piece"),
    (&["a surrogate pair in two pieces", "the arguments once more"], "the arguments are in one piece"),
    (&["a surrogate pair in two pieces", "the call once more"], "the arguments are in one piece"),
];
