//! The upstream's reply on its way to the client: Chat Completions bytes in, Responses bytes out.
//!
//! ```text
//! bytes ─▶ BodyReader ─Completion─▶ ChunkNormalizer ─Delta─▶ ItemSequencer ─▶ EventWriter ─▶ bytes
//! ```
//!
//! * [`body_reader`] reads the upstream's bytes: server-sent events, a JSON document, JSON lines.
//! * [`normalizer`] finds out what a chunk says, whatever the provider's way of saying it.
//! * [`sequencer`] decides in which order items open and close. How an item is written is in [`crate::items`].
//! * [`lifecycle`] begins and ends the response, and [`outcome`] says how it ends.
//! * [`stream`] puts the three in a line.

mod body_reader;
mod budget;
pub(crate) mod context;
mod delta;
mod error_reader;
mod lifecycle;
mod normalizer;
mod outcome;
mod output;
mod reply;
mod sequencer;
mod stats;
mod stream;

pub use reply::Reply;
pub use stats::ReplyStats;
