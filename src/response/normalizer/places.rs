//! The places of a chunk in which upstreams put calls. A call that is in several of them is read once.

use crate::wire::chat::reply::{Choice, Completion, Message, ToolCall, ToolCalls};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The types of the parts of `content` that are calls.
const CALL_PARTS: &[&str] = &["tool_use", "tool_call", "function_call"];

/// The calls of a message, from the first place that has any.
pub(super) fn in_message<'m>(message: &'m Message<'_>) -> Option<&'m ToolCalls<'m>> {
    message.tool_calls().into_iter().flatten().find(|calls| has_any(calls))
}

/// The calls beside the messages of a choice.
pub(super) fn in_choice<'c>(choice: &'c Choice<'_>) -> Option<&'c ToolCalls<'c>> {
    let calls = choice.tool_calls.as_ref().filter(|calls| has_any(calls));
    calls.filter(|_| messages(choice).all(|message| in_message(message).is_none()))
}

/// The calls beside the choices.
pub(super) fn in_chunk<'c>(chunk: &'c Completion<'_>) -> Option<&'c ToolCalls<'c>> {
    let mut choices = chunk.choices.iter().flatten();
    let calls = chunk.tool_calls.as_ref().filter(|calls| has_any(calls));
    calls.filter(|_| choices.all(|choice| of_choice(choice).is_none()))
}

/// The calls of a choice, in any place but its text.
pub(super) fn of_choice<'c>(choice: &'c Choice<'_>) -> Option<&'c ToolCalls<'c>> {
    messages(choice).find_map(in_message).or_else(|| in_choice(choice))
}

/// The calls among the parts of `content`.
pub(super) fn in_parts(content: Option<&RawValue>) -> Option<ToolCalls<'_>> {
    let list = content.filter(|raw| raw.get().starts_with('['))?;
    let parts: Vec<&RawValue> = serde_json::from_str(list.get()).ok()?;
    let calls = parts.into_iter().filter(|part| is_call_part(part));
    let calls: Option<Vec<ToolCall<'_>>> =
        calls.map(|part| ToolCall::of_element(part).ok().filter(|call| call.name().is_some())).collect();
    Some(calls.map_or(ToolCalls::Unreadable, ToolCalls::Read)).filter(has_any)
}

pub(super) fn is_call_type(part_type: &str) -> bool {
    CALL_PARTS.contains(&part_type)
}

fn is_call_part(part: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Part<'a> {
        #[serde(borrow)]
        r#type: Cow<'a, str>,
    }
    serde_json::from_str(part.get()).is_ok_and(|part: Part<'_>| is_call_type(&part.r#type))
}

pub(super) fn messages<'c, 'a>(choice: &'c Choice<'a>) -> impl Iterator<Item = &'c Message<'a>> {
    [&choice.delta, &choice.message].into_iter().flatten()
}

fn has_any(calls: &ToolCalls<'_>) -> bool {
    match calls {
        ToolCalls::Read(calls) => !calls.is_empty(),
        ToolCalls::Unreadable => true,
    }
}
