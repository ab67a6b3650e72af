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
fn a_call_in_an_unknown_form_is_lost() {
    for calls in [r#""[]""#, r#"[{"function":"f","arguments":"{}"}]"#, "7"] {
        let event = format!(r#"{{"choices":[{{"delta":{{"tool_calls":{calls}}}}}]}}"#);
        assert_eq!(around(&event)["error"]["code"], "tool_call_lost", "{calls}");
    }
}

/// Gemini sends an error in a list.
#[test]
fn an_error_in_another_form_is_the_error() {
    for (event, code) in [
        (r#"[{"error":{"code":429,"message":"boom","status":"RESOURCE_EXHAUSTED"}}]"#, "rate_limit_exceeded"),
        (r#"{"message":"boom","type":"internal_error"}"#, "server_error"),
    ] {
        let error = &around(event)["error"];
        assert_eq!((&error["message"], &error["code"]), (&json!("boom"), &json!(code)), "{event}");
    }
    for event in ["[]", "[{}]", r#"{"message":"boom"}"#, r#"[{"type":"ping"}]"#] {
        assert_eq!(around(event)["status"], "completed", "{event}");
    }
}

/// The upstream's address has the path of another API.
#[test]
fn a_reply_of_another_api_is_named() {
    for (api, reply) in [
        ("the Responses API", r#"{"id":"r","object":"response","status":"completed","output":[]}"#),
        ("the Responses API", r#"{"type":"response.created","response":{"id":"r","object":"response"}}"#),
        (
            "Anthropic's Messages API",
            r#"{"type":"message","role":"assistant","content":[{"type":"text","text":"a"}],"stop_reason":"end_turn"}"#,
        ),
        (
            "Anthropic's Messages API",
            r#"{"type":"message_start","message":{"type":"message","role":"assistant","content":[]}}"#,
        ),
        ("Gemini's API", r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}"#),
        ("TGI's own API", r#"{"generated_text":"a"}"#),
    ] {
        for body in [reply.to_owned(), format!("data: {reply}\n\n")] {
            let out = pushed(ask(json!({"input": "hi", "stream": true})).reply(), [body.as_bytes()]);
            let response = crate::grammar::Transcript::of(&out).response().clone();
            let message = response["error"]["message"].as_str().unwrap();
            assert!(message.contains(&format!("in the form of {api},")), "{body}: {message}");
        }
        // Among good chunks it says nothing about the address.
        assert_eq!(around(reply)["status"], "completed", "{reply}");
    }
}

/// The first value may even have another type.
#[test]
fn of_two_equal_keys_the_last_counts() {
    let call = json!({"index": 0, "id": "x", "function": {"name": "f", "arguments": "{\"q\":1}"}});
    let choice =
        json!({"index": 0, "delta": {"content": "t", "tool_calls": [call]}, "finish_reason": "tool_calls"});
    let chunk =
        json!({"id": "c", "choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 3}})
            .to_string();
    let whole = both(&chunk);
    assert_eq!(whole["stream"][2]["name"], "f", "{whole}");
    for (key, wrong) in [
        ("choices", r#""x""#),
        ("choices", "{}"),
        ("choices", "null"),
        ("delta", "7"),
        ("delta", "{}"),
        ("index", r#""x""#),
        ("content", r#""x""#),
        ("tool_calls", "[]"),
        ("tool_calls", r#""x""#),
        ("id", r#""y""#),
        ("name", r#""g""#),
        ("function", "{}"),
        ("arguments", r#""{\"q\":2}""#),
        ("finish_reason", r#""length""#),
        ("usage", "{}"),
        ("prompt_tokens", "9"),
    ] {
        let twice = chunk.replace(&format!("\"{key}\":"), &format!("\"{key}\":{wrong},\"{key}\":"));
        assert_eq!(both(&twice), whole, "{key} {wrong}");
    }
}

/// Status, text, call and usage of the response to this chunk, in a stream and as a document.
fn both(chunk: &str) -> Value {
    let request = |stream: bool| ask(json!({"input": "hi", "stream": stream, "tools": [function("f")]}));
    let streamed = format!("data: {chunk}\n\ndata: [DONE]\n\n");
    let streamed = crate::grammar::Transcript::of(&pushed(request(true).reply(), [streamed.as_bytes()]));
    let document = request(false).document(&chunk.replace("\"delta\":", "\"message\":"));
    let seen = |response: &Value| {
        let [text, call] = [0, 1].map(|at| response["output"][at].clone());
        let call = json!({"name": call["name"], "arguments": call["arguments"], "id": call["call_id"]});
        json!([response["status"], text["content"][0]["text"], call, response["usage"]])
    };
    json!({"stream": seen(streamed.response()), "document": seen(&document)})
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
