//! Names of tools with tokens of the chat template around them.

use super::outcome;
use crate::support::*;
use serde_json::{Value, json};

/// Type, namespace and name of the item that a client gets for a call with this name, streamed and in a document.
fn call(name: &str) -> Value {
    let read = json!({"type": "function", "name": "read", "parameters": {"type": "object"}});
    let tools = json!([
        {"type": "custom", "name": "write_note"},
        {"type": "namespace", "name": "mcp__fs", "tools": [read]},
    ]);
    let function = json!({"name": name, "arguments": "{\"input\":\"x\"}"});
    let calls = json!([{"index": 0, "id": "t1", "type": "function", "function": function}]);
    let stream = events(&[delta(json!({"tool_calls": calls})), finish("tool_calls")]);
    let message = json!({"role": "assistant", "content": null, "tool_calls": calls});
    let document = json!({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]});
    let [streamed, document] = [(true, stream), (false, document.to_string())].map(|(stream, upstream)| {
        let asked = ask(json!({"input": "Hi", "stream": stream, "tools": tools}));
        let outcome = outcome(asked.translate().unwrap(), 200, upstream.as_bytes());
        let call = outcome.calls()[0];
        json!([call["type"], call["namespace"], call["name"]])
    });
    assert_eq!(streamed, document, "{name}");
    streamed
}

#[test]
fn a_declared_name_with_tokens_around_it_is_the_declared_tool() {
    for name in [
        "write_note",
        "write_note<|channel|>commentary",
        "write_note <|constrain|>json",
        "write_note\n",
        " write_note",
        "write_note:0",
        "functions.write_note:12",
        "functions.write_note<|channel|>commentary",
        "<|tool_call_begin|>write_note",
    ] {
        assert_eq!(call(name), json!(["custom_tool_call", null, "write_note"]), "{name}");
    }
    for name in ["mcp__fs__read", "mcp__fs.read<|channel|>json", "read\n", "functions.mcp__fs__read:3"] {
        assert_eq!(call(name), json!(["function_call", "mcp__fs", "read"]), "{name}");
    }
}

#[test]
fn other_names_stay_as_they_are() {
    for name in ["write_notes", "rewrite_note", "write_note_2", "write note", "write_note.x"] {
        assert_eq!(call(name), json!(["function_call", null, name]), "{name}");
    }
}
