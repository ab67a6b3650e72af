//! Recorded replies of providers, complete and cut at every byte.

use crate::grammar::{self, Transcript};
use crate::support::*;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use transponder::response::Reply;

#[derive(Deserialize)]
struct Expected {
    http: u16,
    text: String,
    reasoning: String,
    tool_calls: Vec<ExpectedCall>,
    finish: Option<String>,
    /// prompt, completion, cached, reasoning tokens.
    usage: Option<[u64; 4]>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct ExpectedCall {
    id: Option<String>,
    name: String,
    arguments: String,
}

struct Fixture {
    name: String,
    body: Vec<u8>,
    expected: Expected,
}

fn fixtures() -> Vec<Fixture> {
    let root = Path::new("tests/fixtures/chat");
    let mut files: Vec<PathBuf> = root
        .read_dir()
        .unwrap()
        .flat_map(|provider| provider.unwrap().path().read_dir().unwrap().map(|file| file.unwrap().path()))
        .filter(|path| !path.to_string_lossy().ends_with(".expect.json"))
        .collect();
    files.sort();
    assert!(files.len() > 60, "the fixtures are there");
    let read = |path: PathBuf| Fixture {
        name: path.strip_prefix(root).unwrap().display().to_string(),
        body: std::fs::read(&path).unwrap(),
        expected: serde_json::from_slice(&std::fs::read(path.with_extension("expect.json")).unwrap())
            .unwrap(),
    };
    files.into_iter().map(read).collect()
}

/// A request that offers `get_weather`.
fn asked(stream: bool, fields: Value) -> Ask {
    let city = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    let mut request = json!({
        "input": "hi", "stream": stream,
        "tools": [{"type": "function", "name": "get_weather", "parameters": city}],
    });
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    ask(request)
}

/// The reply to such a request, of an upstream that writes its calls into the text.
fn reply_with_calls_in_text(fields: Value) -> Reply {
    asked(true, fields).upstream(&json!({"text_tool_calls": true})).reply()
}

fn translated<'a>(stream: bool, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    pushed(asked(stream, json!({})).reply(), pieces)
}

impl Fixture {
    /// What the client receives for these pieces of the body.
    fn translated<'a>(&self, stream: bool, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
        // Some of Cloudflare's streams have no finish_reason. Its preset has an option for that.
        let preset = if self.name.starts_with("cloudflare/") { "cloudflare" } else { "generic" };
        let mut reply = asked(stream, json!({})).upstream(&json!(preset)).translate().unwrap().reply;
        reply.begin(self.expected.http);
        pushed(reply, pieces)
    }
}

/// Compares the response with the expectations of the fixture.
fn check(fixture: &Fixture, response: &Value) {
    let (name, expected) = (&fixture.name, &fixture.expected);
    let output = response["output"].as_array().unwrap();
    let of_type = |kind: &'static str| output.iter().filter(move |item| item["type"] == kind);
    let texts = |kind: &'static str, list: &str| -> String {
        let parts = of_type(kind).flat_map(|item| item[list].as_array().unwrap());
        parts.filter_map(|part| part["text"].as_str()).collect()
    };
    if let Some(expected) = &expected.error {
        assert_eq!(response["status"], "failed", "{name}");
        // "truncated" is a mark in the expectations, not a message.
        if expected != "truncated" {
            let error = response["error"].to_string();
            assert!(error.contains(expected.as_str()), "{name}: {error} does not hold {expected:?}");
        }
        return;
    }
    // A failed response keeps completed items only.
    let broken = ["error", "insufficient_system_resource"];
    if expected.finish.as_deref().is_some_and(|finish| broken.contains(&finish)) {
        return assert_eq!(response["status"], "failed", "{name}");
    }
    // White space alone does not become a message.
    assert_eq!(
        texts("message", "content"),
        if expected.text.trim().is_empty() { "" } else { &expected.text },
        "{name}"
    );
    assert_eq!(texts("reasoning", "summary"), expected.reasoning, "{name}");
    let cut = expected.tool_calls.iter().any(|call| serde_json::from_str::<Value>(&call.arguments).is_err());
    let status = match expected.finish.as_deref() {
        Some("length" | "content_filter") => "incomplete",
        _ if cut => "incomplete",
        _ => "completed",
    };
    assert_eq!(response["status"], status, "{name}: {response}");
    let calls: Vec<&Value> = of_type("function_call").collect();
    assert_eq!(calls.len(), expected.tool_calls.len(), "{name}");
    for (call, expected) in calls.iter().zip(&expected.tool_calls) {
        assert_eq!(call["name"], expected.name, "{name}");
        assert_eq!(call["arguments"], expected.arguments, "{name}");
        assert_eq!(call["status"], if cut { "incomplete" } else { "completed" }, "{name}");
        match &expected.id {
            Some(id) => assert_eq!(call["call_id"], *id, "{name}"),
            None => assert!(call["call_id"].as_str().unwrap().starts_with("call_"), "{name}"),
        }
    }
    if let Some([input, output, cached, reasoning]) = expected.usage {
        let usage = &response["usage"];
        assert_eq!(usage["input_tokens"], input, "{name}");
        assert_eq!(usage["output_tokens"], output, "{name}");
        assert_eq!(usage["input_tokens_details"]["cached_tokens"], cached, "{name}");
        assert_eq!(usage["output_tokens_details"]["reasoning_tokens"], reasoning, "{name}");
    }
}

