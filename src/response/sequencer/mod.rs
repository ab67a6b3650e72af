//! The order in which items open and close: one is open at a time.
//!
//! Text closes before a call opens. The first call streams as it arrives. What arrives before its arguments are complete is
//! queued. A call is delivered complete or not at all.

mod calls;
mod open_item;
mod queue;
mod reasoning_details;
mod replay;
#[cfg(test)]
mod tests;
mod waiting_text;

use super::budget::Budget;
use super::context::{CallIds, ItemRules};
use super::delta::{CallDelta, Delta};
use super::outcome::{Failure, Outcome, lost};
use crate::bounds;
use crate::items::{ContentKind, EventWriter, OpenMessage, OpenReasoning};
use crate::json::{JsonStr, RawJson};
use crate::report::Dropped;
use crate::upstream::ReasoningReplay;
use crate::wire::responses::Status;
use calls::{CallLog, OpenedCall, QueuedCall};
use open_item::{NextMessage, OpenItem};
use queue::{Queue, Queued};
use replay::ReplayCollector;
use serde_json::value::RawValue;

/// Turns the deltas of a reply into items, and writes their events.
#[derive(Debug)]
pub(super) struct ItemSequencer {
    rules: ItemRules,
    open: OpenItem,
    queue: Queue,
    calls: CallLog,
    replay: ReplayCollector,
    budget: Budget,
    writer: EventWriter,
}

impl ItemSequencer {
    /// `call_ids`: the ids of the calls in the conversation so far.
    pub(super) fn new(
        rules: ItemRules,
        call_ids: CallIds,
        replay: ReasoningReplay,
        budget: Budget,
        writer: EventWriter,
    ) -> Self {
        Self {
            rules,
            open: OpenItem::default(),
            queue: Queue::default(),
            calls: CallLog::new(call_ids),
            replay: ReplayCollector::new(replay),
            budget,
            writer,
        }
    }

    /// Takes the next delta.
    pub(super) fn delta(&mut self, delta: Delta<'_>) -> Result<(), Failure> {
        match delta {
            Delta::Reasoning(text) => self.reasoning(&text),
            Delta::ReasoningDetails { raw, visible } => self.reasoning_details(raw, visible),
            Delta::Content { kind, text, logprobs } => self.content(kind, &text, logprobs),
            Delta::Call(call) => self.call(call),
            Delta::Citation(citation) => self.citation(citation),
            Delta::EndOfMessage => {
                if let OpenItem::Message(_) = &self.open {
                    self.open = OpenItem::None(self.close(Status::Completed));
                }
                Ok(())
            }
            Delta::Unsupported { kind, name } => {
                self.charge(name.len())?;
                self.writer.report_mut().dropped(kind, name);
                Ok(())
            }
        }
    }

    /// Whether no delta so far becomes an item.
    pub(super) fn is_blank(&self) -> bool {
        !self.has_items() && self.queue.is_empty()
    }

    /// Whether an item was begun.
    pub(super) fn has_items(&self) -> bool {
        !matches!(self.open, OpenItem::None(_)) || !self.writer.items().is_empty()
    }

    /// Whether a call was begun.
    pub(super) fn has_calls(&self) -> bool {
        self.calls.begun() > 0
    }

