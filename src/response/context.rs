//! What a request settles about its reply, before the first byte of that arrives.

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

/// The ids that are taken, by their hashes: a long stream then keeps eight bytes of each. Of two ids with the same hash
/// the second counts as taken and is replaced.
#[derive(Debug, Default)]
pub(crate) struct CallIds(BTreeSet<u64>);

impl CallIds {
    /// Takes an id. Returns false if it was taken already.
    pub(crate) fn insert(&mut self, id: &str) -> bool {
        let mut hasher = FnvHasher::default();
        hasher.write(id.as_bytes());
        self.0.insert(hasher.finish())
    }
}

/// What a request settles about its reply. The reply's parts take from it what they need.
#[derive(Debug)]
pub(crate) struct ReplyContext {
    /// The fields of the request that the response repeats.
    pub(crate) echo: Echo,
    /// How each tool was declared.
    pub(crate) toolbox: Toolbox,
    /// The ids of all calls of the conversation.
    pub(crate) call_ids: CallIds,
    /// The client wants a stream of events.
    pub(crate) stream: bool,
    /// The object that a client without a stream gets.
    pub(crate) answer: Answer,
    /// The client wants a `compaction` item and no other.
    pub(crate) compact: bool,
    /// The client is Codex.
    pub(crate) codex: bool,
    /// The client includes `reasoning.encrypted_content`.
    pub(crate) seal_reasoning: bool,
    /// Finds reasoning and calls in the text, if the upstream's options ask for it.
    pub(crate) scanner: Option<Scanner>,
    /// The client wants the probability of each token.
    pub(crate) logprobs: bool,
    /// What the upstream wants back with the next request.
    pub(crate) replay: ReasoningReplay,
    /// The client takes several calls at once.
    pub(crate) parallel: bool,
    /// How many bytes may be held.
    pub(crate) limits: Limits,
}

/// The part of the context that decides how items are written.
#[derive(Debug)]
pub(super) struct ItemRules {
    /// How each tool was declared.
    pub(super) toolbox: Toolbox,
    /// The client takes several calls at once. Else the first counts.
    pub(super) parallel_calls: bool,
    /// The client is Codex.
    pub(super) is_codex: bool,
    /// Reasoning items carry `encrypted_content`.
    pub(super) encrypted_reasoning: bool,
    /// What the upstream wants back with the next request.
    pub(super) replay: ReasoningReplay,
}
