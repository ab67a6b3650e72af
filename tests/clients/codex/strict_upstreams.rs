//! A tool loop with each strict upstream: with its preset, and with `{}`.

use crate::codex::stage::{call, tool_outputs};
use serde_json::{Value, json};
use support::{Codex, Envoy, Headers, Upstream};
use transponder::upstream::preset_names;

/// Upstreams that need reasoning or its signature back, or that lose calls beside content. `docs/upstreams.md` names them
/// too.
const NEED_THEIR_PRESET: [&str; 4] = ["deepseek", "moonshot", "gemini", "tgi"];

/// A call with the signature that Gemini needs back. All others ignore it.
fn signed(id: &str, name: &str, arguments: &Value) -> Value {
    json!({"tool_calls": [{"index": 0, "id": id, "type": "function",
        "function": {"name": name, "arguments": arguments.to_string()},
        "extra_content": {"google": {"thought_signature": "c2lnbmVk"}}}]})
}

fn chunk(delta: Value, finish: Value) -> Value {
    json!({"data": {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}})
}

/// Reasoning and a call; two calls at once; an answer. The ids have the length of Mistral's.
fn replies() -> Value {
    let run = |file: &str| json!({"cmd": format!("touch {file}; echo {file}")});
    json!([
        {"steps": [
            {"reasoning": "One file first."},
            chunk(signed("aaaaaaaa1", "exec_command", &run("one")), json!("tool_calls")),
        ]},
        {"tool_calls": [call("bbbbbbbb2", "exec_command", run("two")), call("ccccccccc", "exec_command", run("three"))],
         "reasoning": "Two more.", "chunking": {"interleave": true}},
        {"text": "Done."},
    ])
}

/// Runs a tool loop with a strict upstream, and checks the requests that it received.
async fn completes(upstream: &Upstream, envoy: &Envoy, preset: &str, model: &str) {
    upstream.clear().await;
    let mut replies = replies();
    if preset == "gemini" {
        // Each step's first call is signed.
        let signed = signed("bbbbbbbb2", "exec_command", &json!({"cmd": "touch two three; echo two three"}));
        replies[1] = json!({"steps": [chunk(signed, json!("tool_calls"))]});
    }
    upstream.script(json!({"strict": preset, "replies": replies})).await;
    let codex = Codex::new(&envoy.base_url());
    let turn = codex.exec(model, "Do what I ask.").await;
    for request in upstream.requests().await {
        assert_eq!(request.outcome, "ok", "{preset} as {model}: {}", request.body);
    }
    turn.assert_completed();
    assert_eq!(turn.messages(), ["Done."], "{preset}");
    for file in ["one", "two", "three"] {
        assert!(codex.workdir().join(file).exists(), "{preset}: {file}");
    }
    let bodies = upstream.bodies().await;
    assert!(tool_outputs(bodies.last().unwrap())[0].1.contains("one"), "{preset}");
    assert_eq!(upstream.left().await, 0, "{preset}");
}

/// The model's name, `gpt-5.5-PRESET`, makes Codex send an effort and a custom tool.
#[tokio::test]
async fn every_preset_completes_a_tool_loop_with_its_strict_upstream() {
    let upstream = Upstream::start().await;
    let rules: Vec<Value> = preset_names()
        .map(|preset| json!({"match": format!("gpt-5.5-{preset}"), "upstream": preset}))
        .collect();
    let config = json!({"models": rules, "hold_request_headers": true});
    let envoy = Envoy::start(upstream.address(), &config.to_string(), Headers::Held).await;
    for preset in preset_names() {
        completes(&upstream, &envoy, preset, &format!("gpt-5.5-{preset}")).await;
    }
    envoy.finish();
}

#[tokio::test]
async fn generic_completes_a_tool_loop_with_the_other_strict_upstreams() {
    let upstream = Upstream::start().await;
    let envoy = Envoy::start(upstream.address(), "{}", Headers::Flow).await;
    for preset in preset_names().filter(|preset| !NEED_THEIR_PRESET.contains(preset)) {
        completes(&upstream, &envoy, preset, "qwen3-coder").await;
    }
    envoy.finish();
}

#[tokio::test]
async fn strict_upstreams_that_need_their_preset_refuse_generic() {
    let upstream = Upstream::start().await;
    let envoy = Envoy::start(upstream.address(), "{}", Headers::Flow).await;
    for preset in NEED_THEIR_PRESET {
        upstream.clear().await;
        upstream.script(json!({"strict": preset, "replies": replies()})).await;
        let turn = Codex::new(&envoy.base_url()).exec("qwen3-coder", "Do what I ask.").await;
        assert!(
            !turn.status.success(),
            "{preset} takes {{}}: take it off the list, and out of the documentation"
        );
        let docs = include_str!("../../../docs/upstreams.md");
        assert!(docs.contains(&format!("`{preset}`")), "{preset} is documented");
    }
    envoy.finish();
}

/// An upstream with custom tools calls them natively, with raw text.
#[tokio::test]
async fn a_custom_tool_is_sent_natively_where_supported() {
    let upstream = Upstream::start().await;
    let envoy = Envoy::start(upstream.address(), r#"{"upstream": "openai"}"#, Headers::Flow).await;
    let patch = "*** Begin Patch\n*** Add File: hello.txt\n+Grüße \"🦀\"\n*** End Patch\n";
    let piece = |text: &str| json!({"tool_calls": [{"index": 0, "custom": {"input": text}}]});
    let head = json!({"tool_calls": [{"index": 0, "id": "call_1", "type": "custom",
        "custom": {"name": "apply_patch", "input": ""}}]});
    let (begin, rest) = patch.split_at(20);
    let call = [
        chunk(head, Value::Null),
        chunk(piece(begin), Value::Null),
        chunk(piece(rest), Value::Null),
        chunk(json!({}), json!("tool_calls")),
    ];
    let replies = json!([{"steps": call, "finish": null}, {"text": "Done."}]);
    upstream.script(json!({"strict": "openai", "replies": replies})).await;
    let codex = Codex::new(&envoy.base_url());
    let turn = codex.exec("gpt-5.5", "Do what I ask.").await;
    turn.assert_completed();
    assert_eq!(std::fs::read_to_string(codex.workdir().join("hello.txt")).unwrap(), "Grüße \"🦀\"\n");
    let bodies = upstream.bodies().await;
    let messages = bodies[1]["messages"].as_array().unwrap();
    let said = messages.iter().find(|message| message["role"] == "assistant").unwrap();
    let custom = json!({"name": "apply_patch", "input": patch});
    assert_eq!(said["tool_calls"][0], json!({"id": "call_1", "type": "custom", "custom": custom}));
    envoy.finish();
}
