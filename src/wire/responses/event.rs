//! The events of a stream.
//!
//! Reference: <https://platform.openai.com/docs/api-reference/responses-streaming>

use super::{OutputItem, OutputPart, Response, SummaryPart};
use crate::json::{JsonStr, RawJson};
use serde::Serialize;

macro_rules! events {
    ($($(#[$doc:meta])* $name:literal $event:ident { $($field:ident: $type:ty),* $(,)? })*) => {
        /// An event. `event:` and `type` have the same value.
        ///
        /// ```text
        /// event: response.output_text.delta
        /// data: {"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_1","output_index":0,"content_index":0,"delta":"Hi","logprobs":[]}
        /// ```
        #[derive(Debug, Serialize)]
        #[serde(tag = "type")]
        #[allow(missing_docs)]
        pub enum Event<'a> {
            $($(#[$doc])* #[serde(rename = $name)] $event { sequence_number: u64, $($field: $type),* },)*
        }

        impl Event<'_> {
            /// The names of all events, e.g. `response.created`.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// The value of `event:` and `type`.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$event { .. } => $name,)*
                }
            }
        }
    };
}

events! {
    /// The first event.
    "response.created" Created { response: &'a Response<'a> }
    /// The second event. Also sent while the upstream is silent, so that the client's idle timer does not expire.
    "response.in_progress" InProgress { response: &'a Response<'a> }
    /// The last event if nothing is missing.
    "response.completed" Completed { response: &'a Response<'a> }
    /// The last event if a token limit or a filter cut the response off.
    "response.incomplete" Incomplete { response: &'a Response<'a> }
    /// The last event after an error.
    "response.failed" Failed { response: &'a Response<'a> }
    /// An error: its fields at the top level, as OpenAI's SDKs read them, and in `error`, as Open Responses requires.
    "error" Error { code: Option<&'a str>, message: &'a str, param: Option<&'a str>, error: ErrorFields<'a> }
    "response.output_item.added" OutputItemAdded { output_index: usize, item: &'a OutputItem<'a> }
    "response.output_item.done" OutputItemDone { output_index: usize, item: &'a RawJson<'a> }
    "response.content_part.added" ContentPartAdded { item_id: &'a str, output_index: usize, content_index: usize, part: &'a OutputPart<'a> }
    "response.content_part.done" ContentPartDone { item_id: &'a str, output_index: usize, content_index: usize, part: &'a OutputPart<'a> }
    "response.output_text.delta" OutputTextDelta { item_id: &'a str, output_index: usize, content_index: usize, delta: &'a JsonStr<'a>, logprobs: &'a [RawJson<'static>] }
    "response.output_text.done" OutputTextDone { item_id: &'a str, output_index: usize, content_index: usize, text: &'a JsonStr<'a>, logprobs: &'a [RawJson<'static>] }
    "response.output_text.annotation.added" AnnotationAdded { item_id: &'a str, output_index: usize, content_index: usize, annotation_index: usize, annotation: &'a RawJson<'a> }
    "response.refusal.delta" RefusalDelta { item_id: &'a str, output_index: usize, content_index: usize, delta: &'a JsonStr<'a> }
    "response.refusal.done" RefusalDone { item_id: &'a str, output_index: usize, content_index: usize, refusal: &'a JsonStr<'a> }
    "response.reasoning_summary_part.added" SummaryPartAdded { item_id: &'a str, output_index: usize, summary_index: usize, part: &'a SummaryPart<'a> }
    "response.reasoning_summary_part.done" SummaryPartDone { item_id: &'a str, output_index: usize, summary_index: usize, part: &'a SummaryPart<'a> }
    "response.reasoning_summary_text.delta" SummaryTextDelta { item_id: &'a str, output_index: usize, summary_index: usize, delta: &'a JsonStr<'a> }
    "response.reasoning_summary_text.done" SummaryTextDone { item_id: &'a str, output_index: usize, summary_index: usize, text: &'a JsonStr<'a> }
    "response.function_call_arguments.delta" FunctionCallArgumentsDelta { item_id: &'a str, output_index: usize, delta: &'a JsonStr<'a> }
    "response.function_call_arguments.done" FunctionCallArgumentsDone { item_id: &'a str, output_index: usize, name: &'a str, arguments: &'a JsonStr<'a> }
    "response.shell_call_command.added" ShellCommandAdded { output_index: usize, command_index: usize, command: &'a JsonStr<'a> }
    "response.shell_call_command.delta" ShellCommandDelta { output_index: usize, command_index: usize, delta: &'a JsonStr<'a> }
    "response.shell_call_command.done" ShellCommandDone { output_index: usize, command_index: usize, command: &'a JsonStr<'a> }
    "response.compaction.compacting" CompactionCompacting { item_id: &'a str, output_index: usize }
    "response.custom_tool_call_input.delta" CustomToolCallInputDelta { item_id: &'a str, output_index: usize, delta: &'a JsonStr<'a> }
    "response.custom_tool_call_input.done" CustomToolCallInputDone { item_id: &'a str, output_index: usize, input: &'a JsonStr<'a> }
}

/// `error` of an `error` event.
///
/// ```json
/// {"type": "server_error", "code": "tool_call_lost", "message": "...", "param": null}
/// ```
#[derive(Debug, Clone, Copy, Serialize)]
#[allow(missing_docs)]
pub struct ErrorFields<'a> {
    pub r#type: &'a str,
    pub code: Option<&'a str>,
    pub message: &'a str,
    pub param: Option<&'a str>,
}
