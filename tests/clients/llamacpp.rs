//! The real Codex CLI with a real llama.cpp server: Codex receives every call of the model, and runs or rejects it.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::real::found;
use support::{Codex, Envoy, Headers, Process, example, post_with, project};

const TURNS: usize = 8;

/// A llama.cpp server, behind a proxy that records each request with its reply.
struct LlamaCpp {
    address: SocketAddr,
    base_url: String,
    seen: Arc<Mutex<Vec<(Value, String)>>>,
    _server: Process,
    _files: tempfile::TempDir,
}

impl LlamaCpp {
    async fn start(kind: &str) -> Self {
        let script = project().join("tests/upstreams/llamacpp/run.sh");
        let prepared = tokio::process::Command::new(&script).args(["prepare", kind]).status();
        let prepared = tokio::time::timeout(Duration::from_secs(300), prepared).await;
        assert!(prepared.expect("llama.cpp in time").unwrap().success(), "llama.cpp could not be installed");

        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let files = tempfile::tempdir().unwrap();
        let mut command = Command::new(&script);
        command.args([&free.port().to_string(), kind]);
        let mut server = Process::start(&mut command, files.path().join("log"));
        let health = format!("http://{free}/health");
        server.until("llama.cpp", async || reqwest::get(&health).await.ok()?.error_for_status().ok()).await;

        let seen = Arc::new(Mutex::new(Vec::new()));
        let state = (format!("http://{free}/v1/chat/completions"), Arc::clone(&seen));
        let app = Router::new().fallback(pass_on).layer(DefaultBodyLimit::disable()).with_state(state);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let base_url = format!("http://{free}/v1");
        Self { address, base_url, seen, _server: server, _files: files }
    }

