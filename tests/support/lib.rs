//! Shared by the tests with real processes: the scripted upstream, Envoy with the filter, Codex, and a reader of SSE.
//!
//! Every wait has a limit, and no process outlives the value that started it. The module asks for: the examples
//! (`cargo test` builds them; `cargo test --test NAME` alone does not), the wasm module (`make wasm`), Envoy, and
//! `tests/clients/setup` for the real clients. What is missing is named, never skipped.

mod bootstrap;
mod client;
mod codex;
mod envoy;
mod fleet;
#[path = "../grammar/mod.rs"]
pub mod grammar;
pub mod own_upstream;
mod process;
pub mod real;
mod recording;
pub mod schemas;
mod upstream;

pub use {
    bootstrap::{
        bootstrap, capabilities, cluster, clusters, http_filters, local_reply_config, manager, manager_of,
        routes, set_http_options, socket, virtual_host,
    },
    client::{Answer, post, post_with},
    codex::{Codex, Turn},
    envoy::{
        Envoy, Headers, Launch, MODULES, binary as envoy_binary, command as envoy_command, minor_version,
        module, native_binary as native_envoy_binary, native_module, trap_module,
    },
    fleet::{fleet, shipped, with_key},
    process::{Process, example, project, without_cargo},
    upstream::{Seen, Upstream},
};
