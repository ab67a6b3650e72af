//! What a host accepts and how it answers. All that differs between hosts is data in here:
//! [`Options`], and named sets of them, the presets.

mod presets;

pub use presets::{preset, preset_names};

use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What one upstream needs. The defaults are the preset `generic`: the common denominator of all hosts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The `:path` of Chat Completions, with the query if the host needs one (Azure's `api-version`).
    pub path: String,
    /// Where system and developer messages go.
    pub system: System,
    /// The host knows the role `developer`. Most refuse it, and their chat templates too.
    pub developer_role: bool,
    /// The name of the limit on output tokens. OpenAI's reasoning models refuse `max_tokens`, most others know only that.
    pub max_tokens_field: MaxTokensField,
    /// How `reasoning.effort` is said: what each effort adds to the body.
    pub reasoning: Reasoning,
    /// How the reasoning of earlier turns goes back.
    pub reasoning_replay: ReasoningReplay,
    /// Where the images of a tool's output go; tool messages hold only text at nearly all hosts.
    pub tool_output_images: ToolOutputImages,
    /// `content` of an assistant message that has tool calls and no text.
    pub assistant_content_with_calls: EmptyContent,
    /// How content that is all text is written.
    pub content: ContentForm,
    /// What becomes of `text.format: json_schema`.
    pub json_schema: JsonSchema,
    /// The host takes `strict` in a function's declaration.
    pub strict_tools: bool,
    /// The host takes `parallel_tool_calls`. Where it does not, `false` is kept by dropping all calls but the first.
    pub parallel_tool_calls: bool,
    /// The host takes `stream_options.include_usage`.
    pub stream_usage: bool,
    /// Responses fields that are passed on under their own names, e.g. `prompt_cache_key`, `verbosity` (of `text`).
    pub pass_fields: Vec<String>,
    /// The longest tool call id that the host takes; longer ones are shortened.
    pub tool_call_id_chars: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            path: "/v1/chat/completions".into(),
            system: System::Merge,
            developer_role: false,
            max_tokens_field: MaxTokensField::MaxTokens,
            reasoning: Reasoning::default(),
            reasoning_replay: ReasoningReplay::default(),
            tool_output_images: ToolOutputImages::UserMessage,
            assistant_content_with_calls: EmptyContent::Empty,
            content: ContentForm::String,
            json_schema: JsonSchema::Native,
            strict_tools: false,
            parallel_tool_calls: false,
            stream_usage: true,
            pass_fields: Vec::new(),
            tool_call_id_chars: 40,
        }
    }
}

/// Where system and developer messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum System {
    /// All of them, in order, in one leading system message: many chat templates refuse or forget later ones.
    Merge,
    /// Each stays where it stands.
    Keep,
}

/// The name of the limit on output tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensField {
    /// `max_tokens`.
    MaxTokens,
    /// `max_completion_tokens`.
    MaxCompletionTokens,
}

/// How `reasoning.effort` is said.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reasoning {
    /// Effort -> fields that are added to the body, e.g. `{"high": {"reasoning_effort": "high"}}`.
    pub efforts: BTreeMap<String, Map<String, Value>>,
    /// What is added for an effort that the table lacks. Nothing, if absent: the effort is dropped and reported.
    pub unknown: Option<Map<String, Value>>,
}

/// How the reasoning of earlier turns goes back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReasoningReplay {
    /// The field of the assistant message, `reasoning_content` or `reasoning`. Absent: reasoning does not go back.
    pub field: Option<String>,
    /// An assistant message with tool calls always has the field, empty if need be (DeepSeek, Kimi).
    pub always_present: bool,
}

/// Where the images of a tool's output go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolOutputImages {
    /// Into a user message after the tool messages.
    UserMessage,
    /// Nowhere: the host has no vision. Reported as dropped.
    Drop,
}

/// `content` of an assistant message that has tool calls and no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmptyContent {
    /// `""`: what every host but TGI takes.
    Empty,
    /// `null`.
    Null,
    /// The key is left out. TGI loses the tool calls otherwise.
    Omit,
}

/// How content that is all text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentForm {
    /// One string.
    String,
    /// An array of parts, as the client sent it.
    Parts,
}

/// What becomes of `text.format: json_schema`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JsonSchema {
    /// `response_format: json_schema`.
    Native,
    /// `response_format: json_object`, and the schema in a system message.
    JsonObject,
    /// Only the schema in a system message.
    Off,
}
