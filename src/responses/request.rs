//! `POST /v1/responses`: the top level of the body. An explicit `null` means absent.

use crate::json::Text;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The request body. Fields that are only refused, echoed or passed on stay raw.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Request<'a> {
    /// `model`.
    pub model: Option<Text<'a>>,
    /// `instructions`.
    pub instructions: Option<Text<'a>>,
    /// A string, or an array of items.
    pub input: Option<&'a RawValue>,
    /// `tools`.
    pub tools: Option<Vec<&'a RawValue>>,
    /// `tool_choice`.
    pub tool_choice: Option<&'a RawValue>,
    /// `parallel_tool_calls`.
    pub parallel_tool_calls: Option<bool>,
    /// `max_tool_calls`; counts hosted tools only.
    pub max_tool_calls: Option<u64>,
    /// `reasoning`.
    pub reasoning: Option<Reasoning<'a>>,
    /// `text`.
    pub text: Option<TextOptions<'a>>,
    /// `include`.
    pub include: Option<Vec<String>>,
    /// `stream`.
    pub stream: Option<bool>,
    /// `max_output_tokens`.
    pub max_output_tokens: Option<u64>,
    /// `temperature`.
    pub temperature: Option<f64>,
    /// `top_p`.
    pub top_p: Option<f64>,
    /// `top_logprobs`.
    pub top_logprobs: Option<u64>,
    /// `truncation`.
    pub truncation: Option<String>,
    /// `metadata`.
    pub metadata: Option<&'a RawValue>,
    /// `user`.
    pub user: Option<&'a RawValue>,
    /// `service_tier`.
    pub service_tier: Option<&'a RawValue>,
    /// `safety_identifier`.
    pub safety_identifier: Option<&'a RawValue>,
    /// `prompt_cache_key`.
    pub prompt_cache_key: Option<&'a RawValue>,
    /// `prompt_cache_retention`.
    pub prompt_cache_retention: Option<&'a RawValue>,
    /// `previous_response_id`.
    pub previous_response_id: Option<&'a RawValue>,
    /// `conversation`.
    pub conversation: Option<&'a RawValue>,
    /// `prompt`.
    pub prompt: Option<&'a RawValue>,
    /// `background`.
    pub background: Option<bool>,
}

/// `reasoning`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Reasoning<'a> {
    /// `none` to `max`.
    pub effort: Option<String>,
    /// How much of the reasoning is shown.
    #[serde(borrow)]
    pub summary: Option<&'a RawValue>,
}

/// `text`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct TextOptions<'a> {
    /// `format`.
    #[serde(borrow)]
    pub format: Option<&'a RawValue>,
    /// `low`, `medium` or `high`.
    #[serde(borrow)]
    pub verbosity: Option<&'a RawValue>,
}

/// `text.format` with `type: json_schema`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct JsonSchemaFormat<'a> {
    /// Its name.
    pub name: Text<'a>,
    /// The schema.
    pub schema: &'a RawValue,
    /// What it is for.
    #[serde(default)]
    pub description: Option<Text<'a>>,
    /// It must be followed to the letter.
    #[serde(default)]
    pub strict: Option<bool>,
}

/// The `type` of something that comes in several.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Tagged {
    /// `type`.
    pub r#type: Option<String>,
}

/// `tool_choice` as an object.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ToolChoice<'a> {
    /// `function`, `custom`, `allowed_tools` or a hosted tool.
    pub r#type: Option<String>,
    /// The tool.
    pub name: Option<String>,
    /// The namespace that holds it.
    pub namespace: Option<String>,
    /// Of `allowed_tools`: `auto` or `required`.
    pub mode: Option<String>,
    /// Of `allowed_tools`: which.
    #[serde(borrow)]
    pub tools: Option<Vec<&'a RawValue>>,
}
