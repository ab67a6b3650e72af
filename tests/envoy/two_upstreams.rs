//! `envoy/two-upstreams.yaml` with the addresses of the test, and an upstream with its own Responses API.

use serde_json::{Value, json};
use std::net::SocketAddr;
use support::own_upstream::{OwnUpstream, completion, json as json_reply, nobody};
use support::{Envoy, Headers, bootstrap, post, post_with, shipped};

/// The example, with the address of one endpoint for each cluster.
fn example(addresses: &[(&str, SocketAddr)]) -> Value {
    let clusters: Vec<_> =
        addresses.iter().map(|(name, address)| (*name, std::slice::from_ref(address))).collect();
    shipped("two-upstreams.yaml", &clusters)
}

#[tokio::test]
async fn the_model_chooses_the_upstream_and_a_fallback_takes_over() {
    let first = OwnUpstream::start(|| json_reply(503, r#"{"error":{"message":"Loading model"}}"#)).await;
    let fallback = OwnUpstream::start(|| completion("fallback")).await;
    let hosted = OwnUpstream::start(|| completion("hosted")).await;
    let addresses =
        [("own-first", first.address), ("own-fallback", fallback.address), ("hosted", hosted.address)];
    let envoy = Envoy::launch(&example(&addresses)).await;
    let ask = async |model: &str| {
        let request = json!({"model": model, "input": "hi", "reasoning": {"effort": "max"}});
        post(&envoy.responses_url(), &request).await
    };

    let answer = ask("qwen3-coder").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().contains("fallback"), "{}", answer.text());
    assert_eq!(first.seen().len(), 1, "the first pool was tried before");
    let up = fallback.seen()[0].json();
    assert_eq!((&up["model"], &up["reasoning_effort"]), (&json!("Qwen/Qwen3-Coder-30B"), &json!("max")));
    assert_eq!(up, first.seen()[0].json(), "both got the same");

    let answer = ask("gpt-oss-120b").await;
    assert!(answer.text().contains("hosted"), "{}", answer.text());
    let up = hosted.seen()[0].json();
    assert_eq!((&up["model"], &up["reasoning_effort"]), (&json!("openai/gpt-oss-120b"), &json!("high")));
    assert_eq!(hosted.seen()[0].headers["host"], "api.together.xyz");

    // After three failures in a row, the first pool gets no requests.
    for _ in 0..4 {
        assert_eq!(ask("qwen3-coder").await.status, 200);
    }
    assert!(first.seen().len() < 5, "the first pool was ejected: {}", first.seen().len());

    let answer = ask("claude").await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (404, &json!("model_not_found")));
    envoy.finish();
}

/// The reply of a native upstream.
const REPLY: &str =
    r#"{ "error" : {"type":"invalid_request_error","message":"x","param":null,"code":null} }"#;

#[tokio::test]
async fn the_fallback_gets_long_requests_whole() {
    let fallback = OwnUpstream::start(|| completion("fallback")).await;
    let addresses = [("own-first", nobody().await), ("own-fallback", fallback.address)];
    let envoy = Envoy::launch(&example(&addresses)).await;
    let input = "x".repeat(3 << 20);
    for _ in 0..3 {
        let request = json!({"model": "qwen3-coder", "input": input});
        assert_eq!(post(&envoy.responses_url(), &request).await.status, 200);
        let up = fallback.seen().pop().unwrap().json();
        assert_eq!(up["messages"][0]["content"], input);
    }
    assert!(envoy.stat("cluster.own-first.upstream_cx_connect_fail").await > 0);
    envoy.finish();
}

#[tokio::test]
async fn a_native_upstream_sees_no_difference() {
    for headers in Headers::held() {
        let upstream = OwnUpstream::start(|| json_reply(402, REPLY)).await;
        let config = json!({
            "models": [{"match": "gpt*", "model": "openai/gpt", "upstream": {"preset": "native", "path": "/api/v1/responses"}}],
            "hold_request_headers": true,
        });
        let envoy = Envoy::launch(&bootstrap(upstream.address, &config.to_string(), headers)).await;
        let sent = [("accept", "text/plain"), ("originator", "codex_exec"), ("x-codex-window-id", "w")];
        let request = r#"{ "input" : [{"type":"item_reference","id":"x"}] ,"model":"gpt-6"}"#;
        let answer = post_with(&envoy.responses_url(), &sent, request).await;
        assert_eq!((answer.status, answer.text().as_str()), (402, REPLY));
        assert_eq!(answer.header("x-transponder-dropped"), None);
        let seen = &upstream.seen()[0];
        assert_eq!(seen.path, "/api/v1/responses");
        let up = String::from_utf8(seen.body.to_vec()).unwrap();
        assert_eq!(up, request.replace("gpt-6", "openai/gpt"));
        assert_eq!(seen.headers["content-length"], up.len().to_string());
        for (name, value) in sent {
            assert_eq!(seen.headers[name], value, "{name}");
        }
        envoy.finish();
    }
}

#[tokio::test]
async fn a_native_upstream_does_not_get_what_the_filter_sealed() {
    for headers in Headers::held() {
        let upstream = OwnUpstream::start(|| json_reply(402, REPLY)).await;
        let config = json!({"upstream": "native", "hold_request_headers": true});
        let envoy = Envoy::launch(&bootstrap(upstream.address, &config.to_string(), headers)).await;
        let sealed =
            r#"{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"transponder.1.0.x"}"#;
        let request =
            format!(r#"{{ "input" : [{sealed},{{"role":"user","content":"hi"}}] ,"model":"gpt-6"}}"#);
        let answer = post_with(&envoy.responses_url(), &[], request).await;
        assert_eq!((answer.status, answer.text().as_str()), (402, REPLY));
        assert_eq!(answer.header("x-transponder-dropped"), Some("item:reasoning"));
        let seen = &upstream.seen()[0];
        let up = r#"{ "input" : [{"role":"user","content":"hi"}] ,"model":"gpt-6"}"#;
        assert_eq!(String::from_utf8(seen.body.to_vec()).unwrap(), up);
        assert_eq!(seen.headers["content-length"], up.len().to_string());
        envoy.finish();
    }
}
