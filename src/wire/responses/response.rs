//! The `response` object.
//!
//! References: [the API](https://platform.openai.com/docs/api-reference/responses/object), and the
//! [Open Responses schema](https://www.openresponses.org), which requires every key.

use super::{Echo, Status};
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
