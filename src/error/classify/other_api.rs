//! Replies in the form of another API: the address of the upstream is not that of its Chat Completions API.

use crate::error::ApiError;
use serde_json::Value;

/// An API, and what tells its replies from those of Chat Completions: a key, and a value that it has there or begins
/// with.
const OTHER_APIS: &[(&str, &str, Sign)] = &[
    ("the Responses API", "object", Sign::Is("response")),
    ("the Responses API", "type", Sign::BeginsWith("response.")),
    ("Anthropic's Messages API", "type", Sign::Is("message")),
    ("Anthropic's Messages API", "type", Sign::Is("message_start")),
    ("Gemini's API", "candidates", Sign::Any),
    ("TGI's own API", "generated_text", Sign::Any),
];

enum Sign {
    Any,
    Is(&'static str),
    BeginsWith(&'static str),
}

impl Sign {
    fn fits(&self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Is(text) => value == text,
            Self::BeginsWith(text) => value.as_str().is_some_and(|value| value.starts_with(text)),
        }
    }
}

/// The error for a reply of another API.
pub(crate) fn in_other_api(reply: &Value) -> Option<ApiError> {
    let (api, ..) =
        OTHER_APIS.iter().find(|(_, key, sign)| reply.get(key).is_some_and(|value| sign.fits(value)))?;
    Some(ApiError::upstream(format!(
        "The upstream replied in the form of {api}, not of Chat Completions. Check the path of its address."
    )))
}
