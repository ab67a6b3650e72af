//! Tools and `tool_choice`.

use crate::support::*;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use transponder::items::KINDS;

#[test]
fn unknown_tool_and_item_types_are_dropped_and_reported() {
    let (body, dropped) = ask(json!({
            "input": [user("hi"), {"type": "web_search_call", "id": "ws_1"}, {"type": "novelty"}],
            "tools": [{"type": "web_search"}, {"type": "hologram"}, {"type": "function", "name": "f"}, {"type": "function", "name": "f"}],
        })).sent();
    assert_eq!(dropped, ["tool:web_search", "tool:hologram", "item:web_search_call", "item:novelty"]);
    assert_eq!(body["tools"].as_array().unwrap().len(), 1);
    let (body, _) =
        ask(json!({"input": "hi", "tools": [{"type": "web_search"}], "tool_choice": "auto"})).sent();
    assert!(body.get("tools").is_none() && body.get("tool_choice").is_none());
}

#[test]
fn a_tool_choice_limits_the_declared_tools() {
    let tools = json!([
        {"type": "function", "name": "f"}, {"type": "custom", "name": "c"},
        {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "g"}]},
    ]);
    let named = |name: &str| json!({"type": "function", "function": {"name": name}});
    let table: &[(Value, Value, &[&str])] = &[
        (json!("auto"), json!("auto"), &["f", "c", "n__g"]),
        (json!("none"), json!("none"), &["f", "c", "n__g"]),
        (json!({"type": "function", "name": "f"}), named("f"), &["f"]),
        (json!({"type": "custom", "name": "c"}), named("c"), &["c"]),
        (json!({"type": "function", "name": "g", "namespace": "n"}), named("n__g"), &["n__g"]),
        (
            json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "custom", "name": "c"}]}),
            json!("required"),
            &["c"],
        ),
    ];
    let ignores_names = json!({"named_choice_tools": "named"});
    for (choice, expected, offered) in table {
        let asked = ask(json!({"input": "hi", "tools": tools, "tool_choice": choice}));
        let (body, _) = asked.upstream(&ignores_names).sent();
        assert_eq!(body["tool_choice"], *expected, "{choice}");
        let names: Vec<&str> = body["tools"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t["function"]["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, *offered, "{choice}");
    }
}

/// Arguments that the item of a kind cannot hold.
const WRONG_ARGUMENTS: &[(&str, &str)] = &[
    ("shell", ""),
    ("shell", "{}"),
    ("shell", r#"{"commands": "ls"}"#),
    ("shell", r#"[["ls"]]"#),
    ("shell", "{commands: 1}"),
    ("local_shell", "{}"),
    ("apply_patch", "{}"),
    ("apply_patch", r#"{"type": "update_file", "path": "a"}"#),
    ("apply_patch", r#"{"type": "move_file", "path": "a", "diff": ""}"#),
    ("apply_patch", r#"{"type": "delete_file", "path": 1}"#),
    ("tool_search", r#""q""#),
];

/// Clients read these fields without a check, so an incomplete item would fail far from its cause.
#[test]
fn a_call_without_a_required_argument_is_an_error_that_names_it() {
    let checked = KINDS.iter().filter(|kind| kind.accepts.is_some()).map(|kind| kind.tool_type);
    let rows = WRONG_ARGUMENTS.iter().map(|(kind, _)| *kind);
    assert_eq!(rows.collect::<BTreeSet<_>>(), checked.collect());
    for (kind, arguments) in WRONG_ARGUMENTS {
        // Nothing, another call, or text follows the call.
        let next = json!({"index": 1, "id": "b", "function": {"name": "next", "arguments": "{}"}});
        for after in [json!({}), json!({"tool_calls": [next]}), json!({"content": "Done."})] {
            let request = json!({"model": "m", "input": "hi", "stream": true, "tools": [{"type": kind, "execution": "client"}]});
            let mut reply = ask(request).translate().unwrap().reply;
            let call = json!({"index": 0, "id": "a", "function": {"name": kind, "arguments": arguments}});
            let mut out = Vec::new();
            for choice in [
                json!({"delta": {"tool_calls": [call]}}),
                json!({"delta": after}),
                json!({"delta": {}, "finish_reason": "tool_calls"}),
            ] {
                reply.push(format!("data: {}\n\n", json!({"choices": [choice]})).as_bytes(), &mut out);
            }
            reply.push(b"data: [DONE]\n\n", &mut out);
            reply.end(&mut out);
            let error = reply.error().unwrap_or_else(|| panic!("{kind} {arguments} {after}"));
            assert_eq!(error.code.as_deref(), Some("tool_call_lost"));
            assert!(error.message.contains(&format!("'{kind}' (id 'a')")), "{}", error.message);
            // A call without arguments is one with an empty object.
            let is_object = arguments.is_empty() || serde_json::from_str::<Map<_, _>>(arguments).is_ok();
            assert_eq!(error.message.contains("not a JSON object"), !is_object, "{}", error.message);
            let events = String::from_utf8(out).unwrap();
            assert!(!events.contains("response.output_item.done"), "{events}");
            let end = events.split("event: response.failed\n").nth(1).unwrap();
            assert_eq!(end.matches("data: ").count(), 2, "the failure, [DONE], and nothing more: {end}");
        }
    }
}

/// Such a tool runs in a container at OpenAI.
#[test]
fn a_shell_elsewhere_is_dropped() {
    let hosted = json!({"type": "shell", "environment": {"type": "container_auto"}});
    assert_eq!(ask(json!({"input": "hi", "tools": [hosted]})).sent().1, ["tool:shell"]);
}

#[test]
fn the_description_of_a_namespace_goes_to_its_first_tool() {
    let described = |tools: Value, upstream: &str| {
        let namespace =
            json!({"type": "namespace", "name": "n", "description": "Tools for \"notes\".", "tools": tools});
        let (body, dropped) =
            ask(json!({"input": "hi", "tools": [namespace]})).upstream(&json!(upstream)).sent();
        assert!(dropped.is_empty(), "{dropped:?}");
        let tools = body["tools"].as_array().unwrap().clone();
        tools.into_iter().map(|tool| tool[tool["type"].as_str().unwrap()]["description"].clone()).collect()
    };
    let function = |name: &str| json!({"type": "function", "name": name, "description": "Own."});
    let about = "About all `n` tools: Tools for \"notes\".";
    let got: Vec<Value> = described(json!([function("f"), function("g")]), "generic");
    assert_eq!(got, [json!(format!("Own.\n\n{about}")), json!("Own.")], "once");
    let bare: Vec<Value> = described(json!([{"type": "function", "name": "f"}]), "generic");
    assert_eq!(bare, [about]);
    let native: Vec<Value> =
        described(json!([{"type": "custom", "name": "c", "description": "Own."}]), "openai");
    assert_eq!(native, [format!("Own.\n\n{about}")]);
    let custom: Vec<Value> =
        described(json!([{"type": "custom", "name": "c", "description": "Own."}]), "generic");
    assert!(custom[0].as_str().unwrap().ends_with(about), "{custom:?}");

    let of = |tools: Value| {
        ask(json!({"input": "hi", "tools": [{"type": "namespace", "name": "n", "description": "", "tools": tools}]})).sent().1
    };
    assert!(of(json!([function("f")])).is_empty(), "there is nothing to say");
}
