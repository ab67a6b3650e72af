//! In which order items begin and end: one is open at a time.
//!
//! Text closes before a call opens. The first call streams live; what comes for others meanwhile waits
//! until its arguments are whole. A call is handed over whole or not at all.

use super::ResponseStream;
use super::outcome::Outcome;
use crate::bounds;
use crate::error::{ApiError, Code};
use crate::items::{self, ContentKind, OpenCall, OpenMessage, OpenReasoning, ReplayState};
use crate::json::{JsonStr, JsonStrBuilder};
use crate::report::Dropped;
use crate::response::call_assembler::CallFragment;
use crate::wire::responses::Status;
use serde_json::Value;
use serde_json::value::RawValue;

/// The item that is open.
#[derive(Debug)]
pub(super) enum Live {
    Nothing,
    Reasoning(OpenReasoning),
    Message(OpenMessage),
    Call(usize, Box<dyn OpenCall>),
}

/// What has to wait for the open call to end.
#[derive(Debug)]
pub(super) enum Waiting {
    Reasoning(JsonStrBuilder),
    Message(ContentKind, JsonStrBuilder),
    Call(usize),
}

impl ResponseStream {
    pub(super) fn think(&mut self, piece: &JsonStr<'_>) {
        if piece.is_empty() || self.plan.compact || !self.keep(piece) {
            return;
        }
        if !self.may_open() {
            return match self.waiting.back_mut() {
                Some(Waiting::Reasoning(text)) => text.push(piece),
                _ => self.waiting.push_back(Waiting::Reasoning(one(piece))),
            };
        }
        if !matches!(self.live, Live::Reasoning(_)) {
            if !self.make_way() {
                return;
            }
            self.live = Live::Reasoning(OpenReasoning::open(&mut self.out));
        }
        if let Live::Reasoning(open) = &mut self.live {
            open.think(piece, &mut self.out);
        }
    }

    pub(super) fn say(&mut self, said: ContentKind, piece: &JsonStr<'_>, logprobs: &[Box<RawValue>]) {
        let logprobs_bytes = logprobs.iter().map(|raw| raw.get().len()).sum();
        if piece.is_empty() || !self.keep(piece) || !self.keep_bytes(logprobs_bytes) {
            return;
        }
        if self.plan.compact {
            return self.summary.say(piece);
        }
        if !self.may_open() {
            return match self.waiting.back_mut() {
                Some(Waiting::Message(waiting, text)) if *waiting == said => text.push(piece),
                _ => self.waiting.push_back(Waiting::Message(said, one(piece))),
            };
        }
        if let Live::Message(open) = &mut self.live {
            return open.say(said, piece, logprobs, &mut self.out);
        }
        self.blank.push(piece);
        if piece.is_blank() {
            return;
        }
        let text = std::mem::take(&mut self.blank).finish();
        if self.make_way() {
            self.open_message(said, &text, logprobs);
        }
    }

    fn open_message(&mut self, said: ContentKind, text: &JsonStr<'_>, logprobs: &[Box<RawValue>]) {
        let mut open = OpenMessage::open(&mut self.out);
        open.say(said, text, logprobs, &mut self.out);
        for annotation in self.annotations.drain(..) {
            open.annotate(annotation, &mut self.out);
        }
        self.live = Live::Message(open);
    }

    /// A citation belongs to the text that is being said, or to the next.
    pub(super) fn annotate(&mut self, written: &Value) {
        let Some(annotation) = items::annotation(written) else {
            let kind = written.get("type").and_then(Value::as_str).unwrap_or_default();
            return self.out.report_mut().dropped(Dropped::Annotation, kind);
        };
        match &mut self.live {
            Live::Message(open) => open.annotate(annotation, &mut self.out),
            _ => self.annotations.push(annotation),
        }
    }

    pub(super) fn piece(&mut self, piece: &CallFragment<'_>) {
        if self.is_over() || self.plan.compact {
            return;
        }
        let Some((number, arguments)) = self.calls.add(piece) else { return };
        if number >= bounds::CALLS {
            return self.fail(self.lost(number, &bounds::too_many_calls()));
        }
        if !self.keep_bytes(piece.label_bytes()) || !self.keep(&arguments) || self.is_surplus(number) {
            return;
        }
        if self.calls.get(number).is_some_and(|slot| slot.closed) {
            if !arguments.is_blank() {
                self.fail(self.lost(number, "its arguments went on after they were whole"));
            }
            return;
        }
        match &mut self.live {
            Live::Call(live, _) if *live == number && arguments.is_empty() => {}
            Live::Call(live, open) if *live == number => {
                match self.calls.get(number).is_some_and(|slot| slot.raw) {
                    true => open.raw(&arguments, &mut self.out),
                    false => open.arguments(&arguments, &mut self.out),
                }
            }
            _ if self.waiting.iter().any(|waiting| matches!(waiting, Waiting::Call(n) if *n == number)) => {}
            _ => self.waiting.push_back(Waiting::Call(number)),
        }
        self.advance();
    }

