//! Reads a chunk that differs from an earlier one in a single value without parsing the rest.
//!
//! Providers repeat the id, the model and everything else in each of thousands of chunks. Where all bytes before and
//! after the delta's only value equal those of an earlier chunk, they mean the same, so the value is all that is read.

use super::call_fragment::{CallFragment, number};
use super::choices::Contribution;
use super::reasoning::is_text;
use crate::json::offset_in;
use crate::wire::chat::reply::{Choice, Completion, Function, Message, ToolCall, ToolCalls};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The bytes around the only value of a chunk.
#[derive(Debug)]
pub(in crate::response) struct ChunkTemplate {
    before: Box<str>,
    after: Box<str>,
    field: Field,
}

/// The field that holds the value.
#[derive(Debug)]
enum Field {
    Content,
    Reasoning,
    Arguments(Call),
}

/// The content of a call fragment in addition to its arguments.
#[derive(Debug)]
struct Call {
    index: Option<u64>,
    id: Box<str>,
    name: Box<str>,
}

impl Call {
    /// The next fragment of the same call.
    fn with<'a>(&'a self, arguments: &'a RawValue) -> CallFragment<'a> {
        let (id, name) = (Cow::Borrowed(&*self.id), &*self.name);
        CallFragment { index: self.index, id, name, arguments: Some(arguments), ..CallFragment::default() }
    }
}

/// The only value of a chunk, in the delta of the first choice.
#[derive(Debug)]
pub(in crate::response) enum Piece<'a> {
    /// A string that is not empty.
    Text(&'a RawValue),
    /// A string that is not empty.
    Reasoning(&'a RawValue),
    Call(CallFragment<'a>),
}

impl Piece<'_> {
    pub(super) fn contribution(&self) -> Contribution {
        match self {
            Self::Text(_) => Contribution { text: true, ..Contribution::default() },
            Self::Reasoning(_) => Contribution { reasoning: true, ..Contribution::default() },
            Self::Call(_) => Contribution { calls: true, ..Contribution::default() },
        }
    }

    /// The name of the call.
    pub(super) fn called(&self) -> Option<&str> {
        match self {
            Self::Text(_) | Self::Reasoning(_) => None,
            Self::Call(fragment) => Some(fragment.name),
        }
    }
}

impl ChunkTemplate {
    /// The template of `chunk`, which was parsed from `json`, if its delta has a single value and the rest has no
    /// meaning.
    pub(in crate::response) fn of(chunk: &Completion<'_>, json: &str) -> Option<Self> {
        let (field, value) = only_value(chunk)?;
        let (before, rest) = json.split_at_checked(offset_in(json.as_bytes(), value.get().as_bytes())?)?;
        let after = rest.strip_prefix(value.get())?;
        Some(Self { before: before.into(), after: after.into(), field })
    }

    /// The value of the chunk in `json`, if that matches the template.
    pub(in crate::response) fn read<'a>(&'a self, json: &'a str) -> Option<Piece<'a>> {
        let (before, rest) = json.split_at_checked(self.before.len())?;
        let (value, after) = rest.split_at_checked(rest.len().checked_sub(self.after.len())?)?;
        if !is_same(before, &self.before) || !is_same(after, &self.after) {
            return None;
        }
        // It must be one complete JSON value, because otherwise `after` could begin inside it.
        let value: &RawValue = serde_json::from_str(value).ok()?;
        match &self.field {
            Field::Content => is_text(value).then_some(Piece::Text(value)),
            Field::Reasoning => is_text(value).then_some(Piece::Reasoning(value)),
            Field::Arguments(call) => (value.get() != "null").then(|| Piece::Call(call.with(value))),
        }
    }
}

/// Whether two strings are equal. It compares 16 bytes at a time, because `==` compares single bytes in WebAssembly and
/// nearly all bytes of a stream are compared here.
fn is_same(one: &str, other: &str) -> bool {
    let ((words, rest), (other_words, other_rest)) =
        (one.as_bytes().as_chunks::<16>(), other.as_bytes().as_chunks::<16>());
    words.iter().zip(other_words).all(|(word, other)| word == other) && rest == other_rest
}

/// The delta's only value, if no other field of the chunk has a meaning. All fields are listed, so that the compiler
/// reports a new one.
fn only_value<'a>(chunk: &Completion<'a>) -> Option<(Field, &'a RawValue)> {
    let Completion {
        choices: Some(choices),
        usage: None,
        service_tier: _,
        error: None,
        x_groq: None,
        message: None,
        done: None,
        done_reason: _,
        prompt_eval_count: _,
        eval_count: _,
        response: None,
        tool_calls: None,
        finish_reason: None,
        result: None,
        citations: None,
        search_results: None,
    } = chunk
    else {
        return None;
    };
    let [
        Choice {
            index,
            delta: Some(delta),
            message: None,
            finish_reason: None,
            logprobs: None,
            error: None,
            usage: None,
            tool_calls: None,
        },
    ] = choices.as_slice()
    else {
        return None;
    };
    let Message {
        content,
        reasoning_content,
        reasoning,
        reasoning_text: None,
        thinking: None,
        reasoning_details: None,
        refusal: None,
        annotations: None,
        images: None,
        tool_calls,
        tool_call: None,
        function_call: None,
        tool_calls_in_camel_case: None,
        function_calls: None,
        error: None,
    } = delta
    else {
        return None;
    };
    let is_first_choice = index.and_then(number).unwrap_or(0) == 0;
    let call = match tool_calls {
        Some(calls) => Some(only_arguments(calls)?),
        None => None,
    };
    let texts =
        [(Field::Content, content), (Field::Reasoning, reasoning_content), (Field::Reasoning, reasoning)];
    let texts = texts.into_iter().filter_map(|(field, value)| Some((field, (*value)?)));
    let mut values = texts.chain(call);
    values.next().filter(|_| is_first_choice && values.next().is_none())
}

