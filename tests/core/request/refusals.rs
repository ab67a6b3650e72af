//! Rejected requests: the parameter, the code and the message of each error.

use crate::support::*;
use serde_json::{Value, json};
use transponder::error::ApiError;

/// The error for a request with these fields in addition to the model.
fn refusal(fields: &Value) -> ApiError {
    ask(fields.clone()).refusal()
}

/// The same error, which must be a 400 for this parameter.
fn refused_at(fields: &Value, param: &str) -> ApiError {
    let error = refusal(fields);
    let said = (error.status, error.param.as_deref());
    assert_eq!(said, (400, Some(param)), "{fields}: {}", error.message);
    error
}

fn item(item: Value) -> Value {
    json!({"input": [user("hi"), item]})
}

fn part(part: Value) -> Value {
    item(json!({"role": "user", "content": [part]}))
}

fn tool(tool: Value) -> Value {
    json!({"input": "hi", "tools": [{"type": "function", "name": "f"}, tool]})
}

fn choice(choice: Value) -> Value {
    json!({"input": "hi", "tools": [{"type": "function", "name": "f"}], "tool_choice": choice})
}

#[test]
fn an_input_without_any_known_item_is_refused() {
    for items in [json!([{"type": "nonsense"}]), json!([{"type": "nonsense"}, {"type": "more"}])] {
        let error = refused_at(&json!({ "input": items }), "input[0].type");
        assert_eq!(error.code.as_deref(), Some("unsupported_value"));
        assert!(error.message.contains("'nonsense'"), "{}", error.message);
    }
    let (_, dropped) = ask(json!({"input": [{"type": "nonsense"}, user("hi")]})).sent();
    assert_eq!(dropped, ["item:nonsense"]);
}

#[test]
fn a_missing_field_is_named_by_its_path() {
    let table: &[(Value, &str)] = &[
        (json!({}), "input"),
        (json!({"input": null}), "input"),
        (json!({"input": "hi", "model": null}), "model"),
        (json!({"input": "hi", "model": ""}), "model"),
        (tool(json!({"name": "f"})), "tools[1].type"),
        (tool(json!({"type": "function"})), "tools[1].name"),
        (tool(json!({"type": "custom", "name": null})), "tools[1].name"),
        (tool(json!({"type": "namespace", "tools": []})), "tools[1].name"),
        (
            tool(json!({"type": "namespace", "name": "n", "tools": [{"type": "custom"}]})),
            "tools[1].tools[0].name",
        ),
        (item(json!({"type": "message", "content": "hi"})), "input[1].role"),
        (item(json!({"type": "function_call", "call_id": "a", "arguments": "{}"})), "input[1].name"),
        (item(json!({"type": "function_call", "name": "f", "arguments": "{}"})), "input[1].call_id"),
        (item(json!({"type": "custom_tool_call", "call_id": "a", "name": "f"})), "input[1].input"),
        (item(json!({"type": "tool_search_output", "call_id": "a"})), "input[1].tools"),
        (item(json!({"type": "item_reference"})), "input[1].id"),
        (part(json!({"text": "hi"})), "input[1].content[0].type"),
        (part(json!({"type": "input_text"})), "input[1].content[0].text"),
        (item(json!({"type": "message", "role": "user"})), "input[1].content"),
        (item(json!({"type": "message", "role": "user", "content": null})), "input[1].content"),
        (item(json!({"role": "system"})), "input[1].content"),
        (item(json!({"role": "developer"})), "input[1].content"),
        (item(json!({"type": "function_call_output", "call_id": "c"})), "input[1].output"),
        (item(json!({"type": "function_call_output", "call_id": "c", "output": null})), "input[1].output"),
        (item(json!({"type": "custom_tool_call_output", "call_id": "c"})), "input[1].output"),
        (part(json!({"type": "refusal"})), "input[1].content[0].refusal"),
        (part(json!({"type": "input_image"})), "input[1].content[0].image_url"),
        (part(json!({"type": "input_file"})), "input[1].content[0].file_data"),
        (part(json!({"type": "input_audio"})), "input[1].content[0].input_audio"),
        (
            item(json!({"type": "reasoning", "summary": [{"type": "summary_text"}]})),
            "input[1].summary[0].text",
        ),
        (choice(json!({})), "tool_choice.type"),
        (choice(json!({"type": "function"})), "tool_choice.name"),
        (choice(json!({"type": "allowed_tools", "mode": "auto"})), "tool_choice.tools"),
        (choice(json!({"type": "allowed_tools", "tools": [{"name": "f"}]})), "tool_choice.tools[0].type"),
        (json!({"input": "hi", "text": {"format": {}}}), "text.format.type"),
        (
            json!({"input": "hi", "text": {"format": {"type": "json_schema", "schema": {}}}}),
            "text.format.name",
        ),
        (
            json!({"input": "hi", "text": {"format": {"type": "json_schema", "name": "n"}}}),
            "text.format.schema",
        ),
        (
            json!({"input": "hi", "text": {"format": {"type": "json_schema", "name": "n", "schema": null}}}),
            "text.format.schema",
        ),
    ];
    for (fields, path) in table {
        let error = refusal(fields);
        assert_eq!(error.message, format!("Missing required parameter: '{path}'."), "{fields}");
        assert_eq!(error.code.as_deref(), Some("missing_required_parameter"), "{fields}");
        assert_eq!((error.status, error.param.as_deref()), (400, Some(*path)), "{fields}");
    }
}

