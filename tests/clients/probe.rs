//! `examples/probe` on strict upstreams: it prints the options that the upstream needs, and Codex works with them.

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use support::{Codex, Envoy, Headers, Upstream, example, project};
use transponder::config::Config;
use transponder::request::{self, Context};
use transponder::upstream::preset_names;

struct Probed {
    good: bool,
    /// The printed JSON, or null.
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

/// The options that some upstreams need (`docs/upstreams.md`).
fn needs() -> Vec<(&'static str, Value)> {
    vec![
        (
            "openai",
            json!({
                "max_tokens_field": "max_completion_tokens", "strict_tools": true, "parallel_tool_calls": true,
                "schema_dialect": "openai",
                "pass_fields": ["prompt_cache_key", "user", "metadata", "service_tier", "verbosity"],
                "reasoning": {"efforts": {"none": "none", "minimal": "minimal", "low": "low", "medium": "medium",
                    "high": "high", "xhigh": "xhigh", "max": "max"}}
            }),
        ),
        (
            "deepseek",
            json!({
                "parallel_tool_calls": true, "tool_output_images": "drop", "json_schema": "json_object",
                "tool_choice": ["auto", "none"], "sampling": ["temperature", "top_p"],
                "reasoning": {"efforts": {"high": "high", "max": "max"}},
                "reasoning_replay": {"field": "reasoning_content", "always_present": true}
            }),
        ),
        (
            "mistral",
            json!({
                "parallel_tool_calls": true, "strict_tools": true, "assistant_after_tools": true,
                "tool_call_id_chars": 9, "tool_call_id_exact": true, "sampling": ["temperature", "top_p"],
                "reasoning": {"efforts": {"none": "none", "high": "high"}}
            }),
        ),
        (
            "groq",
            json!({
                "parallel_tool_calls": true, "strict_tools": true, "tool_output_images": "drop",
                "json_schema_with_tools": "off", "sampling": ["temperature", "top_p"], "pass_fields": ["user"],
                "reasoning": {"efforts": {"low": "low", "medium": "medium", "high": "high"}}
            }),
        ),
        (
            "moonshot",
            json!({
                "parallel_tool_calls": true, "schema_dialect": "moonshot", "tool_choice": ["auto", "none"],
                "sampling": [], "pass_fields": ["prompt_cache_key"],
                "reasoning": {"efforts": {"low": "low", "high": "high", "max": "max"}},
                "reasoning_replay": {"field": "reasoning_content", "always_present": true}
            }),
        ),
        (
            "zai",
            json!({
                "parallel_tool_calls": true, "tool_choice": ["auto"], "json_schema": "json_object",
                "sampling": ["temperature", "top_p"],
                "reasoning": {"efforts": {"low": "low", "high": "high", "max": "max"}}
            }),
        ),
    ]
}

/// Requests as Codex sent them: a second turn, two calls at once, a custom tool, a server's tool, an image.
const CODEX: &[&str] = &["b-exec.02", "d-parallel.02", "c-custom.gpt55.02", "i-mcp-ns.02", "g-viewimage.02"];

fn recorded(name: &str) -> Vec<u8> {
    std::fs::read(project().join(format!("tests/fixtures/codex/{name}.json"))).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_upstream_accepts_codex_with_the_printed_configuration() {
    let upstream = Upstream::start().await;
    for preset in preset_names() {
        upstream.script(json!({ "strict": preset })).await;
        let probed = probe(&upstream.base_url(), &[]).await;
        assert!(probed.good, "{preset}: {}", probed.told);
        if let Some((_, options)) = needs().into_iter().find(|(known, _)| *known == preset) {
            assert_eq!(probed.config, json!({ "upstream": options }), "{preset}: {}", probed.told);
        }

        let config = Config::parse(probed.config.to_string().as_bytes()).unwrap();
        upstream.clear().await;
        for name in CODEX {
            let context = Context { config: &config, seed: 1, now: 0, codex: true };
            let translated = request::translate(&recorded(name), &context).unwrap();
            let url = format!("{}/chat/completions", upstream.base_url());
            let request = reqwest::Client::new().post(url).header("content-type", "application/json");
            request.body(translated.body).send().await.unwrap().bytes().await.unwrap();
        }
        for request in upstream.requests().await {
            assert_eq!(request.outcome, "ok", "{preset}: {}\n{}", probed.config, request.body);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_signs_calls_is_detected() {
    let upstream = Upstream::start().await;
    upstream.script(json!({ "strict": "gemini" })).await;
    let probed = probe(&upstream.base_url(), &[]).await;
    assert_eq!(probed.config["upstream"]["reasoning_replay"]["signatures"], true, "{}", probed.told);
    assert_eq!(probed.config["upstream"]["schema_dialect"], "gemini", "{}", probed.told);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_codex_completes_a_tool_loop_with_it() {
    stream::iter(preset_names()).for_each_concurrent(AT_ONCE, codex_completes).await;
}

/// How many tool loops run at a time. Each has its own upstream, Envoy and Codex.
const AT_ONCE: usize = 4;

async fn codex_completes(preset: &str) {
    let upstream = Upstream::start().await;
    upstream.script(json!({ "strict": preset })).await;
    let probed = probe(&upstream.base_url(), &[]).await;
    let call = json!([{
        "id": "aaaaaaaa0", "name": "exec_command", "arguments": {"cmd": "echo from the shell"},
        "extra_content": {"google": {"thought_signature": "c2lnbmVk"}},
    }]);
    let replies = json!([{"tool_calls": call}, {"text": "It said so."}]);
    upstream.script(json!({"strict": preset, "replies": replies})).await;
    upstream.clear().await;

    let envoy = Envoy::start(upstream.address(), &probed.config.to_string(), Headers::Flow).await;
    let turn = Codex::new(&envoy.base_url()).exec("the-model", "Say something in the shell.").await;
    turn.assert_completed();
    assert_eq!(turn.items("command_execution").len(), 1, "{preset}");
    assert_eq!(turn.messages(), ["It said so."], "{preset}");
    assert_eq!(upstream.bodies().await.len(), 2, "{preset}");
    envoy.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_upstream_reports_about_itself_is_used() {
    let upstream = Upstream::start().await;
    let strict = json!({"assistant_fields": ["reasoning"]});
    // The first five requests find out the form of requests. The questions begin with the sixth.
    let ok = json!({"text": "ok"});
    let thinks = json!({"text": "ok", "reasoning": "Hm.", "reasoning_field": "reasoning"});
    let tags = json!({"text": "Hm.</think>ok"});
    let replies = json!([ok, ok, ok, ok, ok, thinks, tags]);
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
async fn a_custom_path_is_part_of_the_configuration() {
    let upstream = Upstream::start().await;
    let url = format!("http://{}/api/paas/v4", upstream.address());
    let probed = probe(&url, &[]).await;
    assert_eq!(probed.config["upstream"]["path"], "/api/paas/v4/chat/completions", "{}", probed.told);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upstream_that_cannot_be_asked_is_reported_with_its_error() {
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
