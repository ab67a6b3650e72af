//! The upstream's reply on its way to the client: Chat Completions bytes in, Responses bytes out.
//!
//! ```text
//! bytes ─▶ BodyReader ─▶ ChunkReader ─Completion─▶ ChunkNormalizer ─Delta─▶ ItemSequencer ─▶ EventWriter ─▶ bytes
//! ```
//!
//! * [`body_reader`] reads the upstream's bytes: server-sent events, a JSON document, JSON lines. [`chunk_reader`] reads the
//!   chunks in them.
//! * [`normalizer`] turns chunks into deltas and handles all differences between providers.
//! * [`sequencer`] decides in which order items open and close. How an item is written is in [`crate::items`].
//! * [`lifecycle`] begins and ends the response, and [`outcome`] decides how it ends.
//! * [`stream`] connects these three.
//! * [`count_reader`] and [`error_reader`] read replies that have no chunks.

mod body_reader;
mod budget;
mod chunk_reader;
pub(crate) mod context;
mod count_reader;
mod delta;
mod error_reader;
mod finished;
mod lifecycle;
mod normalizer;
mod not_stored;
mod outcome;
mod output;
mod reply;
mod sequencer;
mod stats;
mod stream;
mod without_output;

pub(crate) use not_stored::mark_not_stored;
pub use reply::Reply;
pub use stats::ReplyStats;
pub(crate) use stream::StoredResponse;
pub(crate) use without_output::without_output;

use crate::store::ResponseId;
use std::fmt::Write;

/// The id of the response.
fn response_id(seed: u128) -> String {
    let mut id = String::with_capacity(ResponseId::BYTES);
    // Writing to memory cannot fail.
    let _ = write!(id, "{}", ResponseId::of_seed(seed));
    id
}