/// The arguments of the only call fragment.
fn only_arguments<'a>(calls: &ToolCalls<'a>) -> Option<(Field, &'a RawValue)> {
    let ToolCalls::Read(calls) = calls else { return None };
    let [call] = calls.as_slice() else { return None };
    let ToolCall {
        index: _,
        id: _,
        function:
            Some(Function { name: _, arguments: Some(arguments), parameters: None, args: None, input: None }),
        custom: None,
        extra_content: None,
        name: None,
        arguments: None,
        input: None,
        parameters: None,
        args: None,
        is_unread: false,
    } = call
    else {
        return None;
    };
    let CallFragment { index, id, name, .. } = CallFragment::of(call);
    Some((Field::Arguments(Call { index, id: id.into(), name: name.into() }), arguments))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response::normalizer::ChunkNormalizer;
    use crate::response::normalizer::tests::{Recorder, normalizer};
    use crate::response::outcome::Failure;

    fn chunk(delta: &str) -> String {
        format!(r#"{{"id":"c","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#)
    }

    /// Whether the second chunk matches the template of the first. If so, the deltas must be those of a parsed chunk.
    fn matches(first: &str, second: &str) -> bool {
        let (first, second) = (chunk(first), chunk(second));
        let parsed = |json| serde_json::from_str::<Completion<'_>>(json).unwrap();
        let template = ChunkTemplate::of(&parsed(&first), &first);
        let piece = template.as_ref().and_then(|template| template.read(&second));
        if let Some(piece) = &piece {
            let deltas = |read: &dyn Fn(&mut ChunkNormalizer, &mut Recorder) -> Result<(), Failure>| {
                let (mut normalizer, mut sink) = (normalizer(None), Recorder::default());
                normalizer.read(&parsed(&first), &mut sink).unwrap();
                read(&mut normalizer, &mut sink).unwrap();
                sink.0
            };
            let by_piece = deltas(&|normalizer, sink| normalizer.piece(piece, sink));
            let by_chunk = deltas(&|normalizer, sink| normalizer.read(&parsed(&second), sink));
            assert_eq!(by_piece, by_chunk, "{second} after {first}");
        }
        piece.is_some()
    }

    fn fragment(arguments: &str) -> String {
        format!(r#"{{"tool_calls":[{{"index":1,"function":{{"arguments":{arguments}}}}}]}}"#)
    }

    fn named(arguments: &str) -> String {
        format!(
            r#"{{"content":null,"tool_calls":[{{"id":"a","function":{{"name":"f","arguments":{arguments}}},"type":"function"}}]}}"#
        )
    }

    #[test]
    fn a_chunk_that_differs_in_its_only_value_matches_and_reads_as_parsed() {
        for (first, second) in [
            (r#"{"content":"a"}"#, r#"{"content":"b\"}"}"#),
            (r#"{"role":"assistant","reasoning":"a"}"#, r#"{"role":"assistant","reasoning":"b"}"#),
            (r#"{"reasoning":""}"#, r#"{"reasoning":"b"}"#),
            (r#"{"reasoning_content":"a"}"#, r#"{"reasoning_content":"}]}"}"#),
            (&fragment(r#""{\"a""#), &fragment(r#""\":1}""#)),
            (&fragment(r#""{\"a""#), &fragment(r#"{"a":1}"#)),
            (&named(r#""""#), &named(r#""{}""#)),
        ] {
            assert!(matches(first, second), "{second} after {first}");
        }
    }

    #[test]
    fn a_chunk_with_any_other_difference_does_not_match() {
        let other_index = fragment(r#""x""#).replace('1', "2");
        let other_call = named(r#""x""#).replace(r#""a""#, r#""b""#);
        let two = r#"{"tool_calls":[{"index":1,"function":{"arguments":"x"}},{"index":2,"function":{"arguments":"y"}}]}"#;
        for (first, second) in [
            (r#"{"content":"a"}"#, r#"{"content":null}"#),
            (r#"{"content":"a"}"#, r#"{"content":""}"#),
            (r#"{"content":"a"}"#, r#"{"content":["b"]}"#),
            (r#"{"content":"a"}"#, r#"{"content":"b","refusal":"c"}"#),
            (r#"{"content":"a"}"#, r#"{"content":"b"},"index":1,"x":{"y":"z"}"#),
            (r#"{"content":"a","reasoning":"b"}"#, r#"{"content":"b","reasoning":"b"}"#),
            (&fragment(r#""x""#), other_index.as_str()),
            (&fragment(r#""x""#), two),
            (two, two),
            (&fragment(r#""x""#), &fragment("null")),
            (&named(r#""x""#), &other_call),
            (r#"{"tool_calls":[]}"#, r#"{"tool_calls":[]}"#),
            (
                r#"{"tool_calls":{"name":"f","arguments":"x"}}"#,
                r#"{"tool_calls":{"name":"f","arguments":"y"}}"#,
            ),
        ] {
            assert!(!matches(first, second), "{second} after {first}");
        }
    }
}
