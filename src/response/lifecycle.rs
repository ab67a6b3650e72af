//! How a response begins, stays alive and ends.

use super::context::ReplyKind;
use super::outcome::{Failure, Outcome};
use crate::error::{ApiError, classify};
use crate::items::EventWriter;
use crate::json::{JsonStr, RawJson};
use crate::report::Report;
use crate::wire::responses::{
    Compaction, Echo, ErrorFields, Event, IncompleteDetails, Response, ResponseError, Status, Usage,
};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Writes the events and the JSON document of the response itself. Times are Unix seconds.
///
/// ```text
///      chunk, keep-alive or end               end
/// New ──────────────────────────▶ Running ──────────▶ Reply drops it: no event can follow
/// ```
#[derive(Debug)]
pub(super) struct Lifecycle {
    id: String,
    kind: ReplyKind,
    created_at: u64,
    echo: Echo,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Nothing was sent.
    New,
    /// `response.created` was sent.
    Running {
        /// When the client last got an event.
        last_event: u64,
    },
}

/// The result of a reply that has ended.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended<'a> {
    pub(super) outcome: &'a Outcome,
    pub(super) completed_at: u64,
    pub(super) usage: Option<&'a Usage>,
}

impl Lifecycle {
    pub(super) fn new(id: String, kind: ReplyKind, created_at: u64, echo: Echo) -> Self {
        Self { id, kind, created_at, echo, state: State::New }
    }

    /// A chunk arrived or the reply ends: begins the response, unless it has begun.
    pub(super) fn run(&mut self, now: u64, writer: &mut EventWriter) {
        if let State::New = self.state {
            let response = &self.in_progress();
            writer.send(|sequence_number| Event::Created { sequence_number, response });
            writer.send(|sequence_number| Event::InProgress { sequence_number, response });
        }
        self.state = State::Running { last_event: now };
    }

    /// The upstream is alive but sends no chunk: an event keeps the client's idle timer from running out. At most one
    /// per second is sent, because it repeats the fields of the request.
    pub(super) fn keep_alive(&mut self, now: u64, writer: &mut EventWriter) {
        match self.state {
            State::New => self.run(now, writer),
            State::Running { last_event } if last_event == now => {}
            State::Running { .. } => {
                let response = &self.in_progress();
                writer.send(|sequence_number| Event::InProgress { sequence_number, response });
                self.state = State::Running { last_event: now };
            }
        }
    }

    /// The tier that the upstream reports replaces the one that the client requested.
    pub(super) fn set_service_tier(&mut self, raw: Option<&RawValue>) {
        let known = self.echo.service_tier.as_ref().map_or(Echo::DEFAULT_TIER, RawJson::get);
        if let Some(tier) = raw.and_then(JsonStr::of).filter(|tier| tier.as_json() != known) {
            self.echo.service_tier = Some(tier.into_raw().into_owned());
        }
    }

    /// The response is not stored after all.
    pub(super) fn not_stored(&mut self) {
        self.echo.store = false;
    }

    /// Writes the last events of a stream.
    pub(super) fn end(&mut self, result: Ended<'_>, writer: &mut EventWriter) {
        if let Err(Failure::Failed(error)) = result.outcome {
            send_error(error, writer);
        }
        writer.send_with_items(|sequence_number, items, write| {
            let response = &self.ended(result, items);
            write(&match result.outcome {
                Ok(()) => Event::Completed { sequence_number, response },
                Err(Failure::Incomplete(_)) => Event::Incomplete { sequence_number, response },
                Err(Failure::Failed(_)) => Event::Failed { sequence_number, response },
            });
        });
        writer.send_done();
    }

    /// The ended response as one JSON document.
    pub(super) fn document(&self, result: Ended<'_>, items: &[RawJson<'static>]) -> Vec<u8> {
        let document = match (self.kind, result.outcome) {
            (ReplyKind::CompactionObject, Ok(())) => serde_json::to_vec(&Compaction {
                id: &self.id,
                object: "response.compaction",
                created_at: self.created_at,
                output: items,
                usage: result.usage,
            }),
            _ => serde_json::to_vec(&self.ended(result, items)),
        };
        document.unwrap_or_default()
    }

    fn in_progress(&self) -> Response<'_> {
        Response {
            id: &self.id,
            object: "response",
            created_at: self.created_at,
            completed_at: None,
            status: Status::InProgress,
            incomplete_details: None,
            error: None,
            output: &[],
            usage: None,
            echo: &self.echo,
        }
    }

    fn ended<'r>(&'r self, result: Ended<'r>, items: &'r [RawJson<'static>]) -> Response<'r> {
        let response = Response { output: items, usage: result.usage, ..self.in_progress() };
        match result.outcome {
            Ok(()) => {
                Response { status: Status::Completed, completed_at: Some(result.completed_at), ..response }
            }
            Err(Failure::Incomplete(reason)) => Response {
                status: Status::Incomplete,
                incomplete_details: Some(IncompleteDetails { reason }),
                ..response
            },
            Err(Failure::Failed(error)) => Response {
                status: Status::Failed,
                error: Some(ResponseError {
                    code: classify::response_code(error),
                    message: &error.message,
                    r#type: &error.kind,
                    param: error.param.as_deref(),
                }),
                ..response
            },
        }
    }

    /// Lists in `metadata` what was dropped or repaired in the reply, because the headers of a stream have been sent.
    pub(super) fn note(&mut self, report: &Report) {
        let notes = [(DROPPED_KEY, report.all_dropped()), (REPAIRED_KEY, report.all_repaired())];
        if notes.iter().all(|(_, note)| note.is_empty()) {
            return;
        }
        let metadata = self.echo.metadata.as_ref().and_then(|fields| serde_json::from_str(fields.get()).ok());
        let mut fields: Map<String, Value> = metadata.unwrap_or_default();
        for (key, note) in notes.into_iter().filter(|(_, note)| !note.is_empty()) {
            let note: String = note.join(",").chars().take(METADATA_VALUE_CHARS).collect();
            fields.insert(key.to_owned(), note.into());
        }
        self.echo.metadata = Some(RawJson::new(&fields));
    }
}

const DROPPED_KEY: &str = "x-transponder-dropped";
const REPAIRED_KEY: &str = "x-transponder-repaired";

/// OpenAI's limit for a value of `metadata`.
const METADATA_VALUE_CHARS: usize = 512;

fn send_error(error: &ApiError, writer: &mut EventWriter) {
    let fields = ErrorFields {
        r#type: &error.kind,
        code: error.code.as_deref(),
        message: &error.message,
        param: error.param.as_deref(),
    };
    writer.send(|sequence_number| Event::Error {
        sequence_number,
        code: fields.code,
        message: fields.message,
        param: fields.param,
        error: fields,
    });
}
