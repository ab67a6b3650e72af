//! Server-sent events: the framing of the upstream's stream and of the client's.
//!
//! What the data of an event means is defined in [`crate::wire`].

pub mod decode;
pub mod encode;
