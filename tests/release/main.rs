//! What a release consists of: the wasm module, the OCI image, the bill of materials, the licences.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // A failing test panics.

mod dependencies;
mod image;
#[path = "../support/mod.rs"]
mod support;
mod wasm_module;
