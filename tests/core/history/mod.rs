//! Earlier turns of a conversation: how they are sent upstream again.

mod async_calls;
mod compaction;
mod configuration_update;
mod conversation;
mod encrypted_content;
mod reasoning_replay;
mod round_trip;
mod withheld;
