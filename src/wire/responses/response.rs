//! The `response` object.
//!
//! References: [the API](https://platform.openai.com/docs/api-reference/responses/object), and the
//! [Open Responses schema](https://www.openresponses.org), which requires every key.

use super::Status;
use crate::json::RawJson;
use serde::Serialize;

/// The `response` object.
///
/// ```json
/// {"id": "resp_1", "object": "response", "created_at": 1764000000, "completed_at": 1764000001,
///  "status": "completed", "incomplete_details": null, "error": null, "output": [...], "usage": {...},
///  "model": "m", "instructions": null, ...}
/// ```
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct Response<'a> {
    pub id: &'a str,
    /// `response`.
    pub object: &'static str,
    /// Unix seconds.
    pub created_at: u64,
    /// Unix seconds; `null` unless the status is `completed`.
    pub completed_at: Option<u64>,
    pub status: Status,
    pub incomplete_details: Option<IncompleteDetails>,
    pub error: Option<ResponseError<'a>>,
    pub output: &'a [RawJson<'static>],
    pub usage: Option<&'a Usage>,
    #[serde(flatten)]
    pub echo: &'a Echo,
}

/// The reply to `POST /v1/responses/compact`.
///
/// ```json
/// {"id": "resp_1", "object": "response.compaction", "created_at": 1764000000,
///  "output": [{"type": "compaction", "id": "cmp_1", "encrypted_content": "..."}], "usage": {...}}
/// ```
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct Compaction<'a> {
    pub id: &'a str,
    /// `response.compaction`.
    pub object: &'static str,
    /// Unix seconds.
    pub created_at: u64,
    pub output: &'a [RawJson<'static>],
    pub usage: Option<&'a Usage>,
}

/// The reply to `POST /v1/responses/input_tokens`: `{"object": "response.input_tokens", "input_tokens": 11}`.
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct InputTokens {
    /// `response.input_tokens`.
    pub object: &'static str,
    pub input_tokens: u64,
}

/// `{"reason": "max_output_tokens"}`, or `content_filter`.
#[derive(Debug, Clone, Copy, Serialize)]
#[allow(missing_docs)]
pub struct IncompleteDetails {
    pub reason: &'static str,
}

/// `error` of a failed response.
///
/// ```json
/// {"code": "rate_limit_exceeded", "message": "Too many requests.", "type": "rate_limit_error", "param": null}
/// ```
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct ResponseError<'a> {
    pub code: &'a str,
    pub message: &'a str,
    /// Not part of the API's object. The Vercel AI SDK requires it in a reply that is not a stream.
    pub r#type: &'a str,
    pub param: Option<&'a str>,
}

/// The fields of the request that the response repeats, with the API's defaults for absent ones.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct Echo {
    /// The model as the client named it.
    pub model: String,
    pub instructions: Option<RawJson<'static>>,
    pub tools: Vec<RawJson<'static>>,
    pub tool_choice: RawJson<'static>,
    pub parallel_tool_calls: bool,
    pub reasoning: EchoedReasoning,
    pub text: EchoedText,
    pub temperature: f64,
    pub top_p: f64,
    /// A field of Chat Completions that the Open Responses schema requires: always 0.
    pub presence_penalty: f64,
    /// Always 0, like `presence_penalty`.
    pub frequency_penalty: f64,
    pub top_logprobs: u64,
    pub max_output_tokens: Option<u64>,
    pub max_tool_calls: Option<u64>,
    pub truncation: String,
    pub metadata: RawJson<'static>,
    pub service_tier: RawJson<'static>,
    pub user: Option<RawJson<'static>>,
    pub safety_identifier: Option<RawJson<'static>>,
    pub prompt_cache_key: Option<RawJson<'static>>,
    /// The reasoning that the model did not get.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub input_transformations: Vec<InputTransformation>,
    /// The request's, or `null`.
    pub previous_response_id: Option<RawJson<'static>>,
    /// Whether the response is kept.
    pub store: bool,
    /// Always false.
    pub background: bool,
}

/// `{"type": "reasoning", "id": "rs_1", "action": "removed", "reason": "model_mismatch"}`
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct InputTransformation {
    /// `reasoning`.
    pub r#type: &'static str,
    /// The `id` of the item.
    pub id: String,
    /// `removed`.
    pub action: &'static str,
    /// `model_mismatch`: a different model produced it, or the upstream does not accept reasoning.
    pub reason: &'static str,
}

/// `{"effort": "low", "summary": null}`
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct EchoedReasoning {
    pub effort: Option<String>,
    pub summary: Option<RawJson<'static>>,
}

/// `{"format": {"type": "text"}, "verbosity": "low"}`
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct EchoedText {
    pub format: RawJson<'static>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verbosity: Option<RawJson<'static>>,
}

/// Token counts. `input_tokens` includes cached ones, `output_tokens` includes reasoning.
///
/// ```json
/// {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
///  "output_tokens": 3, "output_tokens_details": {"reasoning_tokens": 1}, "total_tokens": 12}
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct Usage {
    pub input_tokens: u64,
    pub input_tokens_details: InputTokensDetails,
    pub output_tokens: u64,
    pub output_tokens_details: OutputTokensDetails,
    pub total_tokens: u64,
}

/// Tokens that were read from the prompt cache, and written to it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct InputTokensDetails {
    pub cached_tokens: u64,
    pub cache_write_tokens: u64,
}

/// Tokens that were spent on reasoning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub struct OutputTokensDetails {
    pub reasoning_tokens: u64,
}
