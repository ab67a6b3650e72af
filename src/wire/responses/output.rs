//! The items of `output` and the parts of their content.
//!
//! Reference: <https://platform.openai.com/docs/api-reference/responses/object#responses-object-output>

use crate::json::{JsonStr, RawJson};
use serde::Serialize;

/// `status` of an item or a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The item or response is not finished.
    InProgress,
    /// It is finished and complete.
    Completed,
    /// A token limit or a filter cut it off.
    Incomplete,
    /// An error ended it.
    Failed,
}

/// An item of `output`.
///
/// ```json
/// {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant", "content": [...]}
/// {"type": "reasoning", "id": "rs_1", "summary": [...], "encrypted_content": "transponder.1..."}
/// {"type": "function_call", "id": "fc_1", "status": "completed", "arguments": "{}", "call_id": "call_1", "name": "f"}
/// {"type": "custom_tool_call", "id": "ctc_1", "status": "completed", "call_id": "call_1", "name": "f", "input": "..."}
/// {"type": "tool_search_call", "id": "tsc_1", "status": "completed", "call_id": "call_1", "execution": "client", "arguments": {}}
/// {"type": "shell_call", "id": "sh_1", "status": "completed", "call_id": "call_1", "action": {"commands": ["ls"]}}
/// {"type": "local_shell_call", "id": "lsh_1", "status": "completed", "call_id": "call_1", "action": {"type": "exec", "command": ["ls"]}}
/// {"type": "apply_patch_call", "id": "apc_1", "status": "completed", "call_id": "call_1", "operation": {"type": "delete_file", "path": "a"}}
/// {"type": "compaction", "id": "cmp_1", "encrypted_content": "transponder.1..."}
/// ```
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum OutputItem<'a> {
    Message {
        id: &'a str,
        status: Status,
        role: &'static str,
        content: &'a [OutputPart<'a>],
    },
    Reasoning {
        id: &'a str,
        summary: &'a [SummaryPart<'a>],
        #[serde(skip_serializing_if = "Option::is_none")]
        encrypted_content: Option<&'a str>,
    },
    FunctionCall {
        id: &'a str,
        status: Status,
        arguments: &'a JsonStr<'a>,
        call_id: &'a str,
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<&'a str>,
    },
    CustomToolCall {
        id: &'a str,
        status: Status,
        call_id: &'a str,
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<&'a str>,
        input: &'a JsonStr<'a>,
    },
    ToolSearchCall {
        id: &'a str,
        status: Status,
        call_id: &'a str,
        execution: &'static str,
        arguments: &'a RawJson<'a>,
    },
    ShellCall {
        id: &'a str,
        status: Status,
        call_id: &'a str,
        action: &'a RawJson<'a>,
    },
    LocalShellCall {
        id: &'a str,
        status: Status,
        call_id: &'a str,
        action: &'a RawJson<'a>,
    },
    ApplyPatchCall {
        id: &'a str,
        status: Status,
        call_id: &'a str,
        operation: &'a RawJson<'a>,
    },
    Compaction {
        id: &'a str,
        encrypted_content: &'a str,
    },
}

/// A part of a message.
///
/// ```json
/// {"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}
/// {"type": "refusal", "refusal": "I cannot help with that."}
/// ```
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum OutputPart<'a> {
    OutputText {
        text: JsonStr<'a>,
        annotations: Vec<RawJson<'static>>,
        /// One for each token, if the request asks for them.
        logprobs: Vec<RawJson<'static>>,
    },
    Refusal {
        refusal: JsonStr<'a>,
    },
}

/// A part of a reasoning item's summary: `{"type": "summary_text", "text": "..."}`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum SummaryPart<'a> {
    SummaryText { text: JsonStr<'a> },
}

/// The source of a passage of text, which is given by its first and last character.
///
/// ```json
/// {"type": "url_citation", "start_index": 0, "end_index": 4, "url": "https://example.com", "title": "Example"}
/// ```
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Annotation<'a> {
    UrlCitation { start_index: u64, end_index: u64, url: &'a str, title: &'a str },
}
