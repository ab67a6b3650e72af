//! What a request settles about its reply, before the first byte of that comes.

use super::markup::Scanner;
use super::toolbox::Toolbox;
use crate::config::Limits;
use crate::responses::Echo;
use crate::upstream::ReasoningReplay;
use std::collections::BTreeSet;

/// The object that a client without a stream gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// `response`.
    Response,
    /// `response.compaction`.
    Compaction,
}

/// What the request settled about its reply.
#[derive(Debug)]
pub(super) struct Plan {
    /// What the response repeats.
    pub(super) echo: Echo,
    /// How each tool was declared.
    pub(super) toolbox: Toolbox,
    /// The ids of all calls in the history.
    pub(super) call_ids: BTreeSet<String>,
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