#[test]
fn a_wrong_type_is_named_in_json_terms() {
    let table: &[(Value, &str, &str, &str)] = &[
        (json!({"input": "hi", "model": 7}), "model", "a string", "an integer"),
        (json!({"input": 7.5}), "input", "a string or an array", "a decimal"),
        (json!({"input": {}}), "input", "a string or an array", "an object"),
        (json!({"input": ["hi"]}), "input[0]", "an object", "a string"),
        (json!({"input": [["message", "user", "hi"]]}), "input[0]", "an object", "an array"),
        (json!({"input": "hi", "instructions": ["x"]}), "instructions", "a string", "an array"),
        (json!({"input": "hi", "temperature": "warm"}), "temperature", "a decimal", "a string"),
        (json!({"input": "hi", "top_p": true}), "top_p", "a decimal", "a boolean"),
        (json!({"input": "hi", "top_logprobs": 1.5}), "top_logprobs", "an integer", "a decimal"),
        (json!({"input": "hi", "max_output_tokens": "5"}), "max_output_tokens", "an integer", "a string"),
        (json!({"input": "hi", "stream": "yes"}), "stream", "a boolean", "a string"),
        (json!({"input": "hi", "store": 1}), "store", "a boolean", "an integer"),
        (json!({"input": "hi", "parallel_tool_calls": []}), "parallel_tool_calls", "a boolean", "an array"),
        (json!({"input": "hi", "include": "x"}), "include", "an array", "a string"),
        (json!({"input": "hi", "include": [1]}), "include[0]", "a string", "an integer"),
        (json!({"input": "hi", "metadata": []}), "metadata", "an object", "an array"),
        (json!({"input": "hi", "user": {}}), "user", "a string", "an object"),
        (json!({"input": "hi", "reasoning": "high"}), "reasoning", "an object", "a string"),
        (json!({"input": "hi", "reasoning": ["high"]}), "reasoning", "an object", "an array"),
        (json!({"input": "hi", "reasoning": {"effort": 3}}), "reasoning.effort", "a string", "an integer"),
        (json!({"input": "hi", "text": [null]}), "text", "an object", "an array"),
        (json!({"input": "hi", "text": {"format": "json"}}), "text.format", "an object", "a string"),
        (json!({"input": "hi", "stream_options": []}), "stream_options", "an object", "an array"),
        (json!({"input": "hi", "tools": {}}), "tools", "an array", "an object"),
        (tool(json!(["function"])), "tools[1]", "an object", "an array"),
        (tool(json!("function")), "tools[1]", "an object", "a string"),
        (tool(json!({"type": "function", "name": 7})), "tools[1].name", "a string", "an integer"),
        (
            tool(json!({"type": "function", "name": "g", "parameters": "x"})),
            "tools[1].parameters",
            "an object",
            "a string",
        ),
        (
            tool(json!({"type": "function", "name": "g", "strict": "no"})),
            "tools[1].strict",
            "a boolean",
            "a string",
        ),
        (
            tool(json!({"type": "custom", "name": "c", "format": ["text"]})),
            "tools[1].format",
            "an object",
            "an array",
        ),
        (
            tool(json!({"type": "namespace", "name": "n", "tools": {}})),
            "tools[1].tools",
            "an array",
            "an object",
        ),
        (
            tool(json!({"type": "namespace", "name": "n", "tools": [7]})),
            "tools[1].tools[0]",
            "an object",
            "an integer",
        ),
        (item(json!({"type": 7})), "input[1].type", "a string", "an integer"),
        (
            item(json!({"role": "user", "content": {}})),
            "input[1].content",
            "a string or an array",
            "an object",
        ),
        (item(json!({"role": "user", "content": ["hi"]})), "input[1].content[0]", "an object", "a string"),
        (
            item(json!({"type": "function_call", "call_id": "a", "name": "f", "arguments": {}})),
            "input[1].arguments",
            "a string",
            "an object",
        ),
        (item(json!({"type": "reasoning", "summary": "x"})), "input[1].summary", "an array", "a string"),
        (
            item(json!({"type": "additional_tools", "tools": [[]]})),
            "input[1].tools[0]",
            "an object",
            "an array",
        ),
        (
            part(json!({"type": "input_text", "text": 7})),
            "input[1].content[0].text",
            "a string",
            "an integer",
        ),
        (
            part(json!({"type": "input_audio", "input_audio": "x"})),
            "input[1].content[0].input_audio",
            "an object",
            "a string",
        ),
        (choice(json!(7)), "tool_choice", "a string or an object", "an integer"),
        (choice(json!(["function", "f"])), "tool_choice", "a string or an object", "an array"),
        (choice(json!({"type": "allowed_tools", "tools": "f"})), "tool_choice.tools", "an array", "a string"),
        (
            choice(json!({"type": "allowed_tools", "tools": ["f"]})),
            "tool_choice.tools[0]",
            "an object",
            "a string",
        ),
    ];
    for (fields, path, expected, found) in table {
        let error = refusal(fields);
        let message = format!("Invalid type for '{path}': expected {expected}, but got {found} instead.");
        assert_eq!(error.message, message, "{fields}");
        assert_eq!(error.code.as_deref(), Some("invalid_type"), "{fields}");
        assert_eq!((error.status, error.param.as_deref()), (400, Some(*path)), "{fields}");
    }
}

