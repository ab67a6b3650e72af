//! `make run` without a preset: real servers' replies to its questions select their preset.

use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::{Arc, Mutex};
use support::{project, without_cargo};

/// A server that answers GET at some paths and 404 at all others.
struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<(String, HeaderMap)>>>,
}

type Answers = &'static [(&'static str, &'static str, &'static str)];

impl Server {
    /// `answers`: the path, the `server` header and the body of each.
    async fn start(answers: Answers) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = asked.clone();
        let answer = move |uri: Uri, headers: HeaderMap| async move {
            seen.lock().unwrap().push((uri.path().to_owned(), headers));
            reply(answers, uri.path())
        };
        tokio::spawn(
            async move { axum::serve(listener, axum::Router::new().fallback(answer)).await.unwrap() },
        );
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(path, _)| path.clone()).collect()
    }
}

fn reply(answers: Answers, path: &str) -> Response {
    match answers.iter().find(|(known, ..)| *known == path) {
        Some((_, server, body)) => ([("server", *server)], *body).into_response(),
        None => (StatusCode::NOT_FOUND, r#"{"detail": "Not Found"}"#).into_response(),
    }
}

struct Found {
    upstream: Value,
    why: String,
}

async fn found(base_url: &str, options: &[&str]) -> Found {
    let mut command = Command::new(project().join("envoy/run.py"));
    without_cargo(&mut command).args(["--print", "--upstream", base_url]).args(options);
    for name in ["PRESET", "CONFIG", "SSL_CERT_FILE"] {
        command.env_remove(name);
    }
    command.env("UPSTREAM_API_KEY", "sk-of-the-upstream");
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let why = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{why}");
    let printed = String::from_utf8(output.stdout).unwrap();
    let plugin = printed.lines().find_map(|line| line.trim().strip_prefix(r#"value: "{\"#)).unwrap();
    let plugin: String = serde_json::from_str(&format!(r#""{{\{plugin}"#)).unwrap();
    let plugin: Value = serde_json::from_str(&plugin).unwrap();
    Found { upstream: plugin["upstream"].clone(), why }
}

/// The preset, the server's name, and the server's own answers.
const SERVERS: &[(&str, &str, Answers)] = &[
    ("llamacpp", "llama.cpp", &[("/v1/models", "llama.cpp", r#"{"data": []}"#)]),
    (
        "llamacpp",
        "llama.cpp",
        &[("/v1/models", "nginx", r#"{"data": [{"id": "m", "owned_by": "llamacpp"}]}"#)],
    ),
    ("llamacpp", "llama.cpp", &[("/props", "nginx", r#"{"default_generation_settings": {"n_ctx": 4096}}"#)]),
    (
        "vllm",
        "vLLM",
        &[("/v1/models", "uvicorn", r#"{"object": "list", "data": [{"id": "m", "owned_by": "vllm"}]}"#)],
    ),
    ("vllm", "vLLM", &[("/version", "uvicorn", r#"{"version": "0.32.0"}"#)]),
    ("sglang", "SGLang", &[("/v1/models", "uvicorn", r#"{"data": [{"id": "m", "owned_by": "sglang"}]}"#)]),
    (
        "lmstudio",
        "LM Studio",
        &[("/v1/models", "", r#"{"data": [{"id": "m", "owned_by": "organization_owner"}]}"#)],
    ),
    (
        "ollama",
        "Ollama",
        &[
            ("/v1/models", "", r#"{"object": "list", "data": [{"id": "qwen3:4b", "owned_by": "library"}]}"#),
            ("/api/version", "", r#"{"version": "0.13.3"}"#),
        ],
    ),
    (
        "tgi",
        "Text Generation Inference",
        &[("/info", "", r#"{"model_id": "m", "router": "text-generation-router"}"#)],
    ),
    (
        "llama-cpp-python",
        "llama-cpp-python",
        &[
            ("/v1/models", "uvicorn", r#"{"data": [{"id": "m", "owned_by": "me"}]}"#),
            ("/openapi.json", "uvicorn", r#"{"info": {"title": "🦙 llama.cpp Python API"}}"#),
        ],
    ),
    (
        "transformers",
        "transformers serve",
        &[
            ("/v1/models", "uvicorn", r#"{"data": [{"id": "Qwen/Qwen3-0.6B", "owned_by": "Qwen"}]}"#),
            (
                "/openapi.json",
                "uvicorn",
                r#"{"info": {"title": "FastAPI"}, "paths": {"/load_model": {"post": {"summary": "Load Model"}}}}"#,
            ),
        ],
    ),
    ("generic", "LiteLLM", &[("/openapi.json", "uvicorn", r#"{"info": {"title": "LiteLLM API"}}"#)]),
    (
        "generic",
        "xinference",
        &[("/v1/models", "uvicorn", r#"{"data": [{"id": "m", "owned_by": "xinference"}]}"#)],
    ),
    (
        "generic",
        "KoboldCpp",
        &[
            ("/v1/models", "", r#"{"data": [{"id": "m", "owned_by": "koboldcpp"}]}"#),
            ("/api/version", "", r#"{"version": "0.7.0"}"#),
        ],
    ),
];

#[tokio::test]
async fn a_server_is_recognized_by_its_answers() {
    for (preset, name, answers) in SERVERS {
        let server = Server::start(answers).await;
        let found = found(&format!("http://{}/v1", server.address), &[]).await;
        let expected = json!({"preset": preset, "path": "/v1/chat/completions"});
        assert_eq!(found.upstream, expected, "{name}: {}", found.why);
        let why = format!(
            "PRESET is not set: using {preset}, because the upstream is {name}, by its answer to GET /"
        );
        assert!(found.why.starts_with(&why), "{}", found.why);
    }
}

#[tokio::test]
async fn the_questions_follow_the_prefix_and_carry_the_key() {
    let answers = &[("/proxy/ollama/api/version", "", r#"{"version": "0.13.3"}"#)];
    let server = Server::start(answers).await;
    let found = found(&format!("http://{}/proxy/ollama/v1/", server.address), &[]).await;
    assert_eq!(found.upstream["preset"], "ollama", "{}", found.why);
    assert_eq!(server.asked(), ["/proxy/ollama/v1/models", "/proxy/ollama/api/version"]);
    for (path, headers) in server.asked.lock().unwrap().iter() {
        assert_eq!(headers["authorization"], "Bearer sk-of-the-upstream", "{path}");
    }
}

#[tokio::test]
async fn a_missing_v1_is_found() {
    const MODELS: &str = r#"{"data": [{"id": "m", "owned_by": "vllm"}]}"#;
    for (prefix, answers, path) in [
        ("", &[("/v1/models", "", MODELS)][..], "/v1/chat/completions"),
        ("/proxy/", &[("/proxy/v1/models", "", MODELS)][..], "/proxy/v1/chat/completions"),
        // It has its models there.
        ("", &[("/models", "", MODELS), ("/v1/models", "", MODELS)][..], "/chat/completions"),
        ("", &[("/version", "", r#"{"version": "0.32.0"}"#)][..], "/chat/completions"),
    ] {
        let server = Server::start(answers).await;
        let found = found(&format!("http://{}{prefix}", server.address), &[]).await;
        assert_eq!(found.upstream, json!({"preset": "vllm", "path": path}), "{}", found.why);
        assert_eq!(found.why.contains("UPSTREAM lacks /v1"), path.contains("/v1"), "{}", found.why);
    }
}

#[tokio::test]
async fn an_unknown_server_is_generic() {
    for (answers, reason) in [
        (&[][..], "is none of the known servers"),
        (
            &[("/v1/models", "", r#"{"data": [{"id": "m", "owned_by": "me"}]}"#)][..],
            "is none of the known servers",
        ),
        (
            &[("/v1/models", "", r#"{"data": "no list"}"#), ("/version", "", "[")][..],
            "is none of the known servers",
        ),
    ] {
        let server = Server::start(answers).await;
        let found = found(&format!("http://{}/v1", server.address), &[]).await;
        assert_eq!(found.upstream["preset"], "generic", "{}", found.why);
        assert!(found.why.contains(reason), "{}", found.why);
    }
    let found = found("http://127.0.0.1:1/v1", &[]).await;
    assert_eq!(found.upstream["preset"], "generic");
    assert!(found.why.contains("using generic, because the upstream does not answer"), "{}", found.why);
}

#[tokio::test]
async fn a_provider_is_known_by_its_name() {
    for (base_url, preset) in [
        ("https://api.groq.com/openai/v1", "groq"),
        ("https://me.openai.azure.com/openai/v1", "azure"),
        ("https://generativelanguage.googleapis.com/v1beta/openai", "gemini"),
    ] {
        let found = found(base_url, &[]).await;
        assert_eq!(found.upstream["preset"], preset, "{}", found.why);
        assert!(found.why.ends_with(" is known\n"), "{}", found.why);
    }
}

#[tokio::test]
async fn with_a_preset_or_a_configuration_nothing_is_asked() {
    let server = Server::start(&[]).await;
    let config = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&config, "{}").unwrap();
    for options in [["--preset", "vllm"], ["--config", config.path().to_str().unwrap()]] {
        assert_eq!(found(&format!("http://{}/v1", server.address), &options).await.why, "");
    }
    assert!(server.asked().is_empty());
}
