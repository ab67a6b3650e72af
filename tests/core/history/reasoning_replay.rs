//! Reasoning details and signatures: they return byte for byte to an upstream that replays them, and to no other.

use crate::support::*;
use serde_json::{Value, json};

fn request(include: bool) -> Value {
    json!({
        "model": "m", "stream": true, "input": [{"role": "user", "content": "hi"}],
        "include": if include { vec!["reasoning.encrypted_content"] } else { vec![] },
        "tools": [{"type": "function", "name": "get_weather"}],
    })
}

/// The items of the reply to these deltas.
fn output(upstream: &Value, include: bool, deltas: &[Value]) -> Vec<Value> {
    let chunks: Vec<Value> = deltas.iter().cloned().map(delta).chain([finish("stop")]).collect();
    let response = ask(request(include)).upstream(upstream).received(&chunks);
    response["output"].as_array().unwrap().clone()
}

/// The assistant's message in the next request, whose history holds these items, and what was dropped.
fn sent_back(upstream: &Value, output: &[Value]) -> (Value, Vec<String>) {
    let mut request = request(true);
    let input = request["input"].as_array_mut().unwrap();
    for item in output {
        input.push(item.clone());
        if item["type"] == "function_call" {
            input.push(function_call_output(item["call_id"].as_str().unwrap(), json!("sunny")));
        }
    }
    let (body, dropped) = ask(request).upstream(upstream).sent();
    let mut messages = body["messages"].as_array().unwrap().iter();
    let assistant = messages.find(|message| message["role"] == "assistant").unwrap();
    (assistant.clone(), dropped)
}

/// A delta with a call, to which the upstream adds `extra_content`.
fn weather(extra: Value) -> Value {
    let mut call = json!({"index": 0, "id": "c", "function": {"name": "get_weather", "arguments": "{}"}});
    if !extra.is_null() {
        call["extra_content"] = extra;
    }
    json!({ "tool_calls": [call] })
}

fn with_details() -> Value {
    json!({"reasoning_replay": {"details": true}})
}

fn with_signature() -> Value {
    json!({"reasoning_replay": {"signatures": true}})
}

#[test]
fn reasoning_details_are_joined_and_replayed() {
    let piece = |detail: Value| json!({"reasoning": detail["text"], "reasoning_details": [detail]});
    let deltas = [
        piece(json!({"type": "reasoning.text", "text": "Need \u{e9} ", "index": 0, "format": "x"})),
        piece(json!({"type": "reasoning.text", "text": "weather.", "index": 0, "format": "x"})),
        piece(json!({"type": "reasoning.text", "signature": "s==", "index": 0})),
        piece(json!({"type": "reasoning.encrypted", "data": "gAAA", "id": "rs_1", "index": 1})),
        weather(Value::Null),
    ];
    for include in [true, false] {
        let output = output(&with_details(), include, &deltas);
        assert_eq!(
            output.iter().map(|item| &item["type"]).collect::<Vec<_>>(),
            ["reasoning", "function_call"]
        );
        assert_eq!(output[0]["summary"][0]["text"], "Need é weather.");
        let (assistant, dropped) = sent_back(&with_details(), &output);
        let expected = json!([
            {"type": "reasoning.text", "text": "Need é weather.", "signature": "s==", "index": 0, "format": "x"},
            {"type": "reasoning.encrypted", "data": "gAAA", "id": "rs_1", "index": 1},
        ]);
        assert_eq!(assistant["reasoning_details"], expected);
        assert_eq!(dropped, Vec::<String>::new());
        // An upstream that replays text receives only the text.
        let text = json!({"reasoning_replay": {"field": "reasoning_content"}});
        let (assistant, _) = sent_back(&text, &output);
        assert_eq!(assistant["reasoning_content"], "Need é weather.");
        assert_eq!(assistant["reasoning_details"], Value::Null);
        let (assistant, dropped) = sent_back(&json!("generic"), &output);
        assert_eq!(
            assistant.as_object().unwrap().keys().collect::<Vec<_>>(),
            ["content", "role", "tool_calls"]
        );
        assert_eq!(dropped, ["item:reasoning"]);
    }
}

