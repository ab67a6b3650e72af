//! The edges of a request, as tables: what is refused and where, what is mended, what goes up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // Tests stop where they stand.

use serde_json::{Value, json};
use transponder::config::Config;
use transponder::translate::{self, ApiError, Context, Translated};

fn translate(config: &Value, request: &str) -> Result<Translated, ApiError> {
    let config = Config::parse(config.to_string().as_bytes()).unwrap();
    translate::request(request.as_bytes(), &Context { config: &config, seed: 1, now: 1, codex: false })
}

/// The body that goes up for a request with these fields beside the model.
fn up(upstream: &Value, fields: Value) -> (Value, Vec<String>) {
    let request = with_model(fields).to_string();
    let translated = translate(&json!({"upstream": upstream}), &request).unwrap();
    let body = serde_json::from_slice(&translated.body).unwrap();
    (body, translated.report.all_dropped().to_vec())
}

fn with_model(mut fields: Value) -> Value {
    fields["model"] = json!("m");
    fields
}

fn messages(upstream: &Value, input: Value) -> Value {
    up(upstream, json!({ "input": input })).0["messages"].clone()
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

fn call(id: &str, name: &str, arguments: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": name, "arguments": arguments})
}

fn output(id: &str, output: Value) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": output})
}

#[test]
fn what_cannot_be_served_is_refused_where_it_stands() {
    let item = |item: Value| json!({"input": [user("hi"), item]});
    let tool = |tool: Value| json!({"input": "hi", "tools": [{"type": "function", "name": "f"}, tool]});
    let part = |part: Value| item(json!({"role": "user", "content": [part]}));
    let table: &[(Value, &str)] = &[
        (json!({}), "input"),
        (json!({"input": 7}), "input"),
        (json!({"input": "hi", "model": 7}), "model"),
        (json!({"input": "hi", "temperature": "warm"}), "temperature"),
        (json!({"input": "hi", "stream": "yes"}), "stream"),
        (json!({"input": "hi", "tools": {}}), "tools"),
        (json!({"input": "hi", "previous_response_id": "resp_1"}), "previous_response_id"),
        (json!({"input": "hi", "conversation": "conv_1"}), "conversation"),
        (json!({"input": "hi", "prompt": {"id": "p"}}), "prompt"),
        (json!({"input": "hi", "background": true}), "background"),
        (json!({"input": "hi", "text": {"format": {"type": "xml"}}}), "text.format.type"),
        (json!({"input": "hi", "text": {"format": {"type": "json_schema", "name": "n"}}}), "text.format"),
        (json!({"input": "hi", "tool_choice": "any"}), "tool_choice"),
        (json!({"input": "hi", "tool_choice": "required"}), "tool_choice"),
        (json!({"input": "hi", "tool_choice": {"type": "function", "name": "f"}}), "tool_choice"),
        (json!({"input": "hi", "tool_choice": {"type": "web_search"}}), "tool_choice"),
        (tool(json!({"name": "f"})), "tools[1].type"),
        (tool(json!({"type": "function"})), "tools[1]"),
        (tool(json!({"type": "function", "name": 7})), "tools[1].name"),
        (tool(json!({"type": "namespace", "name": "n", "tools": [{"type": "custom"}]})), "tools[1].tools[0]"),
        (item(json!({"role": "robot", "content": "hi"})), "input[1].role"),
        (item(json!({"type": "function_call", "call_id": "a"})), "input[1]"),
        (item(call("a", "f", "{}")), "input"),
        (item(output("a", json!("x"))), "input"),
        (item(json!({"type": "item_reference", "id": "msg_foreign"})), "input[1].id"),
        (part(json!({"type": "input_text", "text": 7})), "input[1].content[0].text"),
        (part(json!({"type": "input_text"})), "input[1].content[0].text"),
        (part(json!({"type": "hologram"})), "input[1].content[0].type"),
        (part(json!({"type": "input_image", "file_id": "f"})), "input[1].content[0].file_id"),
        (part(json!({"type": "input_file", "file_url": "https://x"})), "input[1].content[0].file_url"),
    ];
    for (fields, param) in table {
        let mut request = with_model(fields.clone());
        if fields.get("model").is_some() {
            request["model"] = fields["model"].clone();
        }
        let error = translate(&json!({}), &request.to_string()).expect_err(&request.to_string());
        assert_eq!(
            (error.status, error.param.as_deref()),
            (400, Some(*param)),
            "{request}: {}",
            error.message
        );
    }
}

