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
