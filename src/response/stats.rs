//! What a reply came to, for whoever counts.

use super::outcome::Outcome;
use super::{Live, Phase, ResponseStream};
use crate::wire::responses::Usage;

/// What a reply came to. Numbers and names of ours only, nothing of what was said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplyStats {
    /// It was cut by the token limit or a content filter.
    pub incomplete: bool,
    /// The tokens, as the upstream counts them.
    pub usage: Option<Usage>,
    /// The type of the item of each tool call that the client got whole.
    pub calls: Vec<&'static str>,
    /// How many calls were begun upstream and did not arrive whole.
    pub lost_calls: usize,
    /// How much text is held for it.
    pub held_bytes: usize,
    /// The size of its largest event.
    pub largest_event: usize,
}

impl ResponseStream {
    /// What the reply has come to so far.
    pub(crate) fn stats(&self) -> ReplyStats {
        // Of calls beyond the one that was asked for, the report tells.
        let begun = (0..self.calls.len()).filter(|number| !self.is_surplus(*number)).count();
        ReplyStats {
            incomplete: matches!(self.phase, Phase::Over(Outcome::Incomplete(_))),
            usage: self.usage,
            lost_calls: begun.saturating_sub(self.stats.calls.len()),
            held_bytes: self.stats.held_bytes.max(self.kept_bytes),
            ..self.stats.clone()
        }
    }

    /// Whether the model has said, thought or called something.
    pub(crate) fn has_output(&self) -> bool {
        !matches!(self.live, Live::Nothing) || !self.out.items().is_empty()
    }

    /// An event of this size came.
    pub(crate) fn saw_event(&mut self, bytes: usize) {
        self.stats.largest_event = self.stats.largest_event.max(bytes);
    }

    /// A document of this size was held.
    pub(crate) fn held_document(&mut self, bytes: usize) {
        self.stats.held_bytes = bytes;
    }

    /// The client got a call whole.
    pub(super) fn handed_over(&mut self, item: &'static str) {
        self.stats.calls.push(item);
    }
}
