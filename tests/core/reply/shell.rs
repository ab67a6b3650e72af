//! Calls of the tool `shell`, whose commands are announced one by one.

use crate::support::*;
use serde_json::{Value, json};

fn shell(arguments: &str) -> crate::grammar::Transcript {
    let asked = ask(json!({"input": "hi", "stream": true, "tools": [{"type": "shell"}]}));
    asked.stream(&[call(0, "a", "shell", arguments), finish("tool_calls")])
}

#[test]
fn each_command_has_its_events() {
    let transcript = shell(r#"{"commands": ["cd \"src\"", "", "ls"], "timeout_ms": 5}"#);
    let of = |name: &str, field: &str| -> Vec<(u64, Value)> {
        let name = format!("response.shell_call_command.{name}");
        let events = transcript.of_type(&name);
        events.map(|event| (event["command_index"].as_u64().unwrap(), event[field].clone())).collect()
    };
    let numbered = |commands: &[&str]| {
        commands
            .iter()
            .map(|command| json!(command))
            .enumerate()
            .map(|(at, command)| (at as u64, command))
            .collect::<Vec<_>>()
    };
    assert_eq!(of("added", "command"), numbered(&["", "", ""]));
    assert_eq!(of("delta", "delta"), [(0, json!("cd \"src\"")), (2, json!("ls"))]);
    assert_eq!(of("done", "command"), numbered(&["cd \"src\"", "", "ls"]));
    let action = &transcript.response()["output"][0]["action"];
    assert_eq!(
        *action,
        json!({"commands": ["cd \"src\"", "", "ls"], "timeout_ms": 5, "max_output_length": null})
    );
}

#[test]
fn a_call_without_commands_is_complete_at_once() {
    let transcript = shell(r#"{"commands": []}"#);
    assert_eq!(transcript.of_type("response.shell_call_command.added").count(), 0);
    assert_eq!(transcript.response()["output"][0]["status"], "completed");
}

/// The action of a call of the tool with these arguments, in addition to the command, or the error code.
fn action(tool: &str, required: &str, arguments: &Value) -> Value {
    let mut all = json!({required: ["ls"]});
    all.as_object_mut().unwrap().extend(arguments.as_object().unwrap().clone());
    let asked = ask(json!({"input": "hi", "stream": true, "tools": [{"type": tool}]}));
    let response = asked.received(&[call(0, "a", tool, &all.to_string()), finish("tool_calls")]);
    match &response["error"]["code"] {
        Value::Null => response["output"][0]["action"].clone(),
        code => code.clone(),
    }
}

/// Codex drops an item with a field that it cannot read.
#[test]
fn optional_fields_have_the_type_that_clients_read() {
    let local = |fields: Value| {
        let mut action = json!({"type": "exec", "command": ["ls"], "env": {}});
        action.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        action
    };
    let lost = json!("tool_call_lost");
    for (arguments, expected) in [
        (json!({"timeout_ms": "1000"}), local(json!({"timeout_ms": 1000}))),
        (json!({"timeout_ms": 1000.0}), local(json!({"timeout_ms": 1000}))),
        (json!({"timeout_ms": null, "env": null, "working_directory": null, "type": null}), local(json!({}))),
        (
            json!({"env": {"A": "1"}, "working_directory": "/", "unknown": 5}),
            local(json!({"env": {"A": "1"}, "working_directory": "/", "unknown": 5})),
        ),
        (json!({"timeout_ms": "soon"}), lost.clone()),
        (json!({"timeout_ms": 0.5}), lost.clone()),
        (json!({"working_directory": 5}), lost.clone()),
        (json!({"env": []}), lost.clone()),
        (json!({"env": {"A": 1}}), lost.clone()),
    ] {
        assert_eq!(action("local_shell", "command", &arguments), expected, "{arguments}");
    }
    let shell =
        |timeout: Value| json!({"commands": ["ls"], "timeout_ms": timeout, "max_output_length": null});
    for (arguments, expected) in [
        (json!({"timeout_ms": "5"}), shell(json!(5))),
        (json!({"timeout_ms": null}), shell(Value::Null)),
        (json!({"max_output_length": []}), lost.clone()),
    ] {
        assert_eq!(action("shell", "commands", &arguments), expected, "{arguments}");
    }
}
