//! The filter in a real Envoy, without Codex: bodies and headers, sizes and ends, in both header modes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // Tests stop where they stand.

mod life;
mod own_upstream;
mod raw_upstream;
mod refusals;
mod replies;
mod requests;
#[path = "../support/mod.rs"]
mod support;
mod trust;
mod two_upstreams;

use support::Headers;

const BOTH: [Headers; 2] = [Headers::Flow, Headers::Held];

/// A plugin configuration for a header mode.
fn config(headers: Headers, more: serde_json::Value) -> String {
    let mut config = more;
    config["hold_request_headers"] = serde_json::json!(headers == Headers::Held);
    config.to_string()
}
