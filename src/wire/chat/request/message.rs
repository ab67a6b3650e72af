//! `messages` of a Chat Completions request.
//!
//! Reference: <https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages>

use crate::json::{JsonStr, JsonText, RawJson};
use serde::Serialize;
use std::borrow::Cow;

/// An element of `messages`, except those of the model: see [`Assistant`].
///
/// ```json
/// {"role": "system", "content": "Be brief."}
/// {"role": "user", "content": [{"type": "text", "text": "Hi"}]}
/// {"role": "tool", "tool_call_id": "call_1", "content": "done"}
/// ```
#[derive(Debug, Clone)]
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
    Tool {
        tool_call_id: Cow<'a, str>,
        content: Content<'a>,
    },
}

impl Message<'_> {
    /// Writes the message.
    pub fn write(&self, out: &mut JsonText) {
        let content = match self {
            Self::System { content } => {
                out.raw(r#"{"role":"system","content":"#);
                content
            }
            Self::Developer { content } => {
                out.raw(r#"{"role":"developer","content":"#);
                content
            }
            Self::User { content } => {
                out.raw(r#"{"role":"user","content":"#);
                content
            }
            Self::Tool { tool_call_id, content } => {
                out.raw(r#"{"role":"tool","tool_call_id":"#);
                out.string(tool_call_id);
                out.raw(r#","content":"#);
                content
            }
        };
        content.write(out);
        out.raw("}");
    }
}

/// A message of the model, without its calls.
///
/// ```json
/// {"role": "assistant", "content": null, "tool_calls": [...]}
/// ```
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)]
pub struct Assistant<'a> {
    pub content: AssistantContent<'a>,
    /// Under the field name that the upstream reads, e.g. `reasoning_content`.
    pub reasoning: Option<NamedText<'a>>,
    /// As the upstream sent them.
    pub reasoning_details: Option<Vec<RawJson<'static>>>,
}

impl Assistant<'_> {
    /// Writes the message with these calls.
    pub fn write<'c, 'a: 'c>(&self, calls: impl Iterator<Item = &'c ToolCall<'a>>, out: &mut JsonText) {
        out.raw(r#"{"role":"assistant""#);
        match &self.content {
            AssistantContent::Absent => {}
            AssistantContent::Null => out.raw(r#","content":null"#),
            AssistantContent::Present(content) => {
                out.raw(r#","content":"#);
                content.write(out);
            }
        }
        if let Some(NamedText { name, text }) = &self.reasoning {
            out.raw(",");
            out.string(name);
            out.raw(":");
            out.raw(text.as_json());
        }
        if let Some(details) = &self.reasoning_details {
            out.raw(r#","reasoning_details":"#);
            out.value(details);
        }
        let mut before = r#","tool_calls":["#;
        for call in calls {
            out.raw(before);
            call.write(out);
            before = ",";
        }
        out.raw(if before == "," { "]}" } else { "}" });
    }
}

/// `content` of an assistant message, which may be absent if there are tool calls.
#[derive(Debug, Clone, Default)]
pub enum AssistantContent<'a> {
    /// The field is omitted.
    #[default]
    Absent,
    /// The field is `null`.
    Null,
    /// The text of the model.
    Present(Content<'a>),
}

/// A field whose name differs between upstreams.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct NamedText<'a> {
    pub name: &'a str,
    pub text: JsonStr<'a>,
}

/// `content`: a string, or an array of parts.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub enum Content<'a> {
    Text(JsonStr<'a>),
    Parts(Vec<Part<'a>>),
}

/// No part.
impl Default for Content<'_> {
    fn default() -> Self {
        Self::Parts(Vec::new())
    }
}

impl<'a> From<Part<'a>> for Content<'a> {
    fn from(part: Part<'a>) -> Self {
        match part {
            Part::Text { text } => Self::Text(text),
            other => Self::Parts(vec![other]),
        }
    }
}

impl<'a> Content<'a> {
    /// Whether there is no part. An empty text is one.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Parts(parts) if parts.is_empty())
    }

    /// Adds parts. One text needs no array.
    pub fn append(&mut self, other: Content<'a>) {
        if self.is_empty() {
            *self = other;
        } else if !other.is_empty() {
            let mut parts = std::mem::take(self).into_parts();
            match other {
                Self::Text(text) => parts.push(Part::Text { text }),
                Self::Parts(others) => parts.extend(others),
            }
            *self = Self::Parts(parts);
        }
    }

    /// Leaves out empty texts.
    pub fn without_empty_texts(self) -> Self {
        match self {
            Self::Text(text) if text.is_empty() => Self::default(),
            Self::Text(text) => Self::Text(text),
            Self::Parts(mut parts) => {
                parts.retain(|part| !matches!(part, Part::Text { text } if text.is_empty()));
                Self::Parts(parts)
            }
        }
    }

    /// The content as an array.
    pub fn into_parts(self) -> Vec<Part<'a>> {
        match self {
            Self::Text(text) => vec![Part::Text { text }],
            Self::Parts(parts) => parts,
        }
    }

    fn write(&self, out: &mut JsonText) {
        match self {
            Self::Text(text) => out.raw(text.as_json()),
            Self::Parts(parts) => out.value(parts),
        }
    }
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
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub struct ToolCall<'a> {
    pub id: Cow<'a, str>,
    pub called: Called<'a>,
    /// State that the upstream sent with the call and needs back.
    pub extra_content: Option<RawJson<'static>>,
}

impl ToolCall<'_> {
    fn write(&self, out: &mut JsonText) {
        out.raw(r#"{"id":"#);
        out.string(&self.id);
        match &self.called {
            Called::Function { name, arguments } => {
                out.raw(r#","type":"function","function":{"name":"#);
                out.string(name);
                out.raw(r#","arguments":"#);
                out.raw(arguments.as_json());
            }
            Called::Custom { name, input } => {
                out.raw(r#","type":"custom","custom":{"name":"#);
                out.string(name);
                out.raw(r#","input":"#);
                out.raw(input.as_json());
            }
        }
        out.raw("}");
        if let Some(extra) = &self.extra_content {
            out.raw(r#","extra_content":"#);
            out.raw(extra.get());
        }
        out.raw("}");
    }
}

/// The tool that was called, by its name upstream: a function, or a custom tool where the upstream supports them.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub enum Called<'a> {
    Function {
        name: Cow<'a, str>,
        /// A string that holds a JSON object.
        arguments: JsonStr<'a>,
    },
    Custom {
        name: Cow<'a, str>,
        input: JsonStr<'a>,
    },
}
