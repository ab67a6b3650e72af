//! What the tests with real processes share: the scripted upstream, Envoy with the filter, Codex, and a reader of SSE.
//!
//! ```ignore
//! mod support;
//!
//! #[tokio::test]
//! async fn a_call_comes_back() {
//!     let upstream = support::Upstream::start().await;
//!     upstream.script(json!({"replies": [{"text": "Hi"}]})).await;
//!     let envoy = support::Envoy::start(upstream.address(), "{}", support::Headers::Flow).await;
//!     let answer = support::post(&envoy.responses_url(), &json!({"model": "m", "input": "Hi", "stream": true})).await;
//!     assert_eq!(answer.status, 200);
//!     envoy.finish();
//! }
//! ```
//!
//! Every wait has a limit, and no process outlives the value that started it. The module asks for: the examples
//! (`cargo test` builds them; `cargo test --test NAME` alone does not), the wasm module (`make wasm`), Envoy, and
//! `tests/clients/setup` for the real clients. What is missing is named, never skipped.

// A test stops where it stands, and each test binary uses its own part of this module.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod client;
mod codex;
mod envoy;
#[path = "../grammar/mod.rs"]
pub mod grammar;
mod process;
mod recording;
pub mod schemas;
mod upstream;

// No test binary uses all of it.
#[allow(unused_imports)]
pub use {
    client::{Answer, post, post_with},
    codex::{Codex, Turn},
    envoy::{Envoy, Headers, binary as envoy_binary, bootstrap, capabilities, cluster, module},
    process::{Process, example, project, without_cargo},
    upstream::{Seen, Upstream},
};
