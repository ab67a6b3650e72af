//! Errors in the chunks of a reply.

use super::call_assembler::CallAssembler;
use super::choices::AnswerChoices;
use crate::error::{ApiError, Code, classify};
use crate::json;
use crate::response::outcome::{Failure, lost};
use crate::wire::chat::reply::{ToolCall, ToolCalls};
use serde_json::Value;
use serde_json::value::RawValue;

/// Fails if the reply holds an error. Some providers send an empty `error` with every chunk.
pub(super) fn check_error(error: Option<&RawValue>) -> Result<(), Failure> {
    let Some(raw) = error else { return Ok(()) };
    match json::from_text(raw.get()).unwrap_or(Value::Bool(true)) {
        value if classify::is_empty(&value) => Ok(()),
        value => Err(classify::in_reply(&serde_json::json!({ "error": value })).into()),
    }
}

/// The calls of a message, or the error for those of which nobody can know the names.
pub(super) fn readable<'c, 'a>(calls: &'c ToolCalls<'a>) -> Result<&'c [ToolCall<'a>], Failure> {
    match calls {
        ToolCalls::Read(calls) => Ok(calls),
        ToolCalls::Unreadable => {
            let error = ApiError::upstream("The upstream sent a tool call that cannot be read.");
            Err(error.code(Code::ToolCallLost).into())
        }
    }
}

/// Fails if a call of the reply is not delivered: its arguments were not read, or it is the only one and was ignored.
pub(super) fn check_calls(calls: &CallAssembler, choices: &AnswerChoices) -> Result<(), Failure> {
    if let Some((name, id)) = calls.unread() {
        return Err(lost(name, id, "its arguments are under a key that is not read").into());
    }
    match choices.ignored_call().filter(|_| calls.len() == 0) {
        Some(name) => Err(lost(name, "", "it came with another answer than the first").into()),
        None => Ok(()),
    }
}

/// Fails if a `function_call` beside tool calls is none of them.
pub(super) fn check_legacy(calls: &CallAssembler, name: &str) -> Result<(), Failure> {
    if calls.lacks(name) {
        return Err(lost(name, "", "it came as function_call beside other tool calls").into());
    }
    Ok(())
}
