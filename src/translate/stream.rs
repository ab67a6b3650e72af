//! The state machine over the chunks of a reply.
//!
//! It decides in which order items begin and end: one is open at a time. Text closes before a call
//! opens; the first call streams live, what comes meanwhile for others waits until it is whole. How an
//! item is written stands in [`crate::items`]; how the upstream's bytes are read, in [`super::reply`].
//! A JSON reply is one chunk that holds everything, so both kinds of reply take the same way.

use super::calls::{Calls, Piece, number};
use super::error;
use super::reply::{Answer, Plan};
use super::usage;
use crate::chat::reply::{Completion, Function, Logprobs, Message, ToolCall};
use crate::items::{OpenCall, OpenCompaction, OpenMessage, OpenReasoning, Outbox, Said};
use crate::json::{Seam, Text, TextBuilder, Wholeness, wholeness};
use crate::responses::{
    ApiError, Compaction, ErrorFields, Event, IncompleteDetails, Response, ResponseError, Status, Usage,
};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::VecDeque;

/// One reply on its way to the client.
#[derive(Debug)]
pub(super) struct Machine {
    plan: Plan,
    id: String,
    created_at: u64,
    now: u64,
    out: Outbox,
    phase: Phase,
    live: Live,
    waiting: VecDeque<Waiting>,
    calls: Calls,
    seams: Seams,
    /// White space that opens a message only if text follows: before a call it would be an empty message.
    blank: TextBuilder,
    summary: OpenCompaction,
    finish: Option<Finish>,
    usage: Option<Usage>,
    kept_bytes: usize,
}

#[derive(Debug)]
enum Phase {
    /// Nothing was sent.
    New,
    /// `response.created` was sent.
    Begun,
    /// The last event was sent.
    Over(Outcome),
}

#[derive(Debug)]
enum Outcome {
    Completed,
    Incomplete(&'static str),
    Failed(ApiError),
}

/// The item that is open.
#[derive(Debug)]
enum Live {
    Nothing,
    Reasoning(OpenReasoning),
    Message(OpenMessage),
    Call(usize, Box<dyn OpenCall>),
}

/// What has to wait for the open call to end.
#[derive(Debug)]
enum Waiting {
    Reasoning(TextBuilder),
    Message(Said, TextBuilder),
    Call(usize),
}

#[derive(Debug, Default)]
struct Seams {
    reasoning: Seam,
    text: Seam,
    refusal: Seam,
}

/// What a `finish_reason` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finish {
    Stop,
    ToolCalls,
    Length,
    Filter,
    Error,
}

/// The reasons that hosts give. Whatever is not here is an ordinary end (`eos`, `load`, ...).
const FINISH: &[(&str, Finish)] = &[
    ("tool_calls", Finish::ToolCalls),
    ("function_call", Finish::ToolCalls),
    ("length", Finish::Length),
    ("max_tokens", Finish::Length),
    ("model_length", Finish::Length),
    ("content_filter", Finish::Filter),
    ("sensitive", Finish::Filter),
    ("error", Finish::Error),
    ("network_error", Finish::Error),
    ("insufficient_system_resource", Finish::Error),
    ("abort", Finish::Error),
];

impl Machine {
    pub(super) fn new(plan: Plan, seed: u128, now: u64) -> Self {
        Self {
            id: format!("resp_{seed:032x}"),
            created_at: now,
            now,
            out: Outbox::new(seed, plan.stream),
            plan,
            phase: Phase::New,
            live: Live::Nothing,
            waiting: VecDeque::new(),
            calls: Calls::default(),
            seams: Seams::default(),
            blank: TextBuilder::default(),
            summary: OpenCompaction::default(),
            finish: None,
            usage: None,
            kept_bytes: 0,
        }
    }

    /// The time of what comes next, in Unix seconds.
    pub(super) fn set_time(&mut self, now: u64) {
        self.now = now;
    }

