//! How the response ends: what was seen decides, the finish reason only says why there is no more.

use super::chunk::Finish;
use super::{Live, ResponseStream};
use crate::error::ApiError;
use crate::error::classify;
use crate::json::{Completeness, RawJson, completeness};
use crate::report::Dropped;
use crate::response::context::ReplyContext;
use crate::wire::responses::{IncompleteDetails, Response, ResponseError, Status, Usage};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

#[derive(Debug)]
pub(super) enum Outcome {
    Completed,
    Incomplete(&'static str),
    Failed(ApiError),
}

impl ResponseStream {
    /// What was seen decides; the finish reason only says why there is no more.
    pub(super) fn outcome(&self, whole: bool) -> Outcome {
        match self.finish {
            Some(Finish::Length) => Outcome::Incomplete("max_output_tokens"),
            Some(Finish::Filter) => Outcome::Incomplete("content_filter"),
            Some(Finish::Error) => {
                Outcome::Failed(ApiError::upstream("The upstream broke off its reply with an error."))
            }
            None if !whole && self.is_blank() => Outcome::Failed(ApiError::upstream(
                "The upstream sent no chat completion: neither a stream of chunks nor a JSON document.",
            )),
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

    pub(super) fn is_blank(&self) -> bool {
        matches!(self.live, Live::Nothing)
            && self.waiting.is_empty()
            && self.out.items().is_empty()
            && self.summary.is_empty()
    }

    /// A call is handed over whole or not at all.
    fn calls_outcome(&self) -> Outcome {
        let wanted = self.calls.iter().enumerate().filter(|(number, _)| !self.is_surplus(*number));
        for (number, slot) in wanted.filter(|(_, slot)| !slot.closed) {
            let text = slot.arguments.clone().finish();
            let decoded = text.decode();
            let arguments = decoded.trim();
            if slot.name.is_empty() {
                return Outcome::Failed(self.lost(number, "it has no name"));
            }
            // Older vLLM says `tool_calls` when the token limit cut a call.
            if !slot.raw && !arguments.is_empty() && completeness(arguments) == Completeness::Truncated {
                return Outcome::Incomplete("max_output_tokens");
            }
            if let Some(error) = self.misshapen(number) {
                return Outcome::Failed(error);
            }
        }
        Outcome::Completed
    }

    /// Why a call whose arguments are whole cannot be an item of the type that its tool's calls are.
    pub(super) fn misshapen(&self, number: usize) -> Option<ApiError> {
        let slot = self.calls.get(number)?;
        let kind = self.plan.toolbox.kind_of(&slot.name);
        let accepts = kind.accepts?;
        let text = slot.arguments.clone().finish();
        let decoded = text.decode();
        let arguments = match decoded.trim() {
            "" => "{}",
            arguments => arguments,
        };
        let why = || format!("its arguments are not the JSON object that a {} holds", kind.call_item);
        (!accepts(arguments)).then(|| self.lost(number, &why()))
    }
}

/// The keys of `metadata` that tell the client what it did not get as it was sent. A stream's headers are gone by
/// the time that this is known.
const DROPPED: &str = "x-transponder-dropped";
const REPAIRED: &str = "x-transponder-repaired";
/// As long as a value of `metadata` may be.
const NOTE_CHARS: usize = 512;

impl ResponseStream {
    /// Notes in the response what of the reply did not pass as it was.
    pub(super) fn note(&mut self) {
        for (number, slot) in self.calls.iter().enumerate() {
            if self.is_surplus(number) {
                self.out.report_mut().dropped(Dropped::ToolCall, &slot.name);
            }
        }
        let report = self.out.report();
        let notes = [(DROPPED, report.all_dropped()), (REPAIRED, report.all_repaired())];
        if notes.iter().all(|(_, note)| note.is_empty()) {
            return;
        }
        let metadata = &mut self.plan.echo.metadata;
        let mut fields: Map<String, Value> = serde_json::from_str(metadata.get()).unwrap_or_default();
        for (key, note) in notes.into_iter().filter(|(_, note)| !note.is_empty()) {
            let note: String = note.join(",").chars().take(NOTE_CHARS).collect();
            fields.insert(key.to_owned(), note.into());
        }
        *metadata = RawJson::new(&fields);
    }
}

pub(super) fn response<'r>(
    plan: &'r ReplyContext,
    id: &'r str,
    created_at: u64,
    status: Status,
) -> Response<'r> {
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

pub(super) fn last_response<'r>(
    plan: &'r ReplyContext,
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
                code: classify::response_code(error),
                message: &error.message,
                r#type: &error.kind,
                param: error.param.as_deref(),
            }),
            _ => None,
        },
        output: items,
        usage,
        ..response(plan, id, created_at, status)
    }
}
