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
    "/msg",
    "/status_msg",
    "/detail",
    "/message/detail/0/msg",
    "/error",
    "/error_description",
    "/faultstring",
    "/Message",
    "/title",
];
const CODES: &[&str] = &["/code", "/http_code", "/status_code", "/statusCode", "/status"];
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
            code: CODES.iter().find_map(|path| at(path).and_then(code_text)),
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

/// Whether a body with a successful status is an error in one of the shapes that have no `error` field.
pub(crate) fn is_error(value: &Value) -> bool {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let is_present = |key: &str| value.get(key).is_some_and(|value| !value.is_null());
    text("object") == "error"
        || ["type", "status"].iter().any(|key| matches!(text(key), "error" | "fail" | "failed"))
        || ["error_message", "errorMessage", "detail", "fault"].into_iter().any(is_present)
        || value.get("success") == Some(&Value::Bool(false))
        || value.get("errors").and_then(Value::as_array).is_some_and(|errors| !errors.is_empty())
        || value.pointer("/base_resp/status_code").and_then(Value::as_i64).is_some_and(|code| code != 0)
        // API gateways in front of the model server.
        || is_present("message") && (status_in(value).is_some() || value.get("code").is_some_and(is_failure))
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
    let mut numbers = codes.flatten().filter_map(|code| code_text(code)?.parse().ok());
    numbers.find(|number| (400..600).contains(number))
}

fn code_text(code: &Value) -> Option<String> {
    match code {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
