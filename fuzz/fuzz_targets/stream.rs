//! Replies of any bytes: the client gets a complete stream or document, however the bytes are cut. It has each call of
//! the upstream, unless the response has failed.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use transponder::config::Config;
use transponder::request::{self, Context};
use transponder::response::Reply;
use transponder_fuzz::grammar::Transcript;
use transponder_fuzz::memory::bounded;
use transponder_fuzz::{CONFIGS, Head, calls};

fn tools() -> Value {
    json!([
        {"type": "function", "name": "get_weather", "parameters": {"type": "object"}},
        {"type": "function", "name": "get", "parameters": {"type": "object"}},
        {"type": "function", "name": "look_up", "parameters": {"type": "object"}},
        {"type": "custom", "name": "apply_patch", "format": {"type": "text"}},
        {"type": "namespace", "name": "mcp__tiny", "tools": [
            {"type": "function", "name": "add"}, {"type": "custom", "name": "note"},
        ]},
        {"type": "tool_search", "execution": "client", "parameters": {"type": "object"}},
    ])
}

fn reply(head: Head, config: &Config) -> Reply {
    let request = json!({
        "model": "m", "input": "hi", "tools": tools(), "stream": head.flag(0),
        "parallel_tool_calls": !head.flag(2), "include": ["reasoning.encrypted_content"],
    });
    let context = Context { config, seed: 7, now: 1, codex: head.flag(1) };
    let mut reply = request::translate(request.to_string().as_bytes(), &context).expect("a request").reply;
    reply.begin(if head.flag(3) { 400 } else { 200 });
    reply
}

fn translated(mut reply: Reply, pieces: &[&[u8]]) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    for piece in pieces {
        reply.push(piece, &mut out);
    }
    reply.end(&mut out);
    assert!(reply.is_done());
    (out, reply.error().is_some())
}

fuzz_target!(|input: &[u8]| {
    let Some((head, body)) = transponder_fuzz::read(input) else { return };
    let config = head.choose(&CONFIGS);
    let (out, failed) = bounded(body.len(), 400, || translated(reply(head, config), &[body]));
    let cut = translated(reply(head, config), &head.cut(body));
    assert!(out == cut.0 && failed == cut.1, "the cut does not matter");

    if head.flag(3) {
        let said: Value = serde_json::from_slice(&out).expect("an error is JSON");
        assert!(said["error"]["message"].is_string() && failed);
        return;
    }
    let response = if head.flag(0) {
        Transcript::of(&out).response().clone()
    } else {
        serde_json::from_slice(&out).expect("a document is JSON")
    };
    assert_eq!(response["status"] == "failed", failed);
    if failed {
        assert!(!response["error"]["message"].as_str().expect("a message").is_empty());
    }
    if response["status"] == "completed" {
        let (made, handed) = (calls::made_by(body), calls::handed_over(&response));
        let least = if head.flag(2) { made.len().min(1) } else { made.len() };
        assert!(handed >= least, "the upstream called {made:?}, the client got {response}");
    }
});
