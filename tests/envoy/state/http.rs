//! Stores over HTTP, when all goes well.

use super::stores::{Kind, StoreServer};
use super::{Conversation, is_shown_to_its_owner_and_deleted, model, operations, with_store};
use crate::config;
use serde_json::json;
use support::own_upstream::OwnUpstream;
use support::{Envoy, Headers, post_with};

#[tokio::test]
async fn a_conversation_goes_on_from_what_a_server_keeps() {
    for kind in [Kind::Nginx, Kind::S3] {
        for headers in Headers::all() {
            let upstream = OwnUpstream::start_asked(model).await;
            let store = StoreServer::start(kind).await;
            let plugin = config(headers, json!({"store": {"http": store.settings()}}));
            let bootstrap = with_store(upstream.address, &plugin, headers, &store.cluster());
            let mut envoy = Envoy::launch(&bootstrap).await;
            envoy.plant_secret("of-the-first-client");
            for stream in [true, false] {
                let mut conversation = Conversation::new(&envoy, stream);
                for turn in 1..=3 {
                    let told = conversation.turn(&format!("question {turn}")).await;
                    assert_eq!(told, format!("{} messages", 4 * turn - 1), "{kind:?} {headers:?}");
                }
            }
            let count = (operations(&envoy, "write", "done").await, operations(&envoy, "read", "done").await);
            assert_eq!(count, (12, 10));
            assert_eq!(store.records().len(), 12);
            envoy.finish();
        }
    }
}

#[tokio::test]
async fn what_a_server_keeps_is_shown_to_its_owner_and_deleted() {
    for kind in [Kind::Nginx, Kind::S3] {
        for headers in Headers::all() {
            let upstream = OwnUpstream::start_asked(model).await;
            let store = StoreServer::start(kind).await;
            let plugin = config(headers, json!({"store": {"http": store.settings()}}));
            let envoy =
                Envoy::launch(&with_store(upstream.address, &plugin, headers, &store.cluster())).await;
            is_shown_to_its_owner_and_deleted(&envoy).await;
            assert!(store.records().is_empty());
            envoy.finish();
        }
    }
}

/// What a client does not want to be stored makes no request to the store.
#[tokio::test]
async fn a_client_that_stores_nothing_does_not_meet_the_store() {
    let upstream = OwnUpstream::start_asked(model).await;
    // Nothing listens there.
    let address = "127.0.0.1:1".parse().unwrap();
    for headers in Headers::all() {
        let http = json!({"cluster": "responses", "path": "/{owner}/{id}"});
        let plugin = config(headers, json!({"store": {"http": http}}));
        let cluster = support::cluster("responses", address);
        let envoy = Envoy::launch(&with_store(upstream.address, &plugin, headers, &cluster)).await;
        let body = json!({"model": "m", "input": "question", "store": false}).to_string();
        let answer = post_with(&envoy.responses_url(), &[], body).await;
        assert_eq!((answer.status, &answer.json()["store"]), (200, &json!(false)));
        assert_eq!(envoy.stat("cluster.responses.upstream_rq_total").await, 0);
        assert_eq!(envoy.stat("cluster.responses.upstream_cx_total").await, 0);
        envoy.finish();
    }
}
