//! Calls of asynchronous tools, whose outputs may come in a later request.

use crate::support::*;
use serde_json::{Value, json};

const PENDING: &str = "(no output yet: the call is still running)";

/// A call of a tool, and the place of `async`: in the call, or in the tool, which may be in a namespace.
fn cases() -> Vec<(Value, Value)> {
    let custom = |more: Value| {
        with(json!({"type": "custom_tool_call", "call_id": "a", "name": "c", "input": "x"}), more)
    };
    let asynchronous = json!({"async": true});
    let in_namespace =
        json!({"type": "namespace", "name": "n", "tools": [with(function("f"), asynchronous.clone())]});
    vec![
        (with(function_call("a", "f", "{}"), asynchronous.clone()), json!([function("f")])),
        (with(function_call("a", "f", "{}"), asynchronous.clone()), json!([])),
        (function_call("a", "f", "{}"), json!([with(function("f"), asynchronous.clone())])),
        (with(function_call("a", "f", "{}"), json!({"namespace": "n"})), json!([in_namespace])),
        (custom(asynchronous.clone()), json!([{"type": "custom", "name": "c"}])),
        (custom(json!({})), json!([{"type": "custom", "name": "c", "async": true}])),
    ]
}

fn with(mut value: Value, more: Value) -> Value {
    value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    value
}

#[test]
fn a_call_may_wait_for_its_output() {
    for (call, tools) in cases() {
        for policy in ["strict", "repair"] {
            let input = json!([user("hi"), call, user("and now?")]);
            let asked = ask(json!({"input": input, "tools": tools})).config(&json!({"history": policy}));
            let translated = asked.translate().unwrap();
            let body: Value = serde_json::from_slice(&translated.body).unwrap();
            assert_eq!(roles(&body["messages"]), ["user", "assistant", "tool", "user"]);
            assert_eq!(body["messages"][2]["content"], PENDING, "{call}");
            assert!(translated.report.all_repaired().is_empty(), "nothing was broken: {call}");
        }
    }
}

#[test]
fn the_output_replaces_the_note_when_it_comes() {
    for (call, tools) in cases() {
        let kind = format!("{}_output", call["type"].as_str().unwrap());
        let output = json!({"type": kind, "call_id": "a", "output": "done"});
        let input = json!([user("hi"), call, user("and now?"), output]);
        let (body, _) = ask(json!({"input": input, "tools": tools})).sent();
        assert_eq!(body["messages"][2]["content"], "done", "{call}");
    }
}

#[test]
fn a_summary_may_be_asked_for_meanwhile() {
    for (call, tools) in cases() {
        let input = json!([user("hi"), call, {"type": "compaction_trigger"}]);
        let (body, _) = ask(json!({"input": input, "tools": tools})).sent();
        assert_eq!(body["messages"][2]["content"], PENDING, "{call}");
    }
}

#[test]
fn other_calls_still_need_their_output() {
    let tools = json!([function("f"), with(function("g"), json!({"async": true}))]);
    for call in
        [function_call("a", "f", "{}"), with(function_call("a", "g", "{}"), json!({"namespace": "n"}))]
    {
        let error = ask(json!({"input": [user("hi"), call, user("x")], "tools": tools})).refusal();
        assert_eq!(error.message, "No tool output found for function call a.");
    }
    let explicit = with(function_call("a", "f", "{}"), json!({"async": false}));
    ask(json!({"input": [user("hi"), explicit]})).refusal();
}
