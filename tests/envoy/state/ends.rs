//! Replies whose end is seen in different ways: the last event waits for its record in each.

use super::stores::{Kind, StoreServer};
use super::{KEY, operations, with_store};
use crate::config;
use crate::gzip::{compressed, decompressor};
use crate::hops::{events, with_trailers};
use crate::raw_upstream::{CHUNKED, DONE, RawUpstream, STOP, UNTIL_CLOSED, chunk, delta};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use support::own_upstream::{OwnUpstream, document};
use support::{Envoy, Headers, clusters, http_filters, post_with, set_http_options};

/// An Envoy with a store in nginx. `change` changes its bootstrap.
async fn envoy_with_store(
    upstream: SocketAddr,
    headers: Headers,
    store: &StoreServer,
    change: impl FnOnce(&mut Value),
) -> Envoy {
    let plugin = config(headers, json!({"store": {"http": store.settings()}}));
    let mut bootstrap = with_store(upstream, &plugin, headers, &store.cluster());
    change(&mut bootstrap);
    Envoy::launch(&bootstrap).await
}

fn request(stream: bool) -> String {
    json!({"model": "m", "input": "hi", "stream": stream}).to_string()
}

/// The response, which came whole and is stored.
async fn stored(envoy: &Envoy, stream: bool) {
    let answer = post_with(&envoy.responses_url(), &[("authorization", KEY)], request(stream)).await;
    assert_eq!((answer.status, &answer.broken), (200, &None), "{}", answer.text());
    let response = if stream {
        answer.data_of("response.completed").pop().unwrap()["response"].clone()
    } else {
        answer.json()
    };
    assert_eq!(response["output"][0]["content"][0]["text"], "Hello");
    assert_eq!(response["store"], true);
}

#[tokio::test]
async fn the_trailers_of_a_decompressor_do_not_hide_the_end() {
    let store = StoreServer::start(Kind::Nginx).await;
    let upstream = OwnUpstream::start_asked(|asked| {
        let body = asked.json();
        match body["stream"].as_bool() {
            Some(true) => compressed(200, "text/event-stream", &events()),
            _ => compressed(200, "application/json", &document("Hello")),
        }
    })
    .await;
    for headers in Headers::all() {
        let envoy = envoy_with_store(upstream.address, headers, &store, |bootstrap| {
            http_filters(bootstrap).insert(1, decompressor());
        })
        .await;
        stored(&envoy, true).await;
        stored(&envoy, false).await;
        assert_eq!(operations(&envoy, "write", "done").await, 2);
        envoy.finish();
    }
}

#[tokio::test]
async fn http2_and_its_trailers_pass_on_both_sides() {
    let store = StoreServer::start(Kind::Nginx).await;
    let upstream = OwnUpstream::start(with_trailers).await;
    for headers in Headers::all() {
        let envoy = envoy_with_store(upstream.address, headers, &store, |bootstrap| {
            let options = json!({"explicit_http_config": {"http2_protocol_options": {}}});
            set_http_options(&mut clusters(bootstrap)[0], options);
        })
        .await;
        stored(&envoy, true).await;
        let client = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
        let mut previous = json!(null);
        for _ in 0..3 {
            let body = json!({"model": "m", "input": "hi", "previous_response_id": previous});
            let asked =
                client.post(envoy.responses_url()).header("authorization", KEY).body(body.to_string());
            let answer = asked.timeout(Duration::from_secs(10)).send().await.unwrap();
            let response: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
            assert_eq!(response["store"], true, "{response}");
            previous = response["id"].clone();
        }
        envoy.finish();
    }
}

/// The end may come with the last event, long after it, or never.
#[tokio::test]
async fn the_end_of_the_connection_does_not_matter() {
    let store = StoreServer::start(Kind::Nginx).await;
    let body = [&delta("Hello"), STOP, DONE].concat();
    let whole = [CHUNKED, &chunk(&body), "0\r\n\r\n"].concat();
    let lingering = [CHUNKED, &chunk(&body)].concat();
    let closed = [UNTIL_CLOSED, &body].concat();
    for (bytes, lingers) in [(whole, false), (lingering, true), (closed, false)] {
        let upstream = RawUpstream::start(move |mut connection, _| {
            let bytes = bytes.clone();
            async move {
                connection.write(bytes).await;
                if lingers {
                    connection.closed().await;
                }
            }
        })
        .await;
        for headers in Headers::all() {
            let envoy = envoy_with_store(upstream.address, headers, &store, |_| {}).await;
            let asked = reqwest::Client::new().post(envoy.responses_url()).body(request(true));
            let mut answer = asked.timeout(Duration::from_secs(20)).send().await.unwrap();
            let mut told = Vec::new();
            while !told.ends_with(b"data: [DONE]\n\n") {
                told.extend(answer.chunk().await.unwrap().expect("the last event comes"));
            }
            assert_eq!(operations(&envoy, "write", "done").await, 1, "{headers:?}");
            drop(answer);
            envoy.finish();
        }
    }
}
