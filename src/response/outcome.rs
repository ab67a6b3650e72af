//! The outcome of a reply, and its reason.

use super::delta::DeltaSink;
use super::normalizer::{Ending, FinishReason};
use super::output::Output;
use crate::bounds;
use crate::error::{ApiError, Code};
use crate::sse::decode::TooLarge;

/// Why a reply cannot be completed. It travels up by `?`, and [`ResponseStream`](super::stream::ResponseStream) ends
/// the reply with it.
#[derive(Debug)]
pub(super) enum Failure {
    /// `response.incomplete`, with this reason.
    Incomplete(&'static str),
    /// `response.failed`, with this error.
    Failed(ApiError),
}

/// How a reply ended: `Ok` is `response.completed`.
pub(super) type Outcome = Result<(), Failure>;

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::Failed(error)
    }
}

impl From<TooLarge> for Failure {
    fn from(TooLarge { limit }: TooLarge) -> Self {
        bounds::event_too_large(limit).into()
    }
}

/// The reason why reading the upstream's body ended.
#[derive(Debug)]
pub(super) enum End {
    /// The upstream marked the end.
    Marked(Mark),
    /// The body ended without a mark.
    Unmarked,
    /// The reply failed before its end.
    Failed(Failure),
}

/// How the upstream marked the end of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    /// By `[DONE]`. Servers also send it after a reply that they cut off.
    Done,
    /// By the last bracket of a document, or by `[DONE]` from an upstream that never sends a finish reason.
    Complete,
}

impl<E: Into<Failure>> From<E> for End {
    fn from(failure: E) -> Self {
        Self::Failed(failure.into())
    }
}

/// Decides the outcome of a reply that ended without a failure. The content that was received decides, not
/// `finish_reason`, which providers set inconsistently.
pub(super) fn judge(ending: Ending, mark: Option<Mark>, output: &Output) -> Outcome {
    match ending.finish {
        Some(FinishReason::Length) => Err(Failure::Incomplete("max_output_tokens")),
        Some(FinishReason::ContentFilter) => Err(Failure::Incomplete("content_filter")),
        Some(FinishReason::Error) => failed("The upstream ended its reply with an error."),
        None if mark.is_none() && output.is_blank() => {
            failed("The upstream sent no chat completion: neither a stream of chunks nor a JSON document.")
        }
        None if mark.is_none() => {
            failed("The upstream's stream ended early, without a finish_reason or [DONE].")
        }
        None if mark == Some(Mark::Done) && !output.is_blank() => {
            failed("The upstream's stream ended early, with [DONE] but without a finish_reason.")
        }
        Some(FinishReason::ToolCalls) if output.lacks_calls() => {
            failed("The upstream announced a tool call (finish_reason 'tool_calls') but sent none.")
        }
        _ if output.lacks_summary() => failed("The upstream sent no summary of the conversation."),
        _ if output.is_blank() => failed("The upstream sent an empty reply."),
        _ => output.check_calls(),
    }
}

fn failed(message: &str) -> Outcome {
    Err(Failure::Failed(ApiError::upstream(message)))
}

/// The error for a lost call, with the call's name. `id`: the provider's.
pub(super) fn lost(name: &str, id: &str, why: &str) -> ApiError {
    ApiError::upstream(format!(
        "The upstream's call of tool '{name}' (id '{id}') cannot be delivered: {why}."
    ))
    .code(Code::ToolCallLost)
}
