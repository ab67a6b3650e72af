//! What a request determines about its reply, before the first byte of that arrives.

use crate::config::Limits;
use crate::items::Toolbox;
use crate::markup::Scanner;
use crate::upstream::ReasoningReplay;
use crate::wire::responses::Echo;
use fnv::FnvHasher;
use std::collections::BTreeSet;
use std::hash::Hasher;

/// What the client gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplyKind {
    /// A `response` with the items that the model produces.
    Items,
    /// A `response` whose only item is a summary of the conversation (`compaction_trigger`).
    Summary,
    /// A `response.compaction` object with such a summary (`POST /responses/compact`).
    CompactionObject,
}

/// The hashes of the ids in use, which take only eight bytes each in a long stream. Of two ids with the same hash, the
/// second counts as in use and is replaced.
#[derive(Debug, Default)]
pub(crate) struct CallIds {
    /// Those of the history, sorted. Most replies ask for none of them.
    earlier: Vec<u64>,
    /// Those of the reply.
    own: BTreeSet<u64>,
}

impl CallIds {
    /// Adds an id. Returns false if it was already in use.
    pub(crate) fn insert(&mut self, id: &str) -> bool {
        let hash = hash(id);
        self.earlier.binary_search(&hash).is_err() && self.own.insert(hash)
    }
}

/// The ids of the history.
impl<'i> FromIterator<&'i str> for CallIds {
    fn from_iter<I: IntoIterator<Item = &'i str>>(ids: I) -> Self {
        let mut earlier: Vec<u64> = ids.into_iter().map(hash).collect();
        earlier.sort_unstable();
        Self { earlier, own: BTreeSet::new() }
    }
}

fn hash(id: &str) -> u64 {
    let mut hasher = FnvHasher::default();
    hasher.write(id.as_bytes());
    hasher.finish()
}

/// What a request determines about its reply. Each part of the reply takes what it needs.
#[derive(Debug)]
pub(crate) struct ReplyContext {
    /// What the client gets.
    pub(crate) kind: ReplyKind,
    /// The client wants a stream of events.
    pub(crate) stream: bool,
    pub(crate) response: ResponseRules,
    /// The ids of all calls of the conversation.
    pub(crate) call_ids: CallIds,
    pub(crate) text: TextRules,
    pub(crate) items: ItemRules,
    pub(crate) upstream: UpstreamRules,
    /// How many bytes may be held.
    pub(crate) limits: Limits,
}

/// What the response object shows, and whether it is kept.
#[derive(Debug)]
pub(crate) struct ResponseRules {
    /// The fields of the request that the response repeats.
    pub(crate) echo: Echo,
    /// How many bytes the response may have in its record; `None` if it is not to be stored.
    pub(crate) record_room: Option<usize>,
}

/// What the upstream's options say about its replies.
#[derive(Debug)]
pub(crate) struct UpstreamRules {
    /// The reasoning that it needs back with the next request.
    pub(crate) replay: ReasoningReplay,
    /// Every complete reply has a finish reason.
    pub(crate) has_finish_reason: bool,
}

/// How the model's text is read.
#[derive(Debug)]
pub(crate) struct TextRules {
    /// Finds reasoning and calls in the text, if the upstream's options ask for it.
    pub(crate) scanner: Option<Scanner>,
    /// Finds calls that stay in the text, because the options do not ask for them.
    pub(crate) unread: Option<Scanner>,
    /// Finds calls in reasoning.
    pub(crate) in_reasoning: Option<Scanner>,
    /// The client wants the probability of each token.
    pub(crate) logprobs: bool,
}

/// How items are written.
#[derive(Debug)]
pub(crate) struct ItemRules {
    /// How each tool was declared.
    pub(crate) toolbox: Toolbox,
    /// The client accepts several calls at once. Otherwise only the first counts.
    pub(crate) parallel_calls: bool,
    /// The client is Codex.
    pub(crate) is_codex: bool,
    /// The client includes `reasoning.encrypted_content`.
    pub(crate) encrypted_reasoning: bool,
}
