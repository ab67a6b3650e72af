//! A real LiteLLM proxy as the upstream, in front of the scripted one, behind a real Envoy.

use serde_json::{Value, json};
use support::real::{Server, ask, completed, said, stream, tools};
use support::{Envoy, Headers, Upstream};

const MODEL: &str = "the-model";

async fn start(upstream: &Upstream) -> Server {
    Server::start("litellm", &[&upstream.base_url()], "/health/liveliness").await
}

fn call(id: &str, command: &str) -> Value {
    json!({"id": id, "name": "exec_command", "arguments": {"cmd": command}})
}

/// The replies to Codex: one call, two at once, an answer.
fn three_turns() -> Value {
    json!([
        {"text": "First one.", "tool_calls": [call("call_1", "touch one")]},
        {"tool_calls": [call("call_2", "touch two"), call("call_3", "touch three")]},
        {"text": "All done."},
    ])
}

#[tokio::test]
async fn text_calls_and_errors() {
    let upstream = Upstream::start().await;
    let server = start(&upstream).await;
    for headers in [Headers::Flow, Headers::Held] {
        let config = json!({"hold_request_headers": headers == Headers::Held});
        let envoy = Envoy::start(server.address, &config.to_string(), headers).await;

        let usage = json!({"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12});
        let text = json!({"text": "Hello from naïve 你好 🦀.", "usage": usage});
        let calls = json!({"tool_calls": [call("call_1", "ls"), call("call_2", "pwd")]});
        upstream.script(json!({"replies": [text, text, calls, calls]})).await;
        let expected = [("message", "Hello from naïve 你好 🦀.")];
        for response in completed(&envoy, MODEL, "Hello?", &json!({})).await {
            assert_eq!(said(&response), expected, "{response}");
            assert_eq!(response["usage"]["output_tokens"], 5, "{response}");
        }
        for response in completed(&envoy, MODEL, "Begin.", &tools()).await {
            assert_eq!(
                said(&response),
                [("function_call", r#"{"cmd":"ls"}"#), ("function_call", r#"{"cmd":"pwd"}"#)]
            );
            let ids = [&response["output"][0]["call_id"], &response["output"][1]["call_id"]];
            assert_eq!(ids, ["call_1", "call_2"], "{response}");
        }

        let failure =
            |status: u16, error: Value| json!({"error": {"status": status, "body": {"error": error}}});
        let long = failure(
            400,
            json!({"message": "This model's maximum context length is 8 tokens. However, you requested 9 tokens.",
            "type": "invalid_request_error", "param": "messages", "code": "context_length_exceeded"}),
        );
        let limited = failure(
            429,
            json!({"message": "Slow down.", "type": "rate_limit_error", "code": "rate_limit_exceeded"}),
        );
        upstream.script(json!({"replies": [long, limited]})).await;
        for (status, code) in [(400, "context_length_exceeded"), (429, "rate_limit_exceeded")] {
            let answer = ask(&envoy, MODEL, "Hello?", &json!({})).await;
            assert_eq!(answer.status, status, "{answer:?}");
            assert_eq!(answer.json()["error"]["code"], code, "{}", answer.text());
        }

        // The upstream closes the connection within a call.
        let cut = json!({"tool_calls": [call("call_1", "touch broken")], "chunking": {"arguments": 4}, "abort_after": 4});
        upstream.script(json!({"replies": [cut]})).await;
        let (event, lost) = stream(&envoy, MODEL, "Begin.", &tools()).await;
        assert_eq!(event, "response.failed", "{lost}");
        envoy.finish();
    }
}

#[tokio::test]
async fn codex() {
    let upstream = Upstream::start().await;
    let server = start(&upstream).await;
    upstream.script(json!({"replies": three_turns()})).await;
    server.works_with_make_run("generic", MODEL).await;

    upstream.script(json!({})).await;
    let (config, told) = server.probe(MODEL).await;
    assert!(told.contains("Two turns of an agent succeed"), "{told}");
    upstream.script(json!({"replies": three_turns()})).await;
    server.works_with(&config, MODEL).await;
}
