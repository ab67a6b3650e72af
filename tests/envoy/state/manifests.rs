//! The configuration of `envoy/fleet` that keeps responses in a bucket, with a real server for the bucket.

use super::model;
use super::stores::{Kind, StoreServer};
use super::{Conversation, operations};
use serde_json::Value;
use support::own_upstream::OwnUpstream;
use support::{Envoy, fleet};

#[tokio::test]
async fn the_configuration_with_a_bucket_serves_and_reads_its_key_from_a_file() {
    let upstream = OwnUpstream::start_asked(model).await;
    let store = StoreServer::start(Kind::S3).await;
    let clusters = [("upstream", &[upstream.address][..]), ("responses", &[store.address][..])];
    let keys = tempfile::tempdir().unwrap();
    std::fs::write(keys.path().join("credentials"), StoreServer::credentials()).unwrap();
    let config = fleet("state", &clusters).to_string();
    let config = config.replace("/etc/transponder/responses", keys.path().to_str().unwrap());
    let envoy = Envoy::launch(&serde_json::from_str::<Value>(&config).unwrap()).await;
    let mut conversation = Conversation::new(&envoy, true);
    for turn in 1..=2 {
        assert_eq!(conversation.turn("question").await, format!("{} messages", 4 * turn - 1));
    }
    assert_eq!(store.records().len(), 4);
    assert_eq!(operations(&envoy, "read", "done").await, 3);
    envoy.finish();
}