#[test]
fn a_wrong_value_has_an_error_code() {
    let table: &[(Value, &str, &str)] = &[
        (
            json!({"input": "hi", "previous_response_id": "resp_1"}),
            "previous_response_id",
            "previous_response_not_found",
        ),
        (json!({"input": "hi", "conversation": "conv_1"}), "conversation", "unsupported_parameter"),
        (json!({"input": "hi", "prompt": {"id": "p"}}), "prompt", "unsupported_parameter"),
        (json!({"input": "hi", "background": true}), "background", "unsupported_parameter"),
        (json!({"input": "hi", "temperature": 2.5}), "temperature", "decimal_above_max_value"),
        (json!({"input": "hi", "temperature": -1}), "temperature", "decimal_below_min_value"),
        (json!({"input": "hi", "top_p": 1.1}), "top_p", "decimal_above_max_value"),
        (json!({"input": "hi", "top_logprobs": 21}), "top_logprobs", "integer_above_max_value"),
        (json!({"input": "hi", "top_logprobs": -1}), "top_logprobs", "integer_below_min_value"),
        (json!({"input": "hi", "max_output_tokens": 0}), "max_output_tokens", "integer_below_min_value"),
        (json!({"input": "hi", "truncation": "middle"}), "truncation", "invalid_value"),
        (json!({"input": "hi", "text": {"format": {"type": "xml"}}}), "text.format.type", "invalid_value"),
        (choice(json!("any")), "tool_choice", "invalid_value"),
        (choice(json!({"type": "web_search"})), "tool_choice", "unsupported_value"),
        (choice(json!({"type": "mcp", "server_label": "s"})), "tool_choice", "unsupported_value"),
        (
            choice(json!({"type": "allowed_tools", "mode": "none", "tools": []})),
            "tool_choice.mode",
            "invalid_value",
        ),
        (
            tool(json!({"type": "namespace", "name": "n", "tools": [{"type": "namespace", "name": "m"}]})),
            "tools[1].tools[0].type",
            "invalid_value",
        ),
        (item(json!({"role": "robot", "content": "hi"})), "input[1].role", "invalid_value"),
        (part(json!({"type": "hologram"})), "input[1].content[0].type", "invalid_value"),
        (
            part(json!({"type": "input_image", "file_id": "f"})),
            "input[1].content[0].file_id",
            "unsupported_value",
        ),
        (
            part(json!({"type": "input_file", "file_id": "f"})),
            "input[1].content[0].file_id",
            "unsupported_value",
        ),
        (
            part(json!({"type": "input_file", "file_url": "https://x"})),
            "input[1].content[0].file_url",
            "unsupported_value",
        ),
    ];
    for (fields, param, code) in table {
        let error = refused_at(fields, param);
        assert_eq!(error.code.as_deref(), Some(*code), "{fields}: {}", error.message);
    }
}

