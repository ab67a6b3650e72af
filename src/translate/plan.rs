//! What a request settles about its reply, before the first byte of that comes.

use super::markup::Scanner;
use super::toolbox::Toolbox;
use crate::config::Limits;
use crate::responses::Echo;
use crate::upstream::ReasoningReplay;
use fnv::FnvHasher;
use std::collections::BTreeSet;
use std::hash::Hasher;

/// The object that a client without a stream gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// `response`.
    Response,
    /// `response.compaction`.
    Compaction,
}

/// Ids that are taken, by their hashes: a stream that is open for long keeps eight bytes of each. Of two ids with the
/// same hash the second passes for taken, and gets another name.
#[derive(Debug, Default)]
pub(super) struct CallIds(BTreeSet<u64>);

impl CallIds {
    /// Takes an id. False if it was taken already.
    pub(super) fn insert(&mut self, id: &str) -> bool {
        let mut hasher = FnvHasher::default();
        hasher.write(id.as_bytes());
        self.0.insert(hasher.finish())
    }
}

/// What the request settled about its reply.
#[derive(Debug)]
pub(super) struct Plan {
    /// What the response repeats.
    pub(super) echo: Echo,
    /// How each tool was declared.
    pub(super) toolbox: Toolbox,
    /// The ids of all calls of the conversation.
    pub(super) call_ids: CallIds,
    /// The client wants events.
    pub(super) stream: bool,
    /// The object that the client gets.
    pub(super) answer: Answer,
    /// The client wants a compaction item.
    pub(super) compact: bool,
    /// The client is Codex.
    pub(super) codex: bool,
    /// The client wants `encrypted_content`.
    pub(super) seal_reasoning: bool,
    /// What to look for in the text.
    pub(super) scanner: Option<Scanner>,
    /// The client wants the probability of each token.
    pub(super) logprobs: bool,
    /// What the host wants back.
    pub(super) replay: ReasoningReplay,
    /// The client takes several calls at once.
    pub(super) parallel: bool,
    /// What may be kept.
    pub(super) limits: Limits,
}
