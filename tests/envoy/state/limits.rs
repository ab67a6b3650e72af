//! What has waited for a store over HTTP goes through Envoy's own buffer, whose limit no filter sees.

use super::stores::{Kind, StoreServer, eventually};
use super::{KEY, code, model, with_store};
use crate::config;
use serde_json::{Value, json};
use support::own_upstream::OwnUpstream;
use support::{Envoy, Headers, post_with, virtual_host};

/// An Envoy whose listener buffers so many bytes, and whose routes have no limit of their own.
fn limited(mut bootstrap: Value, limit: usize) -> Value {
    bootstrap["static_resources"]["listeners"][0]["per_connection_buffer_limit_bytes"] = json!(limit);
    virtual_host(&mut bootstrap).as_object_mut().unwrap().remove("request_body_buffer_limit");
    bootstrap
}

/// Without the filter's help Envoy answers, and the client is told what is too large. The process goes on.
#[tokio::test]
async fn a_conversation_over_the_buffer_limit_is_too_large_and_harms_nobody() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start_asked(model).await;
        let store = StoreServer::start(Kind::Nginx).await;
        let plugin = config(headers, json!({"store": {"http": store.settings()}}));
        let bootstrap = with_store(upstream.address, &plugin, headers, &store.cluster());
        let envoy = Envoy::launch(&limited(bootstrap, 64 << 10)).await;
        for (bytes, fits) in [(40 << 10, true), (200 << 10, headers == Headers::Native), (1000, true)] {
            let send = async |input: Value, previous: &Value| {
                let body =
                    json!({"model": "m", "input": input, "previous_response_id": previous}).to_string();
                post_with(&envoy.responses_url(), &[("authorization", KEY)], body).await
            };
            let first = send(json!("x".repeat(bytes)), &json!(null)).await.json();
            assert_eq!(first["store"], true);
            let call = &first["output"][1]["call_id"];
            let output = json!([{"type": "function_call_output", "call_id": call, "output": "seen"}]);
            let second = send(output, &first["id"]).await;
            if fits {
                assert_eq!(second.status, 200, "{headers:?} {bytes}: {}", second.text());
            } else {
                assert_eq!(code(&second).0, 413, "{headers:?} {bytes}: {}", second.text());
            }
        }
        envoy.finish();
    }
}

/// The end of a reply that is longer than `hold_bytes` does not wait, so no limit of Envoy's concerns it.
#[tokio::test]
async fn a_reply_of_any_length_comes_whole_and_is_stored() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start_asked(model).await;
        let store = StoreServer::start(Kind::Nginx).await;
        let plugin = config(headers, json!({"store": {"http": store.settings()}}));
        let bootstrap = with_store(upstream.address, &plugin, headers, &store.cluster());
        let envoy = Envoy::launch(&limited(bootstrap, 32 << 10)).await;
        let sizes = [1000, 10 << 10, 20 << 10, 100 << 10, 2 << 20];
        let mut stored = 0;
        for bytes in sizes {
            for stream in [true, false] {
                // The response repeats them.
                let instructions = "y".repeat(bytes);
                let body =
                    json!({"model": "m", "input": "a", "stream": stream, "instructions": instructions});
                let answer =
                    post_with(&envoy.responses_url(), &[("authorization", KEY)], body.to_string()).await;
                let response = if stream {
                    answer.data_of("response.completed").pop().unwrap()["response"].clone()
                } else {
                    answer.json()
                };
                assert_eq!(response["store"], true, "{headers:?} {bytes}");
                stored += 1;
                eventually("the record is there", async || store.records().len() == stored).await;
            }
        }
        envoy.finish();
    }
}
