//! A real `mlx_lm.server` behind a real Envoy: text, calls, a tool loop of the real Codex CLI, and what it refuses.
//!
//! There is nothing between Envoy and the server, which uses HTTP/1.0 and accepts only bodies with a length.

use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;
use support::{Answer, Codex, Envoy, Headers, Process, bootstrap, post, project};

/// The name by which the server knows the model that it was started with.
const MODEL: &str = "default_model";

struct Mlx {
    address: SocketAddr,
    _server: Process,
    _files: tempfile::TempDir,
}

impl Mlx {
    async fn start() -> Self {
        let script = project().join("tests/upstreams/mlx/run.sh");
        let prepared = tokio::process::Command::new(&script).arg("prepare").status();
        let prepared = tokio::time::timeout(Duration::from_secs(300), prepared).await;
        assert!(prepared.expect("mlx-lm in time").unwrap().success(), "mlx-lm could not be installed");

        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let files = tempfile::tempdir().unwrap();
        let mut command = Command::new(&script);
        command.arg(address.port().to_string()).arg(files.path().join("model"));
        let mut server = Process::start(&mut command, files.path().join("log"));
        let health = format!("http://{address}/health");
        server
            .until("mlx_lm.server", async || reqwest::get(&health).await.ok()?.error_for_status().ok())
            .await;
        Self { address, _server: server, _files: files }
    }

    /// Envoy as this server needs it: requests are sent with their length.
    async fn envoy(&self) -> Envoy {
        Envoy::start(self.address, r#"{"hold_request_headers": true}"#, Headers::Held).await
    }
}

/// A request: a question, and fields beside it, which may replace it.
async fn ask(envoy: &Envoy, question: &str, fields: &Value) -> Answer {
    let mut body = json!({"model": MODEL, "input": question});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    post(&envoy.responses_url(), &body).await
}

/// The last event of a stream, and its response.
async fn stream(envoy: &Envoy, question: &str, fields: &Value) -> (String, Value) {
    let mut fields = fields.clone();
    fields["stream"] = json!(true);
    let answer = ask(envoy, question, &fields).await;
    let last = answer.events().into_iter().rfind(|(name, _)| !name.is_empty());
    let (name, mut data) = last.unwrap_or_else(|| panic!("no event: {answer:?}"));
    (name, data["response"].take())
}

fn tools() -> Value {
    json!({"tools": [{"type": "function", "name": "exec_command", "strict": false,
        "parameters": {"type": "object", "properties": {"cmd": {"type": "string"}}, "required": ["cmd"]}}]})
}

/// Type, and text or arguments, of each output item.
fn said(response: &Value) -> Vec<(&str, &str)> {
    let items = response["output"].as_array().unwrap_or_else(|| panic!("{response}"));
    items.iter().map(|item| (item["type"].as_str().unwrap(), words(item))).collect()
}

fn words(item: &Value) -> &str {
    let places = ["/arguments", "/content/0/text", "/summary/0/text"];
    let found = places.iter().find_map(|place| item.pointer(place)?.as_str());
    found.unwrap_or_else(|| panic!("{item}"))
}

#[tokio::test]
async fn text() {
    let mlx = Mlx::start().await;
    let envoy = mlx.envoy().await;
    let expected = [("message", "Hello from naïve 你好 🦀.")];
    let whole = ask(&envoy, "Hello?", &json!({})).await.json();
    assert_eq!(said(&whole), expected);
    assert_eq!((&whole["status"], &whole["usage"]["output_tokens"]), (&json!("completed"), &json!(6)));
    let (event, streamed) = stream(&envoy, "Hello?", &json!({})).await;
    assert_eq!((event.as_str(), said(&streamed)), ("response.completed", expected.to_vec()));
    assert_eq!(streamed["usage"]["output_tokens"], 6);
    envoy.finish();
}

#[tokio::test]
async fn calls() {
    let mlx = Mlx::start().await;
    let envoy = mlx.envoy().await;
    let expected =
        [("reasoning", "First one."), ("function_call", r#"{"cmd": "touch one; echo \"naïve 🦀\""}"#)];
    let whole = ask(&envoy, "Begin.", &tools()).await.json();
    assert_eq!(said(&whole), expected);
    let (event, streamed) = stream(&envoy, "Begin.", &tools()).await;
    assert_eq!((event.as_str(), said(&streamed)), ("response.completed", expected.to_vec()));
    envoy.finish();
}

/// The server's errors. It leaves a call that it cannot read out of the reply, but still announces it.
#[tokio::test]
async fn errors() {
    let mlx = Mlx::start().await;
    let envoy = mlx.envoy().await;
    let lost = ask(&envoy, "A broken one.", &tools()).await;
    let (event, streamed) = stream(&envoy, "A broken one.", &tools()).await;
    assert_eq!((lost.status, event.as_str()), (502, "response.failed"));
    for error in [&lost.json()["error"], &streamed["error"]] {
        assert!(error["message"].as_str().unwrap().contains("announced a tool call"), "{error}");
    }

    let image = json!({"type": "input_image", "image_url": "data:image/png;base64,aGk="});
    let refused = ask(&envoy, "", &json!({"input": [{"role": "user", "content": [image]}]})).await;
    assert_eq!(refused.status, 404);
    assert_eq!(refused.json()["error"]["message"], "Only 'text' content type is supported.");
    assert_eq!(ask(&envoy, "Hello?", &json!({"model": "unknown"})).await.status, 404);
    envoy.finish();
}

/// Reasoning and a call; text and two calls at once; an answer.
#[tokio::test]
async fn codex() {
    let mlx = Mlx::start().await;
    let envoy = mlx.envoy().await;
    let codex = Codex::new(&envoy.base_url());
    let turn = codex.exec(MODEL, "Do what I ask.").await;
    turn.assert_completed();
    assert_eq!(turn.messages().last(), Some(&"All done."), "{turn:#?}");
    assert_eq!(turn.items("command_execution").len(), 3, "{turn:#?}");
    for file in ["one", "two", "three"] {
        assert!(codex.workdir().join(file).exists(), "{file}");
    }
    envoy.finish();
}

/// Without held headers, Envoy's buffer filter behind this one sets the length.
#[tokio::test]
async fn headers_that_flow() {
    let mlx = Mlx::start().await;
    let mut config = bootstrap(mlx.address, "{}", Headers::Flow);
    let envoy = Envoy::launch(&config).await;
    let refused = ask(&envoy, "Hello?", &json!({})).await.json();
    assert_eq!(refused["error"]["message"], "Content-Length header is required");
    envoy.finish();

    let manager = &mut config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0];
    let filters = manager["typed_config"]["http_filters"].as_array_mut().unwrap();
    let buffer = json!({"name": "buffer", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer", "max_request_bytes": 128 << 20}});
    filters.insert(1, buffer);
    let envoy = Envoy::launch(&config).await;
    let (event, _) = stream(&envoy, "Hello?", &json!({})).await;
    assert_eq!(event, "response.completed");
    envoy.finish();
}
