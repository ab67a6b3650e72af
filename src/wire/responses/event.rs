//! The events of a stream.

use super::{OutputItem, OutputPart, Response, SummaryPart};
use crate::json::JsonStr;
use serde::Serialize;
use serde_json::value::RawValue;

macro_rules! events {
    ($($(#[$doc:meta])* $name:literal $event:ident { $($field:ident: $type:ty),* $(,)? })*) => {
        /// One event. Each carries its `sequence_number`; `event:` and `type` are the same name.
        #[derive(Debug, Serialize)]
        #[serde(tag = "type")]
        #[allow(missing_docs)] // The fields are the API's, by its names.
        pub enum Event<'a> {
            $($(#[$doc])* #[serde(rename = $name)] $event { sequence_number: u64, $($field: $type),* },)*
        }

        impl Event<'_> {
            /// The names of all events.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// The event's name, e.g. `response.created`.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$event { .. } => $name,)*
                }
            }
        }
    };
}

events! {
    /// The response begins.
    "response.created" Created { response: &'a Response<'a> }
    /// The response goes on. Also sent to keep a waiting client's idle timer from running out.
    "response.in_progress" InProgress { response: &'a Response<'a> }
    /// The response is whole.
    "response.completed" Completed { response: &'a Response<'a> }
    /// The response was cut.
    "response.incomplete" Incomplete { response: &'a Response<'a> }
    /// The response failed.
    "response.failed" Failed { response: &'a Response<'a> }
    /// What went wrong: flat, as OpenAI's SDKs read it, and nested, as Open Responses demands.
    "error" Error { code: Option<&'a str>, message: &'a str, param: Option<&'a str>, error: ErrorFields<'a> }
    /// An item begins.
    "response.output_item.added" OutputItemAdded { output_index: usize, item: &'a OutputItem<'a> }
    /// An item is closed.
    "response.output_item.done" OutputItemDone { output_index: usize, item: &'a RawValue }
    /// A part of a message begins.
    "response.content_part.added" ContentPartAdded { item_id: &'a str, output_index: usize, content_index: usize, part: &'a OutputPart<'a> }
    /// A part of a message is whole.
    "response.content_part.done" ContentPartDone { item_id: &'a str, output_index: usize, content_index: usize, part: &'a OutputPart<'a> }
    /// More text.
    "response.output_text.delta" OutputTextDelta { item_id: &'a str, output_index: usize, content_index: usize, delta: &'a JsonStr<'a>, logprobs: &'a [Box<RawValue>] }
    /// All the text.
    "response.output_text.done" OutputTextDone { item_id: &'a str, output_index: usize, content_index: usize, text: &'a JsonStr<'a>, logprobs: &'a [Box<RawValue>] }
    /// A citation of the text.
    "response.output_text.annotation.added" AnnotationAdded { item_id: &'a str, output_index: usize, content_index: usize, annotation_index: usize, annotation: &'a RawValue }
    /// More of a refusal.
    "response.refusal.delta" RefusalDelta { item_id: &'a str, output_index: usize, content_index: usize, delta: &'a JsonStr<'a> }
    /// All of a refusal.
    "response.refusal.done" RefusalDone { item_id: &'a str, output_index: usize, content_index: usize, refusal: &'a JsonStr<'a> }
    /// A part of a reasoning's summary begins.
    "response.reasoning_summary_part.added" SummaryPartAdded { item_id: &'a str, output_index: usize, summary_index: usize, part: &'a SummaryPart<'a> }
    /// A part of a reasoning's summary is whole.
    "response.reasoning_summary_part.done" SummaryPartDone { item_id: &'a str, output_index: usize, summary_index: usize, part: &'a SummaryPart<'a> }
    /// More reasoning.
    "response.reasoning_summary_text.delta" SummaryTextDelta { item_id: &'a str, output_index: usize, summary_index: usize, delta: &'a JsonStr<'a> }
    /// All the reasoning.
    "response.reasoning_summary_text.done" SummaryTextDone { item_id: &'a str, output_index: usize, summary_index: usize, text: &'a JsonStr<'a> }
    /// More arguments.
    "response.function_call_arguments.delta" FunctionCallArgumentsDelta { item_id: &'a str, output_index: usize, delta: &'a JsonStr<'a> }
    /// All the arguments.
    "response.function_call_arguments.done" FunctionCallArgumentsDone { item_id: &'a str, output_index: usize, name: &'a str, arguments: &'a JsonStr<'a> }
    /// More input of a custom tool.
    "response.custom_tool_call_input.delta" CustomToolCallInputDelta { item_id: &'a str, output_index: usize, delta: &'a JsonStr<'a> }
    /// All the input of a custom tool.
    "response.custom_tool_call_input.done" CustomToolCallInputDone { item_id: &'a str, output_index: usize, input: &'a JsonStr<'a> }
}

/// The nested fields of an `error` event.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ErrorFields<'a> {
    /// `type`.
    pub r#type: &'a str,
    /// Stable, for programs.
    pub code: Option<&'a str>,
    /// For people.
    pub message: &'a str,
    /// Where.
    pub param: Option<&'a str>,
}
