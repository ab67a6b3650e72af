//! An Envoy HTTP filter (proxy-wasm) that lets clients of the OpenAI Responses API use upstreams that only implement
//! Chat Completions.
//!
//! Everything except the private modules `adapter`, `filter` and `dynamic_module` does no I/O: bytes and time are arguments, bytes
//! are results. The same input always gives the same output.
//!
//! ```text
//! client body   -> exchange -> request::translate -> upstream body
//! upstream body -> exchange -> response::Reply    -> client body
//! ```
//!
//! # A request
//!
//! ```
//! use transponder::config::Config;
//! use transponder::request::{self, Context};
//!
//! let config = Config::default();
//! let context = Context { config: &config, seed: 7, now: 1_764_000_000, codex: false };
//! let body = br#"{"model": "m", "instructions": "Be brief.", "input": "Hi"}"#;
//! let translated = request::translate(body, &context).expect("a valid request");
//!
//! assert_eq!(translated.path, "/v1/chat/completions");
//! let messages = r#"[{"role":"system","content":"Be brief."},{"role":"user","content":"Hi"}]"#;
//! assert_eq!(translated.body, format!(r#"{{"model":"m","messages":{messages}}}"#).into_bytes());
//! ```
//!
//! # Its reply
//!
//! Translating a request also builds the [`response::Reply`], which knows how each tool was declared. It takes the
//! upstream's bytes in pieces of any size; events are written as soon as their bytes have come.
//!
//! ```
//! # use transponder::config::Config;
//! # use transponder::request::{self, Context};
//! # let config = Config::default();
//! # let context = Context { config: &config, seed: 7, now: 1_764_000_000, codex: false };
//! let body = br#"{"model": "m", "input": "Hi", "stream": true}"#;
//! let mut reply = request::translate(body, &context).expect("a valid request").reply;
//! let mut events = Vec::new();
//!
//! reply.begin(200);
//! reply.push(b"data: {\"choices\":[{\"delta\":{\"content\":\"Hel", &mut events);
//! assert!(events.is_empty());
//! reply.push(b"lo\"}}]}\n\n", &mut events);
//! assert!(String::from_utf8_lossy(&events).contains(r#""delta":"Hello""#));
//!
//! reply.push(b"data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n", &mut events);
//! assert!(String::from_utf8_lossy(&events).contains("event: response.completed"));
//! assert!(reply.is_done());
//! ```

pub mod config;
pub mod error;
pub mod exchange;
pub mod metrics;
pub mod report;
pub mod request;
pub mod response;

// Public for the tests, fuzz targets and benchmarks only. They are not part of the contract and may change at any time.
#[doc(hidden)]
pub mod items;
#[doc(hidden)]
pub mod json;
#[doc(hidden)]
pub mod sse;
#[doc(hidden)]
pub mod store;
#[doc(hidden)]
pub mod upstream;
#[doc(hidden)]
pub mod wire;

#[cfg(any(target_arch = "wasm32", feature = "dynamic-module"))]
mod adapter;
mod bounds;
mod catalog;
#[cfg(all(not(target_arch = "wasm32"), feature = "dynamic-module"))]
mod dynamic_module;
#[cfg(target_arch = "wasm32")]
mod filter;
mod markup;
mod search;
mod tools;

#[cfg(target_arch = "wasm32")]
#[allow(unsafe_code, missing_docs)]
mod entry {
    proxy_wasm::main! {{ crate::filter::start(); }}
}
