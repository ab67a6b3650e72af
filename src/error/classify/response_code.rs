//! The `code` of a failed response.

use crate::error::{ApiError, Code};

/// The codes that a failed response can have: those of the API's closed set that occur here, those that Codex acts
/// on, and the filter's own.
const RESPONSE_CODES: &[&str] = &[
    "server_error",
    "invalid_prompt",
    "cyber_policy",
    "bio_policy",
    Code::RateLimitExceeded.name(),
    Code::ContextLengthExceeded.name(),
    Code::InsufficientQuota.name(),
    Code::ModelNotFound.name(),
    Code::ServerIsOverloaded.name(),
    Code::SlowDown.name(),
    Code::ToolCallLost.name(),
];

/// The `code` for a response that failed with this error. Clients, especially Codex, act on it. They retry after a code
/// that they do not know.
pub(crate) fn response_code(error: &ApiError) -> &str {
    let known = error.code.as_deref().filter(|code| RESPONSE_CODES.contains(code));
    known.unwrap_or(match error.status {
        429 => "rate_limit_exceeded",
        // A retry of the same request cannot succeed.
        400 | 413 | 422 => "invalid_prompt",
        _ => "server_error",
    })
}
