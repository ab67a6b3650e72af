//! Upstream options: each test shows how an option changes the body that is sent.

use crate::support::*;
use serde_json::{Value, json};

fn choosing(choice: Value) -> Value {
    let tool = |name: &str| json!({"type": "function", "name": name, "parameters": {"type": "object", "properties": {}}});
    json!({"input": "hi", "tools": [tool("f"), tool("g")], "tool_choice": choice})
}

#[test]
fn an_unsupported_tool_choice_becomes_the_nearest() {
    let named = json!({"type": "function", "name": "g"});
    let named_up = json!({"type": "function", "function": {"name": "g"}});
    let all = json!(["auto", "none", "required", "named"]);
    let reported: &[&str] = &["field:tool_choice"];
    let none: &[&str] = &[];
    let table = [
        (&all, named.clone(), named_up, vec!["f", "g"], none),
        (&json!(["auto", "none", "required"]), named.clone(), json!("required"), vec!["g"], none),
        (&json!(["auto", "none"]), named.clone(), json!("auto"), vec!["g"], reported),
        (&json!([]), named, Value::Null, vec!["g"], reported),
        (&json!(["auto"]), json!("required"), json!("auto"), vec!["f", "g"], reported),
        (&json!(["auto"]), json!("none"), Value::Null, vec![], none),
        (&all, json!("none"), json!("none"), vec!["f", "g"], none),
        (&json!([]), json!("auto"), Value::Null, vec!["f", "g"], none),
    ];
    for (taken, choice, expected, tools, dropped) in table {
        let (body, report) = ask(choosing(choice.clone())).upstream(&json!({ "tool_choice": taken })).sent();
        assert_eq!(body["tool_choice"], expected, "{choice} by {taken}");
        assert_eq!(declared(&body), tools, "{choice} by {taken}");
        assert_eq!(report, dropped, "{choice} by {taken}");
    }
}

/// Only llama.cpp is known to ignore the name. For all others, the tools stay declared, so the prompt cache stays
/// valid.
#[test]
fn only_the_named_tool_is_declared_where_the_upstream_ignores_the_name() {
    let named = json!({"type": "function", "name": "g"});
    let choosing_up = json!({"type": "function", "function": {"name": "g"}});
    for (upstream, tools) in [
        (json!("generic"), vec!["f", "g"]),
        (json!("vllm"), vec!["f", "g"]),
        (json!("llamacpp"), vec!["g"]),
        (json!({"named_choice_tools": "named"}), vec!["g"]),
    ] {
        let (body, _) = ask(choosing(named.clone())).upstream(&upstream).sent();
        assert_eq!(body["tool_choice"], choosing_up, "{upstream}");
        assert_eq!(declared(&body), tools, "{upstream}");
    }
    // An upstream whose `tool_choice` cannot name a tool.
    let (body, _) = ask(choosing(named)).upstream(&json!({"tool_choice": ["auto", "required"]})).sent();
    assert_eq!(body["tool_choice"], "required");
    assert_eq!(declared(&body), ["g"]);
}

#[test]
fn a_request_without_a_limit_gets_the_default_one() {
    let upstream = json!({"default_max_tokens": 5000});
    assert_eq!(ask(json!({"input": "hi"})).upstream(&upstream).sent().0["max_tokens"], 5000);
    let limited = json!({"input": "hi", "max_output_tokens": 20});
    assert_eq!(ask(limited).upstream(&upstream).sent().0["max_tokens"], 20);
    let renamed = json!({"default_max_tokens": 5000, "max_tokens_field": "max_completion_tokens"});
    assert_eq!(ask(json!({"input": "hi"})).upstream(&renamed).sent().0["max_completion_tokens"], 5000);
}

