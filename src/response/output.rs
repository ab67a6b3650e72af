//! The output for the deltas of a reply: items as they arrive, or a summary of the conversation.

use super::budget::Budget;
use super::delta::{Delta, DeltaSink};
use super::outcome::{Failure, Outcome};
use super::sequencer::ItemSequencer;
use crate::items::{ContentKind, EventWriter, OpenCompaction};
use crate::report::Dropped;

/// The destination of a reply's deltas. A reply has one, in its own box.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)]
pub(super) enum Output {
    /// The items of a response.
    Items(ItemSequencer),
    /// A `compaction` item, for `POST /responses/compact` and after a `compaction_trigger`.
    Summary(SummaryCollector),
}

/// Collects the text of a summary. Reasoning is dropped, and no tool is called for a summary.
#[derive(Debug)]
pub(super) struct SummaryCollector {
    /// `None` until there is text: a client that got an empty summary would lose the conversation.
    item: Option<OpenCompaction>,
    budget: Budget,
    writer: EventWriter,
}

impl SummaryCollector {
    pub(super) fn new(budget: Budget, writer: EventWriter) -> Self {
        Self { item: None, budget, writer }
    }

    fn is_blank(&self) -> bool {
        self.item.is_none() && self.writer.items().is_empty()
    }

    fn complete(&mut self) {
        if let Some(item) = self.item.take() {
            item.close(&mut self.writer);
        }
    }

    fn delta(&mut self, delta: Delta<'_>) -> Result<(), Failure> {
        match delta {
            // A client that got a refusal as the summary would lose the conversation.
            Delta::Content { kind: ContentKind::Refusal, .. } => {}
            Delta::Content { kind: ContentKind::Text, text, .. } => {
                self.budget.charge(text.escaped().len())?;
                if !text.is_empty() {
                    let Self { item, writer, .. } = self;
                    item.get_or_insert_with(|| OpenCompaction::open(writer)).push(&text);
                }
            }
            Delta::Citation(_) => self.writer.report_mut().dropped(Dropped::Annotation, "url_citation"),
            Delta::Unsupported { kind, name } => {
                self.budget.charge(name.len())?;
                self.writer.report_mut().dropped(kind, name);
            }
            Delta::Reasoning(_) | Delta::ReasoningDetails { .. } | Delta::Call(_) | Delta::EndOfMessage => {}
        }
        Ok(())
    }
}

impl DeltaSink for Output {
    fn delta(&mut self, delta: Delta<'_>) -> Result<(), Failure> {
        match self {
            Self::Items(items) => items.delta(delta),
            Self::Summary(summary) => summary.delta(delta),
        }
    }

    fn is_blank(&self) -> bool {
        match self {
            Self::Items(items) => items.is_blank(),
            Self::Summary(summary) => summary.is_blank(),
        }
    }
}

impl Output {
    /// Whether an item was begun that the client can see.
    pub(super) fn has_items(&self) -> bool {
        match self {
            Self::Items(items) => items.has_items(),
            Self::Summary(summary) => !summary.is_blank(),
        }
    }

    /// Whether calls are possible and none was made.
    pub(super) fn lacks_calls(&self) -> bool {
        match self {
            Self::Items(items) => !items.has_calls(),
            Self::Summary(_) => false,
        }
    }

    /// Whether a summary is wanted and there is none. An empty one would erase the conversation.
    pub(super) fn lacks_summary(&self) -> bool {
        match self {
            Self::Items(_) => false,
            Self::Summary(summary) => summary.item.is_none(),
        }
    }

    /// Fails unless each call that was begun can be delivered complete.
    pub(super) fn check_calls(&self) -> Outcome {
        match self {
            Self::Items(items) => items.check_calls(),
            Self::Summary(_) => Ok(()),
        }
    }

    /// The reply is complete: writes and closes all items.
    pub(super) fn complete(&mut self) -> Result<(), Failure> {
        match self {
            Self::Items(items) => items.complete(),
            Self::Summary(summary) => {
                summary.complete();
                Ok(())
            }
        }
    }

    /// The reply was cut: closes the open item as incomplete. Queued items came after it and are dropped, because an
    /// incomplete item must be the last.
    pub(super) fn cut(&mut self) {
        if let Self::Items(items) = self {
            items.cut();
        }
    }

    /// Reports the calls that were dropped because the client wants one call at a time.
    pub(super) fn report_surplus_calls(&mut self) {
        if let Self::Items(items) = self {
            items.report_surplus_calls();
        }
    }

    /// The item type of each call that was delivered complete, e.g. `function_call`.
    pub(super) fn delivered_calls(&self) -> Vec<&'static str> {
        match self {
            Self::Items(items) => items.delivered_calls(),
            Self::Summary(_) => Vec::new(),
        }
    }

    /// How many calls were begun and not delivered.
    pub(super) fn lost_calls(&self) -> usize {
        match self {
            Self::Items(items) => items.lost_calls(),
            Self::Summary(_) => 0,
        }
    }

    /// Bytes that are kept until the end of the reply.
    pub(super) fn held_bytes(&self) -> usize {
        match self {
            Self::Items(items) => items.held_bytes(),
            Self::Summary(summary) => summary.budget.held(),
        }
    }

    pub(super) fn writer(&self) -> &EventWriter {
        match self {
            Self::Items(items) => items.writer(),
            Self::Summary(summary) => &summary.writer,
        }
    }

    pub(super) fn writer_mut(&mut self) -> &mut EventWriter {
        match self {
            Self::Items(items) => items.writer_mut(),
            Self::Summary(summary) => &mut summary.writer,
        }
    }
}
