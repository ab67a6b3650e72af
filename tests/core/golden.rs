//! Golden files: each recorded Codex request as it is sent upstream, and streams as the client receives them.
//!
//! A changed snapshot is a changed wire format: read it before you accept it (`INSTA_UPDATE=always`).

use crate::grammar::Transcript;
use crate::support::*;
use insta::{assert_json_snapshot, assert_snapshot};
use serde_json::{Value, json};

pub(crate) fn in_snapshots(check: impl FnOnce()) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(check);
}

/// Long texts are shortened: their place and length matter here.
fn abbreviated(value: &Value) -> Value {
    match value {
        Value::String(text) if text.chars().count() > 160 => {
            let begin: String = text.chars().take(100).collect();
            json!(format!("{begin}… ({} characters)", text.chars().count()))
        }
        Value::Array(values) => values.iter().map(abbreviated).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.clone(), abbreviated(value))).collect()
        }
        other => other.clone(),
    }
}

#[test]
fn every_recorded_codex_request() {
    let mut files: Vec<_> =
        std::fs::read_dir("tests/fixtures/codex").unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 20);
    in_snapshots(|| {
        for file in files {
            let name = file.file_stem().unwrap().to_string_lossy().into_owned();
            let (body, dropped) = ask_text(std::fs::read(&file).unwrap()).codex().sent();
            let shown = json!({"dropped": dropped, "body": abbreviated(&body)});
            assert_json_snapshot!(format!("codex-{name}"), shown);
        }
    });
}

/// Prompt caches require that earlier messages are the same bytes in each request.
#[test]
fn a_conversation_that_grows_keeps_its_beginning() {
    let request: Value =
        serde_json::from_slice(&std::fs::read("tests/fixtures/codex/b-stdin.03.json").unwrap()).unwrap();
    let items = request["input"].as_array().unwrap().len();
    let sent = |items: usize| {
        let mut shorter = request.clone();
        shorter["input"].as_array_mut().unwrap().truncate(items);
        String::from_utf8(ask(shorter).codex().translate().unwrap().body).unwrap()
    };
    let messages = |body: &str| body.split_once("],\"tools\":").unwrap().0.to_owned();
    let whole = sent(items);
    assert_eq!(whole, sent(items), "the same request gives the same bytes");
    for earlier in [items - 2, items - 4] {
        assert!(whole.starts_with(&messages(&sent(earlier))), "{earlier} of {items} items");
    }
}

/// The tools of the streams below.
fn tools() -> Value {
    json!([
        {"type": "function", "name": "get_weather", "parameters": {"type": "object"}},
        {"type": "custom", "name": "apply_patch", "format": {"type": "text"}},
        {"type": "namespace", "name": "mcp__tiny", "tools": [
            {"type": "function", "name": "add"}, {"type": "custom", "name": "note"},
        ]},
    ])
}

/// A later chunk of a call.
pub(crate) fn more(index: u64, arguments: &str) -> Value {
    delta(json!({"tool_calls": [{"index": index, "function": {"arguments": arguments}}]}))
}

pub(crate) fn end(reason: &str) -> Value {
    let mut chunk = finish(reason);
    chunk["usage"] = json!({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8});
    chunk
}

#[test]
fn every_kind_of_stream() {
    let streams: &[(&str, Vec<Value>)] = &[
        (
            "text",
            vec![
                delta(json!({"role": "assistant", "content": ""})),
                text("Hel\u{e9}"),
                text("lo"),
                end("stop"),
            ],
        ),
        (
            "reasoning-then-call",
            vec![
                delta(json!({"reasoning_content": "Need "})),
                delta(json!({"reasoning_content": "weather."})),
                call(0, "a", "get_weather", ""),
                more(0, "{}"),
                end("tool_calls"),
            ],
        ),
        (
            "text-then-two-interleaved-calls",
            vec![
                text("Look:"),
                call(0, "a", "get_weather", "{"),
                call(1, "b", "mcp__tiny__add", "{\"x\""),
                more(0, "}"),
                more(1, ":1}"),
                end("tool_calls"),
            ],
        ),
        (
            "text-between-calls",
            vec![
                text("Look"),
                call(0, "a", "get_weather", "{"),
                text(" again"),
                more(0, "}"),
                text(":"),
                call(1, "b", "get_weather", "{}"),
                text("Done."),
                end("tool_calls"),
            ],
        ),
        (
            "custom-tool",
            vec![
                call(0, "a", "apply_patch", "{\"input\": \"*** Be"),
                more(0, "gin\\n\\u00e9"),
                more(0, "\"}"),
                end("tool_calls"),
            ],
        ),
        (
            "custom-tool-in-a-namespace",
            vec![call(0, "a", "mcp__tiny__note", "{\"input\":\"n\"}"), end("stop")],
        ),
        ("refusal", vec![delta(json!({"refusal": "No."})), end("stop")]),
        ("text-cut-by-length", vec![text("Half"), end("length")]),
        ("call-cut-by-length", vec![call(0, "a", "get_weather", "{\"city\":\"Pa"), end("length")]),
        (
            "custom-tool-cut-by-length",
            vec![call(0, "a", "apply_patch", "{\"input\":\"*** Begin"), end("length")],
        ),
        ("error-in-the-stream", vec![text("Par"), json!({"error": {"message": "It broke.", "code": 500}})]),
    ];
    let asked = ask(json!({"input": "hi", "stream": true, "tools": tools()}));
    let echo = request_echo();
    in_snapshots(|| {
        for (name, chunks) in streams {
            let out = pushed(asked.reply(), [events(chunks).as_bytes()]);
            Transcript::of(&out);
            let out = String::from_utf8(out).unwrap();
            assert_snapshot!(format!("stream-{name}"), out.replace(&echo, "…"));
        }
    });
}

/// The declared tools, as each response repeats them.
fn request_echo() -> String {
    let asked = ask(json!({"input": "hi", "tools": tools()}));
    let out = pushed(asked.reply(), [br#"{"choices":[{"message":{"content":"x"}}]}"#.as_slice()]);
    let response = String::from_utf8(out).unwrap();
    let (_, tools) = response.split_once("\"tools\":").unwrap();
    tools.split_once(",\"tool_choice\"").unwrap().0.to_owned()
}