#[test]
fn what_is_no_json_is_refused() {
    for body in ["", "{", "[]", "\"x\"", "{\"model\": \"m\", \"input\": \"\u{1}\"}"] {
        assert_eq!(translate(&json!({}), body).unwrap_err().status, 400, "{body}");
    }
    let config = Config::default();
    let context = Context { config: &config, seed: 1, now: 1, codex: false };
    let not_utf8 = b"{\"model\":\"m\",\"input\":\"\xff\"}";
    assert_eq!(translate::request(not_utf8, &context).unwrap_err().code.as_deref(), Some("invalid_json"));
}

#[test]
fn null_means_absent_and_unknown_means_nothing() {
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
    let plain = up(&json!({}), json!({"input": "hi"}));
    for field in fields {
        assert_eq!(up(&json!({}), json!({"input": "hi", field: null})), plain, "{field}");
    }
    let unknown = json!({"input": "hi", "no_such_field": {"x": [1]}});
    assert_eq!(up(&json!({}), unknown), plain);
    let deep =
        format!("{{\"model\":\"m\",\"input\":\"hi\",\"deep\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    assert!(translate(&json!({}), &deep).is_ok());
}

#[test]
fn unknown_kinds_are_dropped_and_reported() {
    let (body, dropped) = up(
        &json!({}),
        json!({
            "input": [user("hi"), {"type": "web_search_call", "id": "ws_1"}, {"type": "novelty"}],
            "tools": [{"type": "web_search"}, {"type": "hologram"}, {"type": "function", "name": "f"}, {"type": "function", "name": "f"}],
        }),
    );
    assert_eq!(dropped, ["tool:web_search", "tool:hologram", "item:web_search_call", "item:novelty"]);
    assert_eq!(body["tools"].as_array().unwrap().len(), 1);
    let (body, _) =
        up(&json!({}), json!({"input": "hi", "tools": [{"type": "web_search"}], "tool_choice": "auto"}));
    assert!(body.get("tools").is_none() && body.get("tool_choice").is_none());
}

#[test]
fn a_tool_choice_chooses_among_the_tools_that_go_up() {
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
    for (choice, expected, offered) in table {
        let (body, _) = up(&json!({}), json!({"input": "hi", "tools": tools, "tool_choice": choice}));
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

#[test]
fn arguments_in_the_history_are_always_an_object() {
    for (written, sent) in [
        ("{\"x\": 1}", "{\"x\": 1}"),
        ("", "{}"),
        ("  ", "{}"),
        ("{\"x\": ", "{\"_raw\":\"{\\\"x\\\": \"}"),
        ("[1]", "{\"_raw\":\"[1]\"}"),
    ] {
        let messages =
            messages(&json!({}), json!([user("hi"), call("a", "f", written), output("a", json!("ok"))]));
        assert_eq!(messages[1]["tool_calls"][0]["function"]["arguments"], sent, "{written}");
    }
}

#[test]
fn outputs_follow_their_calls_at_once_and_in_their_order() {
    let messages = messages(
        &json!({}),
        json!([
            user("hi"),
            {"role": "assistant", "content": "Let me see."},
            call("a", "f", "{}"), call("b", "g", "{}"),
            user("in between"),
            output("b", json!("second")), output("a", json!("first")),
        ]),
    );
    let roles: Vec<&str> = messages.as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool", "user"]);
    assert_eq!(messages[1]["content"], "Let me see.");
    assert_eq!((&messages[2]["content"], &messages[3]["content"]), (&json!("first"), &json!("second")));
}

#[test]
fn repair_mends_what_strict_refuses() {
    let config = json!({"history": "repair"});
    let request =
        with_model(json!({"input": [user("hi"), call("a", "f", "{}"), output("z", json!("lost"))]}));
    let translated = translate(&config, &request.to_string()).unwrap();
    let body: Value = serde_json::from_slice(&translated.body).unwrap();
    assert!(body["messages"][2]["content"].as_str().unwrap().contains("no output"));
    assert_eq!(body["messages"][3], user("lost"));
    assert_eq!(translated.report.all_repaired(), ["call_output:z", "tool_call:f"]);
    let sentences = [
        (json!([user("hi"), call("a", "f", "{}")]), "No tool output found for function call a."),
        (json!([output("z", json!("x"))]), "No tool call found for function call output with call_id z."),
    ];
    for (input, sentence) in sentences {
        let error = translate(&json!({}), &with_model(json!({ "input": input })).to_string()).unwrap_err();
        assert_eq!(error.message, sentence);
    }
}

#[test]
fn instructions_lead_or_stay_as_the_host_wants() {
    let input = json!([user("hi"), {"role": "developer", "content": "Later."}]);
    let fields = json!({"instructions": "First.", "input": input});
    let messages = |options: Value| up(&options, fields.clone()).0["messages"].clone();
    assert_eq!(messages(json!({})), json!([{"role": "system", "content": "First.\n\nLater."}, user("hi")]));
    let kept = messages(json!({"system": "keep", "developer_role": true}));
    let roles: Vec<&str> = kept.as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles[..3], ["developer", "user", "developer"]);
}

#[test]
fn somebody_always_asks_last() {
    for input in [
        json!([]),
        json!([{"role": "assistant", "content": "Well?"}]),
        json!([{"role": "system", "content": "S"}]),
    ] {
        let messages = messages(&json!({}), input.clone());
        assert_eq!(messages.as_array().unwrap().last().unwrap()["role"], "user", "{input}");
    }
}

#[test]
fn reasoning_goes_back_where_the_host_reads_it() {
    let thought =
        |text: &str| json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]});
    let input = json!([
        user("hi"), thought("one"), call("a", "f", "{}"), output("a", json!("1")),
        thought("two"), {"role": "assistant", "content": "Done."}, user("more"),
        call("b", "f", "{}"), output("b", json!("2")),
    ]);
    let options = json!({"reasoning_replay": {"field": "reasoning", "always_present": true}});
    let sent = messages(&options, input.clone());
    let thoughts: Vec<&Value> = sent
        .as_array()
        .unwrap()
        .iter()
        .filter(|m| m["role"] == "assistant")
        .map(|m| &m["reasoning"])
        .collect();
    assert_eq!(thoughts, ["one", "two", ""]);
    let (body, dropped) = up(&json!({}), json!({ "input": input }));
    assert!(!body.to_string().contains("\"reasoning\""));
    assert_eq!(dropped, ["item:reasoning"]);
}

