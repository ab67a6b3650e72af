//! A real `transformers serve` behind a real Envoy. It is a separate program, run by `make test-transformers`, because
//! the server needs PyTorch, whose wheels for x86-64 include CUDA.

use serde_json::{Value, json};
use support::real::{Server, ask, completed, said, stream, tools};
use support::{Envoy, Headers};

/// The server knows a local model by its path.
const MODEL: &str = "written";
/// The tokens after which the server stops if a request sets no limit.
const SERVER_LIMIT: u64 = 1024;

async fn start() -> Server {
    Server::start("transformers", &[], "/health").await
}

async fn envoy(server: &Server, upstream: Value, headers: Headers) -> Envoy {
    let config = json!({"upstream": upstream, "hold_request_headers": headers == Headers::Held});
    Envoy::start(server.address, &config.to_string(), headers).await
}

#[tokio::test]
async fn text_and_calls() {
    let server = start().await;
    for headers in [Headers::Flow, Headers::Held] {
        let envoy = envoy(&server, json!("transformers"), headers).await;
        let text = ("message", "Hello from naïve 你好 🦀.");
        // The server serializes the arguments again, in ASCII.
        let call = ("function_call", r#"{"cmd": "touch one; echo \"na\u00efve \ud83e\udd80\""}"#);
        let turns = [
            ("Hello?", json!({}), vec![text], 6),
            ("Begin.", tools(), vec![("reasoning", "First one."), call], 10),
        ];
        for (question, fields, expected, tokens) in turns {
            for response in completed(&envoy, MODEL, question, &fields).await {
                assert_eq!(said(&response), expected, "{response}");
                assert_eq!(response["usage"]["output_tokens"], tokens, "{response}");
                assert!(response["usage"]["input_tokens"].as_u64() > Some(0), "{response}");
            }
        }
        envoy.finish();
    }
}

/// Codex sets no limit, and the server's default would cut its replies.
#[tokio::test]
async fn the_default_limit_reaches_the_server() {
    let server = start().await;
    let longer = json!({"preset": "transformers", "default_max_tokens": SERVER_LIMIT + 100});
    for (upstream, limit) in [(json!("generic"), SERVER_LIMIT), (longer, SERVER_LIMIT + 100)] {
        let envoy = envoy(&server, upstream, Headers::Flow).await;
        let (event, cut) = stream(&envoy, MODEL, "A long one.", &json!({})).await;
        assert_eq!(event, "response.incomplete", "{cut}");
        assert_eq!(cut["incomplete_details"]["reason"], "max_output_tokens");
        assert_eq!(cut["usage"]["output_tokens"], limit);
        envoy.finish();
    }
}

#[tokio::test]
async fn errors() {
    let server = start().await;
    let unknown = json!({"preset": "transformers", "add_fields": {"unknown_field": 1}});
    let envoy = envoy(&server, unknown, Headers::Flow).await;
    let refused = ask(&envoy, MODEL, "Hello?", &json!({})).await;
    assert_eq!(refused.status, 422, "{refused:?}");
    assert_eq!(
        refused.json()["error"]["message"],
        "Unexpected fields in the request: {'unknown_field'}",
        "{refused:?}"
    );
    envoy.finish();
}

/// The server omits a call that does not end, and fails at one that it cannot parse.
#[tokio::test]
async fn calls_that_the_server_cannot_read() {
    let server = start().await;
    let envoy = envoy(&server, json!("transformers"), Headers::Flow).await;
    let (event, unended) = stream(&envoy, MODEL, "A broken one.", &tools()).await;
    assert_eq!((event.as_str(), said(&unended)), ("response.completed", vec![("message", "Well.")]));
    let (event, lost) = stream(&envoy, MODEL, "A wrong one.", &tools()).await;
    assert_eq!(event, "response.failed", "{lost}");
    let lost = ask(&envoy, MODEL, "A wrong one.", &tools()).await;
    assert_eq!(lost.status, 500, "{lost:?}");
    envoy.finish();
}

#[tokio::test]
async fn codex_with_what_make_run_finds() {
    start().await.works_with_make_run("transformers", MODEL).await;
}

#[tokio::test]
async fn codex_with_what_probe_prints() {
    let server = start().await;
    let (config, told) = server.probe(MODEL).await;
    assert!(told.contains("Two turns of an agent succeed"), "{told}");
    server.works_with(&config, MODEL).await;
}
