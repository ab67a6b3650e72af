//! `examples/probe` on hosts of every strictness: what it prints is what the host needs, and Codex works with it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // Tests stop where they stand.

mod support;

use serde_json::{Value, json};
use std::process::{Command, Stdio};
use support::{Codex, Envoy, Headers, Upstream, example, project};
use transponder::config::Config;
use transponder::translate::{self, Context};

struct Probed {
    good: bool,
    /// What it printed, parsed; null if that was no JSON.
    config: Value,
    told: String,
}

async fn probe(base_url: &str, more: &[&str]) -> Probed {
    let mut command = Command::new(example("probe"));
    command.args([base_url, "the-model"]).args(more).stdin(Stdio::null());
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    Probed {
        good: output.status.success(),
        config: serde_json::from_slice(&output.stdout).unwrap_or_default(),
        told: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A host: its name, how it is strict, and the options that it needs.
fn twins() -> Vec<(&'static str, Value, Value)> {
    vec![
        (
            "the strictest",
            json!({}),
            json!({"parallel_tool_calls": true, "sampling": ["temperature", "top_p"], "schema_dialect": "json_schema"}),
        ),
        (
            "OpenAI",
            json!({
                "refuse_fields": ["max_tokens"], "late_system": true, "strict_tools": true,
                "roles": ["system", "developer", "user", "assistant", "tool"],
                "allow_fields": ["max_completion_tokens", "reasoning_effort", "prompt_cache_key", "user", "metadata",
                    "service_tier", "verbosity", "logprobs", "top_logprobs"],
                "reasoning_efforts": ["none", "minimal", "low", "medium", "high", "xhigh"]
            }),
            json!({
                "max_tokens_field": "max_completion_tokens", "strict_tools": true, "parallel_tool_calls": true,
                "schema_dialect": "json_schema",
                "pass_fields": ["prompt_cache_key", "user", "metadata", "service_tier", "verbosity"],
                "reasoning": {"efforts": {"none": "none", "minimal": "minimal", "low": "low", "medium": "medium",
                    "high": "high", "xhigh": "xhigh"}}
            }),
        ),
        (
            "DeepSeek",
            json!({
                "assistant_must_have": ["reasoning_content"], "assistant_fields": ["reasoning_content"],
                "allow_fields": ["reasoning_effort"], "reasoning_efforts": ["high", "max"], "images": false,
                "response_formats": ["text", "json_object"], "tool_choices": ["auto", "none"]
            }),
            json!({
                "parallel_tool_calls": true, "sampling": ["temperature", "top_p"], "schema_dialect": "json_schema",
                "tool_output_images": "drop", "tool_choice": ["auto", "none"], "json_schema": "json_object",
                "reasoning": {"efforts": {"high": "high", "max": "max"}},
                "reasoning_replay": {"field": "reasoning_content", "always_present": true}
            }),
        ),
        (
            "Mistral",
            json!({
                "id_length": 9, "refuse_fields": ["stream_options"], "alternate": true, "strict_tools": true,
                "tool_choices": ["auto", "none", "required", "function"]
            }),
            json!({
                "parallel_tool_calls": true, "sampling": ["temperature", "top_p"], "schema_dialect": "json_schema",
                "strict_tools": true, "user_messages": "merge", "stream_usage": false,
                "tool_call_id_chars": 9, "tool_call_id_exact": true
            }),
        ),
        (
            "Z.ai",
            json!({
                "refuse_fields": ["stream_options", "parallel_tool_calls"], "tool_choices": ["auto"],
                "response_formats": ["text", "json_object"]
            }),
            json!({
                "sampling": ["temperature", "top_p"], "schema_dialect": "json_schema",
                "tool_choice": ["auto"], "json_schema": "json_object", "stream_usage": false
            }),
        ),
        (
            "Moonshot",
            json!({"schema_refuses": ["$ref", "$defs"], "tool_choices": ["auto", "none"]}),
            json!({"parallel_tool_calls": true, "sampling": ["temperature", "top_p"], "tool_choice": ["auto", "none"]}),
        ),
        (
            "Gemini",
            json!({"schema_refuses": ["$ref", "$defs", "additionalProperties"]}),
            json!({"parallel_tool_calls": true, "sampling": ["temperature", "top_p"], "schema_dialect": "gemini"}),
        ),
        (
            "one with little",
            json!({"refuse_fields": ["temperature", "top_p", "parallel_tool_calls"], "images": false, "response_formats": ["text"]}),
            json!({"sampling": [], "schema_dialect": "json_schema", "tool_output_images": "drop", "json_schema": "off"}),
        ),
    ]
}

/// Requests as Codex sent them: a second turn, two calls at once, a custom tool, a server's tool, an image.
const CODEX: &[&str] = &["b-exec.02", "d-parallel.02", "c-custom.gpt55.02", "i-mcp-ns.02", "g-viewimage.02"];

fn recorded(name: &str) -> Vec<u8> {
    std::fs::read(project().join(format!("tests/fixtures/codex/{name}.json"))).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_host_takes_codex_with_what_was_printed_for_it() {
    let upstream = Upstream::start().await;
    for (host, strict, options) in twins() {
        upstream.script(json!({ "strict": strict })).await;
        let probed = probe(&upstream.base_url(), &[]).await;
        assert!(probed.good, "{host}: {}", probed.told);
        assert_eq!(probed.config, json!({ "upstream": options }), "{host}: {}", probed.told);

        let config = Config::parse(probed.config.to_string().as_bytes()).unwrap();
        upstream.clear().await;
        for name in CODEX {
            let context = Context { config: &config, seed: 1, now: 0, codex: true };
            let translated = translate::request(&recorded(name), &context).unwrap();
            let url = format!("{}/chat/completions", upstream.base_url());
            let request = reqwest::Client::new().post(url).header("content-type", "application/json");
            request.body(translated.body).send().await.unwrap().bytes().await.unwrap();
        }
        // It fails if one was refused.
        assert_eq!(upstream.bodies().await.len(), CODEX.len(), "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_codex_completes_a_tool_loop_with_it() {
    let upstream = Upstream::start().await;
    for (host, strict, _) in twins().into_iter().filter(|(host, ..)| ["DeepSeek", "Mistral"].contains(host)) {
        upstream.script(json!({ "strict": strict })).await;
        let probed = probe(&upstream.base_url(), &[]).await;
        let call =
            json!([{"id": "call_0", "name": "exec_command", "arguments": {"cmd": "echo from the shell"}}]);
        let replies = json!([{"tool_calls": call}, {"text": "It said so."}]);
        upstream.script(json!({"strict": strict, "replies": replies})).await;
        upstream.clear().await;

        let envoy = Envoy::start(upstream.address(), &probed.config.to_string(), Headers::Flow).await;
        let turn = Codex::new(&envoy.base_url()).exec("the-model", "Say something in the shell.").await;
        turn.assert_completed();
        assert_eq!(turn.items("command_execution").len(), 1, "{host}");
        assert_eq!(turn.messages(), ["It said so."], "{host}");
        assert_eq!(upstream.bodies().await.len(), 2, "{host}");
        envoy.finish();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_shows_of_itself_is_seen() {
    let upstream = Upstream::start().await;
    let strict = json!({"assistant_fields": ["reasoning"]});
    // Three requests settle what a request has to look like; the questions begin with the fourth.
    let ok = json!({"text": "ok"});
    let thinks = json!({"text": "ok", "reasoning": "Hm.", "reasoning_field": "reasoning"});
    let tags = json!({"text": "Hm.</think>ok"});
    let replies = json!([ok, ok, ok, thinks, tags]);
    upstream.script(json!({"strict": strict, "replies": replies})).await;
    let probed = probe(&upstream.base_url(), &[]).await;
    assert!(probed.good, "{}", probed.told);
    assert_eq!(
        probed.config["upstream"]["reasoning_replay"],
        json!({"field": "reasoning"}),
        "{}",
        probed.told
    );
    assert_eq!(probed.config["upstream"]["think_tags"], "implied", "{}", probed.told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_of_its_own_is_part_of_the_configuration() {
    let upstream = Upstream::start().await;
    let url = format!("http://{}/api/paas/v4", upstream.address());
    let probed = probe(&url, &[]).await;
    assert_eq!(probed.config["upstream"]["path"], "/api/paas/v4/chat/completions", "{}", probed.told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_cannot_be_asked_is_named_with_its_own_words() {
    let upstream = Upstream::start().await;
    let refusal = json!({"error": {"status": 401, "body": {"error": {"message": "Invalid key."}}}});
    upstream.script(json!({"replies": [refusal, refusal]})).await;
    for (url, more, reason) in [
        (upstream.base_url(), &[][..], "Invalid key."),
        (upstream.base_url(), &["--key", "NO_SUCH_VARIABLE"][..], "NO_SUCH_VARIABLE is not set"),
        ("http://127.0.0.1:9/v1".to_owned(), &[][..], "127.0.0.1:9"),
        ("localhost".to_owned(), &[][..], "is not a base URL"),
        (upstream.base_url(), &["--unknown"][..], "usage:"),
    ] {
        let probed = probe(&url, more).await;
        assert!(!probed.good && probed.config.is_null(), "{reason}");
        assert!(probed.told.contains(reason), "{reason}: {}", probed.told);
    }
}
