//! A real `mlx_lm.server` behind a real Envoy: text, calls, a tool loop of the real Codex CLI, and errors.
//!
//! Envoy connects to the server directly. The server uses HTTP/1.0 and only accepts bodies with a length.

use serde_json::{Value, json};
use support::real::{self, Server, codex_runs_every_call, completed, said, tools};
use support::{Answer, Envoy, Headers, bootstrap};

/// The server's name for the model that it was started with.
const MODEL: &str = "default_model";

struct Mlx(Server);

impl Mlx {
    async fn start() -> Self {
        Self(Server::start("mlx", &[], "/health").await)
    }

    /// Envoy as this server needs it: requests are sent with their length.
    async fn envoy(&self) -> Envoy {
        Envoy::start(self.0.address, r#"{"hold_request_headers": true}"#, Headers::Held).await
    }
}

async fn ask(envoy: &Envoy, question: &str, fields: &Value) -> Answer {
    real::ask(envoy, MODEL, question, fields).await
}

async fn stream(envoy: &Envoy, question: &str, fields: &Value) -> (String, Value) {
    real::stream(envoy, MODEL, question, fields).await
}

#[tokio::test]
async fn text() {
    let mlx = Mlx::start().await;
    let envoy = mlx.envoy().await;
    let expected = [("message", "Hello from naïve 你好 🦀.")];
    for response in completed(&envoy, MODEL, "Hello?", &json!({})).await {
        assert_eq!(said(&response), expected, "{response}");
        assert_eq!(response["usage"]["output_tokens"], 6, "{response}");
    }
    envoy.finish();
}

#[tokio::test]
async fn calls() {
    let mlx = Mlx::start().await;
    let envoy = mlx.envoy().await;
    let expected =
        [("reasoning", "First one."), ("function_call", r#"{"cmd": "touch one; echo \"naïve 🦀\""}"#)];
    for response in completed(&envoy, MODEL, "Begin.", &tools()).await {
        assert_eq!(said(&response), expected, "{response}");
    }
    envoy.finish();
}

/// The server's errors. It omits a call that it cannot parse, but still announces it.
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
    codex_runs_every_call(&envoy, MODEL).await;
    envoy.finish();
}

/// Without held headers, Envoy's buffer filter behind this one sets the length.
#[tokio::test]
async fn headers_that_flow() {
    let mlx = Mlx::start().await;
    let mut config = bootstrap(mlx.0.address, "{}", Headers::Flow);
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
