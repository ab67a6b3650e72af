//! One reply on its way to the client.

use super::budget::Budget;
use super::context::{ReplyContext, ReplyKind, ResponseRules};
use super::lifecycle::{Ended, Lifecycle};
use super::normalizer::chunk_template::Piece;
use super::normalizer::{ChunkNormalizer, Ending, FinishReason};
use super::outcome::{End, Failure, Mark, Outcome, judge};
use super::output::{Output, SummaryCollector};
use super::response_id;
use super::sequencer::ItemSequencer;
use super::stats::ReplyStats;
use crate::items::{ContentKind, EventWriter};
use crate::report::Report;
use crate::wire::chat::reply::Completion;

/// Takes chunks and writes events. Its parts form a line:
///
/// ```text
/// chunk ─▶ ChunkNormalizer ─Delta─▶ Output (ItemSequencer) ─▶ EventWriter ─▶ events
///          Lifecycle: the first and last events of the response
/// ```
///
/// A failure travels up by `?` to the caller, who ends the reply with it in [`end`](Self::end). Times are Unix seconds.
#[derive(Debug)]
pub(super) struct ResponseStream {
    lifecycle: Lifecycle,
    input: ChunkNormalizer,
    output: Output,
    /// Every complete reply of the upstream has a finish reason.
    has_finish_reason: bool,
    /// How many bytes the response may have in its record; `None` if it is not to be stored.
    record_room: Option<usize>,
    /// Filled at the end.
    stored: StoredResponse,
}

/// The response as it is stored.
#[derive(Debug, Default)]
pub(crate) enum StoredResponse {
    /// It is not: nobody wants it, or it failed.
    #[default]
    NotWanted,
    /// It is not: the record would be too large.
    TooLarge,
    /// The response in JSON.
    Response(String),
}

impl ResponseStream {
    /// `seed`: differs from exchange to exchange; all ids derive from it.
    pub(super) fn new(context: ReplyContext, seed: u128, now: u64) -> Self {
        let ReplyContext { kind, stream, response, call_ids, text, items, upstream, limits } = context;
        let ResponseRules { echo, record_room } = response;
        // As text, a refusal would become the summary.
        let refusals_are_text = items.is_codex && kind == ReplyKind::Items;
        let refusal_kind = if refusals_are_text { ContentKind::Text } else { ContentKind::Refusal };
        let budget = Budget::new(limits.reply_bytes);
        let writer = EventWriter::new(seed, stream);
        Self {
            lifecycle: Lifecycle::new(response_id(seed), kind, now, echo),
            input: ChunkNormalizer::new(text, refusal_kind, items.toolbox.names()),
            output: match kind {
                ReplyKind::Items => {
                    Output::Items(ItemSequencer::new(items, call_ids, upstream.replay, budget, writer))
                }
                ReplyKind::Summary | ReplyKind::CompactionObject => {
                    Output::Summary(SummaryCollector::new(budget, writer))
                }
            },
            has_finish_reason: upstream.has_finish_reason,
            record_room,
            stored: StoredResponse::NotWanted,
        }
    }

    /// The next chunk, or a complete completion.
    pub(super) fn chunk(&mut self, chunk: &Completion<'_>, now: u64) -> Result<(), Failure> {
        self.lifecycle.run(now, self.output.writer_mut());
        self.lifecycle.set_service_tier(chunk.service_tier);
        self.input.read(chunk, &mut self.output)
    }

    /// The next chunk, of which only this value has a meaning.
    pub(super) fn piece(&mut self, piece: &Piece<'_>, now: u64) -> Result<(), Failure> {
        self.lifecycle.run(now, self.output.writer_mut());
        self.input.piece(piece, &mut self.output)
    }

    /// The upstream is alive but sends no chunk.
    pub(super) fn keep_alive(&mut self, now: u64) {
        self.lifecycle.keep_alive(now, self.output.writer_mut());
    }

    /// Ends the reply and writes the last events. Call it once; nothing may follow.
    pub(super) fn end(&mut self, end: End, now: u64) -> Outcome {
        self.lifecycle.run(now, self.output.writer_mut());
        let outcome = self.outcome(end);
        if let Err(Failure::Incomplete(_)) = outcome {
            self.output.cut();
        }
        self.output.report_surplus_calls();
        self.lifecycle.note(self.output.writer().report());
        let usage = self.input.ending().usage;
        let ended = Ended { outcome: &outcome, completed_at: now, usage: usage.as_ref() };
        self.stored = self.to_store(ended);
        if !matches!(self.stored, StoredResponse::Response(_)) {
            self.lifecycle.not_stored();
        }
        self.lifecycle.end(ended, self.output.writer_mut());
        outcome
    }

    /// A reply that failed is no conversation to go on from.
    fn to_store(&self, ended: Ended<'_>) -> StoredResponse {
        let Some(room) = self.record_room.filter(|_| !matches!(ended.outcome, Err(Failure::Failed(_))))
        else {
            return StoredResponse::NotWanted;
        };
        let response = String::from_utf8(self.lifecycle.document(ended, self.output.writer().items()));
        match response {
            Ok(response) if response.len() <= room => StoredResponse::Response(response),
            _ => StoredResponse::TooLarge,
        }
    }

    /// Moves the response that is to be stored, once the reply has ended.
    pub(super) fn take_stored(&mut self) -> StoredResponse {
        std::mem::take(&mut self.stored)
    }

    fn outcome(&mut self, end: End) -> Outcome {
        let mark = match end {
            End::Failed(failure) => return Err(failure),
            End::Marked(Mark::Done) if !self.has_finish_reason => Some(Mark::Complete),
            End::Marked(mark) => Some(mark),
            End::Unmarked => None,
        };
        self.input.finish(&mut self.output)?;
        judge(self.input.ending(), mark, &self.output)?;
        self.output.complete()
    }

    /// The ended response as one JSON document.
    pub(super) fn document(&self, outcome: &Outcome, now: u64) -> Vec<u8> {
        let usage = self.input.ending().usage;
        let ended = Ended { outcome, completed_at: now, usage: usage.as_ref() };
        self.lifecycle.document(ended, self.output.writer().items())
    }

    /// Moves the frames that were written.
    pub(super) fn take_frames(&mut self, into: &mut Vec<u8>) {
        self.output.writer_mut().take_frames(into);
    }

    /// What was dropped or repaired so far.
    pub(super) fn report(&self) -> &Report {
        self.output.writer().report()
    }

    /// Whether the model has produced text, reasoning or a call.
    pub(super) fn has_output(&self) -> bool {
        self.output.has_items()
    }

    /// What was counted so far.
    pub(super) fn stats(&self) -> ReplyStats {
        let Ending { finish, usage, .. } = self.input.ending();
        let text_calls = self.input.text_calls();
        // The upstream's tool parser has missed a call that the token limit cut.
        let cut_in_text = text_calls.ends_within && finish == Some(FinishReason::Length);
        ReplyStats {
            usage,
            calls: self.output.delivered_calls(),
            lost_calls: self.output.lost_calls() + text_calls.lost + usize::from(cut_in_text),
            text_calls: text_calls.unread,
            held_bytes: self.output.held_bytes(),
            ..ReplyStats::default()
        }
    }
}
