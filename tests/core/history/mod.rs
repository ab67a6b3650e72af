//! Earlier turns of a conversation: how they are sent upstream again.

mod compaction;
mod conversation;
mod encrypted_content;
mod reasoning_replay;
mod round_trip;
