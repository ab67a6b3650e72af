//! The items of `output`.

use crate::json::JsonStr;
use serde::Serialize;
use serde_json::value::RawValue;

/// `status` of an item or a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// More will come.
    InProgress,
    /// It is whole.
    Completed,
    /// It was cut.
    Incomplete,
    /// The upstream broke.
    Failed,
}

/// One item of `output`.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum OutputItem<'a> {
    /// What the model said.
    Message {
        /// `msg_...`.
        id: &'a str,
        /// Its state.
        status: Status,
        /// `assistant`.
        role: &'static str,
        /// Text or refusal.
        content: &'a [OutputPart<'a>],
    },
    /// What the model thought.
    Reasoning {
        /// `rs_...`.
        id: &'a str,
        /// The text.
        summary: &'a [SummaryPart<'a>],
        /// What comes back with the next turn.
        #[serde(skip_serializing_if = "Option::is_none")]
        encrypted_content: Option<&'a str>,
    },
    /// A call of a function.
    FunctionCall {
        /// `fc_...`.
        id: &'a str,
        /// Its state.
        status: Status,
        /// A string that holds JSON.
        arguments: &'a JsonStr<'a>,
        /// Its id in the conversation.
        call_id: &'a str,
        /// The function.
        name: &'a str,
        /// The namespace that holds it.
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<&'a str>,
    },
    /// A call of a custom tool.
    CustomToolCall {
        /// `ctc_...`.
        id: &'a str,
        /// Its state.
        status: Status,
        /// Its id in the conversation.
        call_id: &'a str,
        /// The tool.
        name: &'a str,
        /// The namespace that holds it.
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<&'a str>,
        /// The raw text.
        input: &'a JsonStr<'a>,
    },
    /// A search for tools, which the client runs.
    ToolSearchCall {
        /// `tsc_...`.
        id: &'a str,
        /// Its state.
        status: Status,
        /// Its id in the conversation.
        call_id: &'a str,
        /// `client`.
        execution: &'static str,
        /// An object.
        arguments: &'a RawValue,
    },
    /// Commands, which the client runs.
    ShellCall {
        /// `sh_...`.
        id: &'a str,
        /// Its state.
        status: Status,
        /// Its id in the conversation.
        call_id: &'a str,
        /// `{commands, timeout_ms, max_output_length}`.
        action: &'a RawValue,
    },
    /// A command, which the client runs.
    LocalShellCall {
        /// `lsh_...`.
        id: &'a str,
        /// Its state.
        status: Status,
        /// Its id in the conversation.
        call_id: &'a str,
        /// `{type, command, env, ...}`.
        action: &'a RawValue,
    },
    /// A change of a file, which the client makes.
    ApplyPatchCall {
        /// `apc_...`.
        id: &'a str,
        /// Its state.
        status: Status,
        /// Its id in the conversation.
        call_id: &'a str,
        /// `{type, path, diff}`.
        operation: &'a RawValue,
    },
    /// The summary of all that came before.
    Compaction {
        /// `cmp_...`.
        id: &'a str,
        /// The summary, for us to expand when it comes back.
        encrypted_content: &'a str,
    },
}

/// One part of a message.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum OutputPart<'a> {
    /// Text.
    OutputText {
        /// The text.
        text: JsonStr<'a>,
        /// Citations.
        annotations: Vec<Box<RawValue>>,
        /// One for each token, if asked for.
        logprobs: Vec<Box<RawValue>>,
    },
    /// A refusal.
    Refusal {
        /// The text.
        refusal: JsonStr<'a>,
    },
}

/// One part of a reasoning's summary.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum SummaryPart<'a> {
    /// Text.
    SummaryText {
        /// The text.
        text: JsonStr<'a>,
    },
}

/// What a text rests on.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Annotation<'a> {
    /// A page of the web.
    UrlCitation {
        /// Where the words begin that it is about.
        start_index: u64,
        /// Where they end.
        end_index: u64,
        /// The page.
        url: &'a str,
        /// Its title.
        title: &'a str,
    },
}
