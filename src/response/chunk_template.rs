//! Chunks that are like the one before: they differ in one value, and only that is read.
//!
//! A host repeats the id, the model and all the rest in each of its thousands of chunks. Where all the bytes
//! before and after the delta's one value are those of an earlier chunk, they mean what they meant there.
//! What is then handed on is the same chunk as ever, so nothing behind this knows that it was not parsed.

use crate::response::call_assembler::number;
use crate::wire::chat::reply::{Choice, Completion, Function, Message, ToolCall, ToolCalls};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// What stands around the one value of a chunk.
#[derive(Debug)]
pub(crate) struct ChunkTemplate {
    before: Box<str>,
    after: Box<str>,
    field: Field,
}

/// The fields of a delta that come in many pieces.
#[derive(Debug)]
enum Field {
    Content,
    ReasoningContent,
    Reasoning,
    Arguments(Call),
}

/// What a call says besides its arguments.
#[derive(Debug)]
struct Call {
    index: Option<Box<RawValue>>,
    id: Option<Box<RawValue>>,
    name: Option<Box<str>>,
}

impl Call {
    /// The next piece of the same call.
    fn with<'a>(&'a self, arguments: &'a RawValue) -> ToolCall<'a> {
        let name = self.name.as_deref().map(Cow::Borrowed);
        ToolCall {
            index: self.index.as_deref(),
            id: self.id.as_deref(),
            function: Some(Function { name, arguments: Some(arguments) }),
            ..ToolCall::default()
        }
    }
}

impl ChunkTemplate {
    /// The pattern of `chunk`, which was read from `json`, if a delta's one value is all that it says.
    pub(crate) fn of(chunk: &Completion<'_>, json: &str) -> Option<Self> {
        let (field, value) = only_value(chunk)?;
        let start = (value.get().as_ptr() as usize).checked_sub(json.as_ptr() as usize)?;
        let (before, rest) = json.split_at_checked(start)?;
        let after = rest.strip_prefix(value.get())?;
        Some(Self { before: before.into(), after: after.into(), field })
    }

    /// The chunk that `json` holds, if it follows the pattern.
    pub(crate) fn read<'a>(&'a self, json: &'a str) -> Option<Completion<'a>> {
        let (before, rest) = json.split_at_checked(self.before.len())?;
        let (value, after) = rest.split_at_checked(rest.len().checked_sub(self.after.len())?)?;
        if !is_same(before, &self.before) || !is_same(after, &self.after) {
            return None;
        }
        // That it is one whole value makes sure that what comes after it stands outside of it.
        let value: &RawValue = serde_json::from_str(value).ok()?;
        let delta = match &self.field {
            _ if value.get() == "null" => return None,
            Field::Content => Message { content: Some(value), ..Message::default() },
            Field::ReasoningContent => Message { reasoning_content: Some(value), ..Message::default() },
            Field::Reasoning => Message { reasoning: Some(value), ..Message::default() },
            Field::Arguments(call) => {
                let calls = ToolCalls::Read(vec![call.with(value)]);
                Message { tool_calls: Some(calls), ..Message::default() }
            }
        };
        let choice = Choice { delta: Some(delta), ..Choice::default() };
        Some(Completion { choices: Some(vec![choice]), ..Completion::default() })
    }
}

/// Whether two texts of the same length are the same. A loop over words, because WebAssembly's `==` is one over bytes,
/// and nearly all of a stream passes here.
fn is_same(one: &str, other: &str) -> bool {
    let ((words, rest), (other_words, other_rest)) =
        (one.as_bytes().as_chunks::<16>(), other.as_bytes().as_chunks::<16>());
    words.iter().zip(other_words).all(|(word, other)| word == other) && rest == other_rest
}

/// The delta's one value, if nothing else in the chunk says anything. All fields are named here,
/// so that a new one has to be thought of.
fn only_value<'a>(chunk: &Completion<'a>) -> Option<(Field, &'a RawValue)> {
    let Completion {
        choices: Some(choices),
        usage: None,
        model: _,
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
        tool_calls,
        function_call: None,
    } = delta
    else {
        return None;
    };
    let is_ours = index.and_then(number).unwrap_or(0) == 0;
    let call = match tool_calls {
        Some(calls) => Some(only_arguments(calls)?),
        None => None,
    };
    let texts = [
        (Field::Content, content),
        (Field::ReasoningContent, reasoning_content),
        (Field::Reasoning, reasoning),
    ];
    let texts = texts.into_iter().filter_map(|(field, value)| Some((field, (*value)?)));
    let mut said = texts.chain(call);
    said.next().filter(|_| is_ours && said.next().is_none())
}

