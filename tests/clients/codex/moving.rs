//! A session that moves from a translated upstream to a native one and back.

use axum::response::Response;
use serde_json::{Value, json};
use support::own_upstream::{OwnUpstream, Seen, json as document, response};
use support::{Codex, Envoy, Headers};
use transponder::config::Config;
use transponder::request::{self, Context};

/// Reasoning that only the native upstream can read.
const FOREIGN: &str = "gAAAAABo-native";

/// A chat completion with reasoning and a text.
fn translated(text: &str) -> String {
    let delta = |delta: Value| json!({"choices": [{"index": 0, "delta": delta}]});
    let end = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
    let chunks = [delta(json!({"reasoning": "I think."})), delta(json!({"content": text})), end];
    chunks.map(|chunk| format!("data: {chunk}\n\n")).concat() + "data: [DONE]\n\n"
}

/// A native upstream as strict as OpenAI: it rejects content that it did not encrypt, and reasoning that it does not
/// store.
fn native(request: &Value) -> Response {
    for item in request["input"].as_array().unwrap() {
        let sealed = &item["encrypted_content"];
        if (!sealed.is_null() || item["type"] == "reasoning") && sealed != FOREIGN {
            let error = json!({"message": "x", "type": "invalid_request_error", "param": null, "code": "invalid_encrypted_content"});
            return document(400, json!({ "error": error }).to_string());
        }
    }
    response(200, "text/event-stream", sealed_by_another(&translated("From the native one.")))
}

/// The stream of a native upstream, in the form that the filter gives this chat completion.
fn sealed_by_another(chat: &str) -> String {
    let request =
        json!({"model": "m", "input": "hi", "stream": true, "include": ["reasoning.encrypted_content"]});
    let context = Context { config: &Config::default(), seed: 7, now: 1, codex: true };
    let mut reply = request::translate(request.to_string().as_bytes(), &context).unwrap().reply;
    let mut out = Vec::new();
    reply.begin(200);
    reply.push(chat.as_bytes(), &mut out);
    reply.end(&mut out);
    let stream = String::from_utf8(out).unwrap();
    let sealed = stream.split('"').find(|text| text.starts_with("transponder.")).unwrap();
    stream.replace(sealed, FOREIGN)
}

fn answer(seen: &Seen) -> Response {
    match seen.path.as_str() {
        "/v1/responses" => native(&seen.json()),
        _ => response(200, "text/event-stream", translated("From the translated one.")),
    }
}

#[tokio::test]
async fn a_session_moves_between_a_translated_and_a_native_upstream() {
    let upstream = OwnUpstream::start_asked(answer).await;
    let config = json!({
        "upstream": {"preset": "vllm", "reasoning_replay": "reasoning"},
        "models": [{"match": "gpt*", "upstream": "native"}],
        "hold_request_headers": true,
    });
    let envoy = Envoy::start(upstream.address, &config.to_string(), Headers::Held).await;
    let codex = Codex::new(&envoy.base_url());
    codex.exec("qwen3-coder", "One.").await.assert_completed();
    for (model, text) in [("gpt-5.5", "From the native one."), ("qwen3-coder", "From the translated one.")] {
        let turn = codex.resume(model, "Go on.").await;
        turn.assert_completed();
        assert_eq!(turn.messages(), [text]);
    }
    let seen = upstream.seen();
    let paths: Vec<&str> = seen.iter().map(|seen| seen.path.as_str()).collect();
    assert_eq!(paths, ["/v1/chat/completions", "/v1/responses", "/v1/chat/completions"]);
    let bodies: Vec<String> =
        seen.iter().map(|seen| String::from_utf8(seen.body.to_vec()).unwrap()).collect();
    assert!(bodies[1].contains("From the translated one.") && !bodies[1].contains("transponder."));
    assert!(bodies[2].contains("From the native one.") && !bodies[2].contains(FOREIGN));
    assert!(bodies[2].contains(r#""reasoning":"I think.""#), "its own reasoning is back");
    envoy.finish();
}
