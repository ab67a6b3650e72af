//! Reads a chunk that differs from an earlier one in a single value without parsing the rest.
//!
//! Providers repeat the id, the model and everything else in each of thousands of chunks. Where all bytes before and
//! after the delta's only value equal those of an earlier chunk, they mean the same. The result is the only choice of
//! the chunk that a parser would return, because the rest of that has no meaning.

use super::call_fragment::number;
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
    ReasoningContent,
    Reasoning,
    Arguments(Call),
}

/// The content of a call fragment in addition to its arguments.
#[derive(Debug)]
struct Call {
    index: Option<Box<RawValue>>,
    id: Option<Box<RawValue>>,
    name: Option<Box<str>>,
}

impl Call {
    /// The next fragment of the same call.
    fn with<'a>(&'a self, arguments: &'a RawValue) -> ToolCall<'a> {
        let name = self.name.as_deref().map(Cow::Borrowed);
        ToolCall {
            index: self.index.as_deref(),
            id: self.id.as_deref(),
            function: Some(Function {
                name,
                arguments: Some(arguments),
                parameters: None,
                args: None,
                input: None,
            }),
            ..ToolCall::default()
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

    /// The choice of the chunk in `json`, if that matches the template.
    pub(in crate::response) fn read<'a>(&'a self, json: &'a str) -> Option<Choice<'a>> {
        let (before, rest) = json.split_at_checked(self.before.len())?;
        let (value, after) = rest.split_at_checked(rest.len().checked_sub(self.after.len())?)?;
        if !is_same(before, &self.before) || !is_same(after, &self.after) {
            return None;
        }
        // It must be one complete JSON value, because otherwise `after` could begin inside it.
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
        Some(Choice { delta: Some(delta), ..Choice::default() })
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
    let texts = [
        (Field::Content, content),
        (Field::ReasoningContent, reasoning_content),
        (Field::Reasoning, reasoning),
    ];
    let texts = texts.into_iter().filter_map(|(field, value)| Some((field, (*value)?)));
    let mut values = texts.chain(call);
    values.next().filter(|_| is_first_choice && values.next().is_none())
}

/// The arguments of the only call fragment.
fn only_arguments<'a>(calls: &ToolCalls<'a>) -> Option<(Field, &'a RawValue)> {
    let ToolCalls::Read(calls) = calls else { return None };
    let [
        ToolCall {
            index,
            id,
            function:
                Some(Function { name, arguments: Some(arguments), parameters: None, args: None, input: None }),
            custom: None,
            extra_content: None,
            name: None,
            arguments: None,
            input: None,
            parameters: None,
            args: None,
            is_unread: false,
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

    /// Whether the second chunk matches the template of the first. If so, the result must be the same as from parsing.
    fn matches(first: &str, second: &str) -> bool {
        let (first, second) = (chunk(first), chunk(second));
        let delta = |choice: &Choice<'_>| format!("{:?}", choice.delta);
        let template = ChunkTemplate::of(&serde_json::from_str(&first).unwrap(), &first);
        let read = template.as_ref().and_then(|template| template.read(&second));
        if let Some(read) = &read {
            let parsed: Completion<'_> = serde_json::from_str(&second).unwrap();
            assert_eq!(delta(read), delta(&parsed.choices.unwrap()[0]), "{second}");
        }
        read.is_some()
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
            (r#"{"role":"assistant","reasoning":"a"}"#, r#"{"role":"assistant","reasoning":""}"#),
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
