//! Chunks that are like the one before: they differ in one value, and only that is read.
//!
//! A host repeats the id, the model and all the rest in each of its thousands of chunks. Where all the bytes
//! before and after the delta's one value are those of an earlier chunk, they mean what they meant there.
//! What is then handed on is the same chunk as ever, so nothing behind this knows that it was not parsed.

use crate::chat::reply::{Choice, Completion, Message};
use crate::translate::calls::number;
use serde_json::value::RawValue;

/// What stands around the one value of a chunk.
#[derive(Debug)]
pub(in crate::translate) struct Pattern {
    before: Box<str>,
    after: Box<str>,
    field: Field,
}

/// The fields of a delta that come in many pieces.
#[derive(Debug, Clone, Copy)]
enum Field {
    Content,
    ReasoningContent,
    Reasoning,
    ToolCalls,
}

impl Pattern {
    /// The pattern of `chunk`, which was read from `json`, if a delta's one value is all that it says.
    pub(in crate::translate) fn of(chunk: &Completion<'_>, json: &str) -> Option<Self> {
        let (field, value) = only_value(chunk)?;
        let start = (value.get().as_ptr() as usize).checked_sub(json.as_ptr() as usize)?;
        let (before, rest) = json.split_at_checked(start)?;
        let after = rest.strip_prefix(value.get())?;
        Some(Self { before: before.into(), after: after.into(), field })
    }

    /// The chunk that `json` holds, if it follows the pattern.
    pub(in crate::translate) fn read<'a>(&self, json: &'a str) -> Option<Completion<'a>> {
        let value = json.strip_prefix(&*self.before)?.strip_suffix(&*self.after)?;
        // That it is one whole value makes sure that what comes after it stands outside of it.
        let value =
            Some(serde_json::from_str::<&RawValue>(value).ok().filter(|value| value.get() != "null")?);
        let delta = match self.field {
            Field::Content => Message { content: value, ..Message::default() },
            Field::ReasoningContent => Message { reasoning_content: value, ..Message::default() },
            Field::Reasoning => Message { reasoning: value, ..Message::default() },
            Field::ToolCalls => Message { tool_calls: value, ..Message::default() },
        };
        let choice = Choice { delta: Some(delta), ..Choice::default() };
        Some(Completion { choices: Some(vec![choice]), ..Completion::default() })
    }
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
    let values = [
        (Field::Content, content),
        (Field::ReasoningContent, reasoning_content),
        (Field::Reasoning, reasoning),
        (Field::ToolCalls, tool_calls),
    ];
    let mut said = values.into_iter().filter_map(|(field, value)| Some((field, (*value)?)));
    said.next().filter(|_| is_ours && said.next().is_none())
}
