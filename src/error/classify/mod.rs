//! What an upstream's error means, in whatever words and shape it comes.

mod meaning;

use crate::error::ApiError;
use crate::error::redact::masked;
use crate::json::RawJson;
pub(crate) use meaning::response_code;
use serde_json::Value;
use std::borrow::Cow;

/// A longer message is cut: it may be a whole page, or echo the prompt.
const MESSAGE_CHARS: usize = 2000;

/// The error that a body with an error status holds. Total: every body means something.
pub(crate) fn of_body(status: u16, body: &[u8]) -> ApiError {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{FEFF}').trim();
    match serde_json::from_str::<Value>(text) {
        Ok(value) => of_value(status, &value),
        Err(_) if text.is_empty() => {
            told(status, format!("The upstream answered {status} without a message."))
        }
        Err(_) if text.starts_with('<') => {
            told(status, format!("The upstream answered {status}{}.", titled(text)))
        }
        Err(_) => told(status, text.to_owned()),
    }
}

/// What a page of HTML is called, which is often all that it says.
fn titled(html: &str) -> String {
    let title = html.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>"));
    match title {
        Some((title, _)) => format!(" with a page of HTML: {}", title.trim()),
        None => " with a page of HTML".to_owned(),
    }
}

/// The error that stands in a reply whose own status is good.
pub(crate) fn in_reply(value: &Value) -> ApiError {
    of_value(status_in(value).unwrap_or(ApiError::UPSTREAM_STATUS), value)
}

fn told(status: u16, message: String) -> ApiError {
    classified(status, Found { message: Some(message), ..Found::default() }, String::new)
}

fn of_value(status: u16, value: &Value) -> ApiError {
    classified(status, Found::in_value(value), || RawJson::new(value).get().to_owned())
}

/// Whether a reply that should be a completion is an error in one of the shapes without `error`.
pub(crate) fn is_error(value: &Value) -> bool {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let is_there = |key: &str| value.get(key).is_some_and(|value| !value.is_null());
    text("object") == "error"
        || ["type", "status"].iter().any(|key| matches!(text(key), "error" | "fail" | "failed"))
        || ["error_message", "errorMessage", "detail", "fault"].into_iter().any(is_there)
        || value.get("success") == Some(&Value::Bool(false))
        || value.get("errors").and_then(Value::as_array).is_some_and(|errors| !errors.is_empty())
        || value.pointer("/base_resp/status_code").and_then(Value::as_i64).is_some_and(|code| code != 0)
        // Gateways in front of a model.
        || is_there("message") && (status_in(value).is_some() || value.get("code").is_some_and(is_bad))
}

/// Whether a code is one of an error: some hosts also number what went well.
fn is_bad(code: &Value) -> bool {
    let code = code_text(code).unwrap_or_default().to_lowercase();
    !["", "0", "200", "ok", "success"].contains(&code.as_str())
}

/// What an error says, as far as it could be found.
#[derive(Default)]
struct Found {
    message: Option<String>,
    kind: Option<String>,
    code: Option<String>,
    param: Option<String>,
}

/// Where hosts put the error within the body, outermost first.
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
/// Where they put the message, within that.
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
/// Where they put a code.
const CODES: &[&str] = &["/code", "/http_code", "/status_code", "/statusCode", "/status"];

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
            kind: first_text(&["/type", "/error_type"]).filter(|kind| kind != "error"),
            code: CODES.iter().find_map(|path| at(path).and_then(code_text)),
            param: first_text(&["/param"]),
        }
    }
}