#[test]
fn every_recorded_reply_is_translated_as_expected() {
    for fixture in fixtures().iter().filter(|fixture| fixture.expected.http < 400) {
        let stream = fixture.translated(true, [fixture.body.as_slice()]);
        check(fixture, Transcript::of(&stream).response());
        let document = fixture.translated(false, [fixture.body.as_slice()]);
        check(fixture, &grammar::document(&document));
    }
}

#[test]
fn every_error_keeps_its_status_and_its_message() {
    for fixture in fixtures().iter().filter(|fixture| fixture.expected.http >= 400) {
        let body = fixture.translated(true, [fixture.body.as_slice()]);
        let error = &serde_json::from_slice::<Value>(&body).unwrap()["error"];
        assert!(!error["message"].as_str().unwrap().is_empty(), "{}", fixture.name);
        assert!(error["code"].is_null() || error["code"].is_string(), "{}", fixture.name);
        // Some expectations quote the body as JSON, others a part of its message.
        let expected = fixture.expected.error.as_deref().unwrap();
        if !expected.starts_with('{') {
            assert!(
                error.to_string().contains(expected),
                "{}: {error} does not hold {expected:?}",
                fixture.name
            );
        }
    }
}

/// Servers without a tool parser send calls as text.
#[test]
fn calls_written_as_text_become_calls() {
    let leaks = fixtures().into_iter().filter(|fixture| {
        fixture.name.starts_with("tool-in-text/") || fixture.name == "cloudflare/forced-tool-as-text.sse"
    });
    let mut seen = 0;
    for fixture in leaks {
        seen += 1;
        for (choice, calls) in [("auto", 1), ("none", 0)] {
            let reply = reply_with_calls_in_text(json!({ "tool_choice": choice }));
            let out = pushed(reply, [fixture.body.as_slice()]);
            let response = Transcript::of(&out).response().clone();
            let output = response["output"].as_array().unwrap();
            assert_eq!(
                (response["status"].as_str(), output.len()),
                (Some("completed"), 1),
                "{}",
                fixture.name
            );
            match calls {
                1 => {
                    assert_eq!(output[0]["name"], "get_weather", "{}", fixture.name);
                    let arguments: Value =
                        serde_json::from_str(output[0]["arguments"].as_str().unwrap()).unwrap();
                    assert_eq!(arguments, json!({"city": "Paris"}), "{}", fixture.name);
                }
                _ => assert_eq!(output[0]["content"][0]["text"], fixture.expected.text, "{}", fixture.name),
            }
        }
    }
    assert!(seen > 10);
}

