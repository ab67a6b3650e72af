//! What a request settles about its reply, before the first byte of that comes.

use crate::config::Limits;
use crate::items::Toolbox;
use crate::markup::Scanner;
use crate::upstream::ReasoningReplay;
use crate::wire::responses::Echo;
use fnv::FnvHasher;
use std::collections::BTreeSet;
use std::hash::Hasher;

/// The object that a client without a stream gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// `response`.
    Response,
    /// `response.compaction`.
    Compaction,
}

/// Ids that are taken, by their hashes: a stream that is open for long keeps eight bytes of each. Of two ids with the
/// same hash the second passes for taken, and gets another name.
#[derive(Debug, Default)]
pub(crate) struct CallIds(BTreeSet<u64>);

impl CallIds {
    /// Takes an id. False if it was taken already.
    pub(crate) fn insert(&mut self, id: &str) -> bool {
        let mut hasher = FnvHasher::default();
        hasher.write(id.as_bytes());
        self.0.insert(hasher.finish())
    }
}

/// What the request settled about its reply.
#[derive(Debug)]
pub(crate) struct ReplyContext {
    /// What the response repeats.
    pub(crate) echo: Echo,
    /// How each tool was declared.
    pub(crate) toolbox: Toolbox,
    /// The ids of all calls of the conversation.
    pub(crate) call_ids: CallIds,
    /// The client wants events.
    pub(crate) stream: bool,
    /// The object that the client gets.
    pub(crate) answer: Answer,
    /// The client wants a compaction item.
    pub(crate) compact: bool,
    /// The client is Codex.
    pub(crate) codex: bool,
    /// The client wants `encrypted_content`.
    pub(crate) seal_reasoning: bool,
    /// What to look for in the text.
    pub(crate) scanner: Option<Scanner>,
    /// The client wants the probability of each token.
    pub(crate) logprobs: bool,
    /// What the host wants back.
    pub(crate) replay: ReasoningReplay,
    /// The client takes several calls at once.
    pub(crate) parallel: bool,
    /// What may be kept.
    pub(crate) limits: Limits,
}
