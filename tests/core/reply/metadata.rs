//! Parts of a reply other than text: citations, logprobs, the service tier, custom calls, and reports of omissions.

use crate::grammar::Transcript;
use crate::support::*;
use serde_json::{Value, json};

/// The stream and the document that the client receives for these chunks.
fn reply(fields: Value, chunks: &[Value]) -> (Transcript, Value) {
    let asked = |stream: bool| {
        let mut fields = fields.clone();
        fields["input"] = json!("hi");
        fields["stream"] = json!(stream);
        fields["tools"] = json!([function("get_weather"), {"type": "custom", "name": "apply_patch"}]);
        ask(fields)
    };
    let transcript = asked(true).stream(chunks);
    let document = asked(false).document(&events(chunks));
    assert_eq!(transcript.response(), &document, "both ways give the same");
    (transcript, document)
}

#[test]
fn citations_become_annotations() {
    let nested = json!({"type": "url_citation", "url_citation": {
        "url": "https://a.example", "title": "A", "start_index": 1, "end_index": 3, "content": "left out",
    }});
    let flat = json!({"type": "url_citation", "url": "https://b.example"});
    let foreign = json!({"type": "file", "file": {"hash": "x"}});
    let (transcript, response) = reply(
        json!({}),
        &[
            // A citation before its text waits for the text. A repeated one counts once.
            delta(json!({"annotations": [nested]})),
            delta(json!({"content": "As A says"})),
            delta(json!({"annotations": [nested, flat, foreign]})),
            finish("stop"),
        ],
    );
    let expected = json!([
        {"type": "url_citation", "url": "https://a.example", "title": "A", "start_index": 1, "end_index": 3},
        {"type": "url_citation", "url": "https://b.example", "title": "", "start_index": 0, "end_index": 0},
    ]);
    assert_eq!(response["output"][0]["content"][0]["annotations"], expected);
    assert_eq!(transcript.of_type("response.output_text.annotation.added").count(), 2);
    assert_eq!(response["metadata"], json!({"x-transponder-dropped": "annotation:file"}));
}

/// In streams and documents of the upstream. Repetitions are reported once.
#[test]
fn what_has_no_counterpart_is_reported() {
    let image = json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}]);
    let message = json!({"content": "Hi", "images": image});
    let sources = |mut chunk: Value| {
        chunk["citations"] = json!(["https://a.example"]);
        chunk["search_results"] = json!([{"url": "https://a.example"}]);
        chunk
    };
    let complete = json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]});
    let once = json!({"x-transponder-dropped":
        "part:image,annotation:citations,annotation:search_results"});
    let chunks = [sources(delta(message)), sources(complete.clone())];
    assert_eq!(reply(json!({}), &chunks).1["metadata"], once);
    let asked = ask(json!({"input": "hi"}));
    let response = asked.document(&sources(complete).to_string());
    assert_eq!(response["metadata"], once);
    assert_eq!(response["output"][0]["content"][0]["text"], "Hi");
}

/// Text waits before its message begins, and while a call is open.
#[test]
fn logprobs_of_text_that_waits_are_kept() {
    let token = |text: &str| {
        let logprob = json!({"token": text, "logprob": -0.5, "bytes": null, "top_logprobs": []});
        json!({"choices": [{"index": 0, "delta": {"content": text}, "logprobs": {"content": [logprob]}}]})
    };
    let asked = ask(json!({"input": "hi", "stream": true, "top_logprobs": 1, "tools": [function("f")]}));
    let response = asked.received(&[
        call(0, "a", "f", "{"),
        token("b"),
        token("c"),
        call(0, "a", "f", "}"),
        call(1, "b", "f", "{}"),
        token(" "),
        token("d"),
        finish("tool_calls"),
    ]);
    let messages = response["output"].as_array().unwrap().iter().filter(|item| item["type"] == "message");
    let tokens: Vec<Vec<&str>> = messages
        .map(|item| item["content"][0]["logprobs"].as_array().unwrap().iter())
        .map(|logprobs| logprobs.map(|logprob| logprob["token"].as_str().unwrap()).collect())
        .collect();
    assert_eq!(tokens, [vec!["b", "c"], vec![" ", "d"]]);
}

#[test]
fn logprobs_are_sent_when_requested() {
    let with = json!({"choices": [{"index": 0, "delta": {"content": "é"}, "logprobs": {"content": [
        {"token": "é", "logprob": -0.5, "bytes": null, "top_logprobs": [{"token": "e", "logprob": -1, "bytes": [101]}]},
    ]}}]});
    let expected = json!([{"token": "é", "logprob": -0.5, "bytes": [195, 169],
        "top_logprobs": [{"token": "e", "logprob": -1.0, "bytes": [101]}]}]);
    for (asked, expected) in [(json!({"top_logprobs": 1}), expected), (json!({}), json!([]))] {
        let (transcript, response) = reply(asked, &[with.clone(), finish("stop")]);
        assert_eq!(response["output"][0]["content"][0]["logprobs"], expected);
        for name in ["response.output_text.delta", "response.output_text.done"] {
            assert_eq!(transcript.of_type(name).next().unwrap()["logprobs"], expected, "{name}");
        }
    }
}