#[test]
fn options_can_differ_while_the_model_thinks() {
    let upstream = json!({
        "reasoning": {"efforts": {"none": {"thinking": {"type": "disabled"}}, "high": "high"}},
        "tool_choice_while_thinking": ["auto"], "sampling_while_thinking": [],
    });
    let request = |reasoning: Value| {
        let mut request = choosing(json!("required"));
        request["temperature"] = json!(0.5);
        request["reasoning"] = reasoning;
        request
    };
    for reasoning in [Value::Null, json!({"effort": "high"}), json!({"effort": "unheard-of"})] {
        let (body, dropped) = ask(request(reasoning.clone())).upstream(&upstream).sent();
        assert_eq!(
            (&body["tool_choice"], &body["temperature"]),
            (&json!("auto"), &Value::Null),
            "{reasoning}"
        );
        assert!(
            dropped.contains(&"field:tool_choice".into()) && dropped.contains(&"field:temperature".into())
        );
    }
    let (body, dropped) = ask(request(json!({"effort": "none"}))).upstream(&upstream).sent();
    assert_eq!((&body["tool_choice"], &body["temperature"]), (&json!("required"), &json!(0.5)));
    assert_eq!(body["thinking"], json!({"type": "disabled"}));
    assert!(dropped.is_empty(), "{dropped:?}");
}

#[test]
fn unsupported_sampling_parameters_are_left_out() {
    let request = json!({"input": "hi", "temperature": 0.5, "top_p": 0.9, "top_logprobs": 2});
    let (body, dropped) = ask(request.clone()).sent();
    assert_eq!((&body["temperature"], &body["top_p"]), (&json!(0.5), &json!(0.9)));
    assert_eq!((&body["logprobs"], &body["top_logprobs"]), (&json!(true), &json!(2)));
    assert!(dropped.is_empty(), "{dropped:?}");

    let (body, dropped) = ask(request).upstream(&json!({"sampling": []})).sent();
    for field in ["temperature", "top_p", "logprobs", "top_logprobs"] {
        assert_eq!(body.get(field), None, "{field}");
    }
    assert_eq!(dropped, ["field:top_logprobs", "field:temperature", "field:top_p"]);
}

#[test]
fn a_schema_can_be_described_in_text_beside_tools() {
    let format = json!({"format": {"type": "json_schema", "name": "n", "schema": {"type": "object", "properties": {}}}});
    let upstream = json!({"json_schema_with_tools": "off"});
    let (body, _) = ask(json!({"input": "hi", "text": format})).upstream(&upstream).sent();
    assert_eq!(body["response_format"]["type"], "json_schema");

    let mut with_tools = choosing(json!("auto"));
    with_tools["text"] = format;
    let (body, _) = ask(with_tools).upstream(&upstream).sent();
    assert_eq!(body.get("response_format"), None);
    assert!(body["messages"][0]["content"].as_str().unwrap().contains("JSON schema"));
}

#[test]
fn json_object_can_be_sent_as_a_schema() {
    let format = json!({"format": {"type": "json_object"}});
    let (body, _) =
        ask(json!({"input": "hi", "text": format})).upstream(&json!({"json_schema": "schema_only"})).sent();
    let expected =
        json!({"type": "json_schema", "json_schema": {"name": "object", "schema": {"type": "object"}}});
    assert_eq!(body["response_format"], expected);
}

#[test]
fn added_fields_yield_to_those_of_an_effort() {
    let upstream = json!({
        "add_fields": {"thinking": {"type": "enabled"}, "top_k": 5},
        "reasoning": {"efforts": {"none": {"thinking": {"type": "disabled"}}}},
    });
    let (body, _) = ask(json!({"input": "hi"})).upstream(&upstream).sent();
    assert_eq!((&body["thinking"], &body["top_k"]), (&json!({"type": "enabled"}), &json!(5)));
    let (body, _) = ask(json!({"input": "hi", "reasoning": {"effort": "none"}})).upstream(&upstream).sent();
    assert_eq!((&body["thinking"], &body["top_k"]), (&json!({"type": "disabled"}), &json!(5)));
}

