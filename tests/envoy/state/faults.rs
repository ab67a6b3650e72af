//! Stores over HTTP that fail, in every way in which one can.

use super::stores::{Kind, StoreServer, eventually};
use super::{CAPABILITIES, Conversation, KEY, code, get, model, operations, request, with_store};
use crate::config;
use crate::raw_upstream::RawUpstream;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use support::own_upstream::OwnUpstream;
use support::{Answer, Envoy, Headers, cluster, post_with};

/// How a store behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Nothing listens.
    Down,
    /// It closes each connection without a reply.
    Closes,
    /// It never replies.
    Hangs,
    /// It breaks off in the middle of its reply.
    Cuts,
    /// It replies with this status.
    Status(u16),
    /// What it sends is no record.
    Garbage,
    /// There is no cluster with the configured name.
    NoCluster,
}

const WRITES: [Fault; 8] = [
    Fault::Down,
    Fault::Closes,
    Fault::Hangs,
    Fault::Cuts,
    Fault::NoCluster,
    Fault::Status(413),
    Fault::Status(507),
    Fault::Status(403),
];

const READS: [Fault; 8] = [
    Fault::Down,
    Fault::Closes,
    Fault::Hangs,
    Fault::Cuts,
    Fault::NoCluster,
    Fault::Status(500),
    Fault::Status(403),
    Fault::Garbage,
];

/// A store with a fault.
async fn faulty(fault: Fault) -> SocketAddr {
    let store = RawUpstream::start(move |mut connection, _| async move {
        match fault {
            Fault::Hangs => tokio::time::sleep(Duration::from_secs(60)).await,
            Fault::Cuts => {
                connection.write("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{\"version\":1").await;
            }
            Fault::Status(status) => {
                connection.write(format!("HTTP/1.1 {status} Words\r\ncontent-length: 2\r\n\r\nno")).await;
            }
            Fault::Garbage => {
                connection.write("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\n<html>").await;
            }
            Fault::Closes | Fault::Down | Fault::NoCluster => {}
        }
    });
    if fault == Fault::Down { "127.0.0.1:1".parse().unwrap() } else { store.await.address }
}

async fn envoy_with(upstream: SocketAddr, store: SocketAddr, headers: Headers, fault: Fault) -> Envoy {
    let name = if fault == Fault::NoCluster { "nobody" } else { "responses" };
    let http = json!({"cluster": name, "path": "/{owner}/{id}", "timeout_ms": 300});
    let plugin = config(headers, json!({"store": {"http": http}}));
    Envoy::launch(&with_store(upstream, &plugin, headers, &cluster("responses", store))).await
}

async fn ask(envoy: &Envoy, stream: bool, previous: &Value) -> Answer {
    let body = json!({"model": "m", "input": "question", "stream": stream, "previous_response_id": previous});
    post_with(&envoy.responses_url(), &[("authorization", KEY)], body.to_string()).await
}

/// The client gets its reply, and the reply says that it is not stored.
#[tokio::test]
async fn a_write_that_fails_costs_nobody_the_reply() {
    let upstream = OwnUpstream::start_asked(model).await;
    for fault in WRITES {
        let store = faulty(fault).await;
        for headers in Headers::all() {
            let envoy = envoy_with(upstream.address, store, headers, fault).await;
            for stream in [true, false] {
                let answer = ask(&envoy, stream, &json!(null)).await;
                assert_eq!(answer.status, 200, "{fault:?} {headers:?}");
                let response = if stream {
                    answer.data_of("response.completed").pop().unwrap()["response"].clone()
                } else {
                    answer.json()
                };
                assert_eq!(response["store"], false, "{fault:?} {headers:?} stream: {stream}");
                assert_eq!(response["output"][0]["content"][0]["text"], "I look.");
            }
            assert_eq!(operations(&envoy, "write", "failed").await, 2, "{fault:?} {headers:?}");
            envoy.finish();
        }
    }
}

