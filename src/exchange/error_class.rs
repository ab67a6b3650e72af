//! The classes of errors, as metrics and log have them.

use crate::error::ApiError;

/// The class of an error, by its code or else by its status. An error after a successful status (`late`) has no status.
pub(super) fn class(error: &ApiError, late: bool) -> &'static str {
    match (error.code.as_deref().unwrap_or_default(), error.status) {
        ("context_length_exceeded", _) => "context_length",
        ("insufficient_quota", _) => "quota",
        ("model_not_found", _) => "model_not_found",
        ("rate_limit_exceeded", _) | (_, 429) => "rate_limit",
        (code, _) if late || code.starts_with("upstream_") => "broken",
        (_, 401 | 403) => "auth",
        (_, 408 | 504) => "timeout",
        (_, 500..) => "unavailable",
        _ => "rejected",
    }
}
