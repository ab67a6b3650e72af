//! The state machine over the chunks of a reply.
//!
//! [`chunk`] finds out what a chunk says, [`order`] decides in which order items begin and end, and this
//! file how the response begins and ends. How an item is written stands in [`crate::items`]; how the
//! upstream's bytes are read, in [`super::reply`]. A JSON reply is one chunk that holds everything, so
//! both kinds of reply take the same way.

mod body_reader;
mod call_assembler;
mod chunk;
mod chunk_template;
pub(crate) mod context;
mod error_reader;
mod heard;
mod logprobs;
mod order;
mod outcome;
mod reasoning_details;
mod reply;
mod stats;
mod usage;

use crate::error::ApiError;
use crate::items::{EventWriter, OpenCompaction};
use crate::json::{JsonStrBuilder, SurrogateJoiner};
use crate::report::Report;
use crate::wire::responses::{Compaction, ErrorFields, Event, Response, Status, Usage};
use call_assembler::Calls;
use chunk::{Finish, SeenInDeltas};
use chunk_template::ChunkTemplate;
use context::{Answer, ReplyContext};
use order::{Live, Waiting};
use outcome::{Outcome, last_response, response};
use reasoning_details::Details;
pub use reply::Reply;
use serde_json::value::RawValue;
pub use stats::ReplyStats;
use std::collections::{BTreeMap, VecDeque};

/// One reply on its way to the client.
#[derive(Debug)]
pub(super) struct ResponseStream {
    plan: ReplyContext,
    id: String,
    created_at: u64,
    now: u64,
    /// When the client was last told that the upstream lives.
    alive_at: u64,
    out: EventWriter,
    phase: Phase,
    live: Live,
    waiting: VecDeque<Waiting>,
    calls: Calls,
    seams: SurrogateJoiners,
    /// White space that opens a message only if text follows: before a call it would be an empty message.
    blank: JsonStrBuilder,
    summary: OpenCompaction,
    told: SeenInDeltas,
    /// The host shows thoughts in a field of their own.
    thinks_in_fields: bool,
    /// How many calls were found in the text.
    text_calls: u64,
    details: Details,
    /// What came in `extra_content` of calls, by their ids.
    extras: BTreeMap<String, Box<RawValue>>,
    /// Citations of a text that has not begun.
    annotations: Vec<Box<RawValue>>,
    finish: Option<Finish>,
    usage: Option<Usage>,
    kept_bytes: usize,
    stats: ReplyStats,
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

#[derive(Debug, Default)]
struct SurrogateJoiners {
    reasoning: SurrogateJoiner,
    text: SurrogateJoiner,
    refusal: SurrogateJoiner,
}

impl ResponseStream {
    pub(super) fn new(plan: ReplyContext, seed: u128, now: u64) -> Self {
        Self {
            id: format!("resp_{seed:032x}"),
            created_at: now,
            now,
            alive_at: now,
            out: EventWriter::new(seed, plan.stream),
            plan,
            phase: Phase::New,
            live: Live::Nothing,
            waiting: VecDeque::new(),
            calls: Calls::default(),
            seams: SurrogateJoiners::default(),
            blank: JsonStrBuilder::default(),
            summary: OpenCompaction::default(),
            told: SeenInDeltas::default(),
            thinks_in_fields: false,
            text_calls: 0,
            details: Details::default(),
            extras: BTreeMap::new(),
            annotations: Vec::new(),
            finish: None,
            usage: None,
            kept_bytes: 0,
            stats: ReplyStats::default(),
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

    /// What did not pass as it was.
    pub(super) fn report(&self) -> &Report {
        self.out.report()
    }

    /// Moves the frames that were written.
    pub(super) fn take_frames(&mut self, into: &mut Vec<u8>) {
        self.out.take_frames(into);
    }

    /// The upstream answers: the response begins.
    pub(super) fn begin(&mut self) {
        if matches!(self.phase, Phase::New) {
            self.phase = Phase::Begun;
            self.alive_at = self.now;
            self.announce(|sequence_number, response| Event::Created { sequence_number, response });
            self.announce(|sequence_number, response| Event::InProgress { sequence_number, response });
        }
    }

    /// The upstream lives but has nothing to say: an event keeps the client's idle timer from running out.
    pub(super) fn keep_alive(&mut self) {
        match self.phase {
            Phase::New => self.begin(),
            // Once a second is often enough, and the event repeats all that the request said.
            Phase::Begun if self.now == self.alive_at => {}
            Phase::Begun => {
                self.alive_at = self.now;
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
            self.hear(&piece, &[]);
        }
        self.flush_markup();
        if let Some(piece) = self.seams.refusal.finish() {
            self.refuse(&piece);
        }
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
        self.note();
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
