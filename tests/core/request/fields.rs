//! Top-level fields.

use crate::support::*;
use serde_json::{Value, json};
use transponder::config::Config;

#[test]
fn null_means_absent_and_some_fields_ask_for_nothing() {
    let fields = [
        "instructions",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "max_tool_calls",
        "reasoning",
        "text",
        "include",
        "stream",
        "max_output_tokens",
        "temperature",
        "top_p",
        "top_logprobs",
        "truncation",
        "metadata",
        "user",
        "service_tier",
        "safety_identifier",
        "prompt_cache_key",
        "prompt_cache_retention",
        "previous_response_id",
        "conversation",
        "prompt",
        "background",
        "store",
        "stream_options",
        "client_metadata",
    ];
    let plain = ask(json!({"input": "hi"})).sent();
    for field in fields {
        assert_eq!(ask(json!({"input": "hi", field: null})).sent(), plain, "{field}");
    }
    for idle in [
        json!({"store": false}),
        json!({"client_metadata": {"cwd": "/"}}),
        json!({"background": false}),
        json!({"stream_options": {"include_obfuscation": false}}),
        json!({"truncation": "disabled"}),
        json!({"service_tier": "auto"}),
    ] {
        let mut fields = idle.clone();
        fields["input"] = json!("hi");
        assert_eq!(ask(fields).sent(), plain, "{idle}");
    }
    let deep =
        format!("{{\"model\":\"m\",\"input\":\"hi\",\"deep\":{}{}}}", "[".repeat(100), "]".repeat(100));
    assert!(ask_text(deep).translate().is_ok());
}

#[test]
fn unsupported_fields_are_reported() {
    for (fields, dropped) in [
        (json!({"no_such_field": {"x": [1]}}), "field:no_such_field"),
        (json!({"\u{0}": 1}), "field:\u{0}"),
        (json!({"store": true}), "field:store"),
        (json!({"truncation": "auto"}), "field:truncation"),
        (json!({"metadata": {"a": "b"}}), "field:metadata"),
        (json!({"moderation": {"model": "m"}}), "field:moderation"),
        (json!({"context_management": []}), "field:context_management"),
        (json!({"prompt_cache_options": {}}), "field:prompt_cache_options"),
        (json!({"text": {"verbosity": "low"}}), "field:text.verbosity"),
        (json!({"reasoning": {"effort": "high"}}), "field:reasoning.effort"),
        (
            json!({"include": ["file_search_call.results", "reasoning.encrypted_content"]}),
            "field:include.file_search_call.results",
        ),
    ] {
        let mut request = fields.clone();
        request["input"] = json!("hi");
        let (body, reported) = ask(request).sent();
        assert_eq!(reported, [dropped], "{fields}");
        assert_eq!(body, json!({"model": "m", "messages": [user("hi")]}), "{fields}");
    }
}

/// Otherwise a field that the filter writes would be in the body twice.
#[test]
fn translated_fields_cannot_be_passed_on() {
    let fields = json!({
        "input": "hi", "stream": true, "max_output_tokens": 5, "parallel_tool_calls": true, "temperature": 0, "top_p": 1,
        "top_logprobs": 2, "tool_choice": "auto", "text": {"format": {"type": "json_object"}},
        "tools": [{"type": "function", "name": "f"}],
    });
    let (body, _) = ask(fields.clone()).upstream(&json!({"parallel_tool_calls": true})).sent();
    let read = fields.as_object().unwrap().keys().map(String::as_str);
    for name in
        body.as_object().unwrap().keys().map(String::as_str).chain(read).chain(["max_completion_tokens", ""])
    {
        let config = json!({"upstream": {"pass_fields": [name]}}).to_string();
        let errors = Config::parse(config.as_bytes()).unwrap_err();
        assert!(errors.iter().all(|error| error.path == "upstream.pass_fields[0]"), "{name}: {errors}");
    }
    for name in ["store", "metadata", "top_k", "chat_template_kwargs", "verbosity"] {
        Config::parse(json!({"upstream": {"pass_fields": [name]}}).to_string().as_bytes()).unwrap();
    }
}

/// Providers have sampling parameters that the Responses API lacks. SDKs send them as `extra_body`.
#[test]
fn any_field_can_be_passed_on() {
    let options = json!({"pass_fields": ["top_k", "metadata"]});
    let (body, dropped) = ask(json!({"input": "hi", "top_k": 20, "min_p": 0.1, "metadata": {"a": "b"}}))
        .upstream(&options)
        .sent();
    assert_eq!((&body["top_k"], &body["metadata"]), (&json!(20), &json!({"a": "b"})));
    assert_eq!(dropped, ["field:min_p"]);
}