    /// The client asked for one call at a time and the host sends more: the first counts.
    pub(super) fn is_surplus(&self, number: usize) -> bool {
        number > 0 && !self.plan.parallel
    }

    /// Nothing waits, and what is open may be closed for something else.
    fn may_open(&self) -> bool {
        self.waiting.is_empty() && self.may_close()
    }

    fn may_close(&self) -> bool {
        match &self.live {
            Live::Call(number, _) => self.calls.get(*number).is_some_and(|slot| slot.is_whole()),
            _ => true,
        }
    }

    /// Opens what waits, as long as what is open may be closed.
    fn advance(&mut self) {
        while !self.is_over() && self.may_close() && self.next_is_ready() {
            let Some(next) = self.waiting.pop_front() else { return };
            self.proceed(next);
        }
    }

    fn proceed(&mut self, next: Waiting) {
        if let Waiting::Call(number) = next {
            self.prepare(number);
        }
        if self.make_way() {
            self.open(next);
        }
    }

    /// Closes what is open for what comes next. A call that cannot be handed over is the end.
    fn make_way(&mut self) -> bool {
        let error = match &self.live {
            Live::Call(number, _) => self.misshapen(*number),
            _ => None,
        };
        match error {
            Some(error) => self.fail(error),
            None => self.close_live(Status::Completed),
        }
        !self.is_over()
    }

    /// A call can begin when its name stands: its arguments have begun, or no other tool's name begins like it,
    /// or it is a tool's name and another call has begun since.
    fn next_is_ready(&self) -> bool {
        match self.waiting.front() {
            Some(Waiting::Call(number)) => self.calls.get(*number).is_some_and(|slot| {
                let is_followed = self.waiting.len() > 1 && self.plan.toolbox.knows(&slot.name);
                let stands = !slot.arguments.is_empty() || is_followed;
                !slot.name.is_empty() && (stands || self.plan.toolbox.is_settled(&slot.name))
            }),
            waiting => waiting.is_some(),
        }
    }

    fn open(&mut self, next: Waiting) {
        self.blank = JsonStrBuilder::default();
        match next {
            Waiting::Reasoning(text) => {
                let mut open = OpenReasoning::open(&mut self.out);
                open.think(&text.finish(), &mut self.out);
                self.live = Live::Reasoning(open);
            }
            Waiting::Message(said, text) => {
                let text = text.finish();
                if !text.is_blank() {
                    self.open_message(said, &text, &[]);
                }
            }
            Waiting::Call(number) => self.open_call(number),
        }
    }

    fn open_call(&mut self, number: usize) {
        self.carry_memory();
        let Some(slot) = self.calls.get_mut(number) else { return };
        slot.opened = true;
        let head = self.plan.toolbox.head_of(&slot.name, slot.call_id.clone());
        let mut open = (self.plan.toolbox.kind_of(&slot.name).open)(head, &mut self.out);
        let arguments = slot.arguments.clone().finish();
        match slot.raw {
            true => open.raw(&arguments, &mut self.out),
            false if arguments.is_empty() => {}
            false => open.arguments(&arguments, &mut self.out),
        }
        self.live = Live::Call(number, open);
    }

    /// Gives a call its id. What the host wants back with it must reach the client before the call does:
    /// the thought that is open takes it along, or an item of its own.
    fn prepare(&mut self, number: usize) {
        let call_id = self.client_call_id(number);
        if let Some(slot) = self.calls.get_mut(number) {
            slot.call_id = call_id;
        }
        self.remember(number);
    }

    fn remember(&mut self, number: usize) {
        let Some(slot) = self.calls.get_mut(number).filter(|slot| !slot.call_id.is_empty()) else { return };
        if let Some(extra) = slot.extra.take().filter(|_| self.plan.replay.signatures) {
            self.extras.insert(slot.call_id.clone(), extra);
        }
    }

