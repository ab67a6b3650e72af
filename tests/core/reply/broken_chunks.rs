//! Chunks that cannot be read, among good ones.

use crate::support::*;
use serde_json::{Value, json};

/// The response to a stream with this event between two pieces of text.
fn around(event: &str) -> Value {
    let [first, last] = ["a", "b"].map(|piece| format!("data: {}\n\n", text(piece)));
    let end = format!("data: {}\n\ndata: [DONE]\n\n", finish("stop"));
    let body = format!("{first}data: {event}\n\n{last}{end}");
    let asked = ask(json!({"input": "hi", "stream": true, "tools": [function("f")]}));
    crate::grammar::Transcript::of(&pushed(asked.reply(), [body.as_bytes()])).response().clone()
}

#[test]
fn what_the_model_said_does_not_vanish() {
    for event in [
        r#"{"choices":[{"index":0,"delta":{"content":"lost"}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"lo"#,
        "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"a\tb\"}}]}",
        "{'choices': [{'index': 0, 'delta': {'content': 'lost'}}]}",
        r#"{"choices":[{"index":0,"delta":{"content":"x"},"logprobs":{"content":[{"logprob":NaN}]}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"x"},"score":-Infinity}]}"#,
        r#"{"choices":"lost"}"#,
        r#"{"delta":{"tool_calls":[{"index":0"#,
    ] {
        let response = around(event);
        assert_eq!(response["status"], "failed", "{event}: {response}");
        let message = response["error"]["message"].as_str().unwrap();
        assert!(message.starts_with("The upstream sent an unreadable chunk: "), "{message}");
    }
}

#[test]
fn what_is_no_chunk_is_skipped() {
    for event in [
        "",
        "ping",
        "{bad",
        "{",
        "42",
        "null",
        "[]",
        "{}",
        r#""text""#,
        r#"{"status":"queued"}"#,
        "no choices yet",
    ] {
        let response = around(event);
        assert_eq!(response["status"], "completed", "{event}: {response}");
        assert_eq!(response["output"][0]["content"][0]["text"], "ab", "{event}");
    }
}