    /// Whether the last event was sent.
    pub(super) fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over(_))
    }

    /// Why it failed, if it did.
    pub(super) fn failure(&self) -> Option<&ApiError> {
        match &self.phase {
            Phase::Over(Outcome::Failed(error)) => Some(error),
            _ => None,
        }
    }

    /// Moves the frames that were written.
    pub(super) fn take_frames(&mut self, into: &mut Vec<u8>) {
        self.out.take_frames(into);
    }

    /// The upstream answers: the response begins.
    pub(super) fn begin(&mut self) {
        if matches!(self.phase, Phase::New) {
            self.phase = Phase::Begun;
            self.announce(|sequence_number, response| Event::Created { sequence_number, response });
            self.announce(|sequence_number, response| Event::InProgress { sequence_number, response });
        }
    }

    /// The upstream lives but has nothing to say: an event keeps the client's idle timer from running out.
    pub(super) fn keep_alive(&mut self) {
        match self.phase {
            Phase::New => self.begin(),
            Phase::Begun => {
                self.announce(|sequence_number, response| Event::InProgress { sequence_number, response });
            }
            Phase::Over(_) => {}
        }
    }

    /// Sends an event that shows the response while it is in progress.
    fn announce(&mut self, event: impl for<'e> FnOnce(u64, &'e Response<'e>) -> Event<'e>) {
        let response = response(&self.plan, &self.id, self.created_at, Status::InProgress);
        self.out.send(|sequence_number| {
            // The event borrows the response, which must live as long as the frame is written.
            event(sequence_number, &response)
        });
    }

    /// The next chunk, or the whole completion.
    pub(super) fn chunk(&mut self, chunk: &Completion<'_>) {
        self.begin();
        self.usage = chunk.usage.and_then(usage::usage).or(self.usage);
        let choice =
            chunk.choices.iter().flatten().find(|choice| choice.index.and_then(number).unwrap_or(0) == 0);
        if let Some(choice) = choice {
            self.usage = choice.usage.and_then(usage::usage).or(self.usage);
            for message in [&choice.delta, &choice.message].into_iter().flatten() {
                self.message(message, choice.logprobs);
            }
            self.finished(choice.finish_reason);
        } else if chunk.choices.is_none() {
            self.native(chunk);
        }
        if let Some(raw) = chunk.error.filter(|_| !self.is_over()) {
            self.fail(of_raw(raw));
        }
    }

    /// Cloudflare's own form has no choices.
    fn native(&mut self, chunk: &Completion<'_>) {
        self.text(Said::Text, chunk.response, &[]);
        self.tool_calls(chunk.tool_calls);
        self.finished(chunk.finish_reason);
    }

    fn finished(&mut self, reason: Option<&RawValue>) {
        if let Some(reason) = reason.and_then(Text::of).filter(|reason| !reason.is_empty()) {
            let known = FINISH.iter().find(|(name, _)| *name == reason.decode());
            self.finish = Some(known.map_or(Finish::Stop, |(_, finish)| *finish));
        }
    }

    fn message(&mut self, message: &Message<'_>, logprobs: Option<&RawValue>) {
        // Some hosts send the same reasoning under two names: one of them is enough.
        let reasoning = [message.reasoning_content, message.reasoning, message.reasoning_text];
        let reasoning =
            reasoning.into_iter().flatten().find(|raw| Text::of(raw).is_some_and(|text| !text.is_empty()));
        self.reasoning(reasoning);
        let logprobs: Option<Logprobs<'_>> = logprobs.and_then(|raw| serde_json::from_str(raw.get()).ok());
        let logprobs = logprobs.and_then(|logprobs| logprobs.content).unwrap_or_default();
        self.text(Said::Text, message.content, &logprobs);
        self.text(if self.plan.codex { Said::Text } else { Said::Refusal }, message.refusal, &[]);
        self.tool_calls(message.tool_calls);
        if let Some(Function { name, arguments }) = &message.function_call {
            self.piece(&Piece::legacy(name.as_deref(), *arguments));
        }
    }

    fn reasoning(&mut self, raw: Option<&RawValue>) {
        let Some(piece) = raw.and_then(|raw| self.seams.reasoning.push(raw)) else { return };
        self.think(&piece);
    }

    fn think(&mut self, piece: &Text<'_>) {
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
            self.close_live(Status::Completed);
            self.live = Live::Reasoning(OpenReasoning::open(&mut self.out));
        }
        if let Live::Reasoning(open) = &mut self.live {
            open.think(piece, &mut self.out);
        }
    }

    /// A string; with some hosts a number, or an array of parts.
    fn text(&mut self, said: Said, raw: Option<&RawValue>, logprobs: &[&RawValue]) {
        let Some(raw) = raw else { return };
        let seam = match said {
            Said::Text => &mut self.seams.text,
            Said::Refusal => &mut self.seams.refusal,
        };
        match raw.get().as_bytes().first() {
            Some(b'"') => {
                if let Some(piece) = seam.push(raw) {
                    self.say(said, &piece, logprobs);
                }
            }
            Some(b'[') => self.parts(raw),
            Some(b'0'..=b'9' | b'-') => self.say(said, &Text::new(raw.get()), logprobs),
            _ => {}
        }
    }

    /// Mistral sends `[{"type": "thinking", "thinking": [...]}, {"type": "text", "text": "..."}]`.
    fn parts(&mut self, raw: &RawValue) {
        let parts: Vec<Value> = serde_json::from_str(raw.get()).unwrap_or_default();
        for part in &parts {
            match (part.get("thinking"), part.get("text").and_then(Value::as_str)) {
                (Some(Value::String(thought)), _) => self.think(&Text::new(thought)),
                (Some(Value::Array(thoughts)), _) => {
                    for thought in thoughts.iter().filter_map(|thought| thought.get("text")?.as_str()) {
                        self.think(&Text::new(thought));
                    }
                }
                (_, Some(text)) => self.say(Said::Text, &Text::new(text), &[]),
                _ => {}
            }
        }
    }

    fn say(&mut self, said: Said, piece: &Text<'_>, logprobs: &[&RawValue]) {
        if piece.is_empty() || !self.keep(piece) {
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
        self.close_live(Status::Completed);
        let mut open = OpenMessage::open(&mut self.out);
        open.say(said, &text, logprobs, &mut self.out);
        self.live = Live::Message(open);
    }

    /// An array; with some hosts a single object.
    fn tool_calls(&mut self, raw: Option<&RawValue>) {
        let Some(raw) = raw else { return };
        let calls = serde_json::from_str::<Vec<ToolCall<'_>>>(raw.get())
            .or_else(|_| serde_json::from_str(raw.get()).map(|one| vec![one]));
        let Ok(calls) = calls else {
            return self.fail(ApiError::upstream("The upstream sent a tool call that cannot be read."));
        };
        let numbered = calls.len() > 1 && calls.iter().all(|call| call.index.is_none());
        for (index, call) in (0u64..).zip(&calls) {
            let piece = Piece::of(call);
            self.piece(&if numbered { piece.at(index) } else { piece });
        }
    }

    fn piece(&mut self, piece: &Piece<'_>) {
        if self.is_over() || self.plan.compact {
            return;
        }
        let Some((number, arguments)) = self.calls.add(piece) else { return };
        if number > 0 && !self.plan.parallel {
            // The client asked for one call at a time and the host sends more: the first counts.
            return;
        }
        if !self.keep(&arguments) {
            return;
        }
        if self.calls.get(number).is_some_and(|slot| slot.closed) {
            if !arguments.is_blank() {
                self.fail(self.lost(number, "its arguments went on after they were whole"));
            }
            return;
        }
        match &mut self.live {
            Live::Call(live, open) if *live == number => {
                if !arguments.is_empty() {
                    open.arguments(&arguments, &mut self.out);
                }
            }
            _ if self.waiting.iter().any(|waiting| matches!(waiting, Waiting::Call(n) if *n == number)) => {}
            _ => self.waiting.push_back(Waiting::Call(number)),
        }
        self.advance();
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
        while self.may_close() && self.next_is_ready() {
            let Some(next) = self.waiting.pop_front() else { return };
            self.close_live(Status::Completed);
            self.open(next);
        }
    }

    /// A call can begin when its name stands: no other tool's name begins like it, or its arguments have begun.
    fn next_is_ready(&self) -> bool {
        match self.waiting.front() {
            Some(Waiting::Call(number)) => self.calls.get(*number).is_some_and(|slot| {
                !slot.name.is_empty()
                    && (!slot.arguments.is_empty()
                        || self.waiting.len() > 1
                        || self.plan.toolbox.is_settled(&slot.name))
            }),
            waiting => waiting.is_some(),
        }
    }

    fn open(&mut self, next: Waiting) {
        self.blank = TextBuilder::default();
        match next {
            Waiting::Reasoning(text) => {
                let mut open = OpenReasoning::open(&mut self.out);
                open.think(&text.finish(), &mut self.out);
                self.live = Live::Reasoning(open);
            }
            Waiting::Message(said, text) => {
                let text = text.finish();
                if !text.is_blank() {
                    let mut open = OpenMessage::open(&mut self.out);
                    open.say(said, &text, &[], &mut self.out);
                    self.live = Live::Message(open);
                }
            }
            Waiting::Call(number) => self.open_call(number),
        }
    }

    fn open_call(&mut self, number: usize) {
        let call_id = self.client_call_id(number);
        let Some(slot) = self.calls.get_mut(number) else { return };
        slot.opened = true;
        let (head, form) = self.plan.toolbox.restore(&slot.name, call_id);
        let mut open = (form.open)(head, &mut self.out);
        if !slot.arguments.is_empty() {
            open.arguments(&slot.arguments.clone().finish(), &mut self.out);
        }
        self.live = Live::Call(number, open);
    }

    /// The host's id, if nothing else in the conversation has it.
    fn client_call_id(&mut self, number: usize) -> String {
        let id = self.calls.get(number).map(|slot| slot.id.clone()).unwrap_or_default();
        let id = match id.is_empty() || self.plan.call_ids.contains(&id) {
            true => self.out.call_id(number),
            false => id,
        };
        self.plan.call_ids.insert(id.clone());
        id
    }

    fn close_live(&mut self, status: Status) {
        match std::mem::replace(&mut self.live, Live::Nothing) {
            Live::Nothing => {}
            Live::Reasoning(open) => open.close(self.plan.seal_reasoning, &mut self.out),
            Live::Message(open) => open.close(status, &mut self.out),
            Live::Call(number, open) => self.close_call(number, open, status),
        }
    }

    fn close_call(&mut self, number: usize, mut open: Box<dyn OpenCall>, status: Status) {
        let Some(slot) = self.calls.get_mut(number) else { return };
        slot.closed = true;
        let arguments = std::mem::take(&mut slot.arguments);
        match status {
            Status::Completed if arguments.is_empty() => {
                // A function without parameters is called with nothing; JSON says that so.
                let nothing = Text::new("{}");
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
    fn keep(&mut self, text: &Text<'_>) -> bool {
        self.kept_bytes += text.escaped().len();
        let fits = self.kept_bytes <= self.plan.limits.reply_bytes;
        if !fits {
            let limit = self.plan.limits.reply_bytes;
            self.fail(ApiError::upstream(format!("The upstream's reply is larger than {limit} bytes.")));
        }
        fits && !self.is_over()
    }

    /// The upstream's reply ended. `whole`: it said so itself, by `[DONE]` or as a whole document.
    pub(super) fn end(&mut self, whole: bool) {
        if self.is_over() {
            return;
        }
        self.begin();
        self.flush_seams();
        match self.outcome(whole) {
            Outcome::Completed => self.complete(),
            Outcome::Incomplete(reason) => self.cut(reason),
            Outcome::Failed(error) => self.fail(error),
        }
    }

    fn flush_seams(&mut self) {
        if let Some(piece) = self.seams.reasoning.finish() {
            self.think(&piece);
        }
        if let Some(piece) = self.seams.text.finish() {
            self.say(Said::Text, &piece, &[]);
        }
        if let Some(piece) = self.seams.refusal.finish() {
            self.say(Said::Refusal, &piece, &[]);
        }
    }

    /// What was seen decides; the finish reason only says why there is no more.
    fn outcome(&self, whole: bool) -> Outcome {
        match self.finish {
            Some(Finish::Length) => Outcome::Incomplete("max_output_tokens"),
            Some(Finish::Filter) => Outcome::Incomplete("content_filter"),
            Some(Finish::Error) => {
                Outcome::Failed(ApiError::upstream("The upstream broke off its reply with an error."))
            }
            None if !whole => Outcome::Failed(ApiError::upstream(
                "The upstream's stream ended early: neither a finish_reason nor [DONE] came.",
            )),
            Some(Finish::ToolCalls) if self.calls.is_empty() && !self.plan.compact => {
                Outcome::Failed(ApiError::upstream(
                    "The upstream announced a tool call (finish_reason 'tool_calls') but sent none.",
                ))
            }
            _ if self.plan.compact && self.summary.is_empty() => {
                Outcome::Failed(ApiError::upstream("The upstream sent no summary of the conversation."))
            }
            _ if self.is_blank() && self.usage.is_none() => {
                Outcome::Failed(ApiError::upstream("The upstream sent an empty reply."))
            }
            _ => self.calls_outcome(),
        }
    }

    fn is_blank(&self) -> bool {
        matches!(self.live, Live::Nothing)
            && self.waiting.is_empty()
            && self.out.items().is_empty()
            && self.summary.is_empty()
    }

    /// A call is handed over whole or not at all.
    fn calls_outcome(&self) -> Outcome {
        let sent = self.calls.iter().enumerate().take(if self.plan.parallel { usize::MAX } else { 1 });
        for (number, slot) in sent.filter(|(_, slot)| !slot.closed) {
            let text = slot.arguments.clone().finish();
            let decoded = text.decode();
            let arguments = decoded.trim();
            if slot.name.is_empty() {
                return Outcome::Failed(self.lost(number, "it has no name"));
            }
            // Older vLLM says `tool_calls` when the token limit cut a call.
            if !arguments.is_empty() && wholeness(arguments) == Wholeness::Cut {
                return Outcome::Incomplete("max_output_tokens");
            }
            let (_, form) = self.plan.toolbox.restore(&slot.name, String::new());
            let is_object = arguments.starts_with('{') && wholeness(arguments) == Wholeness::Whole;
            if form.needs_object && !arguments.is_empty() && !is_object {
                return Outcome::Failed(self.lost(number, "its arguments are no JSON object"));
            }
        }
        Outcome::Completed
    }

    fn lost(&self, number: usize, why: &str) -> ApiError {
        let slot = self.calls.get(number);
        let name = slot.map(|slot| slot.name.as_str()).unwrap_or_default();
        let id = slot.map(|slot| slot.id.as_str()).unwrap_or_default();
        ApiError::upstream(format!(
            "The upstream's call of the tool '{name}' (id '{id}') cannot be handed over: {why}."
        ))
        .code("tool_call_lost")
    }

    fn complete(&mut self) {
        self.close_live(Status::Completed);
        while let Some(next) = self.waiting.pop_front() {
            self.open(next);
            self.close_live(Status::Completed);
        }
        if self.plan.compact {
            std::mem::take(&mut self.summary).close(&mut self.out);
        }
        self.over(Outcome::Completed);
    }

    fn cut(&mut self, reason: &'static str) {
        // What waits came after the item that is cut, which is the last by the rules of Open Responses.
        self.close_live(Status::Incomplete);
        self.over(Outcome::Incomplete(reason));
    }

    /// Nothing more can come: the client is told why. Once only.
    pub(super) fn fail(&mut self, error: ApiError) {
        if self.is_over() {
            return;
        }
        self.begin();
        let fields = ErrorFields {
            r#type: &error.kind,
            code: error.code.as_deref(),
            message: &error.message,
            param: error.param.as_deref(),
        };
        self.out.send(|sequence_number| Event::Error {
            sequence_number,
            code: fields.code,
            message: fields.message,
            param: fields.param,
            error: fields,
        });
        self.over(Outcome::Failed(error));
    }

    fn over(&mut self, outcome: Outcome) {
        self.phase = Phase::Over(outcome);
        let Self { plan, id, created_at, now, out, phase, usage, .. } = self;
        let Phase::Over(outcome) = phase else { return };
        out.send_with_items(|sequence_number, items, write| {
            let response = last_response(plan, id, (*created_at, *now), outcome, items, usage.as_ref());
            write(&match outcome {
                Outcome::Completed => Event::Completed { sequence_number, response: &response },
                Outcome::Incomplete(_) => Event::Incomplete { sequence_number, response: &response },
                Outcome::Failed(_) => Event::Failed { sequence_number, response: &response },
            });
        });
        self.out.send_done();
    }

    /// The response as one JSON document, once it is over.
    pub(super) fn document(&self) -> Vec<u8> {
        let Phase::Over(outcome) = &self.phase else { return Vec::new() };
        let (items, usage) = (self.out.items(), self.usage.as_ref());
        let document = match (self.plan.answer, outcome) {
            (Answer::Compaction, Outcome::Completed) => serde_json::to_vec(&Compaction {
                id: &self.id,
                object: "response.compaction",
                created_at: self.created_at,
                output: items,
                usage,
            }),
            _ => {
                let times = (self.created_at, self.now);
                serde_json::to_vec(&last_response(&self.plan, &self.id, times, outcome, items, usage))
            }
        };
        document.unwrap_or_default()
    }
}

fn one(piece: &Text<'_>) -> TextBuilder {
    let mut text = TextBuilder::default();
    text.push(piece);
    text
}

fn of_raw(raw: &RawValue) -> ApiError {
    let value = serde_json::from_str(raw.get()).unwrap_or(Value::Null);
    error::of_value(ApiError::UPSTREAM_STATUS, &serde_json::json!({ "error": value }))
}

fn response<'r>(plan: &'r Plan, id: &'r str, created_at: u64, status: Status) -> Response<'r> {
    Response {
        id,
        object: "response",
        created_at,
        completed_at: None,
        status,
        incomplete_details: None,
        error: None,
        output: &[],
        usage: None,
        echo: &plan.echo,
    }
}

fn last_response<'r>(
    plan: &'r Plan,
    id: &'r str,
    (created_at, now): (u64, u64),
    outcome: &'r Outcome,
    items: &'r [Box<RawValue>],
    usage: Option<&'r Usage>,
) -> Response<'r> {
    let status = match outcome {
        Outcome::Completed => Status::Completed,
        Outcome::Incomplete(_) => Status::Incomplete,
        Outcome::Failed(_) => Status::Failed,
    };
    Response {
        completed_at: matches!(outcome, Outcome::Completed).then_some(now),
        incomplete_details: match outcome {
            Outcome::Incomplete(reason) => Some(IncompleteDetails { reason }),
            _ => None,
        },
        error: match outcome {
            Outcome::Failed(error) => Some(ResponseError {
                code: error.code.as_deref().unwrap_or("server_error"),
                message: &error.message,
            }),
            _ => None,
        },
        output: items,
        usage,
        ..response(plan, id, created_at, status)
    }
}
