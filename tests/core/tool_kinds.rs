//! An example of each tool kind. The declaration, the call and the output of each kind are translated in both
//! directions.

use crate::golden::{end, in_snapshots, more};
use crate::grammar::types_of;
use crate::support::*;
use insta::assert_snapshot;
use serde_json::{Value, json};
use transponder::items::{KINDS, ToolKind};

/// A tool of one kind, and a call of it.
pub(crate) struct Example {
    /// The declaration in `tools`.
    pub(crate) tool: Value,
    /// The tool's name upstream.
    pub(crate) name: &'static str,
    /// The arguments of the upstream's call.
    pub(crate) arguments: Value,
    /// The call item that the client gets, without `id` and `status`.
    pub(crate) call: Value,
    /// The arguments of the call in the next request.
    pub(crate) sent_again: Value,
    /// The client's output item.
    pub(crate) output: Value,
    /// The text of the tool message.
    pub(crate) message: String,
}

pub(crate) fn example(kind: &ToolKind) -> Example {
    match kind.tool_type {
        "function" => Example {
            tool: json!({"type": "function", "name": "f"}),
            name: "f",
            arguments: json!({"x": 1}),
            call: json!({"type": "function_call", "call_id": "a", "name": "f", "arguments": r#"{"x":1}"#}),
            sent_again: json!({"x": 1}),
            output: json!({"type": "function_call_output", "call_id": "a", "output": "x"}),
            message: "x".to_owned(),
        },
        "custom" => Example {
            tool: json!({"type": "custom", "name": "c"}),
            name: "c",
            arguments: json!({"input": "x"}),
            call: json!({"type": "custom_tool_call", "call_id": "a", "name": "c", "input": "x"}),
            sent_again: json!({"input": "x"}),
            output: json!({"type": "custom_tool_call_output", "call_id": "a", "output": "x"}),
            message: "x".to_owned(),
        },
        "tool_search" => {
            let found = json!([{"type": "function", "name": "g"}]);
            Example {
                tool: json!({"type": "tool_search", "execution": "client"}),
                name: "tool_search",
                arguments: json!({"q": "x"}),
                call: json!({"type": "tool_search_call", "call_id": "a", "execution": "client", "arguments": {"q": "x"}}),
                sent_again: json!({"q": "x"}),
                output: json!({"type": "tool_search_output", "call_id": "a", "tools": found}),
                message: found.to_string(),
            }
        }
        "shell" => {
            let action = json!({"commands": ["ls"], "timeout_ms": null, "max_output_length": null});
            let outcome =
                json!([{"stdout": "a\n", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]);
            Example {
                tool: json!({"type": "shell"}),
                name: "shell",
                arguments: json!({"commands": ["ls"]}),
                call: json!({"type": "shell_call", "call_id": "a", "action": action}),
                sent_again: action,
                output: json!({"type": "shell_call_output", "call_id": "a", "output": outcome}),
                message: outcome.to_string(),
            }
        }
        "local_shell" => {
            let action = json!({"type": "exec", "command": ["ls"], "env": {}});
            Example {
                tool: json!({"type": "local_shell"}),
                name: "local_shell",
                arguments: json!({"command": ["ls"]}),
                call: json!({"type": "local_shell_call", "call_id": "a", "action": action}),
                sent_again: action,
                output: json!({"type": "local_shell_call_output", "id": "a", "output": "x"}),
                message: "x".to_owned(),
            }
        }
        "apply_patch" => {
            let operation = json!({"type": "delete_file", "path": "a"});
            Example {
                tool: json!({"type": "apply_patch"}),
                name: "apply_patch",
                arguments: operation.clone(),
                call: json!({"type": "apply_patch_call", "call_id": "a", "operation": operation}),
                sent_again: operation,
                output: json!({"type": "apply_patch_call_output", "call_id": "a", "status": "failed", "output": "no a"}),
                message: "failed: no a".to_owned(),
            }
        }
        other => panic!("add an example of the tool kind {other}"),
    }
}

/// The item without the fields that differ between calls.
fn without_id(item: &Value) -> Value {
    let mut item = item.clone();
    item.as_object_mut().unwrap().retain(|key, _| key != "id" && key != "status");
    item
}

#[test]
fn a_call_becomes_its_item_and_is_a_call_again_in_the_next_request() {
    for kind in KINDS {
        let Example { tool, name, arguments, call, sent_again, output, message } = example(kind);
        let mut choice = json!({"type": kind.tool_type});
        if kind.named {
            choice["name"] = tool["name"].clone();
        }
        let (body, dropped) = ask(json!({"input": "hi", "tools": [tool], "tool_choice": choice})).sent();
        assert_eq!((&body["tools"][0]["function"]["name"], dropped.len()), (&json!(name), 0), "{dropped:?}");
        assert_eq!(body["tool_choice"]["function"]["name"], name);

        let function = json!({"name": name, "arguments": arguments.to_string()});
        let said = json!({"tool_calls": [{"id": "a", "type": "function", "function": function}]});
        let reply = json!({"choices": [{"message": said, "finish_reason": "tool_calls"}]});
        let asked = ask(json!({"input": "hi", "tools": [tool]}));
        let item = asked.document(&reply.to_string())["output"][0].clone();
        assert_eq!(without_id(&item), call);
        let prefix = format!("{}_", kind.id_prefix);
        assert!(item["id"].as_str().unwrap().starts_with(&prefix), "{item}");

        let sent = messages(&json!({}), json!([user("hi"), item, output]));
        let again = sent[1]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
        assert_eq!(serde_json::from_str::<Value>(again).unwrap(), sent_again);
        assert_eq!(sent[2], json!({"role": "tool", "tool_call_id": "a", "content": message}));
    }
}

/// Each kind as a client receives it: complete, and cut by length in the middle of its arguments.
#[test]
fn every_kind_of_call_as_a_stream() {
    for kind in KINDS {
        let Example { tool, name, arguments, .. } = example(kind);
        let asked = ask(json!({"input": "hi", "stream": true, "tools": [tool]}));
        let arguments = arguments.to_string();
        let (begin, rest) = arguments.split_at(arguments.len() - 3);
        let complete = vec![call(0, "a", name, begin), more(0, rest), end("tool_calls")];
        let cut = vec![call(0, "a", name, begin), end("length")];
        in_snapshots(|| {
            for (ending, chunks) in [("complete", complete), ("cut", cut)] {
                let transcript = asked.stream(&chunks);
                let events: Vec<String> = transcript.events.iter().map(shown).collect();
                assert_snapshot!(format!("call-{}-{ending}", kind.tool_type), events.join("\n"));
            }
        });
    }
}

/// An event. Of a response, only the fields that depend on the call.
fn shown(event: &Value) -> String {
    let mut event = event.clone();
    if let Some(response) = event.get_mut("response").and_then(Value::as_object_mut) {
        response.retain(|key, _| ["status", "incomplete_details", "error", "output"].contains(&key.as_str()));
    }
    event.to_string()
}

/// The grammar of events checks the fields of an item only if it knows the type.
#[test]
fn the_grammar_has_every_kind() {
    let known = types_of("item");
    for kind in KINDS {
        assert!(known.contains(kind.call_item), "{} is missing in tests/grammar", kind.call_item);
    }
}