/// The status that an error says it has, where the reply's own was good.
fn status_in(value: &Value) -> Option<u16> {
    let inner = ENVELOPES.iter().find_map(|path| value.pointer(path));
    let codes =
        CODES.iter().flat_map(|path| [inner.and_then(|inner| inner.pointer(path)), value.pointer(path)]);
    let mut numbers = codes.flatten().filter_map(|code| code_text(code)?.parse().ok());
    numbers.find(|number| (400..600).contains(number))
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

fn classified(status: u16, found: Found, otherwise: impl FnOnce() -> String) -> ApiError {
    let Found { message, kind, code, param } = found;
    let message = message.filter(|message| !message.is_empty()).unwrap_or_else(otherwise);
    let meant = meaning::code(status, &message, code.as_deref(), kind.as_deref());
    // A number says no more than the status, and Codex cannot read it.
    let own = code.filter(|code| code.parse::<i64>().is_err());
    ApiError {
        status,
        kind: kind.map_or_else(|| Cow::Borrowed(kind_of(status)), Cow::Owned),
        code: meant.map(Cow::Borrowed).or(own.map(Cow::Owned)),
        message: shortened(masked(&message)),
        param,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Body, status of the reply, then: status, type, code, what the message holds.
    type Row = (&'static str, u16, (u16, &'static str, Option<&'static str>, &'static str));

    const BODIES: &[Row] = &[
        (r#"{"error":{"message":"m","type":"t","param":"p","code":"c"}}"#, 400, (400, "t", Some("c"), "m")),
        (r#"{"error":{"message":"m","code":400}}"#, 400, (400, "invalid_request_error", None, "m")),
        (
            r#"{"error":{"code":"1261","message":"m"}}"#,
            400,
            (400, "invalid_request_error", Some("context_length_exceeded"), "m"),
        ),
        (
            r#"{"object":"error","message":"m","type":"BadRequestError","code":400}"#,
            400,
            (400, "BadRequestError", None, "m"),
        ),
        (r#"{"error":"m","error_type":"overloaded"}"#, 429, (429, "overloaded", Some("slow_down"), "m")),
        (r#"{"error":"m"}"#, 500, (500, "server_error", None, "m")),
        (r#"{"detail":"Not Found"}"#, 404, (404, "not_found_error", None, "Not Found")),
        (r#"{"detail":[{"loc":["body","x"],"msg":"m","type":"missing"}]}"#, 422, (422, "missing", None, "m")),
        (
            r#"[{"error":{"code":404,"message":"models/x is not found","status":"NOT_FOUND"}}]"#,
            404,
            (404, "not_found_error", Some("model_not_found"), "models/x"),
        ),
        (r#"[{"loc":["a"],"msg":"m","type":"t"}]"#, 400, (400, "t", None, "m")),
        (r#"{"message":{"detail":[{"msg":"m"}]}}"#, 422, (422, "invalid_request_error", None, "m")),
        (
            r#"{"type":"error","error":{"type":"bad","http_code":"400","message":"m"}}"#,
            400,
            (400, "bad", None, "m"),
        ),
        (
            r#"{"errors":[{"code":3040,"message":"Capacity temporarily exceeded"}],"success":false}"#,
            429,
            (429, "rate_limit_error", Some("slow_down"), "Capacity"),
        ),
        (
            r#"{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}"#,
            200,
            (200, "server_error", Some("insufficient_quota"), "insufficient"),
        ),
        (
            r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{"error":"prompt is too long"}"}}}"#,
            400,
            (400, "invalid_request_error", Some("context_length_exceeded"), "too long"),
        ),
        (r#"{"error_type":"t","error_message":"m"}"#, 400, (400, "t", None, "m")),
        (
            r#"{"statusCode":429,"message":"Rate limit is exceeded. Try again in 6 seconds."}"#,
            429,
            (429, "rate_limit_error", Some("rate_limit_exceeded"), "in 6 seconds"),
        ),
        (
            r#"{"fault":{"faultstring":"m","detail":{"errorcode":"x"}}}"#,
            500,
            (500, "server_error", None, "m"),
        ),
        (r#"{"type":"about:blank","title":"m","status":503}"#, 503, (503, "about:blank", None, "m")),
        ("Failed to deserialize the JSON body", 422, (422, "invalid_request_error", None, "deserialize")),
        ("<html><head><title>502 Bad Gateway</title>", 502, (502, "server_error", None, "502 Bad Gateway")),
        ("", 503, (503, "server_error", None, "503 without a message")),
        ("{}", 500, (500, "server_error", None, "{}")),
        ("null", 500, (500, "server_error", None, "null")),
        ("[]", 500, (500, "server_error", None, "[]")),
        (
            r#"{"error":{"message":"","code":""}}"#,
            402,
            (402, "invalid_request_error", Some("insufficient_quota"), "error"),
        ),
        (
            r#"{"error":{"message":"Too many tokens, please wait"}}"#,
            429,
            (429, "rate_limit_error", Some("rate_limit_exceeded"), "wait"),
        ),
        (
            r#"{"error":{"message":"Loading model","type":"unavailable_error","code":503}}"#,
            503,
            (503, "unavailable_error", Some("slow_down"), "Loading"),
        ),
        (
            r#"{"error":{"message":"model 'x' not found, try pulling it first"}}"#,
            404,
            (404, "not_found_error", Some("model_not_found"), "pulling"),
        ),
        (
            r#"{"error":{"message":"No endpoints found for x/y.","code":404}}"#,
            404,
            (404, "not_found_error", Some("model_not_found"), "x/y"),
        ),
        (
            r#"{"error":{"message":"Invalid request: Your request exceeded model token limit: 8192","type":"invalid_request_error"}}"#,
            400,
            (400, "invalid_request_error", Some("context_length_exceeded"), "8192"),
        ),
        (
            r#"{"error":"Trying to keep the first 5196 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough."}"#,
            400,
            (400, "invalid_request_error", Some("context_length_exceeded"), "4096"),
        ),
    ];

    #[test]
    fn every_shape_says_what_it_means() {
        for (body, status, (expected, kind, code, message)) in BODIES {
            let error = of_body(*status, body.as_bytes());
            assert_eq!(
                (error.status, &*error.kind, error.code.as_deref()),
                (*expected, *kind, *code),
                "{body}"
            );
            assert!(error.message.contains(message), "{body}: {}", error.message);
        }
    }

    #[test]
    fn an_error_in_a_good_reply_is_told_by_its_shape() {
        for (json, status) in [
            (r#"{"object":"error","message":"m","code":400}"#, Some(400)),
            (r#"{"type":"error","error":{"http_code":"429","message":"m"}}"#, Some(429)),
            (r#"{"detail":"m"}"#, Some(502)),
            (r#"{"success":false,"errors":[]}"#, Some(502)),
            (r#"{"base_resp":{"status_code":1004,"status_msg":"m"}}"#, Some(502)),
            (r#"{"status":"fail","message":"m"}"#, Some(502)),
            (r#"{"statusCode":401,"message":"m"}"#, Some(401)),
            (r#"{"code":"InvalidParameter","message":"m"}"#, Some(502)),
            (r#"{"base_resp":{"status_code":0}}"#, None),
            (r#"{"code":0,"message":"success"}"#, None),
            (r#"{"code":"Success","message":"","status":200}"#, None),
            (r#"{"success":true,"errors":[],"result":{}}"#, None),
            (r#"{"id":"x","object":"chat.completion.chunk","error":null,"detail":null}"#, None),
        ] {
            let value = serde_json::from_str(json).unwrap();
            assert_eq!(is_error(&value).then(|| in_reply(&value).status), status, "{json}");
        }
    }

    #[test]
    fn a_failed_response_has_a_code_of_the_closed_set() {
        for (json, code) in [
            (r#"{"error":{"message":"m","code":429}}"#, "rate_limit_exceeded"),
            (r#"{"error":{"message":"m","code":400}}"#, "invalid_prompt"),
            (r#"{"error":{"message":"m","code":"tool_use_failed"}}"#, "server_error"),
            (r#"{"error":{"message":"maximum context length is 1","code":400}}"#, "context_length_exceeded"),
            (r#"{"error":{"message":"Overloaded","code":503}}"#, "slow_down"),
            (r#"{"error":"m"}"#, "server_error"),
        ] {
            assert_eq!(response_code(&in_reply(&serde_json::from_str(json).unwrap())), code, "{json}");
        }
    }

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let error = of_body(500, "ü".repeat(MESSAGE_CHARS + 1).as_bytes());
        assert_eq!(error.message.chars().count(), MESSAGE_CHARS + 1);
        assert!(error.message.ends_with("ü…"));
    }
}
