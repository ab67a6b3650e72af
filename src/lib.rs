//! An Envoy proxy-wasm HTTP filter that lets clients of the OpenAI Responses API
//! use upstreams that only speak Chat Completions.
//!
//! Everything but `filter` compiles and runs natively and knows nothing of Envoy:
//! bytes and time come in as arguments, bytes come out. The way of the data:
//!
//! ```text
//! client body -> exchange -> request::translate -> upstream body
//! upstream body -> exchange -> response::Reply -> client body
//! ```
//!
//! [`request::translate`] builds the [`response::Reply`] that knows how each tool was
//! declared, so that what comes back is restored by looking it up, never by parsing names.

mod bounds;
pub mod config;
pub mod error;
pub mod exchange;
#[cfg(target_arch = "wasm32")]
mod filter;
pub mod items;
pub mod json;
mod markup;
pub mod metrics;
pub mod report;
pub mod request;
pub mod response;
pub mod sse;
mod tools;
pub mod upstream;
pub mod wire;

#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code, missing_docs)]
mod entry {
    proxy_wasm::main! {{ crate::filter::start(); }}
}
