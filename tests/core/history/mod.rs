//! Earlier turns in a request: what of them is sent upstream again.

mod compaction;
mod conversation;
mod encrypted_content;
mod reasoning_replay;
mod round_trip;