#[test]
fn encrypted_details_get_an_item_of_their_own() {
    let detail = json!({"type": "reasoning.encrypted", "data": "gAAA"});
    let deltas = [json!({"content": "Look.", "reasoning_details": [detail]}), weather(Value::Null)];
    let output = output(&with_details(), false, &deltas);
    let kinds: Vec<&str> = output.iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["message", "reasoning", "function_call"]);
    assert_eq!(output[1]["summary"], json!([]));
    assert_eq!(sent_back(&with_details(), &output).0["reasoning_details"], json!([detail]));
}

#[test]
fn a_signature_is_replayed_with_its_call() {
    let extra = json!({"google": {"thought_signature": "c2lnbmF0dXJl+/=="}});
    for deltas in [
        vec![weather(extra.clone())],
        vec![json!({"reasoning_content": "Hm."}), weather(extra.clone())],
        // After the call has begun.
        vec![weather(Value::Null), json!({"tool_calls": [{"index": 0, "extra_content": extra}]})],
    ] {
        for include in [true, false] {
            let output = output(&with_signature(), include, &deltas);
            assert_eq!(output.len(), 2, "{output:?}");
            let (assistant, _) = sent_back(&with_signature(), &output);
            assert_eq!(assistant["tool_calls"][0]["extra_content"], extra);
            let (assistant, _) = sent_back(&json!("generic"), &output);
            assert_eq!(assistant["tool_calls"][0].get("extra_content"), None);
        }
    }
    let output = output(&json!("generic"), true, &[weather(extra)]);
    assert_eq!(
        output.len(),
        1,
        "an upstream that does not want reasoning back gets none, and neither does the client"
    );
}

#[test]
fn a_missing_signature_is_replaced_by_the_skip_marker() {
    let mut calls = output(&json!("gemini"), true, &[weather(json!({"google": {"thought_signature": "x"}}))]);
    calls.retain(|item| item["type"] != "reasoning");
    let (assistant, _) = sent_back(&json!("gemini"), &calls);
    let extra = json!({"google": {"thought_signature": "skip_thought_signature_validator"}});
    assert_eq!(assistant["tool_calls"][0]["extra_content"], extra);
}

#[test]
fn reasoning_text_is_replayed_with_and_without_encrypted_content() {
    let options = json!({"reasoning_replay": {"field": "reasoning", "always_present": true}});
    let deltas = [json!({"reasoning_content": "Hm \"\u{1f980}\"\n"}), weather(Value::Null)];
    for include in [true, false] {
        let output = output(&options, include, &deltas);
        assert_eq!(output[0]["encrypted_content"].is_string(), include);
        assert_eq!(sent_back(&options, &output).0["reasoning"], "Hm \"🦀\"\n");
    }
    let output = output(&options, true, &[weather(Value::Null)]);
    assert_eq!(sent_back(&options, &output).0["reasoning"], "", "always present");
}

#[test]
fn damaged_encrypted_content_is_reported_and_the_summary_is_used() {
    let options = json!({"reasoning_replay": {"field": "reasoning", "details": true}});
    let mut output = output(&options, true, &[json!({"reasoning": "Hm."}), weather(Value::Null)]);
    let sealed = output[0]["encrypted_content"].as_str().unwrap().to_owned();
    for damaged in
        [sealed.replacen("transponder.1.", "transponder.1.f", 1), sealed + "AAAA", "gAAAA".to_owned()]
    {
        output[0]["encrypted_content"] = json!(damaged);
        let (assistant, dropped) = sent_back(&options, &output);
        assert_eq!(assistant["reasoning"], "Hm.");
        assert_eq!(dropped, ["field:encrypted_content"], "{damaged}");
    }
}
