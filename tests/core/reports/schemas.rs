//! Schemas of tools that an upstream would reject.

use crate::support::*;
use serde_json::{Value, json};

/// The schema of a tool's arguments as it is sent upstream.
fn sent(parameters: Value, preset: &str) -> Value {
    let tools = json!([{"type": "function", "name": "f", "parameters": parameters}]);
    let asked = ask(json!({"input": "Hi", "tools": tools})).upstream(&json!(preset));
    asked.sent().0["tools"][0]["function"]["parameters"].take()
}

/// Checks a schema against the rules of every upstream, or of Gemini. Returns the first fault.
pub(super) fn check(schema: &Value, gemini: bool, is_root: bool) -> Result<(), String> {
    if schema.is_boolean() && !is_root && !gemini {
        return Ok(());
    }
    let keywords = schema.as_object().ok_or(format!("{schema} is no schema"))?;
    let require = |holds: bool| if holds { Ok(()) } else { Err(format!("wrong: {schema}")) };
    require(!is_root || schema["type"] == "object")?;
    for (keyword, value) in keywords {
        match keyword.as_str() {
            "type" => {
                require(value.is_string() || !gemini && value.as_array().is_some_and(|all| !all.is_empty()))?
            }
            "properties" | "$defs" | "definitions" => {
                require(value.is_object())?;
                value
                    .as_object()
                    .into_iter()
                    .flatten()
                    .try_for_each(|(_, part)| check(part, gemini, false))?;
            }
            "required" => {
                let names = value.as_array().map(|names| names.iter().map(Value::as_str));
                let is_property = |name: &str| !gemini || schema["properties"].get(name).is_some();
                require(names.is_some_and(|mut names| names.all(|name| name.is_some_and(is_property))))?;
            }
            "enum" => require(value.is_array())?,
            "items" if value.is_array() && !gemini => {}
            "additionalProperties" if value.is_boolean() => {}
            "items" | "additionalProperties" => check(value, gemini, false)?,
            "anyOf" | "oneOf" | "allOf" => {
                let branches = value.as_array().filter(|branches| !branches.is_empty());
                require(branches.is_some())?;
                branches.into_iter().flatten().try_for_each(|branch| check(branch, gemini, false))?;
            }
            _ => {}
        }
    }
    require(!gemini || schema["type"] != "array" || keywords.contains_key("items"))
}

const PRESETS: &[&str] = &["generic", "openai", "vllm", "moonshot", "gemini"];

#[test]
fn keywords_with_a_value_of_the_wrong_type_are_left_out() {
    let text = || json!({"type": "string"});
    for (wrong, right) in [
        (json!({"required": {}}), json!({})),
        (json!({"required": null}), json!({})),
        (json!({"required": true}), json!({})),
        (json!({"type": null}), json!({})),
        (json!({"properties": []}), json!({"properties": {}})),
        (json!({"properties": null}), json!({"properties": {}})),
    ] {
        let complete = |keywords: Value| {
            let mut schema = json!({"type": "object", "properties": {"a": {"type": "string"}}});
            schema.as_object_mut().unwrap().extend(keywords.as_object().unwrap().clone());
            if schema["type"].is_null() {
                schema["type"] = json!("object");
            }
            schema
        };
        for preset in PRESETS.iter().filter(|preset| **preset != "gemini") {
            let expected = complete(right.clone());
            assert_eq!(sent(complete(wrong.clone()), preset), expected, "{wrong} {preset}");
            let nested = |schema: Value| json!({"type": "object", "properties": {"o": {"type": "array", "items": schema}}});
            let found = sent(nested(complete(wrong.clone())), preset);
            if wrong.get("type").is_none() {
                assert_eq!(found, nested(expected), "{wrong} {preset}");
            }
        }
    }
    let nulls = json!({"type": "object", "properties": {
        "a": {"type": "string", "enum": null, "description": null}, "b": {"type": "array", "items": null},
        "c": {"type": "object", "properties": {}, "additionalProperties": []}}});
    let expected = json!({"type": "object", "properties": {
        "a": text(), "b": {"type": "array"}, "c": {"type": "object", "properties": {}}}});
    assert_eq!(sent(nulls, "vllm"), expected);
}

#[test]
fn a_root_of_another_type_becomes_an_object() {
    for preset in PRESETS {
        let schema =
            sent(json!({"type": "array", "items": {"type": "string"}, "description": "Names"}), preset);
        assert_eq!((&schema["type"], &schema["properties"]), (&json!("object"), &json!({})), "{preset}");
        let description = schema["description"].as_str().unwrap();
        assert!(description.starts_with("Names") && description.contains("array"), "{description}");
        assert_eq!(schema.get("items"), None);
    }
}

/// The names in `properties` are not keywords, and the values of `enum` and `default` are data.
#[test]
fn properties_with_the_name_of_a_keyword_stay() {
    let schema = json!({"type": "object", "properties": {
        "required": {"type": "boolean"}, "enum": {"type": "object", "properties": {"properties": {"type": "string"}}},
        "items": {"type": "string", "default": "\"required\":{}"}, "type": {"type": "string"}},
        "required": ["required", "enum", "items", "type"]});
    for preset in PRESETS.iter().filter(|preset| **preset != "gemini") {
        assert_eq!(sent(schema.clone(), preset), schema, "{preset}");
    }
    assert_eq!(sent(schema.clone(), "gemini")["required"], schema["required"]);
    // Such a schema is sent byte for byte.
    let body = br#"{"model":"m","input":"x","tools":[{"type":"function","name":"f","parameters":{ "type":"object", "properties":{"required":{"type":"number","minimum":1.0e2}}}}]}"#;
    let translated = ask_text(body).upstream(&json!("vllm")).translate().unwrap();
    let body = String::from_utf8(translated.body).unwrap();
    assert!(
        body.contains(r#"{ "type":"object", "properties":{"required":{"type":"number","minimum":1.0e2}}}"#),
        "{body}"
    );
}

#[test]
fn gemini_gets_closed_schemas_at_any_depth() {
    for (open, closed) in [
        (json!({"type": "array"}), json!({"type": "array", "items": {}})),
        (json!({"type": "array", "items": true}), json!({"type": "array", "items": {}})),
        (json!(true), json!({})),
        (
            json!({"type": ["object", "array"]}),
            json!({"anyOf": [{"type": "object"}, {"type": "array", "items": {}}]}),
        ),
        (
            json!({"type": "object", "properties": {"a": true, "b": false}, "required": ["a", "b", "c"]}),
            json!({"type": "object", "properties": {"a": {}}, "required": ["a"]}),
        ),
        (json!({"type": "object", "required": ["a"]}), json!({"type": "object"})),
        (json!({"anyOf": [true, {"type": "array"}]}), json!({"anyOf": [{}, {"type": "array", "items": {}}]})),
    ] {
        let below = |schema: &Value| json!({"type": "object", "properties": {"x": schema}});
        let deeper = |schema: &Value| below(&json!({"type": "array", "items": below(schema)}));
        for place in [&below as &dyn Fn(&Value) -> Value, &deeper] {
            let found = sent(place(&open), "gemini");
            assert_eq!(found, place(&closed), "{open}");
            check(&found, true, true).unwrap();
        }
        // Other upstreams accept an open schema.
        assert_eq!(sent(below(&open), "vllm"), below(&open));
    }
}
