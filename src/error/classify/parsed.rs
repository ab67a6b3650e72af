//! Where providers put the message, type and code of an error: lists of JSON pointers, tried in order.

use serde_json::Value;

/// Objects that hold the error within the body, outermost first.
const ENVELOPES: &[&str] = &[
    "/error",
    "/errors/0",
    "/0/error",
    "/0",
    "/detail/0",
    "/detail/error",
    "/detail",
    "/response/error",
    "/fault",
    "/base_resp",
];
/// Messages, within the envelope or at the top level.
const MESSAGES: &[&str] = &[
    "/message",
    "/error_message",
    "/errorMessage",
    "/error_msg",
    "/msg",
    "/error_description",
    "/status_msg",
    "/detail",
    "/message/detail/0/msg",
    "/error",
    "/faultstring",
    "/Message",
    "/title",
    "/text",
];
const CODES: &[&str] =
    &["/code", "/error_code", "/errorCode", "/http_code", "/status_code", "/statusCode", "/status"];
const TYPES: &[&str] = &["/type", "/error_type"];

/// The fields of an error, as far as the body has them.
#[derive(Default)]
pub(super) struct ParsedError {
    pub(super) message: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) code: Option<String>,
    pub(super) param: Option<String>,
}

impl ParsedError {
    pub(super) fn read(value: &Value) -> Self {
        let inner = ENVELOPES.iter().find_map(|path| value.pointer(path)).filter(|inner| !inner.is_null());
        let at = |path: &str| inner.and_then(|inner| inner.pointer(path)).or_else(|| value.pointer(path));
        let first_text = |paths: &[&str]| paths.iter().find_map(|path| at(path)?.as_str().map(str::to_owned));
        let message = first_text(MESSAGES)
            .or_else(|| inner.or(Some(value)).and_then(Value::as_str).map(str::to_owned))
            .map(|message| with_provider_message(message, at("/metadata/raw")));
        Self {
            message,
            kind: first_text(TYPES).filter(|kind| kind != "error"),
            code: CODES.iter().find_map(|path| at(path).and_then(code_text)).or_else(|| oauth_code(value)),
            param: first_text(&["/param"]),
        }
    }
}

/// OpenRouter's own message is "Provider returned error"; the provider's message is in `metadata.raw`.
fn with_provider_message(message: String, raw: Option<&Value>) -> String {
    match raw.and_then(Value::as_str) {
        Some(raw) => format!("{message}: {raw}"),
        None => message,
    }
}

/// RFC 6749: `{"error": "invalid_request", "error_description": "…"}`.
fn oauth_code(value: &Value) -> Option<String> {
    value.get("error_description").and(value.get("error")).and_then(code_text)
}

/// Whether a body with a successful status, which is no completion, is an error.
pub(crate) fn is_error(value: &Value) -> bool {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let is_present = |key: &str| value.get(key).is_some_and(|value| !value.is_null());
    // Some providers send an empty `error` with every chunk.
    value.get("error").is_some_and(|error| !is_empty(error))
        || text("object") == "error"
        || text("type").ends_with("_error")
        || ["type", "status"].iter().any(|key| matches!(text(key), "error" | "fail" | "failed"))
        || ["error_message", "errorMessage", "error_description", "detail", "fault"].into_iter().any(is_present)
        || value.get("success") == Some(&Value::Bool(false))
        || value.get("errors").and_then(Value::as_array).is_some_and(|errors| !errors.is_empty())
        || value.pointer("/base_resp/status_code").and_then(Value::as_i64).is_some_and(|code| code != 0)
        // API gateways, Baidu, FastChat.
        || ["message", "msg", "error_msg", "text"].into_iter().any(is_present)
            && (status_in(value).is_some()
                || ["code", "error_code", "errorCode"].iter().any(|key| value.get(key).is_some_and(is_failure)))
}

/// Whether an `error` says that there is none.
pub(crate) fn is_empty(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Bool(true) => false,
    }
}

/// Some providers also send a `code` with a success.
fn is_failure(code: &Value) -> bool {
    let code = code_text(code).unwrap_or_default().to_lowercase();
    !["", "0", "200", "ok", "success"].contains(&code.as_str())
}

/// The HTTP status that an error names, for replies whose own status was a success.
pub(super) fn status_in(value: &Value) -> Option<u16> {
    let inner = ENVELOPES.iter().find_map(|path| value.pointer(path));
    let codes =
        CODES.iter().flat_map(|path| [inner.and_then(|inner| inner.pointer(path)), value.pointer(path)]);
    let numbers = codes.flatten().filter_map(|code| code_text(code)?.parse::<u32>().ok());
    // FastChat puts two digits after the status: 42901, 50002.
    let mut statuses = numbers.map(|number| if number < 10_000 { number } else { number / 100 });
    let status = statuses.find(|status| (400..600).contains(status))?;
    u16::try_from(status).ok()
}

fn code_text(code: &Value) -> Option<String> {
    match code {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
