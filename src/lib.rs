//! An Envoy proxy-wasm HTTP filter that lets clients of the OpenAI Responses API
//! use upstreams that only speak Chat Completions.
//!
//! Everything but `filter` compiles and runs natively and knows nothing of Envoy:
//! bytes and time come in as arguments, bytes come out. The way of the data:
//!
//! ```text
//! client body -> exchange -> translate::request -> upstream body
//! upstream body -> exchange -> translate::Reply -> client body
//! ```
//!
//! [`translate::request`] builds the [`translate::Reply`] that knows how each tool was
//! declared, so that what comes back is restored by looking it up, never by parsing names.

pub mod chat;
pub mod config;
pub mod exchange;
#[cfg(target_arch = "wasm32")]
mod filter;
pub mod items;
pub mod json;
pub mod metrics;
pub mod responses;
pub mod sse;
pub mod translate;
pub mod upstream;

#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code, missing_docs)]
mod entry {
    proxy_wasm::main! {{ crate::filter::start(); }}
}