    fn take_seen(&self) -> Vec<(Value, String)> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

type Recorder = (String, Arc<Mutex<Vec<(Value, String)>>>);

async fn pass_on(
    State((url, seen)): State<Recorder>,
    body: Bytes,
) -> (StatusCode, [(&'static str, String); 1], String) {
    // The probe also sends a request that is not JSON.
    let request = serde_json::from_slice(&body).unwrap_or_default();
    let reply = reqwest::Client::new().post(&url).body(body).send().await.unwrap();
    let (status, kind) = (reply.status(), reply.headers()["content-type"].to_str().unwrap().to_owned());
    let text = reply.text().await.unwrap();
    seen.lock().unwrap().push((request, text.clone()));
    (StatusCode::from_u16(status.as_u16()).unwrap(), [("content-type", kind)], text)
}

fn is_cut(reply: &str) -> bool {
    reply.contains("\"finish_reason\":\"length\"")
}

/// The calls in a streamed reply: id -> name and arguments.
fn calls_of(reply: &str) -> BTreeMap<String, (String, String)> {
    let mut calls: BTreeMap<u64, (String, String, String)> = BTreeMap::new();
    for data in reply.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|data| *data != "[DONE]")
    {
        let chunk: Value = serde_json::from_str(data).unwrap();
        for call in chunk["choices"][0]["delta"]["tool_calls"].as_array().into_iter().flatten() {
            let known = calls.entry(call["index"].as_u64().unwrap()).or_default();
            let function = &call["function"];
            known.0 += call["id"].as_str().unwrap_or_default();
            known.1 += function["name"].as_str().unwrap_or_default();
            known.2 += function["arguments"].as_str().unwrap_or_default();
        }
    }
    calls.into_values().map(|(id, name, arguments)| (id, (name, arguments))).collect()
}

/// The calls that a request repeats from the history, each of which has its output.
fn answered_calls(request: &Value) -> BTreeMap<String, (String, String)> {
    let messages = request["messages"].as_array().unwrap();
    let calls = messages.iter().flat_map(|message| message["tool_calls"].as_array().into_iter().flatten());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let answered = |id: &Value| messages.iter().any(|message| message["tool_call_id"] == *id);
    calls
        .inspect(|call| assert!(answered(&call["id"]), "{call} has no output"))
        .map(|call| {
            (text(&call["id"]), (text(&call["function"]["name"]), text(&call["function"]["arguments"])))
        })
        .collect()
}

/// The model reads one character at a time, so a short prompt and few tools are needed for a turn of a few seconds.
fn brief(codex: Codex) -> Codex {
    let file = codex.workdir().join("instructions.md");
    std::fs::write(&file, "Use the tools.").unwrap();
    codex
        .setting("model_instructions_file", &format!("{:?}", file.display().to_string()))
        .setting("web_search", "\"disabled\"")
        .args(&["--disable", "multi_agent", "--disable", "goals"])
}

async fn no_call_is_lost(kind: &str, config: Value, turns: usize) {
    no_call_of(&LlamaCpp::start(kind).await, &config, turns).await;
}

/// Runs this many turns, and more until a tool was called: the random words may reach the token limit in some.
async fn no_call_of(llama: &LlamaCpp, config: &Value, turns: usize) {
    let envoy = Envoy::start(llama.address, &config.to_string(), Headers::Flow).await;
    let mut total = 0;
    for turn in 0.. {
        if turn >= turns && total > 0 {
            break;
        }
        assert!(turn < turns + TURNS, "the model called no tool in {turn} turns");
        let codex = brief(Codex::new(&envoy.base_url()));
        let ended = codex.exec("tiny", &format!("Task number {turn}.")).await;
        let seen = llama.take_seen();
        // The random words may reach the token limit. Then Codex sees an error, and a truncated call is not run.
        if seen.iter().any(|(_, reply)| is_cut(reply)) {
            assert!(ended.stdout.contains("max_output_tokens"), "{ended:#?}")
        } else {
            ended.assert_completed()
        }
        let last = answered_calls(&seen.last().unwrap().0);
        let mut made = BTreeMap::new();
        for (_, reply) in seen.iter().filter(|(_, reply)| !is_cut(reply)) {
            made.append(&mut calls_of(reply));
        }
        // Names and ids are compared literally, arguments by value, because absent arguments become `{}`.
        let meaning = |calls: BTreeMap<String, (String, String)>| -> BTreeMap<String, (String, Value)> {
            let parse = |text: &str| serde_json::from_str(if text.is_empty() { "{}" } else { text }).unwrap();
            calls.into_iter().map(|(id, (name, arguments))| (id, (name, parse(&arguments)))).collect()
        };
        total += made.len();
        assert_eq!(meaning(last), meaning(made), "turn {turn}");
    }
    envoy.finish();
}

#[tokio::test]
async fn plain() {
    no_call_is_lost("plain", json!({"upstream": "llamacpp"}), TURNS).await;
}

#[tokio::test]
async fn think() {
    no_call_is_lost("think", json!({"upstream": "llamacpp"}), TURNS).await;
}

/// Its template rejects a second system message, and Codex sends several.
#[tokio::test]
async fn strict_template() {
    no_call_is_lost("strict", json!({}), 3).await;
}

/// With the preset that `make run` finds for it.
#[tokio::test]
async fn found_by_make_run() {
    let llama = LlamaCpp::start("plain").await;
    let (_, config) = found(&llama.base_url).await;
    assert_eq!(config["upstream"]["preset"], "llamacpp");
    no_call_of(&llama, &config, 3).await;
}

/// With the configuration that `examples/probe` prints for it.
#[tokio::test(flavor = "multi_thread")]
async fn probed() {
    let llama = LlamaCpp::start("think").await;
    let mut command = Command::new(example("probe"));
    command.args([&format!("http://{}/v1", llama.address), "tiny", "--overflow"]);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    assert!(told.contains("exceed_context_size_error"), "{told}");
    let config: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(config["upstream"]["reasoning_replay"], json!({"field": "reasoning_content"}), "{told}");
    assert_eq!(config["upstream"]["tool_output_images"], "drop", "{told}");
    llama.take_seen();
    no_call_of(&llama, &config, 3).await;
}

/// The count equals the tokens that the same request then uses, and an error has the API's form.
#[tokio::test]
async fn tokens_are_counted() {
    let llama = LlamaCpp::start("plain").await;
    let server: SocketAddr =
        llama.base_url.trim_start_matches("http://").trim_end_matches("/v1").parse().unwrap();
    let tool = json!({"type": "function", "name": "add", "description": "Adds.",
        "parameters": {"type": "object", "properties": {"a": {"type": "number"}}}});
    let request = json!({"model": "tiny", "instructions": "Be brief.", "input": "What is 3 + 4?",
        "tools": [tool], "max_output_tokens": 1})
    .to_string();
    for headers in [Headers::Flow, Headers::Held] {
        let config = json!({"upstream": "llamacpp", "hold_request_headers": headers == Headers::Held});
        let envoy = Envoy::start(server, &config.to_string(), headers).await;
        let url = format!("{}/input_tokens", envoy.responses_url());
        let count = post_with(&url, &[], request.clone()).await.json();
        let answer = post_with(&envoy.responses_url(), &[], request.clone()).await.json();
        let used = &answer["usage"]["input_tokens"];
        assert!(used.as_u64() > Some(0), "{answer}");
        assert_eq!(count, json!({"object": "response.input_tokens", "input_tokens": used}));

        let refused = post_with(&url, &[], json!({"input": "no model"}).to_string()).await;
        assert_eq!((refused.status, &refused.json()["error"]["param"]), (400, &json!("model")));
        envoy.finish();
    }
}
