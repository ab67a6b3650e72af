//! What an upstream's error means, in whatever words and shape it comes.

use crate::responses::ApiError;
use serde_json::Value;
use std::borrow::Cow;

/// A longer message is cut: it may be a whole page, or echo the prompt.
const MESSAGE_CHARS: usize = 2000;

/// The error that a body with an error status holds. Total: every body means something.
pub(super) fn of_body(status: u16, body: &[u8]) -> ApiError {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{FEFF}').trim();
    match serde_json::from_str::<Value>(text) {
        Ok(value) => of_value(status, &value),
        Err(_) if text.is_empty() || text.starts_with('<') => {
            classified(status, format!("The upstream answered {status} without a message."), None, None, None)
        }
        Err(_) => classified(status, text.to_owned(), None, None, None),
    }
}

/// The error that a JSON value is.
pub(super) fn of_value(status: u16, value: &Value) -> ApiError {
    let found = Found::in_value(value);
    let message = found.message.unwrap_or_else(|| value.to_string());
    classified(status, message, found.kind, found.code, found.param)
}

/// Whether a reply that should be a completion is an error in one of the shapes without `error`.
pub(super) fn is_error(value: &Value) -> bool {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    text("object") == "error"
        || text("type") == "error"
        || value.get("error_message").is_some()
        || value.get("detail").is_some()
        || value.get("success") == Some(&Value::Bool(false))
        || value.get("errors").and_then(Value::as_array).is_some_and(|errors| !errors.is_empty())
        || value.pointer("/base_resp/status_code").and_then(Value::as_i64).is_some_and(|code| code != 0)
}

#[derive(Default)]
struct Found {
    message: Option<String>,
    kind: Option<String>,
    code: Option<String>,
    param: Option<String>,
}

/// Where hosts put the error within the body, outermost first.
const ENVELOPES: &[&str] = &["/error", "/errors/0", "/0/error", "/0", "/detail/0", "/detail", "/base_resp"];
/// Where they put the message, within that.
const MESSAGES: &[&str] =
    &["/message", "/error_message", "/msg", "/status_msg", "/detail", "/message/detail/0/msg", "/error"];

impl Found {
    fn in_value(value: &Value) -> Self {
        let inner = ENVELOPES.iter().find_map(|path| value.pointer(path)).filter(|inner| !inner.is_null());
        let at = |path: &str| inner.and_then(|inner| inner.pointer(path)).or_else(|| value.pointer(path));
        let first_text = |paths: &[&str]| paths.iter().find_map(|path| at(path)?.as_str().map(str::to_owned));
        let message = first_text(MESSAGES)
            .or_else(|| inner.or(Some(value)).and_then(Value::as_str).map(str::to_owned))
            .map(|message| with_nested(message, at("/metadata/raw")));
        Self {
            message,
            kind: first_text(&["/type", "/error_type"]),
            code: at("/code").or_else(|| at("/http_code")).or_else(|| at("/status_code")).and_then(code_text),
            param: first_text(&["/param"]),
        }
    }
}

/// OpenRouter says "Provider returned error" and keeps the provider's own words beside it.
fn with_nested(message: String, raw: Option<&Value>) -> String {
    match raw.and_then(Value::as_str) {
        Some(raw) => format!("{message}: {raw}"),
        None => message,
    }
}

fn code_text(code: &Value) -> Option<String> {
    match code {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What clients act on, and the words by which hosts say it.
const MEANINGS: &[(&str, &[&str])] = &[
    (
        "context_length_exceeded",
        &[
            "context_length_exceeded",
            "exceed_context_size",
            "maximum context length",
            "context length exceeded",
            "context window",
            "context size",
            "exceeds the context",
            "exceeds context",
            "prompt is too long",
            "input is too long",
            "too many tokens",
            "context shift is disabled",
            "longer than the model's context",
            "exceeds the max_model_len",
            "`inputs` tokens + `max_new_tokens` must be",
        ],
    ),
    (
        "insufficient_quota",
        &[
            "insufficient_quota",
            "insufficient balance",
            "exceeded your current quota",
            "billing details",
            "credit balance",
            "out of credits",
        ],
    ),
    (
        "model_not_found",
        &[
            "model_not_found",
            "model not found",
            "model does not exist",
            "no such model",
            "unknown model",
            "model_not_exist",
        ],
    ),
];

fn classified(
    status: u16,
    message: String,
    kind: Option<String>,
    code: Option<String>,
    param: Option<String>,
) -> ApiError {
    let words = format!("{message} {} {}", code.as_deref().unwrap_or(""), kind.as_deref().unwrap_or(""))
        .to_lowercase();
    let meant = MEANINGS
        .iter()
        .find(|(_, phrases)| phrases.iter().any(|phrase| words.contains(phrase)))
        .map(|(code, _)| *code)
        .or_else(|| is_unknown_model(status, &words).then_some("model_not_found"))
        .or_else(|| (status == 429).then_some("rate_limit_exceeded"));
    // A number says no more than the status, and Codex cannot read it.
    let own = code.filter(|code| code.parse::<i64>().is_err());
    ApiError {
        status,
        kind: kind.map_or_else(|| Cow::Borrowed(kind_of(status)), Cow::Owned),
        code: meant.map(Cow::Borrowed).or(own.map(Cow::Owned)),
        message: shortened(message),
        param,
    }
}

/// "The model `x` does not exist", "model 'x' not found, try pulling it first" and the like.
fn is_unknown_model(status: u16, words: &str) -> bool {
    let missing = ["not found", "not exist", "unknown", "unavailable", "no access"];
    matches!(status, 400 | 404)
        && words.contains("model")
        && missing.iter().any(|phrase| words.contains(phrase))
}

fn kind_of(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    }
}

fn shortened(message: String) -> String {
    match message.char_indices().nth(MESSAGE_CHARS) {
        Some((at, _)) => message.get(..at).unwrap_or_default().to_owned() + "…",
        None => message,
    }
}
