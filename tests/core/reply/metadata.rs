//! What a reply says besides its words: citations, probabilities, the tier, the form of a call, what was left out.

use crate::grammar::{self, Transcript};
use serde_json::{Value, json};
use transponder::config::Config;
use transponder::request::{self, Context};

/// The stream and the document that the client gets for `deltas`, of which the last holds the finish reason.
fn reply(more: Value, chunks: &[Value]) -> (Transcript, Value) {
    let body: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    let out = |stream: bool| {
        let mut request = json!({"model": "m", "input": "hi", "stream": stream, "tools": [
            {"type": "function", "name": "get_weather"}, {"type": "custom", "name": "apply_patch"},
        ]});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let config = Config::default();
        let context = Context { config: &config, seed: 1, now: 1, codex: false };
        let mut reply = request::translate(request.to_string().as_bytes(), &context).unwrap().reply;
        let mut out = Vec::new();
        reply.begin(200);
        reply.push(body.as_bytes(), &mut out);
        reply.push(b"data: [DONE]\n\n", &mut out);
        out
    };
    let (transcript, document) = (Transcript::of(&out(true)), grammar::document(&out(false)));
    assert_eq!(transcript.response(), &document, "both ways give the same");
    (transcript, document)
}

fn chunk(delta: Value) -> Value {
    json!({"choices": [{"index": 0, "delta": delta, "finish_reason": null}]})
}

fn end(reason: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

fn call(index: u64, name: &str, arguments: &str) -> Value {
    let id = format!("c{index}");
    chunk(
        json!({"tool_calls": [{"index": index, "id": id, "function": {"name": name, "arguments": arguments}}]}),
    )
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
            // One that comes before its text waits for it; one that is said again counts once.
            chunk(json!({"annotations": [nested]})),
            chunk(json!({"content": "As A says"})),
            chunk(json!({"annotations": [nested, flat, foreign]})),
            end("stop"),
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

#[test]
fn probabilities_are_told_when_asked_for() {
    let with = json!({"choices": [{"index": 0, "delta": {"content": "é"}, "logprobs": {"content": [
        {"token": "é", "logprob": -0.5, "bytes": null, "top_logprobs": [{"token": "e", "logprob": -1, "bytes": [101]}]},
    ]}}]});
    let expected = json!([{"token": "é", "logprob": -0.5, "bytes": [195, 169],
        "top_logprobs": [{"token": "e", "logprob": -1.0, "bytes": [101]}]}]);
    for (asked, expected) in [(json!({"top_logprobs": 1}), expected), (json!({}), json!([]))] {
        let (transcript, response) = reply(asked, &[with.clone(), end("stop")]);
        assert_eq!(response["output"][0]["content"][0]["logprobs"], expected);
        for name in ["response.output_text.delta", "response.output_text.done"] {
            assert_eq!(transcript.of_type(name).next().unwrap()["logprobs"], expected, "{name}");
        }
    }
}

#[test]
fn the_host_says_which_tier_it_was() {
    let chunk =
        |tier: Value| json!({"service_tier": tier, "choices": [{"index": 0, "delta": {"content": "x"}}]});
    for (tier, expected) in [(json!("priority"), "priority"), (Value::Null, "flex"), (json!(5), "flex")] {
        let (_, response) = reply(json!({"service_tier": "flex"}), &[chunk(tier), end("stop")]);
        assert_eq!(response["service_tier"], expected);
    }
}

#[test]
fn a_custom_call_arrives_as_text_whatever_its_form() {
    let native = |name: Value, input: &str| {
        chunk(
            json!({"tool_calls": [{"index": 0, "id": "c0", "type": "custom", "custom": {"name": name, "input": input}}]}),
        )
    };
    let table: &[(&str, Vec<Value>, &str, Value)] = &[
        ("as asked", vec![call(0, "apply_patch", "{\"input\": \"a\\nb\"}")], "a\nb", json!({})),
        (
            "natively",
            vec![native(json!("apply_patch"), "{a"), native(Value::Null, "\nb")],
            "{a\nb",
            json!({}),
        ),
        ("natively, and empty", vec![native(json!("apply_patch"), "")], "", json!({})),
        (
            "another key",
            vec![call(0, "apply_patch", "{\"patch\":\"a\"}")],
            "a",
            json!("arguments:apply_patch"),
        ),
        ("raw", vec![call(0, "apply_patch", "*** Begin")], "*** Begin", json!("arguments:apply_patch")),
        (
            "a second key",
            vec![call(0, "apply_patch", "{\"input\":\"a\",\"x\":1}")],
            "a",
            json!("arguments:apply_patch"),
        ),
    ];
    for (what, chunks, input, repaired) in table {
        let (transcript, response) = reply(json!({}), &[chunks.clone(), vec![end("tool_calls")]].concat());
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
fn calls_beyond_the_one_that_was_asked_for_are_named() {
    let calls = [
        call(0, "get_weather", "{\"a\":"),
        call(1, "apply_", ""),
        call(0, "", "1}"),
        chunk(json!({"tool_calls": [{"index": 1, "function": {"name": "patch", "arguments": "{}"}}]})),
        end("tool_calls"),
    ];
    let (_, response) = reply(json!({"parallel_tool_calls": false, "metadata": {"mine": "1"}}), &calls);
    assert_eq!(response["output"].as_array().unwrap().len(), 1);
    assert_eq!(response["output"][0]["arguments"], "{\"a\":1}");
    assert_eq!(response["metadata"], json!({"mine": "1", "x-transponder-dropped": "tool_call:apply_patch"}));
}

#[test]
fn a_refusal_is_one() {
    let (transcript, response) =
        reply(json!({}), &[chunk(json!({"refusal": "N"})), chunk(json!({"refusal": "o."})), end("stop")]);
    assert_eq!(response["output"][0]["content"], json!([{"type": "refusal", "refusal": "No."}]));
    assert_eq!(transcript.of_type("response.refusal.delta").count(), 2);
}

/// Text before it and a good finish reason make nothing whole of it.
#[test]
fn a_call_that_cannot_be_read_is_an_error() {
    let unreadable = [
        json!(["get_weather"]),
        json!([{"index": 0, "id": "a", "function": {"name": 5, "arguments": "{}"}}]),
        json!([{"index": 0, "id": "a", "function": "get_weather"}]),
        json!("get_weather"),
    ];
    for calls in unreadable {
        let chunks =
            [chunk(json!({"content": "Let me see."})), chunk(json!({"tool_calls": calls})), end("stop")];
        let (_, response) = reply(json!({}), &chunks);
        assert_eq!(response["status"], "failed", "{calls}");
        let message = response["error"]["message"].as_str().unwrap();
        assert_eq!(message, "The upstream sent a tool call that cannot be read.", "{calls}");
    }
    let (_, response) =
        reply(json!({}), &[chunk(json!({"content": "Hi.", "tool_calls": [null]})), end("stop")]);
    assert_eq!(response["status"], "completed", "nothing is no call");
}