#[test]
fn parts_become_what_chat_hosts_know() {
    let image = |detail: &str| json!({"type": "input_image", "image_url": "data:image/png;base64,x", "detail": detail});
    let content = json!([
        {"type": "input_text", "text": "see"}, image("original"), image("low"), image("strange"),
        {"type": "input_file", "file_data": "data:x", "filename": "f.pdf"},
    ]);
    let messages = messages(&json!({}), json!([{"role": "user", "content": content}]));
    let parts = messages[0]["content"].as_array().unwrap();
    let details: Vec<&Value> = parts[1..4].iter().map(|part| &part["image_url"]["detail"]).collect();
    assert_eq!(details, [&json!("high"), &json!("low"), &Value::Null]);
    assert_eq!(parts[4]["file"]["filename"], "f.pdf");
}

#[test]
fn images_of_tools_follow_them_or_are_dropped() {
    let image =
        json!([{"type": "input_text", "text": "a picture"}, {"type": "input_image", "image_url": "data:x"}]);
    let input = json!([user("hi"), call("a", "f", "{}"), output("a", image)]);
    let sent = messages(&json!({}), input.clone());
    assert!(sent[2]["content"].as_str().unwrap().starts_with("a picture\n"));
    assert_eq!(sent[3]["content"][1]["image_url"]["url"], "data:x");
    let (body, dropped) = up(&json!({"tool_output_images": "drop"}), json!({ "input": input }));
    assert_eq!(body["messages"].as_array().unwrap().len(), 3);
    assert_eq!(dropped, ["part:input_image"]);
}

