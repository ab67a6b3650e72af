//! The scripted upstream: it rejects what the strictest providers reject, and replies in the form of every provider.
//!
//! The end-to-end tests depend on it. A server that accepts bad requests would hide faults of the filter.

mod presets;
mod refusals;
mod replies;
mod strictness;

use serde_json::{Value, json};
use support::{Answer, Upstream, post};

/// A request with everything that a generic request may have: system, text and image, parallel calls and their outputs, plain fields.
fn good() -> Value {
    json!({
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "high"}}
            ]},
            {"role": "assistant", "content": "", "tool_calls": [
                {"id": "call_a", "type": "function", "function": {"name": "look", "arguments": "{}"}},
                {"id": "call_b", "type": "function", "function": {"name": "look", "arguments": "{\"at\": 1}"}}
            ]},
            {"role": "tool", "tool_call_id": "call_b", "content": "a cat"},
            {"role": "tool", "tool_call_id": "call_a", "content": "a dog"},
            {"role": "assistant", "content": "A dog."},
            {"role": "user", "content": "Sure?"}
        ],
        "tools": [
            {"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {
                "type": "object", "properties": {"at": {"type": "integer"}}
            }}},
            {"type": "function", "function": {"name": "think"}}
        ],
        "tool_choice": {"type": "function", "function": {"name": "look"}},
        "parallel_tool_calls": true,
        "stream": true,
        "stream_options": {"include_usage": true},
        "max_tokens": 5,
        "temperature": 0.5,
        "top_p": 1,
        "n": 1,
        "stop": ["."],
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}, "strict": true}}
    })
}

/// Sets the value at the pointer, or removes it.
fn changed(pointer: &str, value: Option<Value>) -> Value {
    let mut body = good();
    let (parent, key) = pointer.rsplit_once('/').expect("a JSON pointer");
    let parent = body.pointer_mut(parent).expect("a place in the good request");
    match (parent, value) {
        (Value::Object(map), Some(value)) => drop(map.insert(key.to_owned(), value)),
        (Value::Object(map), None) => drop(map.remove(key)),
        (Value::Array(list), Some(value)) => list[key.parse::<usize>().unwrap()] = value,
        (Value::Array(list), None) => drop(list.remove(key.parse::<usize>().unwrap())),
        _ => panic!("{pointer} is in neither object nor array"),
    }
    body
}

fn set(pointer: &str, value: Value) -> Value {
    changed(pointer, Some(value))
}

fn without(pointer: &str) -> Value {
    changed(pointer, None)
}

/// The good request with other messages.
fn talk(messages: Value) -> Value {
    set("/messages", messages)
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

fn calling(id: &str) -> Value {
    json!({"role": "assistant", "content": "", "tool_calls": [
        {"id": id, "type": "function", "function": {"name": "look", "arguments": "{}"}}
    ]})
}

fn result(id: &str) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": "done"})
}

async fn complete(upstream: &Upstream, body: &Value) -> Answer {
    post(&format!("{}/chat/completions", upstream.base_url()), body).await
}
