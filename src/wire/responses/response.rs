//! The `response` object.

use super::Status;
use crate::json::RawJson;
use serde::Serialize;
use serde_json::value::RawValue;

/// The `response` object, with every key of the Open Responses schema.
#[derive(Debug, Serialize)]
pub struct Response<'a> {
    /// `resp_...`.
    pub id: &'a str,
    /// `response`.
    pub object: &'static str,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds, if it is completed.
    pub completed_at: Option<u64>,
    /// Its state.
    pub status: Status,
    /// Why it is incomplete.
    pub incomplete_details: Option<IncompleteDetails>,
    /// Why it failed.
    pub error: Option<ResponseError<'a>>,
    /// The items.
    pub output: &'a [Box<RawValue>],
    /// Tokens.
    pub usage: Option<&'a Usage>,
    /// What the request said.
    #[serde(flatten)]
    pub echo: &'a Echo,
}

/// The `response.compaction` object.
#[derive(Debug, Serialize)]
pub struct Compaction<'a> {
    /// `resp_...`.
    pub id: &'a str,
    /// `response.compaction`.
    pub object: &'static str,
    /// Unix seconds.
    pub created_at: u64,
    /// One item of type `compaction`.
    pub output: &'a [Box<RawValue>],
    /// Tokens.
    pub usage: Option<&'a Usage>,
}

/// `incomplete_details`.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct IncompleteDetails {
    /// `max_output_tokens` or `content_filter`.
    pub reason: &'static str,
}

/// `error` of a response.
#[derive(Debug, Serialize)]
pub struct ResponseError<'a> {
    /// Stable, for programs.
    pub code: &'a str,
    /// For people.
    pub message: &'a str,
    /// As in an error with a status; the Vercel AI SDK wants it in a reply that is no stream.
    pub r#type: &'a str,
    /// The field of the request that it is about.
    pub param: Option<&'a str>,
}

/// What the response repeats of the request, defaults filled in.
#[derive(Debug, Serialize)]
pub struct Echo {
    /// The model, as the client named it.
    pub model: String,
    /// `instructions`.
    pub instructions: Option<RawJson<'static>>,
    /// `tools`, as declared.
    pub tools: Vec<RawJson<'static>>,
    /// `tool_choice`.
    pub tool_choice: RawJson<'static>,
    /// `parallel_tool_calls`.
    pub parallel_tool_calls: bool,
    /// `reasoning`.
    pub reasoning: EchoedReasoning,
    /// `text`.
    pub text: EchoedText,
    /// `temperature`.
    pub temperature: f64,
    /// `top_p`.
    pub top_p: f64,
    /// Chat Completions has it, the Responses API does not: always 0.
    pub presence_penalty: f64,
    /// Like `presence_penalty`.
    pub frequency_penalty: f64,
    /// `top_logprobs`.
    pub top_logprobs: u64,
    /// `max_output_tokens`.
    pub max_output_tokens: Option<u64>,
    /// `max_tool_calls`.
    pub max_tool_calls: Option<u64>,
    /// `truncation`.
    pub truncation: String,
    /// `metadata`.
    pub metadata: RawJson<'static>,
    /// `service_tier`.
    pub service_tier: RawJson<'static>,
    /// `user`.
    pub user: Option<RawJson<'static>>,
    /// `safety_identifier`.
    pub safety_identifier: Option<RawJson<'static>>,
    /// `prompt_cache_key`.
    pub prompt_cache_key: Option<RawJson<'static>>,
    /// Nothing is stored: always null.
    pub previous_response_id: Option<RawJson<'static>>,
    /// Nothing is stored: always false.
    pub store: bool,
    /// Always false.
    pub background: bool,
}

/// `reasoning` of a response.
#[derive(Debug, Serialize)]
pub struct EchoedReasoning {
    /// As asked.
    pub effort: Option<String>,
    /// As asked.
    pub summary: Option<RawJson<'static>>,
}

/// `text` of a response.
#[derive(Debug, Serialize)]
pub struct EchoedText {
    /// As asked; `{"type":"text"}` otherwise.
    pub format: RawJson<'static>,
    /// As asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verbosity: Option<RawJson<'static>>,
}

/// `usage`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Cached ones included.
    pub input_tokens: u64,
    /// Of the input.
    pub input_tokens_details: InputTokensDetails,
    /// Reasoning included.
    pub output_tokens: u64,
    /// Of the output.
    pub output_tokens_details: OutputTokensDetails,
    /// Their sum.
    pub total_tokens: u64,
}

/// `input_tokens_details`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct InputTokensDetails {
    /// Read from the prompt cache.
    pub cached_tokens: u64,
    /// RawConfig to the prompt cache.
    pub cache_write_tokens: u64,
}

/// `output_tokens_details`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OutputTokensDetails {
    /// Spent on reasoning.
    pub reasoning_tokens: u64,
}