/// Two user messages, a call whose output has an image, and another user message.
fn conversation() -> Value {
    let user = |text: &str| json!({"role": "user", "content": text});
    json!({"input": [
        user("one"), user("two"),
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": [
            {"type": "input_text", "text": "seen"},
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
        ]},
        user("three"),
    ]})
}

#[test]
fn adjacent_user_messages_can_be_merged() {
    let (body, _) = ask(conversation()).sent();
    assert_eq!(roles(&body["messages"]), ["user", "user", "assistant", "tool", "user", "user"]);

    let (body, _) = ask(conversation()).upstream(&json!({"user_messages": "merge"})).sent();
    assert_eq!(roles(&body["messages"]), ["user", "assistant", "tool", "user"]);
    assert_eq!(body["messages"][0]["content"], "one\n\ntwo");
    let last = &body["messages"][3]["content"];
    assert_eq!((&last[1]["type"], &last[2]["text"]), (&json!("image_url"), &json!("three")));
}

#[test]
fn an_assistant_message_can_follow_tool_outputs() {
    let upstream = json!({"assistant_after_tools": true, "user_messages": "merge"});
    let (body, _) = ask(conversation()).upstream(&upstream).sent();
    assert_eq!(roles(&body["messages"]), ["user", "assistant", "tool", "assistant", "user"]);
    assert!(!body["messages"][3]["content"].as_str().unwrap().is_empty());
}

#[test]
fn text_beside_calls_can_be_a_message_of_its_own() {
    let call = json!({"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"});
    let output = json!({"type": "function_call_output", "call_id": "a", "output": "x"});
    let said = json!({"role": "assistant", "content": "I look."});
    let separate = json!({"assistant_content_with_calls": "separate"});
    let messages =
        |input: Value| ask(json!({"input": input})).upstream(&separate).sent().0["messages"].clone();

    let asked = json!({"role": "user", "content": "Where?"});

    let with_text = messages(json!([asked, said, call, output]));
    assert_eq!(roles(&with_text), ["user", "assistant", "assistant", "tool"]);
    assert_eq!(with_text[1], said);
    assert_eq!(with_text[2]["tool_calls"][0]["id"], "a");
    assert_eq!(with_text[2].get("content"), None);

    let without_text = messages(json!([asked, call, output]));
    assert_eq!(roles(&without_text), ["user", "assistant", "tool"]);
    assert_eq!(without_text[1].get("content"), None);

    let without_calls = messages(json!([asked, said, asked]));
    assert_eq!(without_calls, json!([asked, said, asked]));
}

#[test]
fn ids_of_another_length_are_replaced_in_call_and_output() {
    let (body, _) =
        ask(conversation()).upstream(&json!({"tool_call_id_chars": 9, "tool_call_id_exact": true})).sent();
    let id = body["messages"][2]["tool_calls"][0]["id"].as_str().unwrap();
    assert!(id.len() == 9 && id.chars().all(|char| char.is_ascii_alphanumeric()), "{id}");
    assert_eq!(body["messages"][3]["tool_call_id"], id);
}