/// The same rule applies to `tool_calls` and to calls in the text.
#[test]
fn a_spelling_means_the_same_tool_in_a_field_and_in_the_text() {
    let namespace =
        |name| json!({"type": "namespace", "name": name, "tools": [{"type": "function", "name": "same"}]});
    let tools = json!([
        {"type": "namespace", "name": "mcp__tiny", "tools": [{"type": "function", "name": "add"}]},
        {"type": "function", "name": "f"}, namespace("a"), namespace("b"),
    ]);
    let called = |delta: Value| {
        let reply = reply_with_calls_in_text(json!({ "tools": tools }));
        let chunk = json!({"choices": [{"index": 0, "delta": delta, "finish_reason": "stop"}]});
        let out = pushed(reply, [events(&[chunk]).as_bytes()]);
        let item = Transcript::of(&out).response()["output"][0].clone();
        (item["type"].clone(), item["namespace"].clone(), item["name"].clone())
    };
    for (written, namespace, name) in [
        ("f", Value::Null, "f"),
        ("functions.f:0", Value::Null, "f"),
        ("add", json!("mcp__tiny"), "add"),
        ("mcp__tiny.add", json!("mcp__tiny"), "add"),
        ("functions.mcp__tiny__add:1", json!("mcp__tiny"), "add"),
        ("a.same", json!("a"), "same"),
    ] {
        let expected = (json!("function_call"), namespace, json!(name));
        let function = json!({"name": written, "arguments": "{}"});
        let field =
            json!({"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": function}]});
        assert_eq!(called(field), expected, "{written} in the field");
        let call = json!({"name": written, "arguments": {}});
        let text = json!({"content": format!("<tool_call>{call}</tool_call>")});
        assert_eq!(called(text), expected, "{written} in the text");
    }
    let ambiguous = json!({"content": r#"<tool_call>{"name":"same","arguments":{}}</tool_call>"#});
    assert_eq!(called(ambiguous).0, "message");
}

/// Cuts at every position. A run has several cuts, far enough apart that most frames have at most one, because one run
/// for each cut would push 240 MB.
#[test]
fn splitting_the_body_changes_nothing() {
    const APART: usize = 61;
    for fixture in fixtures() {
        for stream in [true, false] {
            let body = fixture.body.as_slice();
            let uncut = fixture.translated(stream, [body]);
            assert_eq!(fixture.translated(stream, body.chunks(1)), uncut, "{} byte by byte", fixture.name);
            for first in 0..APART.min(body.len()) {
                let (head, tail) = body.split_at(first);
                let cut = fixture.translated(stream, [head].into_iter().chain(tail.chunks(APART)));
                assert_eq!(cut, uncut, "{} cut at {first} and each {APART} bytes after it", fixture.name);
            }
        }
    }
}

/// Chunks that resemble an earlier one are not parsed again. A different number in each chunk prevents that, and the
/// output must be the same.
#[test]
fn reusing_a_parsed_chunk_changes_nothing() {
    let unlike = |body: &str| -> String {
        let mut lines = Vec::new();
        for (number, line) in body.lines().enumerate() {
            let object = line.trim_end().strip_suffix('}').filter(|_| line.starts_with("data:"));
            lines.push(match object.filter(|object| !object.ends_with('{')) {
                Some(object) => format!("{object},\"unlike\":{number}}}"),
                None => line.to_owned(),
            });
        }
        lines.join("\n") + "\n"
    };
    let chunk = |delta: &str| format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{delta}}}]}}\n\n");
    let values = [
        "\"a\"",
        "\"b\"",
        "null",
        "\"\\\"}}]}\"",
        "\"\"",
        "7",
        "\"\\ud83e\"",
        "\"\\udd80\"",
        "\"\0\"",
        "\"c\",\"reasoning\":\"d\"",
        "\"e\"}}],\"usage\":{\"prompt_tokens\":1},\"x\":[{\"y\":{\"z\":1",
        "[{\"type\":\"text\",\"text\":\"f\"}]",
        "{\"city\":\"g\"}",
        "\"{\\\"city\\\":\\\"g\\\"}\"",
    ];
    // The delta around a value, and the value that comes first.
    let forms: [(Delta, &str); 5] = [
        (|value| format!("{{\"content\":{value}}}"), "\"like\""),
        (|value| format!("{{\"role\":\"assistant\",\"reasoning\":{value}}}"), "\"like\""),
        (|value| format!("{{\"reasoning_content\":{value}}}"), "\"\""),
        (|value| called("\"id\":\"a\",\"index\":0,", value), "\"\""),
        (|value| called("", value), "\"{\""),
    ];
    let crafted = forms.iter().flat_map(|(delta, first)| {
        let apart = values.map(|one| [*first, one, one].map(|value| chunk(&delta(value))).concat());
        let together = values.map(|value| chunk(&delta(value))).concat();
        [apart.concat(), chunk(&delta(first)) + &together].into_iter().chain(apart)
    });
    // One form after another, of which each may be the template of the next.
    let mixed = values.map(|value| forms.map(|(delta, _)| chunk(&delta(value)).repeat(2)).concat()).concat();
    let recorded = fixtures().into_iter().filter_map(|fixture| String::from_utf8(fixture.body).ok());
    let mut streams = 0;
    for body in recorded.filter(|body| body.contains("data:")).chain(crafted).chain([mixed]) {
        let out = |body: &str| String::from_utf8(translated(true, [body.as_bytes()])).unwrap();
        assert_eq!(out(&body), out(&unlike(&body)), "{body}");
        streams += 1;
    }
    assert!(streams > 80);
}