/// The arguments of the one call that there is a piece of.
fn only_arguments<'a>(calls: &ToolCalls<'a>) -> Option<(Field, &'a RawValue)> {
    let ToolCalls::Read(calls) = calls else { return None };
    let [
        ToolCall {
            index,
            id,
            function: Some(Function { name, arguments: Some(arguments) }),
            custom: None,
            extra_content: None,
            name: None,
            arguments: None,
        },
    ] = calls.as_slice()
    else {
        return None;
    };
    let owned = |raw: &Option<&RawValue>| raw.map(ToOwned::to_owned);
    let call = Call { index: owned(index), id: owned(id), name: name.as_deref().map(Into::into) };
    Some((Field::Arguments(call), arguments))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(delta: &str) -> String {
        format!(r#"{{"id":"c","choices":[{{"index":0,"delta":{delta},"finish_reason":null}}]}}"#)
    }

    /// What the second chunk says by the pattern of the first, if it follows that.
    fn follows(first: &str, second: &str) -> bool {
        let (first, second) = (chunk(first), chunk(second));
        let delta = |chunk: &Completion<'_>| format!("{:?}", chunk.choices.as_ref().unwrap()[0].delta);
        let pattern = ChunkTemplate::of(&serde_json::from_str(&first).unwrap(), &first);
        let read = pattern.as_ref().and_then(|pattern| pattern.read(&second));
        if let Some(read) = &read {
            let parsed = serde_json::from_str(&second).unwrap();
            assert_eq!(delta(read), delta(&parsed), "{second}");
        }
        read.is_some()
    }

    fn piece(arguments: &str) -> String {
        format!(r#"{{"tool_calls":[{{"index":1,"function":{{"arguments":{arguments}}}}}]}}"#)
    }

    fn named(arguments: &str) -> String {
        format!(
            r#"{{"content":null,"tool_calls":[{{"id":"a","function":{{"name":"f","arguments":{arguments}}},"type":"function"}}]}}"#
        )
    }

    #[test]
    fn what_differs_in_its_one_value_follows_and_says_what_it_would_say_parsed() {
        for (first, second) in [
            (r#"{"content":"a"}"#, r#"{"content":"b\"}"}"#),
            (r#"{"role":"assistant","reasoning":"a"}"#, r#"{"role":"assistant","reasoning":""}"#),
            (r#"{"reasoning_content":"a"}"#, r#"{"reasoning_content":"}]}"}"#),
            (&piece(r#""{\"a""#), &piece(r#""\":1}""#)),
            (&piece(r#""{\"a""#), &piece(r#"{"a":1}"#)),
            (&named(r#""""#), &named(r#""{}""#)),
        ] {
            assert!(follows(first, second), "{second} after {first}");
        }
    }

    #[test]
    fn what_says_anything_else_does_not_follow() {
        let other_index = piece(r#""x""#).replace('1', "2");
        let other_call = named(r#""x""#).replace(r#""a""#, r#""b""#);
        let two = r#"{"tool_calls":[{"index":1,"function":{"arguments":"x"}},{"index":2,"function":{"arguments":"y"}}]}"#;
        for (first, second) in [
            (r#"{"content":"a"}"#, r#"{"content":null}"#),
            (r#"{"content":"a"}"#, r#"{"content":"b","refusal":"c"}"#),
            (r#"{"content":"a"}"#, r#"{"content":"b"},"index":1,"x":{"y":"z"}"#),
            (r#"{"content":"a","reasoning":"b"}"#, r#"{"content":"b","reasoning":"b"}"#),
            (&piece(r#""x""#), other_index.as_str()),
            (&piece(r#""x""#), two),
            (two, two),
            (&piece(r#""x""#), &piece("null")),
            (&named(r#""x""#), &other_call),
            (r#"{"tool_calls":[]}"#, r#"{"tool_calls":[]}"#),
            (
                r#"{"tool_calls":{"name":"f","arguments":"x"}}"#,
                r#"{"tool_calls":{"name":"f","arguments":"y"}}"#,
            ),
        ] {
            assert!(!follows(first, second), "{second} after {first}");
        }
    }
}
