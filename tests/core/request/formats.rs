//! `text.format` together with tools, and what is reported if parts of it are omitted.

use crate::support::*;
use serde_json::{Value, json};

fn schema(more: Value) -> Value {
    let mut format = json!({"type": "json_schema", "name": "n", "schema": {"type": "object"}});
    format.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    format
}

fn with_choice(format: &Value, choice: &Value) -> Ask {
    ask(json!({
        "input": "hi",
        "tools": [function("f"), function("g")],
        "tool_choice": choice,
        "text": {"format": format},
    }))
}

/// Clients that read structured answers from a forced call (instructor) send the schema as well.
#[test]
fn a_forced_call_leaves_no_room_for_a_format() {
    let allowed = |mode: &str| json!({"type": "allowed_tools", "mode": mode, "tools": [function("f")]});
    let choices = [
        (json!("auto"), false),
        (json!("none"), false),
        (json!("required"), true),
        (json!({"type": "function", "name": "f"}), true),
        (allowed("auto"), false),
        (allowed("required"), true),
    ];
    for (choice, is_forced) in choices {
        for format in [schema(json!({})), json!({"type": "json_object"})] {
            for upstream in [json!("generic"), json!({"allowed_tools": "native"})] {
                let (body, dropped) = with_choice(&format, &choice).upstream(&upstream).sent();
                assert_eq!(body.get("response_format").is_none(), is_forced, "{choice} {body}");
                assert_eq!(dropped.contains(&"field:text.format".to_owned()), is_forced, "{choice}");
            }
            let (body, _) = with_choice(&format, &choice).upstream(&json!({"json_schema": "off"})).sent();
            let is_said = body["messages"][0]["role"] == "system";
            assert_eq!(is_said, !is_forced, "nor is it said in words: {choice}");
        }
    }
    let (_, dropped) = with_choice(&json!({"type": "text"}), &json!("required")).sent();
    assert!(dropped.is_empty(), "text is no format: {dropped:?}");
}

/// The upstream then gets `auto`, so the reply may be text.
#[test]
fn a_choice_that_the_upstream_weakens_leaves_the_format() {
    let upstream = json!({"tool_choice": ["auto", "none"]});
    let (body, dropped) = with_choice(&schema(json!({})), &json!("required")).upstream(&upstream).sent();
    assert_eq!(
        (&body["tool_choice"], &body["response_format"]["type"]),
        (&json!("auto"), &json!("json_schema"))
    );
    assert_eq!(dropped, ["field:tool_choice"]);
}

#[test]
fn a_schema_in_words_is_not_strict() {
    for (upstream, is_dropped) in
        [("native", false), ("schema_only", false), ("json_object", true), ("off", true)]
    {
        for strict in [json!(true), json!(false), Value::Null] {
            let asked = ask(json!({"input": "hi", "text": {"format": schema(json!({"strict": strict}))}}));
            let (_, dropped) = asked.upstream(&json!({"json_schema": upstream})).sent();
            let expected: &[&str] =
                if is_dropped && strict == json!(true) { &["field:text.format.strict"] } else { &[] };
            assert_eq!(dropped, expected, "{upstream} {strict}");
        }
    }
}

#[test]
fn parallel_tool_calls_are_sent_or_told() {
    for asked in [json!(true), json!(false)] {
        let request =
            |tools: Value| ask(json!({"input": "hi", "tools": tools, "parallel_tool_calls": asked}));
        for (accepts, expected) in [(true, &[][..]), (false, &["field:parallel_tool_calls"])] {
            let upstream = json!({"parallel_tool_calls": accepts});
            let (body, dropped) = request(json!([function("f")])).upstream(&upstream).sent();
            assert_eq!(body.get("parallel_tool_calls"), accepts.then_some(&asked));
            assert_eq!(dropped, expected);
            assert!(
                request(json!([])).upstream(&upstream).sent().1.is_empty(),
                "it means nothing without tools"
            );
        }
    }
}
