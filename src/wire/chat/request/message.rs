//! `messages`: what was said, called and answered.

use crate::json::{JsonStr, RawJson};
use serde::Serialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// One of `messages`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message<'a> {
    /// Instructions.
    System {
        /// The text.
        content: Content<'a>,
    },
    /// Instructions, for hosts that know the role.
    Developer {
        /// The text.
        content: Content<'a>,
    },
    /// What the user said.
    User {
        /// Text and images.
        content: Content<'a>,
    },
    /// What the model said and called.
    Assistant(Assistant<'a>),
    /// What a tool answered.
    Tool {
        /// The call that it answers.
        tool_call_id: Cow<'a, str>,
        /// The text.
        content: Content<'a>,
    },
}

/// An assistant message.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Assistant<'a> {
    /// `content`: absent, `null`, or said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Option<Content<'a>>>,
    /// The reasoning, under the name that the host reads: `reasoning_content` or `reasoning`.
    #[serde(flatten)]
    pub reasoning: Option<NamedText<'a>>,
    /// `reasoning_details`, as the host sent them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reasoning_details: Option<Vec<Box<RawValue>>>,
    /// `tool_calls`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall<'a>>,
}

/// A field whose name differs from host to host.
#[derive(Debug, Clone)]
pub struct NamedText<'a> {
    /// The field.
    pub name: &'a str,
    /// Its value.
    pub text: JsonStr<'a>,
}

impl Serialize for NamedText<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.name, &self.text)])
    }
}

/// `content` of a message.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Content<'a> {
    /// One string.
    Text(JsonStr<'a>),
    /// Parts.
    Parts(Vec<Part<'a>>),
}

/// One part of `content`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Part<'a> {
    /// `text`.
    Text {
        /// The text.
        text: JsonStr<'a>,
    },
    /// `image_url`.
    ImageUrl {
        /// The image.
        image_url: ImageUrl<'a>,
    },
    /// `input_audio`.
    InputAudio {
        /// `{data, format}`, as the client sent it.
        input_audio: RawJson<'a>,
    },
    /// `file`.
    File {
        /// The file.
        file: File<'a>,
    },
}

impl Part<'_> {
    /// What the Responses API calls it.
    pub fn input_type(&self) -> &'static str {
        match self {
            Self::Text { .. } => "input_text",
            Self::ImageUrl { .. } => "input_image",
            Self::InputAudio { .. } => "input_audio",
            Self::File { .. } => "input_file",
        }
    }
}

/// An image.
#[derive(Debug, Clone, Serialize)]
pub struct ImageUrl<'a> {
    /// `https:` or `data:`.
    pub url: JsonStr<'a>,
    /// `auto`, `low` or `high`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a str>,
}

/// A file.
#[derive(Debug, Clone, Serialize)]
pub struct File<'a> {
    /// A `data:` URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_data: Option<JsonStr<'a>>,
    /// An uploaded file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_id: Option<JsonStr<'a>>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<JsonStr<'a>>,
}

/// One of `tool_calls` of an assistant message.
#[derive(Debug, Clone, Serialize)]
pub struct ToolCall<'a> {
    /// Its id, which the tool message repeats.
    pub id: Cow<'a, str>,
    /// The call.
    #[serde(flatten)]
    pub called: Called<'a>,
    /// What the host sent with the call and wants back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extra_content: Option<Box<RawValue>>,
}

/// What was called.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Called<'a> {
    /// A function.
    Function {
        /// The call.
        function: FunctionCall<'a>,
    },
    /// A custom tool, at hosts that know them.
    Custom {
        /// The call.
        custom: CustomCall<'a>,
    },
}

/// The custom tool that was called.
#[derive(Debug, Clone, Serialize)]
pub struct CustomCall<'a> {
    /// Its name upstream.
    pub name: Cow<'a, str>,
    /// The raw text.
    pub input: JsonStr<'a>,
}

/// The function that was called.
#[derive(Debug, Clone, Serialize)]
pub struct FunctionCall<'a> {
    /// Its name upstream.
    pub name: Cow<'a, str>,
    /// A string that holds a JSON object.
    pub arguments: JsonStr<'a>,
}
