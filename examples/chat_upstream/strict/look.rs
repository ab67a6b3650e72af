//! Accessors that the rules share.

use serde_json::Value;

use super::{Checked, Refusal};

pub(super) fn demand(holds: bool, param: &str, why: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err(Refusal::at(param, why())) }
}

pub(super) fn each_message<'a>(body: &'a Value, mut rule: impl FnMut(&'a Value, &str) -> Checked) -> Checked {
    messages(body).iter().enumerate().try_for_each(|(at, message)| rule(message, &format!("messages[{at}]")))
}

pub(super) fn messages(body: &Value) -> &[Value] {
    list_at(body, "messages")
}

pub(super) fn calls(message: &Value) -> &[Value] {
    list_at(message, "tool_calls")
}

fn list_at<'a>(object: &'a Value, key: &str) -> &'a [Value] {
    object.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn role(message: &Value) -> &str {
    text_at(message, "/role")
}

pub(super) fn text_at<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn contains(list: &[String], word: &str) -> bool {
    list.iter().any(|item| item == word)
}
