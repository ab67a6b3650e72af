//! The tests that only need cargo: the library through its public interface, and the documentation.
//!
//! The other test programs need Envoy, the wasm module, clients or servers. `make test` sets those up and runs them all.
// A failing test panics.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice
)]

mod architecture;
mod config;
#[path = "../deviations/mod.rs"]
mod deviations;
mod docs;
mod exchange;
mod golden;
#[path = "../grammar/mod.rs"]
mod grammar;
mod history;
mod limits;
mod reply;
mod reports;
mod request;
mod support;
mod tool_kinds;