    /// The item type of each call that was delivered complete, e.g. `function_call`.
    pub(super) fn delivered_calls(&self) -> Vec<&'static str> {
        self.calls.delivered_types()
    }

    /// How many calls were begun and not delivered.
    pub(super) fn lost_calls(&self) -> usize {
        self.calls.lost()
    }

    pub(super) fn held_bytes(&self) -> usize {
        self.budget.held()
    }

    pub(super) fn writer(&self) -> &EventWriter {
        &self.writer
    }

    pub(super) fn writer_mut(&mut self) -> &mut EventWriter {
        &mut self.writer
    }

    fn reasoning(&mut self, text: &JsonStr<'_>) -> Result<(), Failure> {
        if text.is_empty() {
            return Ok(());
        }
        self.charge(text.escaped().len())?;
        if self.must_queue() {
            self.queue.push_reasoning(text);
            return self.drain_queue();
        }
        if let OpenItem::Reasoning(item, _) = &mut self.open {
            item.push(text, &mut self.writer);
            return Ok(());
        }
        let next = self.close_open_item()?;
        self.open_reasoning(text, next);
        Ok(())
    }

    fn reasoning_details(&mut self, raw: &RawValue, visible: bool) -> Result<(), Failure> {
        self.charge(raw.get().len())?;
        let text = self.replay.add_details(raw);
        if visible { self.reasoning(&JsonStr::new(&text)) } else { Ok(()) }
    }

    fn content(
        &mut self,
        kind: ContentKind,
        text: &JsonStr<'_>,
        logprobs: &[RawJson<'static>],
    ) -> Result<(), Failure> {
        if text.is_empty() {
            return Ok(());
        }
        self.charge(text.escaped().len() + logprobs.iter().map(|raw| raw.get().len()).sum::<usize>())?;
        if self.must_queue() {
            self.queue.push_content(kind, text, logprobs);
            return self.drain_queue();
        }
        match &mut self.open {
            OpenItem::Message(item) => {
                item.push(kind, text, logprobs, &mut self.writer);
                return Ok(());
            }
            OpenItem::None(next) | OpenItem::Reasoning(_, next) | OpenItem::Call(_, next) => {
                next.pending_text.push(text, logprobs);
            }
        }
        if text.is_blank() {
            return Ok(());
        }
        let NextMessage { pending_text, citations } = self.close_open_item()?;
        let (text, logprobs) = pending_text.finish();
        self.open_message(kind, &text, &logprobs, citations);
        Ok(())
    }

    fn citation(&mut self, citation: RawJson<'static>) -> Result<(), Failure> {
        self.charge(citation.get().len())?;
        match &mut self.open {
            OpenItem::Message(item) => item.annotate(citation, &mut self.writer),
            OpenItem::None(next) | OpenItem::Reasoning(_, next) | OpenItem::Call(_, next) => {
                next.citations.push(citation);
            }
        }
        Ok(())
    }

    fn call(&mut self, delta: &CallDelta<'_>) -> Result<(), Failure> {
        let is_surplus = delta.call > 0 && !self.rules.parallel_calls;
        if !is_surplus {
            self.calls.begin(delta.call);
        }
        if delta.call >= bounds::CALLS {
            return Err(lost(delta.name, delta.id, &bounds::too_many_calls()).into());
        }
        self.charge(delta.label_bytes + delta.arguments.escaped().len())?;
        if is_surplus {
            self.calls.add_surplus(delta);
            return Ok(());
        }
        if let OpenItem::Call(call, _) = &mut self.open
            && call.is(delta)
        {
            call.add(delta, &mut self.writer);
        } else if let Some(delivered) = self.calls.delivered_mut(delta.call) {
            return delivered.add(delta).map_err(Failure::from);
        } else {
            self.queue.push_call(delta);
        }
        self.drain_queue()
    }

    /// Whether anything new must wait: the open item cannot be closed yet, or others wait already.
    fn must_queue(&self) -> bool {
        !self.queue.is_empty() || !self.open.may_close()
    }

    /// Opens what is queued, as long as the open item may be closed.
    fn drain_queue(&mut self) -> Result<(), Failure> {
        while self.may_open_next() && self.next_is_ready() {
            let Some(next) = self.queue.pop() else { break };
            self.open_next(next)?;
        }
        Ok(())
    }

    /// Whether what is queued may take the place of the open item. A call with `{}` is not known to be complete when
    /// another call with `{}` begins: some providers begin all calls like this, and send the arguments later.
    fn may_open_next(&self) -> bool {
        self.open.may_close() && (!self.open.is_placeholder() || self.queue.has_more_than_placeholders())
    }

    /// Whether the first in the queue can be opened. A call can if its name is known to be complete: its arguments have
    /// begun, or no other tool's name begins with it. What follows it proves nothing: providers send the names of several
    /// calls in turns, in pieces, and a piece may be the name of another tool.
    fn next_is_ready(&self) -> bool {
        match self.queue.front() {
            None => false,
            Some(Queued::Reasoning(_) | Queued::Content(..)) => true,
            Some(Queued::Call(call)) => {
                !call.name().trim().is_empty()
                    && (call.has_arguments() || self.rules.toolbox.is_settled(call.name()))
            }
        }
    }

    fn open_next(&mut self, next: Queued) -> Result<(), Failure> {
        match next {
            Queued::Reasoning(text) => {
                let next = self.close_open_item()?.without_text();
                self.open_reasoning(&text.finish(), next);
            }
            Queued::Content(kind, text) => {
                let next = self.close_open_item()?.without_text();
                let (text, logprobs) = text.finish();
                if text.is_blank() {
                    self.open = OpenItem::None(next);
                } else {
                    self.open_message(kind, &text, &logprobs, next.citations);
                }
            }
            Queued::Call(call) => self.open_call(call)?,
        }
        Ok(())
    }

    fn open_reasoning(&mut self, text: &JsonStr<'_>, next: NextMessage) {
        let mut item = OpenReasoning::open(&mut self.writer);
        item.push(text, &mut self.writer);
        self.open = OpenItem::Reasoning(item, next);
    }

    fn open_message(
        &mut self,
        kind: ContentKind,
        text: &JsonStr<'_>,
        logprobs: &[RawJson<'static>],
        citations: Vec<RawJson<'static>>,
    ) {
        let mut item = OpenMessage::open(&mut self.writer);
        item.push(kind, text, logprobs, &mut self.writer);
        for citation in citations {
            item.annotate(citation, &mut self.writer);
        }
        self.open = OpenItem::Message(item);
    }

    /// Opens a call. The state that the provider needs back with it must reach the client before the call: with the
    /// open reasoning, or as a separate item.
    fn open_call(&mut self, mut call: QueuedCall) -> Result<(), Failure> {
        let id = self.calls.assign_id(&call, &self.writer);
        self.replay.add_call(&id, call.take_extra());
        let next = self.close_open_item()?.without_text();
        self.emit_replay_item();
        let call = OpenedCall::open(call, id, &self.rules.toolbox, &mut self.writer);
        self.open = OpenItem::Call(call, next);
        Ok(())
    }

    /// Closes the open item for the next one. Fails if it is a call that cannot be delivered.
    fn close_open_item(&mut self) -> Result<NextMessage, Failure> {
        if let OpenItem::Call(call, _) = &self.open {
            call.check_arguments()?;
        }
        Ok(self.close(Status::Completed))
    }

    /// Closes the open item, so that none is open. Returns what already arrived for the next message.
    fn close(&mut self, status: Status) -> NextMessage {
        match std::mem::take(&mut self.open) {
            OpenItem::None(next) => next,
            OpenItem::Reasoning(item, next) => {
                let state = self.replay.take();
                item.close(self.rules.encrypted_reasoning, state, &mut self.writer);
                next
            }
            OpenItem::Message(item) => {
                item.close(status, &mut self.writer);
                NextMessage::default()
            }
            OpenItem::Call(call, next) => {
                match status {
                    Status::Completed => self.calls.add_delivered(call.complete(&mut self.writer)),
                    // Codex runs every closed call, even an incomplete one, so its item stays open.
                    _ if self.rules.is_codex => {}
                    _ => call.cut(&mut self.writer),
                }
                next
            }
        }
    }

    /// Writes an item for state that the provider needs back and that no other item has yet.
    fn emit_replay_item(&mut self) {
        let state = self.replay.take();
        if state.has_extras() {
            OpenReasoning::send_state(&state, &mut self.writer);
        }
    }

    /// Fails unless the calls that are open or queued can be delivered.
    pub(super) fn check_calls(&self) -> Outcome {
        if let OpenItem::Call(call, _) = &self.open {
            call.check_end()?;
        }
        self.queue.calls().try_for_each(|call| call.check_end(&self.rules.toolbox))
    }

    /// The reply is complete: opens and closes all remaining items.
    pub(super) fn complete(&mut self) -> Result<(), Failure> {
        while let Some(next) = self.queue.pop() {
            self.open_next(next)?;
        }
        let next = self.close_open_item()?;
        self.calls.take_late_extras(&mut self.replay);
        self.emit_replay_item();
        if !next.citations.is_empty() {
            self.writer.report_mut().dropped(Dropped::Annotation, "url_citation");
        }
        Ok(())
    }

    /// The reply was cut: closes the open item as incomplete.
    pub(super) fn cut(&mut self) {
        self.close(Status::Incomplete);
    }

    pub(super) fn report_surplus_calls(&mut self) {
        for name in self.calls.surplus_names() {
            self.writer.report_mut().dropped(Dropped::ToolCall, name);
        }
    }

    /// Counts the bytes that are kept until the end, and the items.
    fn charge(&mut self, bytes: usize) -> Result<(), Failure> {
        self.budget.charge(bytes)?;
        if self.writer.items().len() + self.queue.len() > bounds::REPLY_ITEMS {
            return Err(bounds::too_many_items().into());
        }
        Ok(())
    }
}
