//! The body of `POST /v1/chat/completions`.
//!
//! Reference: <https://platform.openai.com/docs/api-reference/chat/create>

mod message;
mod tool;

use crate::json::{JsonStr, RawJson};
pub use message::*;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
pub use tool::*;

/// What follows `model` and `messages` in the request body, which are written first.
///
/// ```json
/// {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "tools": [...], "tool_choice": "auto",
///  "max_tokens": 1000, "stream": true, "stream_options": {"include_usage": true}}
/// ```
#[derive(Debug, Default, Serialize)]
#[allow(missing_docs)]
pub struct Request<'a> {
    /// Omitted if empty, because upstreams reject an empty array.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool<'a>>,
    /// Only with tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice<'a>>,
    /// Only with tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallel_tool_calls: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_format: Option<ResponseFormat<'a>>,
    /// The option `max_tokens_field` chooses between this and `max_completion_tokens`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logprobs: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub top_logprobs: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream: Option<bool>,
    /// Only with `stream`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_options: Option<StreamOptions>,
    /// Fields of the options `add_fields` and `reasoning.efforts`.
    #[serde(flatten)]
    pub added: Map<String, Value>,
    /// Fields of the client's request that the option `pass_fields` names.
    #[serde(flatten)]
    pub passed: BTreeMap<&'a str, RawJson<'a>>,
}

impl Request<'_> {
    /// The names of the fields that the filter itself writes.
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

/// `include_usage` asks for a last chunk with the usage.
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct StreamOptions {
    pub include_usage: bool,
}

/// The form of the reply.
///
/// ```json
/// {"type": "json_object"}
/// {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": true}}
/// ```
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum ResponseFormat<'a> {
    JsonObject,
    JsonSchema { json_schema: NamedSchema<'a> },
}

/// A JSON schema and its name.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct NamedSchema<'a> {
    pub name: JsonStr<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<JsonStr<'a>>,
    pub schema: RawJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}
