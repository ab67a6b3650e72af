//! Requests that an upstream would reject, or with which a model would not call tools.

use crate::support::*;
use serde_json::{Value, json};

/// The ids of the calls in a history of one turn, as the upstream of a preset receives them.
fn sent_ids(ids: &[&str], preset: &str) -> Vec<String> {
    let mut input = vec![user("a")];
    input.extend(ids.iter().map(|id| function_call(id, "f", "{}")));
    input.extend(ids.iter().map(|id| function_call_output(id, json!("1"))));
    let messages = messages(&json!(preset), json!(input));
    let messages = messages.as_array().unwrap();
    let calls = messages.iter().find_map(|message| message["tool_calls"].as_array()).unwrap();
    let ids: Vec<String> = calls.iter().map(|call| call["id"].as_str().unwrap().to_owned()).collect();
    let answered: Vec<&str> =
        messages.iter().filter_map(|message| message["tool_call_id"].as_str()).collect();
    assert_eq!(answered, ids, "each output belongs to its call");
    ids
}

#[test]
fn call_ids_go_back_as_they_came() {
    let long = format!("functions.{}:0", "f".repeat(60));
    let signed = format!("call_1__thought__{}", "A".repeat(2000));
    for id in ["0", "call_1", &long, &signed] {
        for preset in ["generic", "vllm", "sglang", "moonshot", "gemini", "openrouter"] {
            assert_eq!(sent_ids(&[id], preset), [id], "{preset}");
        }
    }
    for (preset, most) in [("openai", 40), ("azure", 40), ("mistral", 9)] {
        let [short, long] = ["abcDEF123", &long].map(|id| sent_ids(&[id], preset)[0].clone());
        assert_eq!(short, "abcDEF123", "{preset}");
        assert!(long.len() <= most, "{preset}: {long}");
    }
}

#[test]
fn calls_with_the_same_id_get_ids_of_the_same_form() {
    assert_eq!(
        sent_ids(&["functions.f:0", "functions.f:0", "functions.f:0"], "vllm"),
        ["functions.f:0", "functions.f:1", "functions.f:2"]
    );
    assert_eq!(sent_ids(&["a", "a"], "vllm"), ["a", "a_2"]);
}

/// Ollama reads only some keywords of a tool's schema, and shows the model what is left.
#[test]
fn ollama_gets_a_schema_without_keywords_that_it_drops() {
    let schema = json!({
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/text"}, "b": {"oneOf": [{"type": "string"}, {"type": "integer"}]}},
        "$defs": {"text": {"type": "string"}}
    });
    let tools = json!([{"type": "function", "name": "f", "parameters": schema}]);
    let (body, _) =
        ask(json!({"model": "m", "input": "x", "tools": tools})).upstream(&json!("ollama")).sent();
    assert_eq!(
        body["tools"][0]["function"]["parameters"]["properties"],
        json!({"a": {"type": "string"}, "b": {"anyOf": [{"type": "string"}, {"type": "integer"}]}})
    );
}

#[test]
fn a_schema_beside_tools_is_put_into_words_where_it_would_rule_out_calls() {
    let schema = json!({"type": "object", "properties": {"valve_count": {"type": "string"}}});
    let format = json!({"type": "json_schema", "name": "n", "schema": schema, "strict": true});
    let tools = json!([{"type": "function", "name": "f", "parameters": {"type": "object"}}]);
    let request =
        |tools: &Value| json!({"model": "m", "input": "x", "tools": tools, "text": {"format": format}});
    for preset in ["vllm", "sglang", "ollama"] {
        let (body, _) = ask(request(&tools)).upstream(&json!(preset)).sent();
        assert_eq!(body.get("response_format"), None, "{preset}");
        assert!(body["messages"].to_string().contains("valve_count"), "{preset}");
        let (body, _) = ask(request(&json!([]))).upstream(&json!(preset)).sent();
        assert_eq!(body["response_format"]["type"], "json_schema", "{preset}");
    }
    let (body, _) = ask(request(&tools)).upstream(&json!("openai")).sent();
    assert_eq!(body["response_format"]["type"], "json_schema");
}

#[test]
fn a_text_only_model_gets_a_note_in_place_of_an_image() {
    let image = json!({"type": "input_image", "image_url": "data:image/png;base64,AA"});
    let input = json!([
        {"role": "user", "content": [{"type": "input_text", "text": "see"}, image]},
        {"role": "assistant", "content": "ok"},
        {"role": "user", "content": [image]},
    ]);
    let asked = ask(json!({ "input": input }));
    for options in [json!("deepseek"), json!("cerebras"), json!({"user_images": "note"})] {
        let (body, dropped) = asked.clone().upstream(&options).sent();
        assert_eq!(dropped, ["part:input_image"]);
        let users = [&body["messages"][0]["content"], &body["messages"][2]["content"]];
        assert!(
            users.iter().all(|content| content.as_str().unwrap().contains("image was left out")),
            "{body}"
        );
        assert!(users[0].as_str().unwrap().starts_with("see\n"), "{body}");
    }
    let (body, _) = asked.sent();
    assert_eq!(body["messages"][0]["content"][1]["type"], "image_url");
}

/// The ids that the client receives for calls with these ids. The history already has a call with the first id.
fn received_ids(ids: &[&str]) -> Vec<String> {
    let input =
        json!([user("a"), function_call(ids[0], "f", "{}"), function_call_output(ids[0], json!("1")),]);
    let tools = json!([{"type": "function", "name": "f", "parameters": {"type": "object"}}]);
    let calls: Vec<Value> = ids
        .iter()
        .map(|id| json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}}))
        .collect();
    let message = json!({"role": "assistant", "content": null, "tool_calls": calls});
    let document = json!({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]});
    let translated = ask(json!({"input": input, "tools": tools})).translate().unwrap();
    let outcome = super::outcome(translated, 200, document.to_string().as_bytes());
    outcome.calls().into_iter().map(|call| call["call_id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_id_that_the_history_has_is_replaced_by_one_of_the_same_form() {
    assert_eq!(received_ids(&["functions.f:0", "functions.f:1"]), ["functions.f:1", "functions.f:2"]);
    assert_eq!(received_ids(&["call_abc", "call_abd"]), ["call_abc_2", "call_abd"]);
    assert_eq!(received_ids(&["0", "0"]), ["1", "2"]);
}
