//! Real clients and real upstream servers with a real Envoy between them: Codex CLI, the SDKs, llama.cpp and mlx-lm.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // A failing test panics.
#![allow(unreachable_pub)] // Modules of a test.

mod codex;
mod codex_config;
mod llamacpp;
mod mlx;
mod probe;
mod sdk;
#[path = "../support/mod.rs"]
mod support;