/// Never a conversation without its beginning: the upstream gets nothing.
#[tokio::test]
async fn a_read_that_fails_is_an_error_of_its_own() {
    let upstream = OwnUpstream::start_asked(model).await;
    let id = format!("resp_{:032x}", 0xabc);
    for fault in READS {
        let store = faulty(fault).await;
        for headers in Headers::all() {
            let envoy = envoy_with(upstream.address, store, headers, fault).await;
            for stream in [true, false] {
                let answer = ask(&envoy, stream, &json!(id)).await;
                assert_eq!(code(&answer), (503, json!("store_unavailable")), "{fault:?} {headers:?}");
            }
            for (method, path) in [
                (reqwest::Method::GET, id.clone()),
                (reqwest::Method::GET, format!("{id}/input_items")),
                (reqwest::Method::DELETE, id.clone()),
            ] {
                let (status, error) = request(&envoy, method, &path, KEY).await;
                assert_eq!(
                    (status, &error["error"]["code"]),
                    (503, &json!("store_unavailable")),
                    "{fault:?}"
                );
            }
            assert_eq!(operations(&envoy, "read", "failed").await, 5, "{fault:?} {headers:?}");
            envoy.finish();
        }
    }
    let bodies = upstream.seen().into_iter().filter(|seen| !seen.body.is_empty()).count();
    assert_eq!(bodies, 0);
}

/// A wrong key is no missing record.
#[tokio::test]
async fn a_signature_that_the_store_rejects_is_a_failure() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start_asked(model).await;
        let store = StoreServer::start(Kind::S3).await;
        let plugin = config(headers, json!({"store": {"http": store.settings()}}));
        let wrong = store.cluster_with_secret("another-secret");
        let envoy = Envoy::launch(&with_store(upstream.address, &plugin, headers, &wrong)).await;
        let answer = ask(&envoy, false, &json!(null)).await;
        assert_eq!((answer.status, &answer.json()["store"]), (200, &json!(false)));
        assert!(store.records().is_empty());
        let answer = ask(&envoy, false, &json!(format!("resp_{:032x}", 0xabc))).await;
        assert_eq!(code(&answer), (503, json!("store_unavailable")));
        envoy.finish();
    }
}

#[tokio::test]
async fn a_store_that_comes_back_is_used_again() {
    let upstream = OwnUpstream::start_asked(model).await;
    let mut store = StoreServer::start(Kind::Nginx).await;
    for headers in Headers::all() {
        let plugin = config(headers, json!({"store": {"http": store.settings()}}));
        let envoy = Envoy::launch(&with_store(upstream.address, &plugin, headers, &store.cluster())).await;
        let mut conversation = Conversation::new(&envoy, true);
        assert_eq!(conversation.turn("first").await, "3 messages");
        store.kill();
        let answer = ask(&envoy, true, &conversation.previous).await;
        assert_eq!(code(&answer), (503, json!("store_unavailable")));
        assert_eq!(ask(&envoy, false, &json!(null)).await.json()["store"], false);
        store.start_again().await;
        assert_eq!(conversation.turn("second").await, "7 messages");
        envoy.finish();
    }
}

/// Another replica, or the same one after a restart, finds what was stored.
#[tokio::test]
async fn a_restart_of_envoy_forgets_nothing() {
    let upstream = OwnUpstream::start_asked(model).await;
    let store = StoreServer::start(Kind::Nginx).await;
    let mut previous = json!(null);
    for (turn, headers) in (1..).zip(Headers::all()) {
        let plugin = config(headers, json!({"store": {"http": store.settings()}}));
        let envoy = Envoy::launch(&with_store(upstream.address, &plugin, headers, &store.cluster())).await;
        let mut conversation = Conversation { previous, ..Conversation::new(&envoy, true) };
        assert_eq!(conversation.turn("question").await, format!("{} messages", 4 * turn - 1));
        previous = conversation.previous;
        envoy.finish();
    }
}

