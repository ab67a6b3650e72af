//! The classes of errors, as metrics and log have them.

use crate::error::{ApiError, Code};

/// The class of an error, by its code or else by its status. An error after a successful status (`late`) has no status.
pub(super) fn class(error: &ApiError, late: bool) -> &'static str {
    let code = error.code.as_deref().unwrap_or_default();
    if let Some((_, class)) = BY_CODE.iter().find(|(known, _)| known.name() == code) {
        return class;
    }
    match error.status {
        429 => "rate_limit",
        _ if late || code.starts_with("upstream_") => "broken",
        401 | 403 => "auth",
        408 | 504 => "timeout",
        500.. => "unavailable",
        _ => "rejected",
    }
}

/// The classes of codes that say more than a status.
const BY_CODE: &[(Code, &str)] = &[
    (Code::ContextLengthExceeded, "context_length"),
    (Code::InsufficientQuota, "quota"),
    (Code::ModelNotFound, "model_not_found"),
    (Code::RateLimitExceeded, "rate_limit"),
];
