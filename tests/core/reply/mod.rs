//! Replies: what a client receives for the reply of an upstream.

mod arguments;
mod broken_chunks;
mod deviations;
mod metadata;
mod recorded;
mod shell;
mod sse;
mod text_calls;
