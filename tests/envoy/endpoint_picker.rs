//! The filter before an endpoint picker, as docs/inference-pools.md describes it.

use crate::config;
use crate::orders::filter;
use crate::picker::{DESTINATION, Picker};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use support::{Envoy, Headers, Upstream, bootstrap, cluster, http_filters, post, set_http_options};

/// The picker as Istio configures it for an InferencePool.
fn ext_proc() -> Value {
    filter(
        "ext_proc",
        "ext_proc.v3.ExternalProcessor",
        json!({
            "grpc_service": {"envoy_grpc": {"cluster_name": "picker"}},
            "message_timeout": "30s",
            "processing_mode": {
                "request_header_mode": "SEND", "request_body_mode": "FULL_DUPLEX_STREAMED", "request_trailer_mode": "SEND",
                "response_header_mode": "SEND", "response_body_mode": "FULL_DUPLEX_STREAMED", "response_trailer_mode": "SEND",
            },
        }),
    )
}

/// The filter, the picker, and a cluster whose endpoint is the one that the picker names.
fn plan(picker: SocketAddr, headers: Headers) -> Value {
    let models = json!([
        {"match": "fast", "model": "qwen-small"}, {"match": "full", "model": "qwen-full"},
        {"match": "*", "model": "qwen-large"},
    ]);
    let mut plan = bootstrap(picker, &config(headers, json!({"models": models})), headers);
    http_filters(&mut plan).insert(1, ext_proc());
    let mut grpc = cluster("picker", picker);
    set_http_options(&mut grpc, json!({"explicit_http_config": {"http2_protocol_options": {}}}));
    plan["static_resources"]["clusters"] = json!([grpc, {
        "name": "upstream", "type": "ORIGINAL_DST", "lb_policy": "CLUSTER_PROVIDED", "connect_timeout": "5s",
        "original_dst_lb_config": {"use_http_header": true, "http_header_name": DESTINATION},
    }]);
    plan
}

#[tokio::test]
async fn the_picker_sees_chat_completions_and_chooses_the_endpoint_by_the_models_name() {
    for headers in Headers::all() {
        let (small, large) = (Upstream::start().await, Upstream::start().await);
        let pool = BTreeMap::from([("qwen-small", small.address()), ("qwen-large", large.address())]);
        let picker = Picker::start(pool).await;
        let envoy = Envoy::launch(&plan(picker.address, headers)).await;
        for (model, chosen, other) in [("fast", &small, &large), ("any", &large, &small)] {
            for stream in [false, true] {
                small.clear().await;
                large.clear().await;
                let call = json!({"id": "call_1", "name": "shell", "arguments": {"command": "ls"}});
                chosen.script(json!({"replies": [{"tool_calls": [call]}]})).await;
                let request = json!({
                    "model": model, "stream": stream, "input": "Which files?", "instructions": "x".repeat(3 << 20),
                    "tools": [{"type": "function", "name": "shell", "parameters": {"type": "object"}}],
                });
                let answer = post(&envoy.responses_url(), &request).await;
                assert_eq!(answer.status, 200, "{headers:?}: {}", answer.text());
                let response = if stream {
                    answer.data_of("response.completed")[0]["response"].clone()
                } else {
                    answer.json()
                };
                assert_eq!(response["output"][0]["arguments"], r#"{"command":"ls"}"#, "{response}");
                assert_eq!(response["model"], model, "the client sees its own name");
                assert_eq!((chosen.requests().await.len(), other.requests().await.len()), (1, 0));
                assert_eq!(
                    picker.seen().last(),
                    chosen.bodies().await.first(),
                    "the picker sees what is sent"
                );
            }
        }
        let seen = picker.seen();
        assert!(seen.iter().all(|body| body["messages"][1]["content"] == "Which files?"));
        envoy.finish();
    }
}

#[tokio::test]
async fn an_error_of_the_picker_gets_the_apis_shape() {
    let picker = Picker::start(BTreeMap::new()).await;
    for headers in Headers::all() {
        let envoy = Envoy::launch(&plan(picker.address, headers)).await;
        let answer = post(&envoy.responses_url(), &json!({"model": "full", "input": "hi"})).await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("5")), "{headers:?}");
        assert_eq!(answer.json()["error"]["code"], "rate_limit_exceeded");
        envoy.finish();
    }
}
