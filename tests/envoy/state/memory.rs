//! The store in Envoy's memory: several workers, owners, a restart, and the bounds of the store.

use super::{
    CAPABILITIES, Conversation, KEY, get, is_shown_to_its_owner_and_deleted, model, next_turn, operations,
};
use crate::config;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::Command;
use support::own_upstream::OwnUpstream;
use support::{Envoy, Headers, bootstrap, envoy_binary, post_with};

const MEMORY: &str = "memory";

/// All workers have the same store, and conversations that run at the same time do not mix.
#[tokio::test]
async fn conversations_go_on_whichever_worker_they_reach() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start_asked(model).await;
        let plugin = config(headers, json!({"store": MEMORY}));
        let envoy = Envoy::launch_workers(&bootstrap(upstream.address, &plugin, headers), 2).await;
        let conversations = (0..10).map(|number| {
            let mut conversation = Conversation::new(&envoy, number % 2 == 0);
            async move {
                for turn in 1..=4 {
                    let told = conversation.turn(&format!("question {turn} of {number}")).await;
                    // A question, the call with its text, its output, and the answers in between.
                    assert_eq!(told, format!("{} messages", 4 * turn - 1));
                }
            }
        });
        futures_util::future::join_all(conversations).await;
        for seen in upstream.seen() {
            let body = seen.json();
            let questions =
                body["messages"].as_array().unwrap().iter().filter(|message| message["role"] == "user");
            let words: Vec<_> = questions.map(|message| message["content"].as_str().unwrap()).collect();
            let of = words[0].rsplit_once(' ').unwrap().1;
            for (turn, words) in (1..).zip(&words) {
                assert_eq!(*words, format!("question {turn} of {of}"), "nothing lost, doubled or foreign");
            }
        }
        let count = (operations(&envoy, "write", "done").await, operations(&envoy, "read", "done").await);
        assert_eq!(count, (80, 70));
        envoy.finish();
    }
}

#[tokio::test]
async fn a_stored_response_is_shown_to_its_owner_and_deleted() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start_asked(model).await;
        let plugin = config(headers, json!({"store": MEMORY}));
        let mut envoy = Envoy::start(upstream.address, &plugin, headers).await;
        envoy.plant_secret("of-the-first-client");
        is_shown_to_its_owner_and_deleted(&envoy).await;
        envoy.finish();
    }
}

/// A restart empties the store, and the client is told that its id is not known any more.
#[tokio::test]
async fn a_restart_forgets_and_says_so() {
    let upstream = OwnUpstream::start_asked(model).await;
    let plugin = config(Headers::Flow, json!({"store": MEMORY}));
    let envoy = Envoy::start(upstream.address, &plugin, Headers::Flow).await;
    let id = Conversation::new(&envoy, false).send(json!("question")).await["id"].clone();
    envoy.finish();
    let envoy = Envoy::start(upstream.address, &plugin, Headers::Flow).await;
    assert_eq!(next_turn(&envoy, &id).await, (400, json!("previous_response_not_found")));
    envoy.finish();
}

/// Ids of stored responses come from Envoy's random source, and no two have anything in common.
#[tokio::test]
async fn ids_are_random() {
    let upstream = OwnUpstream::start_asked(model).await;
    let plugin = config(Headers::Flow, json!({"store": MEMORY}));
    let envoy = Envoy::start(upstream.address, &plugin, Headers::Flow).await;
    let mut ids = Vec::new();
    for _ in 0..8 {
        let response = Conversation::new(&envoy, false).send(json!("question")).await;
        let digits = response["id"].as_str().unwrap().strip_prefix("resp_").unwrap().to_owned();
        ids.push(u128::from_str_radix(&digits, 16).unwrap());
    }
    for (at, id) in ids.iter().enumerate() {
        for other in &ids[..at] {
            let different = (id ^ other).count_ones();
            assert!((30..100).contains(&different), "{different} bits differ");
        }
    }
    envoy.finish();
}

/// What is written beyond the bounds takes the place of what is old.
#[tokio::test]
async fn the_memory_of_the_store_is_bounded() {
    let upstream = OwnUpstream::start_asked(model).await;
    let plugin = config(Headers::Flow, json!({"store": {"memory": {"bytes": 16 << 20}}}));
    let envoy = Envoy::start(upstream.address, &plugin, Headers::Flow).await;
    let fill = async |count: usize| {
        for _ in 0..count {
            Conversation::new(&envoy, false).send(json!("x".repeat(256 << 10))).await;
        }
        envoy.resident_megabytes()
    };
    let full = fill(128).await;
    let later = fill(256).await;
    assert!(later < full + 16, "{full} MB when the store is full, {later} MB after twice as much again");
    envoy.finish();
}

/// An Envoy that does not let the filter call these functions.
fn without_capabilities(upstream: SocketAddr, plugin: &Value, names: &[&str]) -> Value {
    let mut bootstrap = bootstrap(upstream, &config(Headers::Flow, plugin.clone()), Headers::Flow);
    let allowed = bootstrap.pointer_mut(CAPABILITIES).and_then(Value::as_object_mut).unwrap();
    for name in names {
        assert!(allowed.remove(*name).is_some(), "{name}");
    }
    bootstrap
}

/// Otherwise `random_get` would leave the buffer as it is, and all ids would be the same.
#[test]
fn a_store_without_random_bits_is_refused_at_the_start() {
    let upstream = "127.0.0.1:1".parse().unwrap();
    let bootstrap = without_capabilities(upstream, &json!({"store": MEMORY}), &["random_get"]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("envoy.json");
    std::fs::write(&file, bootstrap.to_string()).unwrap();
    let checked =
        Command::new(envoy_binary()).args(["--mode", "validate", "-c"]).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(!checked.status.success() && said.contains("store needs random_get"), "{said}");
}

/// Without `store`, nothing is written into the memory that workers share, and nothing is read.
#[tokio::test]
async fn without_a_store_nothing_is_kept() {
    let upstream = OwnUpstream::start_asked(model).await;
    // Envoy refuses these calls, so one of them would show in its log.
    let names = ["proxy_get_shared_data", "proxy_set_shared_data", "random_get"];
    let bootstrap = without_capabilities(upstream.address, &json!({}), &names);
    let envoy = Envoy::launch(&bootstrap).await;
    let body = json!({"model": "m", "input": "question", "store": true}).to_string();
    let response = post_with(&envoy.responses_url(), &[], body).await.json();
    assert_eq!(response["store"], false);
    assert_eq!(next_turn(&envoy, &response["id"]).await, (400, json!("previous_response_not_found")));
    assert_eq!(get(&envoy, response["id"].as_str().unwrap(), KEY).await.0, 404);
    assert!(
        !envoy.logged().contains("shared_data") && !envoy.logged().contains("random_get"),
        "{}",
        envoy.logged()
    );
    envoy.finish();
}
