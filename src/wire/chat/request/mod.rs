//! What goes up: `POST /v1/chat/completions`.

mod message;
mod tool;

use crate::json::{JsonStr, RawJson};
pub use message::*;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
pub use tool::*;

/// The request body.
#[derive(Debug, Default, Serialize)]
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
    pub passed: BTreeMap<&'a str, RawJson<'a>>,
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
    pub name: JsonStr<'a>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<JsonStr<'a>>,
    /// The schema.
    pub schema: RawJson<'a>,
    /// It must be followed to the letter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}