#[test]
fn options_change_the_form_of_a_field() {
    let schema = json!({"type": "json_schema", "name": "n", "schema": {"type": "object"}, "strict": true});
    let fields = json!({
        "input": "hi", "stream": true, "max_output_tokens": 5, "parallel_tool_calls": false,
        "reasoning": {"effort": "high"}, "text": {"format": schema, "verbosity": "low"}, "user": "u",
        "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": true}],
    });
    let table: &[(Value, &str, Value)] = &[
        (json!({}), "/max_tokens", json!(5)),
        (json!({"max_tokens_field": "max_completion_tokens"}), "/max_completion_tokens", json!(5)),
        (json!({}), "/stream_options/include_usage", json!(true)),
        (json!({"stream_usage": false}), "/stream_options", Value::Null),
        (json!({}), "/parallel_tool_calls", Value::Null),
        (json!({"parallel_tool_calls": true}), "/parallel_tool_calls", json!(false)),
        (json!({}), "/tools/0/function/strict", Value::Null),
        (json!({"strict_tools": true}), "/tools/0/function/strict", json!(true)),
        (json!({}), "/reasoning_effort", Value::Null),
        (json!("vllm"), "/reasoning_effort", json!("high")),
        (json!({"reasoning": {"unknown": {"thinking": {"type": "on"}}}}), "/thinking/type", json!("on")),
        (json!({}), "/response_format/json_schema/name", json!("n")),
        (json!({"json_schema": "json_object"}), "/response_format/type", json!("json_object")),
        (json!({"json_schema": "json_object"}), "/messages/0/role", json!("system")),
        (json!({"json_schema": "off"}), "/response_format", Value::Null),
        (json!({"pass_fields": ["verbosity", "user"]}), "/verbosity", json!("low")),
        (json!({"pass_fields": ["verbosity", "user"]}), "/user", json!("u")),
        (json!({"content": "parts"}), "/messages/0/content/0/text", json!("hi")),
    ];
    for (options, pointer, expected) in table {
        let (body, _) = ask(fields.clone()).upstream(options).sent();
        assert_eq!(body.pointer(pointer).cloned().unwrap_or_default(), *expected, "{options} {pointer}");
    }
}

#[test]
fn strict_that_is_left_out_is_reported() {
    let tool = |strict: bool| {
        let function =
            json!({"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": strict});
        json!({"input": "hi", "tools": [function]})
    };
    assert_eq!(ask(tool(true)).sent().1, ["field:tools.strict"]);
    assert!(ask(tool(false)).sent().1.is_empty());
    assert!(ask(tool(true)).upstream(&json!({"strict_tools": true})).sent().1.is_empty());
}

/// In every place that holds text, including JSON that is only copied.
#[test]
fn lone_surrogates_are_replaced_everywhere() {
    let lone = r"\ud83e";
    let places = [
        r#""instructions":"@","input":"hi""#,
        r#""input":"@""#,
        r#""input":[{"role":"user","content":[{"type":"input_image","image_url":"@"}]}]"#,
        r#""input":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"@","@":1}}]}]"#,
        r#""input":"hi","tools":[{"type":"function","name":"f@","description":"@","parameters":{"@":["@"]}}]"#,
        r#""input":"hi","tools":[{"type":"custom","name":"f","format":{"type":"grammar","definition":"@"}}]"#,
        r#""input":"hi","metadata":{"@":"@"},"x@":1"#,
        r#""input":"hi","text":{"format":{"type":"json_schema","name":"@","schema":{"enum":["@"]}}}"#,
        r#""input":[{"type":"function_call","call_id":"@","name":"f","arguments":"@"},{"type":"function_call_output","call_id":"@","output":"@"}]"#,
        r#""input":[{"type":"function_call","call_id":"a","name":"f","arguments":"{\"x\":\"\\ud83e\"}"},{"type":"function_call_output","call_id":"a","output":""}]"#,
        r#""input":[{"type":"tool_search_call","call_id":"a","arguments":{"q":"@"}},{"type":"tool_search_output","call_id":"a","tools":[{"type":"function","name":"f","parameters":{"d":"@"}}]}]"#,
    ];
    for options in [json!({"pass_fields": ["metadata"]}), json!({"json_schema": "off"})] {
        for place in places {
            let request = format!(r#"{{"model":"m",{}}}"#, place.replace('@', lone));
            let translated = ask_text(request).config(&json!({"upstream": options})).translate().unwrap();
            let body = String::from_utf8(translated.body).unwrap();
            assert!(serde_json::from_str::<Value>(&body).is_ok(), "{body}");
            assert!(!body.contains(lone), "{body}");
            let mut reply = translated.reply;
            let mut echoed = Vec::new();
            reply.push(br#"{"choices":[{"message":{"content":"x"}}]}"#, &mut echoed);
            assert!(serde_json::from_slice::<Value>(&echoed).is_ok());
        }
    }
}

#[test]
fn surrogate_pairs_are_kept_and_halves_replaced() {
    let request = r#"{"model":"m","input":[{"role":"user","content":"a\ud83e"},{"role":"user","content":"\ud83e\udd80"}]}"#;
    let body = String::from_utf8(ask_text(request).translate().unwrap().body).unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["messages"][0]["content"], "a\u{FFFD}");
    assert_eq!(body["messages"][1]["content"], "🦀");
}
