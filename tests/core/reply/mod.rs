//! What a client gets for each reply of an upstream.

mod metadata;
mod provider_quirks;
mod recorded;
mod sse;