#[test]
fn each_preset_sends_the_efforts_that_its_upstream_supports() {
    let said = |preset: &str, effort: &str| {
        let (body, dropped) =
            ask(json!({"input": "hi", "reasoning": {"effort": effort}})).upstream(&json!(preset)).sent();
        let plain = ask(json!({"input": "hi"})).upstream(&json!(preset)).sent().0;
        let (body, plain) = (body.as_object().unwrap(), plain.as_object().unwrap());
        let added = body.iter().filter(|(key, value)| plain.get(*key) != Some(value));
        let added: Value =
            added.map(|(key, value)| (key.clone(), value.clone())).collect::<serde_json::Map<_, _>>().into();
        assert_eq!(
            added == json!({}),
            dropped.contains(&"field:reasoning.effort".to_owned()),
            "{preset} {effort}"
        );
        added
    };
    let word = |word: &str| json!({ "reasoning_effort": word });
    let nothing = json!({});
    let table: &[(&str, [Value; 8])] = &[
        // none, minimal, low, medium, high, xhigh, max, ultra
        ("generic", std::array::from_fn(|_| nothing.clone())),
        ("tgi", std::array::from_fn(|_| nothing.clone())),
        ("vllm", ["none", "minimal", "low", "medium", "high", "xhigh", "max", "max"].map(word)),
        ("openai", ["none", "minimal", "low", "medium", "high", "xhigh", "max", "max"].map(word)),
        ("ollama", ["none", "low", "low", "medium", "high", "high", "high", "high"].map(word)),
        ("gemini", ["none", "minimal", "low", "medium", "high", "high", "high", "high"].map(word)),
        ("mistral", ["none", "high", "high", "high", "high", "high", "high", "high"].map(word)),
        (
            "deepseek",
            [
                json!({"thinking": {"type": "disabled"}}),
                word("high"),
                word("high"),
                word("high"),
                word("high"),
                word("max"),
                word("max"),
                word("max"),
            ],
        ),
        (
            "groq",
            [
                nothing.clone(),
                word("low"),
                word("low"),
                word("medium"),
                word("high"),
                word("high"),
                word("high"),
                word("high"),
            ],
        ),
        (
            "openrouter",
            ["none", "minimal", "low", "medium", "high", "xhigh", "xhigh", "xhigh"]
                .map(|effort| json!({"reasoning": {"effort": effort}})),
        ),
        (
            "dashscope",
            [false, true, true, true, true, true, true, true]
                .map(|thinks| json!({"enable_thinking": thinks})),
        ),
    ];
    let efforts = ["none", "minimal", "low", "medium", "high", "xhigh", "max", "ultra"];
    for (preset, expected) in table {
        for (effort, expected) in efforts.iter().zip(expected) {
            assert_eq!(&said(preset, effort), expected, "{preset} {effort}");
        }
    }
}

#[test]
fn custom_and_allowed_tools_can_be_sent_natively() {
    let request = json!({
        "input": [
            {"role": "user", "content": "hi"},
            {"type": "custom_tool_call", "call_id": "call_1", "name": "patch", "input": "*** \"x\"\n"},
            {"type": "custom_tool_call_output", "call_id": "call_1", "output": "ok"},
        ],
        "tools": [
            {"type": "custom", "name": "patch", "description": "Patches.",
                "format": {"type": "grammar", "syntax": "lark", "definition": "start: /.+/"}},
            {"type": "custom", "name": "say", "format": {"type": "text"}},
            {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}},
        ],
        "tool_choice": {"type": "allowed_tools", "mode": "required", "tools": [
            {"type": "custom", "name": "patch"}, {"type": "function", "name": "f"}]},
    });
    let (body, _) =
        ask(request.clone()).upstream(&json!({"custom_tools": "native", "allowed_tools": "native"})).sent();
    assert_eq!(
        body["tools"][0],
        json!({"type": "custom", "custom": {"name": "patch", "description": "Patches.",
        "format": {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: /.+/"}}}})
    );
    assert_eq!(body["tools"][1], json!({"type": "custom", "custom": {"name": "say"}}));
    assert_eq!(body["tools"][2]["type"], "function");
    assert_eq!(
        body["messages"][1]["tool_calls"][0],
        json!({"id": "call_1", "type": "custom", "custom": {"name": "patch", "input": "*** \"x\"\n"}})
    );
    assert_eq!(
        body["tool_choice"],
        json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
        {"type": "custom", "custom": {"name": "patch"}}, {"type": "function", "function": {"name": "f"}}]}})
    );

    let (body, _) = ask(request).sent();
    assert_eq!((declared(&body), &body["tool_choice"]), (vec!["patch", "f"], &json!("required")));
    let arguments = body["messages"][1]["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(arguments).unwrap(), json!({"input": "*** \"x\"\n"}));
}