    /// What the host wants back and no item holds yet.
    fn memory(&mut self) -> ReplayState {
        let details = if self.plan.replay.details { self.details.take() } else { Vec::new() };
        ReplayState { text: String::new(), details, calls: std::mem::take(&mut self.extras) }
    }

    fn carry_memory(&mut self) {
        let memory = self.memory();
        if memory.has_extras() && !self.plan.compact {
            OpenReasoning::carry(&memory, &mut self.out);
        }
    }

    /// The host's id, if nothing else in the conversation has it.
    fn client_call_id(&mut self, number: usize) -> String {
        let id = self.calls.get(number).map(|slot| slot.id.clone()).unwrap_or_default();
        if !id.is_empty() && self.plan.call_ids.insert(&id) {
            return id;
        }
        let minted = self.out.call_id(number);
        self.plan.call_ids.insert(&minted);
        minted
    }

    pub(super) fn close_live(&mut self, status: Status) {
        match std::mem::replace(&mut self.live, Live::Nothing) {
            Live::Nothing => {}
            Live::Reasoning(open) => {
                let memory = self.memory();
                open.close(self.plan.seal_reasoning, memory, &mut self.out);
            }
            Live::Message(open) => open.close(status, &mut self.out),
            Live::Call(number, open) => self.close_call(number, open, status),
        }
    }

    fn close_call(&mut self, number: usize, mut open: Box<dyn OpenCall>, status: Status) {
        let Some(slot) = self.calls.get_mut(number) else { return };
        slot.closed = true;
        let (arguments, raw) = (std::mem::take(&mut slot.arguments), slot.raw);
        let kind = self.plan.toolbox.kind_of(&slot.name);
        if status == Status::Completed {
            self.handed_over(kind.call_item);
        }
        match status {
            Status::Completed if arguments.is_empty() && !raw => {
                // A function without parameters is called with nothing; JSON says that so.
                let nothing = JsonStr::new("{}");
                open.arguments(&nothing, &mut self.out);
                open.complete(nothing, &mut self.out);
            }
            Status::Completed => open.complete(arguments.finish(), &mut self.out),
            // Codex runs whatever is closed, even if it is incomplete.
            _ if self.plan.codex => {}
            _ => open.cut(arguments.finish(), &mut self.out),
        }
    }

    /// Counts what is kept until the end; draining the upstream's chunks removed Envoy's own bound.
    pub(super) fn keep(&mut self, text: &JsonStr<'_>) -> bool {
        self.keep_bytes(text.escaped().len())
    }

    /// The same, for what is no text: ids, names, log probabilities.
    pub(super) fn keep_bytes(&mut self, bytes: usize) -> bool {
        self.kept_bytes += bytes;
        let limit = self.plan.limits.reply_bytes;
        if self.kept_bytes > limit {
            self.fail(bounds::reply_too_large(limit));
        } else if self.out.items().len() + self.waiting.len() > bounds::REPLY_ITEMS {
            self.fail(bounds::too_many_items());
        }
        !self.is_over()
    }

    pub(super) fn complete(&mut self) {
        while let Some(next) = self.waiting.pop_front() {
            self.proceed(next);
        }
        self.close_live(Status::Completed);
        if self.plan.compact {
            std::mem::take(&mut self.summary).close(&mut self.out);
        }
        (0..self.calls.len()).for_each(|number| self.remember(number));
        self.carry_memory();
        if !self.annotations.is_empty() {
            self.out.report_mut().dropped(Dropped::Annotation, "url_citation");
        }
        self.over(Outcome::Completed);
    }

    pub(super) fn cut(&mut self, reason: &'static str) {
        // What waits came after the item that is cut, which is the last by the rules of Open Responses.
        self.close_live(Status::Incomplete);
        self.over(Outcome::Incomplete(reason));
    }

    pub(super) fn lost(&self, number: usize, why: &str) -> ApiError {
        let slot = self.calls.get(number);
        let name = slot.map(|slot| slot.name.as_str()).unwrap_or_default();
        let id = slot.map(|slot| slot.id.as_str()).unwrap_or_default();
        ApiError::upstream(format!(
            "The upstream's call of the tool '{name}' (id '{id}') cannot be handed over: {why}."
        ))
        .code(Code::ToolCallLost)
    }
}

fn one(piece: &JsonStr<'_>) -> JsonStrBuilder {
    let mut text = JsonStrBuilder::default();
    text.push(piece);
    text
}