/// Two turns that go on from one response are two conversations from there on.
#[tokio::test]
async fn two_turns_that_race_do_not_mix() {
    let upstream = OwnUpstream::start_asked(model).await;
    let store = StoreServer::start(Kind::Nginx).await;
    for headers in Headers::all() {
        let plugin = config(headers, json!({"store": {"http": store.settings()}}));
        let envoy = Envoy::launch(&with_store(upstream.address, &plugin, headers, &store.cluster())).await;
        let mut first = Conversation::new(&envoy, true);
        first.turn("the question").await;
        let (mut left, mut right) = (first.again(), first.again());
        let (to_left, to_right) = tokio::join!(left.turn("left"), right.turn("right"));
        assert_eq!((to_left, to_right), ("7 messages".to_owned(), "7 messages".to_owned()));
        for (conversation, word, other) in [(&left, "left", "right"), (&right, "right", "left")] {
            let id = conversation.previous.as_str().unwrap();
            let (_, list) = get(&envoy, &format!("{id}/input_items?limit=100"), KEY).await;
            let items = list.to_string();
            assert!(items.contains(word) && !items.contains(other), "{items}");
        }
        envoy.finish();
    }
}

/// The client has gone, and its record is there all the same; or Envoy has taken the request back.
#[tokio::test]
async fn a_client_that_leaves_leaves_nothing_open() {
    let upstream = OwnUpstream::start_asked(model).await;
    let store = faulty(Fault::Hangs).await;
    for headers in Headers::all() {
        let envoy = envoy_with(upstream.address, store, headers, Fault::Hangs).await;
        for previous in [json!(null), json!(format!("resp_{:032x}", 0xabc))] {
            let gone = tokio::time::timeout(Duration::from_millis(100), ask(&envoy, true, &previous)).await;
            assert!(gone.is_err(), "the store has not answered");
        }
        eventually("every stream has ended", async || {
            envoy.stat("http.http.downstream_rq_active").await == 0
                && envoy.stat("cluster.responses.upstream_rq_active").await == 0
        })
        .await;
        envoy.finish();
    }
}

#[tokio::test]
async fn a_record_over_the_limit_is_not_sent() {
    let upstream = OwnUpstream::start_asked(model).await;
    let store = StoreServer::start(Kind::Nginx).await;
    let mut settings = store.settings();
    settings["record_bytes"] = json!(2000);
    let plugin = config(Headers::Flow, json!({"store": {"http": settings}}));
    let envoy = Envoy::launch(&with_store(upstream.address, &plugin, Headers::Flow, &store.cluster())).await;
    let body = json!({"model": "m", "input": "x".repeat(3000)}).to_string();
    let answer = post_with(&envoy.responses_url(), &[("authorization", KEY)], body).await;
    assert_eq!((answer.status, &answer.json()["store"]), (200, &json!(false)));
    assert_eq!(operations(&envoy, "write", "too_large").await, 1);
    assert!(store.records().is_empty());
    envoy.finish();
}

/// Envoy's list of what the module may do lacks one of the two functions, or both. Nothing waits for ever.
#[tokio::test]
async fn functions_that_envoy_does_not_allow_are_a_failure() {
    let upstream = OwnUpstream::start_asked(model).await;
    let store = StoreServer::start(Kind::Nginx).await;
    let mut settings = store.settings();
    settings["timeout_ms"] = json!(200);
    for name in ["proxy_http_call", "proxy_on_http_call_response"] {
        let plugin = config(Headers::Flow, json!({"store": {"http": settings}}));
        let mut bootstrap = with_store(upstream.address, &plugin, Headers::Flow, &store.cluster());
        let allowed = bootstrap.pointer_mut(CAPABILITIES).and_then(Value::as_object_mut).unwrap();
        allowed.remove(name).unwrap();
        let envoy = Envoy::launch(&bootstrap).await;
        for stream in [true, false] {
            let answer = ask(&envoy, stream, &json!(null)).await;
            assert_eq!(answer.status, 200, "{name}");
            assert!(answer.text().contains(r#""store":false"#), "{name}: {}", answer.text());
        }
        let answer = ask(&envoy, false, &json!(format!("resp_{:032x}", 0xabc))).await;
        assert_eq!(code(&answer), (503, json!("store_unavailable")), "{name}");
        assert_eq!(operations(&envoy, "write", "failed").await, 2, "{name}");
        envoy.finish();
    }
}
