//! What goes up: `POST /v1/chat/completions`.

use crate::json::Text;
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// The request body.
#[derive(Debug, Serialize)]
pub struct Request<'a> {
    /// `model`.
    pub model: &'a str,
    /// `messages`.
    pub messages: Vec<Message<'a>>,
    /// `tools`; never sent empty, hosts refuse that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool<'a>>,
    /// `tool_choice`; only with tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice<'a>>,
    /// `parallel_tool_calls`; only with tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel_tool_calls: Option<bool>,
    /// `response_format`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_format: Option<ResponseFormat<'a>>,
    /// `max_tokens`, for the hosts that call it so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    /// `max_completion_tokens`, for the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_completion_tokens: Option<u64>,
    /// `temperature`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// `top_p`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    /// `logprobs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<bool>,
    /// `top_logprobs`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_logprobs: Option<u64>,
    /// `stream`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<bool>,
    /// `stream_options`; only with `stream`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_options: Option<StreamOptions>,
    /// What this host is told besides: always, and of the effort.
    #[serde(flatten)]
    pub added: Map<String, Value>,
    /// Fields that this host takes under their own names.
    #[serde(flatten)]
    pub passed: BTreeMap<&'a str, Cow<'a, RawValue>>,
}

impl Request<'_> {
    /// The fields that are always written here, if at all.
    pub const FIELDS: &'static [&'static str] = &[
        "model",
        "messages",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "response_format",
        "max_tokens",
        "max_completion_tokens",
        "temperature",
        "top_p",
        "logprobs",
        "top_logprobs",
        "stream",
        "stream_options",
    ];
}

/// `stream_options`.
#[derive(Debug, Serialize)]
pub struct StreamOptions {
    /// Asks for a last chunk that has the usage.
    pub include_usage: bool,
}

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
    pub text: Text<'a>,
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
    Text(Text<'a>),
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
        text: Text<'a>,
    },
    /// `image_url`.
    ImageUrl {
        /// The image.
        image_url: ImageUrl<'a>,
    },
    /// `input_audio`.
    InputAudio {
        /// `{data, format}`, as the client sent it.
        input_audio: Cow<'a, RawValue>,
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
    pub url: Text<'a>,
    /// `auto`, `low` or `high`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a str>,
}

/// A file.
#[derive(Debug, Clone, Serialize)]
pub struct File<'a> {
    /// A `data:` URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_data: Option<Text<'a>>,
    /// An uploaded file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_id: Option<Text<'a>>,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<Text<'a>>,
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
    pub input: Text<'a>,
}

/// The function that was called.
#[derive(Debug, Clone, Serialize)]
pub struct FunctionCall<'a> {
    /// Its name upstream.
    pub name: Cow<'a, str>,
    /// A string that holds a JSON object.
    pub arguments: Text<'a>,
}

/// One of `tools`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Tool<'a> {
    /// A function.
    Function {
        /// Its declaration.
        function: Function<'a>,
    },
    /// A custom tool, at hosts that know them.
    Custom {
        /// Its declaration.
        custom: Custom<'a>,
    },
}

impl Tool<'_> {
    /// Its name upstream.
    pub fn name(&self) -> &str {
        match self {
            Self::Function { function } => &function.name,
            Self::Custom { custom } => &custom.name,
        }
    }
}

/// The declaration of a custom tool.
#[derive(Debug, Clone, Serialize)]
pub struct Custom<'a> {
    /// Its name upstream.
    pub name: Cow<'a, str>,
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<'a>>,
    /// What its input looks like; any text, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<CustomFormat<'a>>,
}

/// What the input of a custom tool looks like.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CustomFormat<'a> {
    /// A grammar.
    Grammar {
        /// The grammar.
        grammar: Grammar<'a>,
    },
}

/// A grammar.
#[derive(Debug, Clone, Serialize)]
pub struct Grammar<'a> {
    /// `lark` or `regex`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syntax: Option<Cow<'a, str>>,
    /// Its text.
    pub definition: Text<'a>,
}

/// The declaration of a function.
#[derive(Debug, Clone, Serialize)]
pub struct Function<'a> {
    /// Its name upstream.
    pub name: Cow<'a, str>,
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<'a>>,
    /// The JSON schema of its arguments.
    pub parameters: Cow<'a, RawValue>,
    /// The arguments must follow the schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

/// `tool_choice`.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum ToolChoice<'a> {
    /// `none`, `auto` or `required`.
    Mode(&'static str),
    /// This one.
    Named(Chosen<'a>),
    /// One of these.
    Allowed {
        /// `allowed_tools`.
        r#type: &'static str,
        /// Which.
        allowed_tools: AllowedTools<'a>,
    },
}

/// A tool that is chosen.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Chosen<'a> {
    /// A function.
    Function {
        /// Its name.
        function: Name<'a>,
    },
    /// A custom tool.
    Custom {
        /// Its name.
        custom: Name<'a>,
    },
}

/// The tools that may be called.
#[derive(Debug, Clone, Serialize)]
pub struct AllowedTools<'a> {
    /// `auto` or `required`.
    pub mode: &'static str,
    /// The tools.
    pub tools: Vec<Chosen<'a>>,
}

/// A name.
#[derive(Debug, Clone, Serialize)]
pub struct Name<'a> {
    /// The name.
    pub name: Cow<'a, str>,
}

/// `response_format`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ResponseFormat<'a> {
    /// Any JSON object.
    JsonObject,
    /// What the schema allows.
    JsonSchema {
        /// The schema.
        json_schema: NamedSchema<'a>,
    },
}

/// A schema with its name.
#[derive(Debug, Clone, Serialize)]
pub struct NamedSchema<'a> {
    /// Its name.
    pub name: Text<'a>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<'a>>,
    /// The schema.
    pub schema: Cow<'a, RawValue>,
    /// It must be followed to the letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}