#[test]
fn the_service_tier_of_the_upstream_is_reported() {
    let chunk =
        |tier: Value| json!({"service_tier": tier, "choices": [{"index": 0, "delta": {"content": "x"}}]});
    for (tier, expected) in [(json!("priority"), "priority"), (Value::Null, "flex"), (json!(5), "flex")] {
        let (_, response) = reply(json!({"service_tier": "flex"}), &[chunk(tier), finish("stop")]);
        assert_eq!(response["service_tier"], expected);
    }
}

#[test]
fn a_custom_call_is_received_as_text_in_every_form() {
    let native = |name: Value, input: &str| {
        delta(
            json!({"tool_calls": [{"index": 0, "id": "c0", "type": "custom", "custom": {"name": name, "input": input}}]}),
        )
    };
    let table: &[(&str, Vec<Value>, &str, Value)] = &[
        ("as asked", vec![call(0, "c0", "apply_patch", "{\"input\": \"a\\nb\"}")], "a\nb", json!({})),
        (
            "natively",
            vec![native(json!("apply_patch"), "{a"), native(Value::Null, "\nb")],
            "{a\nb",
            json!({}),
        ),
        ("natively, and empty", vec![native(json!("apply_patch"), "")], "", json!({})),
        (
            "another key",
            vec![call(0, "c0", "apply_patch", "{\"patch\":\"a\"}")],
            "a",
            json!("arguments:apply_patch"),
        ),
        ("raw", vec![call(0, "c0", "apply_patch", "*** Begin")], "*** Begin", json!("arguments:apply_patch")),
        (
            "a second key",
            vec![call(0, "c0", "apply_patch", "{\"input\":\"a\",\"x\":1}")],
            "a",
            json!("arguments:apply_patch"),
        ),
    ];
    for (what, chunks, input, repaired) in table {
        let (transcript, response) = reply(json!({}), &[chunks.clone(), vec![finish("tool_calls")]].concat());
        let item = &response["output"][0];
        assert_eq!(
            (item["type"].as_str(), item["input"].as_str()),
            (Some("custom_tool_call"), Some(*input)),
            "{what}"
        );
        let done = transcript.of_type("response.custom_tool_call_input.done").next().unwrap();
        assert_eq!(done["input"], *input, "{what}");
        let note = response["metadata"].get("x-transponder-repaired").cloned().unwrap_or(json!({}));
        assert_eq!(note, *repaired, "{what}");
    }
}

#[test]
fn surplus_parallel_calls_are_reported_by_name() {
    let calls = [
        call(0, "c0", "get_weather", "{\"a\":"),
        call(1, "c1", "apply_", ""),
        call(0, "c0", "", "1}"),
        delta(json!({"tool_calls": [{"index": 1, "function": {"name": "patch", "arguments": "{}"}}]})),
        finish("tool_calls"),
    ];
    let (_, response) = reply(json!({"parallel_tool_calls": false, "metadata": {"mine": "1"}}), &calls);
    assert_eq!(response["output"].as_array().unwrap().len(), 1);
    assert_eq!(response["output"][0]["arguments"], "{\"a\":1}");
    assert_eq!(response["metadata"], json!({"mine": "1", "x-transponder-dropped": "tool_call:apply_patch"}));
}

#[test]
fn a_refusal_becomes_a_refusal_part() {
    let (transcript, response) =
        reply(json!({}), &[delta(json!({"refusal": "N"})), delta(json!({"refusal": "o."})), finish("stop")]);
    assert_eq!(response["output"][0]["content"], json!([{"type": "refusal", "refusal": "No."}]));
    assert_eq!(transcript.of_type("response.refusal.delta").count(), 2);
}

/// This also holds after text, and with a normal finish reason.
#[test]
fn an_unreadable_call_is_an_error() {
    let unreadable = [
        json!(["get_weather"]),
        json!([{"index": 0, "id": "a", "function": {"name": 5, "arguments": "{}"}}]),
        json!([{"index": 0, "id": "a", "function": "get_weather"}]),
        json!("get_weather"),
    ];
    for calls in unreadable {
        let chunks =
            [delta(json!({"content": "Let me see."})), delta(json!({"tool_calls": calls})), finish("stop")];
        let (_, response) = reply(json!({}), &chunks);
        assert_eq!(response["status"], "failed", "{calls}");
        let message = response["error"]["message"].as_str().unwrap();
        assert_eq!(message, "The upstream sent a tool call that cannot be read.", "{calls}");
    }
    let (_, response) =
        reply(json!({}), &[delta(json!({"content": "Hi.", "tool_calls": [null]})), finish("stop")]);
    assert_eq!(response["status"], "completed", "nothing is no call");
}