#[test]
fn options_say_how_a_host_wants_it() {
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
        let (body, _) = up(options, fields.clone());
        assert_eq!(body.pointer(pointer).cloned().unwrap_or_default(), *expected, "{options} {pointer}");
    }
}

#[test]
fn lone_surrogates_do_not_go_up() {
    let request = r#"{"model":"m","input":[{"role":"user","content":"a\ud83e"},{"role":"user","content":"\ud83e\udd80"}]}"#;
    let body = String::from_utf8(translate(&json!({}), request).unwrap().body).unwrap();
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["messages"][0]["content"], "a\u{FFFD}");
    assert_eq!(body["messages"][1]["content"], "🦀");
}

#[test]
fn long_ids_are_shortened_on_both_sides() {
    let long = "c".repeat(80);
    let messages =
        messages(&json!({}), json!([user("hi"), call(&long, "f", "{}"), output(&long, json!("ok"))]));
    let id = messages[1]["tool_calls"][0]["id"].as_str().unwrap();
    assert!(id.len() <= 40);
    assert_eq!(messages[2]["tool_call_id"], id);
}

mod round_trip {
    use super::*;
    use proptest::prelude::*;

    /// What the client gets for one call that the upstream makes, sent back as history.
    fn sent_back(tool: &Value, arguments: &str) -> (Value, Value) {
        let fields = json!({"input": "hi", "tools": [tool]});
        let request = with_model(fields);
        let first = translate(&json!({}), &request.to_string()).unwrap();
        let offered: Value = serde_json::from_slice(&first.body).unwrap();
        let name = &offered["tools"][0]["function"]["name"];
        let function = json!({"name": name, "arguments": arguments});
        let completion = json!({"choices": [{"message": {"tool_calls": [{"id": "a", "type": "function", "function": function}]}, "finish_reason": "tool_calls"}]});
        let mut reply = first.reply;
        let mut out = Vec::new();
        reply.begin(200);
        reply.push(completion.to_string().as_bytes(), &mut out);
        reply.end(&mut out);
        let response: Value = serde_json::from_slice(&out).unwrap();
        let item = response["output"][0].clone();
        let answer = json!({"type": item["type"].as_str().unwrap().to_owned() + "_output", "call_id": "a", "output": "ok"});
        let next = with_model(json!({"input": [user("hi"), item, answer], "tools": [tool]}));
        let body: Value =
            serde_json::from_slice(&translate(&json!({}), &next.to_string()).unwrap().body).unwrap();
        (function, body["messages"][1]["tool_calls"][0]["function"].clone())
    }

    proptest! {
        #[test]
        fn a_function_call_comes_back_unchanged(name in ".{1,80}", namespace in proptest::option::of("[a-z_.]{1,70}"), text in ".{0,40}") {
            let function = json!({"type": "function", "name": name, "parameters": {"type": "object"}});
            let tool = match namespace {
                Some(namespace) => json!({"type": "namespace", "name": namespace, "tools": [function]}),
                None => function,
            };
            let (called, back) = sent_back(&tool, &json!({"x": text}).to_string());
            prop_assert_eq!(called, back);
        }

        #[test]
        fn a_custom_call_comes_back_with_the_same_text(name in ".{1,80}", text in ".{0,60}") {
            let tool = json!({"type": "custom", "name": name});
            let (called, back) = sent_back(&tool, &json!({"input": text}).to_string());
            let parse = |function: &Value| -> Value { serde_json::from_str(function["arguments"].as_str().unwrap()).unwrap() };
            prop_assert_eq!(parse(&called), parse(&back));
            prop_assert_eq!(&called["name"], &back["name"]);
        }
    }
}
