//! Each strict upstream accepts the bodies of its preset.

#[path = "../core/request/presets/requests.rs"]
mod requests;

use requests::{codex, sdk, structured, translated};
use serde_json::{Value, json};
use support::{Upstream, post};
use transponder::upstream::preset_names;

#[tokio::test]
async fn each_strict_upstream_accepts_the_bodies_of_its_preset() {
    let upstream = Upstream::start().await;
    for preset in preset_names() {
        upstream.script(json!({ "strict": preset })).await;
        for request in [codex(preset), sdk(), structured()] {
            let body: Value = serde_json::from_slice(&translated(preset, &request).body).unwrap();
            let answer = post(&format!("{}/chat/completions", upstream.base_url()), &body).await;
            assert_eq!(answer.status, 200, "{preset}: {}\n{body:#}", answer.text());
        }
    }
}
