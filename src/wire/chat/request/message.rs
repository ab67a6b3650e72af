//! `messages` of a Chat Completions request.
//!
//! Reference: <https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages>

use crate::json::{JsonStr, RawJson};
use serde::Serialize;
use std::borrow::Cow;

/// An element of `messages`.
///
/// ```json
/// {"role": "system", "content": "Be brief."}
/// {"role": "user", "content": [{"type": "text", "text": "Hi"}]}
/// {"role": "assistant", "content": null, "tool_calls": [...]}
/// {"role": "tool", "tool_call_id": "call_1", "content": "done"}
/// ```
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "role", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Message<'a> {
    System {
        content: Content<'a>,
    },
    /// Instructions, for upstreams that have this role.
    Developer {
        content: Content<'a>,
    },
    User {
        content: Content<'a>,
    },
    Assistant(Assistant<'a>),
    Tool {
        tool_call_id: Cow<'a, str>,
        content: Content<'a>,
    },
}

/// A message of the model.
#[derive(Debug, Clone, Default, Serialize)]
#[allow(missing_docs)]
pub struct Assistant<'a> {
    #[serde(skip_serializing_if = "AssistantContent::is_absent")]
    pub content: AssistantContent<'a>,
    /// Under the field name that the upstream reads, e.g. `reasoning_content`.
    #[serde(flatten)]
    pub reasoning: Option<NamedText<'a>>,
    /// As the upstream sent them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_details: Option<Vec<RawJson<'static>>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall<'a>>,
}

/// `content` of an assistant message, which may be absent if there are tool calls.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(untagged)]
pub enum AssistantContent<'a> {
    /// The field is left out.
    #[default]
    Absent,
    /// The field is `null`.
    Null,
    /// The text of the model.
    Present(Content<'a>),
}

impl AssistantContent<'_> {
    fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// A field whose name differs between upstreams.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct NamedText<'a> {
    pub name: &'a str,
    pub text: JsonStr<'a>,
}

impl Serialize for NamedText<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.name, &self.text)])
    }
}

/// `content`: a string, or an array of parts.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
#[allow(missing_docs)]
pub enum Content<'a> {
    Text(JsonStr<'a>),
    Parts(Vec<Part<'a>>),
}

/// A part of `content`.
///
/// ```json
/// {"type": "text", "text": "Hi"}
/// {"type": "image_url", "image_url": {"url": "data:image/png;base64,...", "detail": "auto"}}
/// {"type": "input_audio", "input_audio": {"data": "...", "format": "wav"}}
/// {"type": "file", "file": {"file_data": "data:application/pdf;base64,...", "filename": "a.pdf"}}
/// ```
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Part<'a> {
    Text { text: JsonStr<'a> },
    ImageUrl { image_url: ImageUrl<'a> },
    InputAudio { input_audio: RawJson<'a> },
    File { file: File<'a> },
}

impl Part<'_> {
    /// The name of the part's type in the Responses API.
    pub fn input_type(&self) -> &'static str {
        match self {
            Self::Text { .. } => "input_text",
            Self::ImageUrl { .. } => "input_image",
            Self::InputAudio { .. } => "input_audio",
            Self::File { .. } => "input_file",
        }
    }
}

/// An image, by an `https:` or `data:` URL. `detail` is `auto`, `low` or `high`.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct ImageUrl<'a> {
    pub url: JsonStr<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a str>,
}

/// A file, by a `data:` URL.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct File<'a> {
    pub file_data: JsonStr<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<JsonStr<'a>>,
}

/// An element of an assistant message's `tool_calls`.
///
/// ```json
/// {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
/// {"id": "call_1", "type": "custom", "custom": {"name": "apply_patch", "input": "*** Begin Patch\n"}}
/// ```
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct ToolCall<'a> {
    pub id: Cow<'a, str>,
    #[serde(flatten)]
    pub called: Called<'a>,
    /// State that the upstream sent with the call and needs back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_content: Option<RawJson<'static>>,
}

/// The tool that was called: a function, or a custom tool where the upstream supports them.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Called<'a> {
    Function { function: FunctionCall<'a> },
    Custom { custom: CustomCall<'a> },
}

/// A custom tool, by its name upstream, and its input.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct CustomCall<'a> {
    pub name: Cow<'a, str>,
    pub input: JsonStr<'a>,
}

/// A function, by its name upstream, and its arguments: a string that holds a JSON object.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct FunctionCall<'a> {
    pub name: Cow<'a, str>,
    pub arguments: JsonStr<'a>,
}
