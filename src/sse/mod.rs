//! Server-sent events: the frames in which a stream comes in and goes out.
//!
//! Only framing lives here. What an event's data means is for `chat` (coming in) and
//! `responses` (going out) to know.

pub mod decode;
pub mod encode;
