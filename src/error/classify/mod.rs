//! Reads an upstream's error, in any of the shapes that providers use, as an error of the Responses API.

mod other_api;
mod parsed;
mod response_code;
mod retry_delay;
#[cfg(test)]
mod tests;
mod wording;

use crate::error::redact::redact_api_keys;
use crate::error::{ApiError, Code};
use crate::json::{self, RawJson};
pub(crate) use other_api::in_other_api;
use parsed::{ParsedError, status_in};
pub(crate) use parsed::{is_empty, is_error};
pub(crate) use response_code::response_code;
use serde_json::Value;
use std::borrow::Cow;

/// The longest message that is passed on: some upstreams send an HTML page, or repeat the prompt.
const MESSAGE_CHARS: usize = 2000;

/// Reads the body of a reply with an error status. Any body gives an error.
pub(crate) fn of_body(status: u16, body: &[u8]) -> ApiError {
    let text = String::from_utf8_lossy(body);
    let text = trimmed(&text);
    match json::from_text::<Value>(text) {
        Ok(value) => of_value(status, &value),
        Err(_) if text.is_empty() => {
            of_message(status, format!("The upstream answered {status} without a message."))
        }
        Err(_) if text.starts_with('<') => {
            of_message(status, format!("The upstream answered {status}{}.", html_summary(text)))
        }
        Err(_) => of_message(status, text.to_owned()),
    }
}

/// Whether an error body is a JSON document: an object, or a list of objects as Google sends. `[500]` begins a text.
pub(crate) fn is_document(body: &[u8]) -> bool {
    match json::from_text(trimmed(&String::from_utf8_lossy(body))) {
        Ok(Value::Object(_)) => true,
        Ok(Value::Array(items)) => items.first().is_some_and(Value::is_object),
        _ => false,
    }
}

fn trimmed(text: &str) -> &str {
    text.trim_start_matches('\u{FEFF}').trim()
}

/// Reads an error that came with a successful status, in a document or in a stream.
pub(crate) fn in_reply(value: &Value) -> ApiError {
    of_value(status_in(value).unwrap_or(ApiError::UPSTREAM_STATUS), value)
}

/// Reads the error in a list, as Gemini sends it.
pub(crate) fn in_list(text: &str) -> Option<ApiError> {
    let list: Value = json::from_text(text).ok()?;
    list.get(0).filter(|first| is_error(first))?;
    Some(in_reply(&list))
}

/// Reads an error whose message is not escaped, which therefore is not JSON: `{"error": "No tool "f""}`. A line end in the
/// message ends the event, so its end may be missing.
pub(crate) fn unescaped(text: &str) -> Option<ApiError> {
    let message = ["{", "\"error\"", ":", "\""]
        .iter()
        .try_fold(text.trim(), |rest, token| rest.strip_prefix(token).map(str::trim_start))?;
    let message = message.strip_suffix("\"}").unwrap_or(message);
    Some(in_reply(&Value::String(message.to_owned())))
}

/// The title is often the only useful part of an HTML error page.
fn html_summary(html: &str) -> String {
    let title = html.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    match title {
        Some((title, _)) => format!(" with a page of HTML: {}", title.trim()),
        None => " with a page of HTML".to_owned(),
    }
}

fn of_message(status: u16, message: String) -> ApiError {
    let retry_after = retry_delay::find(&Value::Null, &message);
    let parsed = ParsedError { message: Some(message), ..ParsedError::default() };
    api_error(status, parsed, retry_after, String::new)
}

fn of_value(status: u16, value: &Value) -> ApiError {
    let parsed = ParsedError::read(value);
    let retry_after = retry_delay::find(value, parsed.message.as_deref().unwrap_or_default());
    api_error(status, parsed, retry_after, || RawJson::new(value).get().to_owned())
}

/// `fallback` gives the message when the upstream sent none.
fn api_error(
    status: u16,
    parsed: ParsedError,
    retry_after: Option<u64>,
    fallback: impl FnOnce() -> String,
) -> ApiError {
    let ParsedError { message, kind, code, param } = parsed;
    let message = message.filter(|message| !message.is_empty()).unwrap_or_else(fallback);
    let classified = wording::classify(status, &message, code.as_deref(), kind.as_deref());
    // Gemini words a limit per minute like an exhausted quota, but states when to retry.
    let passes = status == 429 && retry_after.is_some() && classified == Some(Code::InsufficientQuota);
    let classified = if passes { Some(Code::RateLimitExceeded) } else { classified };
    // A numeric code adds nothing to the status, and Codex expects a string.
    let own = code.filter(|code| code.parse::<i64>().is_err());
    ApiError {
        status,
        kind: kind.map_or_else(|| Cow::Borrowed(type_of(status)), Cow::Owned),
        code: classified.map(Code::name).map(Cow::Borrowed).or(own.map(Cow::Owned)),
        message: truncated(redact_api_keys(&message)),
        param,
        retry_after,
    }
}

/// The API's `type` for a status.
fn type_of(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        429 => "rate_limit_error",
        400..=499 => "invalid_request_error",
        _ => "server_error",
    }
}

fn truncated(message: String) -> String {
    match message.char_indices().nth(MESSAGE_CHARS) {
        Some((at, _)) => message.get(..at).unwrap_or_default().to_owned() + "…",
        None => message,
    }
}
