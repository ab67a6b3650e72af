//! `configuration_update`: an item that changes the effort or the form of the answer.

use crate::support::*;
use serde_json::{Value, json};

const EFFORT: &str = "/reasoning_effort";
const FORMAT: &str = "/response_format/type";

#[test]
fn the_last_update_of_each_setting_applies() {
    let effort = |effort: Value| json!({"type": "configuration_update", "reasoning": {"effort": effort}});
    let format = |kind: &str| json!({"type": "configuration_update", "text": {"format": {"type": kind}}});
    let both = json!({"reasoning": {"effort": "low", "summary": "auto"}, "text": {"verbosity": "low"}});
    let table = [
        (json!({}), vec![effort(json!("high"))], EFFORT, json!("high")),
        (both.clone(), vec![effort(json!("high"))], EFFORT, json!("high")),
        (both.clone(), vec![effort(json!("high")), effort(json!("medium"))], EFFORT, json!("medium")),
        (both.clone(), vec![effort(json!("high")), format("text")], EFFORT, json!("high")),
        (both.clone(), vec![effort(json!("high")), effort(Value::Null)], EFFORT, json!("high")),
        (both.clone(), vec![effort(Value::Null)], EFFORT, json!("low")),
        (json!({}), vec![format("json_object")], FORMAT, json!("json_object")),
        (both, vec![format("json_object")], FORMAT, json!("json_object")),
        (json!({"text": {"format": {"type": "json_object"}}}), vec![format("text")], FORMAT, Value::Null),
        (json!({}), vec![format("json_object"), effort(json!("low"))], FORMAT, json!("json_object")),
    ];
    for (mut request, updates, place, expected) in table {
        request["input"] = json!([&[user("hi")][..], &updates, &[user("go on")]].concat());
        let (body, dropped) = ask(request.clone()).upstream(&json!("vllm")).sent();
        assert_eq!(body.pointer(place).unwrap_or(&Value::Null), &expected, "{request}");
        assert!(!dropped.iter().any(|what| what.contains("item:")), "{dropped:?}");
    }
}

#[test]
fn the_response_repeats_what_applies() {
    let update = json!({"type": "configuration_update", "reasoning": {"effort": "high"}, "text": {"format": {"type": "json_object"}}});
    let asked =
        ask(json!({"input": [user("hi"), update], "reasoning": {"effort": "low", "summary": "auto"}}));
    let response =
        asked.document(r#"{"choices": [{"message": {"content": "{}"}, "finish_reason": "stop"}]}"#);
    assert_eq!(response["reasoning"], json!({"effort": "high", "summary": "auto"}));
    assert_eq!(response["text"]["format"], json!({"type": "json_object"}));
}

#[test]
fn an_invalid_update_is_refused_by_its_path() {
    let update = json!({"type": "configuration_update", "text": {"format": {"type": "xml"}}});
    let error = ask(json!({"input": [user("hi"), update]})).refusal();
    assert_eq!(error.param.as_deref(), Some("input[1].text.format.type"));
}