#[test]
fn contradictory_fields_are_refused() {
    let table: &[(Value, &str)] = &[
        (json!({"input": "hi", "tool_choice": "required"}), "tool_choice"),
        (json!({"input": "hi", "tool_choice": {"type": "function", "name": "f"}}), "tool_choice"),
        (choice(json!({"type": "function", "name": "g"})), "tool_choice"),
        (choice(json!({"type": "allowed_tools", "mode": "required", "tools": []})), "tool_choice"),
        (
            choice(json!({"type": "allowed_tools", "mode": "required", "tools": [{"type": "web_search"}]})),
            "tool_choice",
        ),
        (
            choice(json!({"type": "allowed_tools", "tools": [{"type": "function", "name": "g"}]})),
            "tool_choice.tools[0]",
        ),
        (item(function_call("a", "f", "{}")), "input"),
        (item(function_call_output("a", json!("x"))), "input"),
        (item(json!({"type": "item_reference", "id": "msg_foreign"})), "input[1].id"),
    ];
    for (fields, param) in table {
        refused_at(fields, param);
    }
}

/// Numbers that no `serde_json::Value` can hold.
#[test]
fn numbers_out_of_range_are_refused() {
    for (field, number, code) in [
        ("max_output_tokens", "99999999999999999999999", "integer_above_max_value"),
        ("max_output_tokens", "-99999999999999999999999", "integer_below_min_value"),
        ("max_output_tokens", "1e2", "invalid_type"),
        ("temperature", "1e999", "decimal_above_max_value"),
        ("temperature", "-1e999", "decimal_below_min_value"),
        ("max_tool_calls", "-1", "integer_below_min_value"),
    ] {
        let error = ask_text(format!(r#"{{"model":"m","input":"hi","{field}":{number}}}"#)).refusal();
        assert_eq!((error.code.as_deref(), error.param.as_deref()), (Some(code), Some(field)), "{number}");
    }
}

#[test]
fn a_body_that_is_not_an_object_is_refused() {
    for (body, found) in [
        ("[]", "an array"),
        (r#"["m",null,"hi"]"#, "an array"),
        ("\"x\"", "a string"),
        ("null", "null"),
        ("7", "an integer"),
    ] {
        let error = ask_text(body).refusal();
        assert_eq!(error.message, format!("Invalid body: expected an object, but got {found} instead."));
        assert_eq!((error.status, error.param.as_deref()), (400, None));
    }
}

#[test]
fn invalid_json_is_refused() {
    for body in ["", "{", "{}}", "{'model': 1}", "{\"model\": \"m\", \"input\": \"\u{1}\"}"] {
        let error = ask_text(body).refusal();
        assert_eq!((error.status, error.code.as_deref()), (400, Some("invalid_json")), "{body}");
    }
    let not_utf8 = b"{\"model\":\"m\",\"input\":\"\xff\"}";
    assert_eq!(ask_text(not_utf8).refusal().code.as_deref(), Some("invalid_json"));
}

/// The stack of a filter is small, and an overflow would end every stream of its worker.
#[test]
fn deep_nesting_does_not_overflow_the_stack() {
    let deep = |open: &str, close: &str| open.repeat(100_000) + &close.repeat(100_000);
    let arrays = deep("[", "]");
    let objects = deep("{\"type\":", "}").replacen(":}", ":1}", 1);
    let namespaces = deep(r#"[{"type":"namespace","name":"n","tools":"#, "}]").replacen(":}", ":[]}", 1);
    for (fields, is_taken) in [
        (format!(r#""input":{arrays}"#), false),
        (format!(r#""input":[{objects}]"#), false),
        (format!(r#""input":[{{"role":"user","content":{arrays}}}]"#), false),
        (format!(r#""input":"hi","tools":{namespaces}"#), false),
        (format!(r#""input":"hi","tool_choice":{objects}"#), false),
        (format!(r#""input":"hi","tools":[{{"type":"function","name":"f","parameters":{objects}}}]"#), false),
        (format!(r#""input":"hi","metadata":{objects},"unknown":{arrays}"#), false),
        // Brackets in a string do not count.
        (
            format!(
                r#""input":[{{"type":"function_call","call_id":"a","name":"f","arguments":{}}},{{"type":"function_call_output","call_id":"a","output":""}}]"#,
                json!(objects)
            ),
            true,
        ),
        (
            format!(
                r#""input":[{{"type":"tool_search_call","call_id":"a","arguments":{objects}}},{{"type":"tool_search_output","call_id":"a","tools":[]}}]"#
            ),
            false,
        ),
    ] {
        let translated = ask_text(format!(r#"{{"model":"m",{fields}}}"#)).translate();
        assert_eq!(translated.is_ok(), is_taken, "{:.80}: {:?}", fields, translated.err());
    }
}

#[test]
fn the_last_of_two_fields_with_the_same_name_is_used() {
    let twice = r#"{"model":7,"model":"m","input":"no","input":"yes","temperature":"x","temperature":null}"#;
    let body = ask_text(twice).translate().unwrap().body;
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body, json!({"model": "m", "messages": [user("yes")]}));
}