/// Makes a delta around a value.
type Delta = fn(&str) -> String;

/// A delta with one call, whose arguments are this value.
fn called(labels: &str, arguments: &str) -> String {
    format!(
        "{{\"tool_calls\":[{{{labels}\"function\":{{\"name\":\"get_weather\",\"arguments\":{arguments}}}}}]}}"
    )
}

#[test]
fn bytes_after_a_document_are_not_read() {
    let document = br#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#;
    for rest in [&b"\n"[..], b"}]", b"{\"error\":\"late\"}", b"\xff"] {
        for stream in [true, false] {
            let alone = translated(stream, [&document[..]]);
            assert_eq!(alone, translated(stream, [&document[..], rest]));
            assert_eq!(alone, translated(stream, [&[document, rest].concat()[..]]));
        }
    }
}

/// Codex loses a message with a `refusal` part. The text ends in half a character here.
#[test]
fn codex_receives_a_refusal_as_text() {
    let body = r#"{"choices":[{"message":{"refusal":"No.\ud83e"},"finish_reason":"stop"}]}"#;
    let response = ask(json!({"input": "hi"})).codex().document(body);
    let part = json!({"type": "output_text", "text": "No.\u{FFFD}", "annotations": [], "logprobs": []});
    assert_eq!(response["output"][0]["content"], json!([part]));
}

/// `[DONE]` alone does not show that a stream is complete, unless the upstream never sends a finish reason.
#[test]
fn a_stream_that_ends_without_a_finish_reason_was_cut() {
    let reasonless = json!({"finish_reason": false});
    let called = |arguments| call(0, "c", "get_weather", arguments).to_string();
    let (call, half) = (called("{\"city\":\"Paris\"}"), called("{\"city\":"));
    let event = |chunk: &str| format!("data: {chunk}\n\n");
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#;
    let finish_with_usage = r#"{"choices":[{"index":0,"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    let message = r#"{"choices":[{"message":{"content":"Hi"}}]}"#;
    let done = "data: [DONE]\n\n";
    for (what, body, status, reasonless_status) in [
        ("a call, [DONE]", event(&call) + done, "failed", "completed"),
        ("text, [DONE]", event(&text("Hi").to_string()) + done, "failed", "completed"),
        ("a call in lines of JSON, [DONE]", format!("{call}\n[DONE]\n"), "failed", "completed"),
        ("a call, no end", event(&call), "failed", "failed"),
        ("half a call, [DONE]", event(&half) + done, "failed", "incomplete"),
        ("nothing, [DONE]", done.to_owned(), "failed", "failed"),
        ("the usage last, no [DONE]", event(&call) + &event(usage), "completed", "completed"),
        (
            "the reason beside the usage",
            event(&call) + &event(finish_with_usage) + done,
            "completed",
            "completed",
        ),
        ("a document", message.to_owned(), "completed", "completed"),
    ] {
        for (options, status) in [(json!("generic"), status), (reasonless.clone(), reasonless_status)] {
            for stream in [true, false] {
                let out = pushed(asked(stream, json!({})).upstream(&options).reply(), [body.as_bytes()]);
                let response =
                    if stream { Transcript::of(&out).response().clone() } else { grammar::document(&out) };
                assert_eq!(response["status"], status, "{what}, {options}, stream: {stream}: {response}");
            }
        }
    }
}
