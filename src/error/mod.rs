//! The error body of the API: one type, one shape.

pub(crate) mod classify;
mod code;
mod path;
mod redact;

pub use code::{Code, Phase};
pub use path::Path;
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Display;

/// An error as the API writes it: `{"error":{"message","type","param","code"}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status, where one can still be sent.
    pub status: u16,
    /// `type`, e.g. `invalid_request_error`.
    pub kind: Cow<'static, str>,
    /// `code`, stable and for programs; e.g. `context_length_exceeded`.
    pub code: Option<Cow<'static, str>>,
    /// What was wrong and what to do.
    pub message: String,
    /// Where: the JSON path in the request, e.g. `input[3].call_id`.
    pub param: Option<String>,
}

impl ApiError {
    /// 400 `invalid_request_error`.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "invalid_request_error".into(),
            code: None,
            message: message.into(),
            param: None,
        }
    }

    /// One of our own errors, as the table of codes has it.
    pub fn of(code: Code, message: impl Into<String>) -> Self {
        let error = if code.status() < 500 { Self::invalid(message) } else { Self::upstream(message) };
        error.status(code.status()).code(code)
    }

    /// 400: a field that is needed is absent.
    pub fn missing(path: Path<'_>) -> Self {
        Self::invalid(format!("Missing required parameter: '{path}'."))
            .code(Code::MissingRequiredParameter)
            .at(path)
    }

    /// 400: a value of the wrong type.
    pub fn wrong_type(path: Path<'_>, expected: &str, found: &str) -> Self {
        if let Path::Root = path {
            return Self::invalid(format!("Invalid body: expected {expected}, but got {found} instead."))
                .code(Code::InvalidType);
        }
        Self::invalid(format!("Invalid type for '{path}': expected {expected}, but got {found} instead."))
            .code(Code::InvalidType)
            .at(path)
    }

    /// 400: a string that is none of those which are known.
    pub fn wrong_value(path: Path<'_>, value: &str, known: &[&str]) -> Self {
        let supported = match known {
            [rest @ .., before, last] => {
                let rest: String = rest.iter().map(|value| format!("'{value}', ")).collect();
                format!("Supported values are: {rest}'{before}', and '{last}'.")
            }
            _ => format!("Supported values are: '{}'.", known.concat()),
        };
        Self::invalid(format!("Invalid value: '{value}'. {supported}")).code(Code::InvalidValue).at(path)
    }

    /// 400: a number that is too small; `kind` is `integer` or `decimal`.
    pub fn below_minimum(path: Path<'_>, kind: &str, minimum: impl Display, found: impl Display) -> Self {
        Self::invalid(format!(
            "Invalid '{path}': {kind} below minimum value. Expected a value >= {minimum}, but got {found} instead."
        ))
        .code(if kind == "integer" { Code::IntegerBelowMinimum } else { Code::DecimalBelowMinimum })
        .at(path)
    }

    /// 400: a number that is too large.
    pub fn above_maximum(path: Path<'_>, kind: &str, maximum: impl Display, found: impl Display) -> Self {
        Self::invalid(format!(
            "Invalid '{path}': {kind} above maximum value. Expected a value <= {maximum}, but got {found} instead."
        ))
        .code(if kind == "integer" { Code::IntegerAboveMaximum } else { Code::DecimalAboveMaximum })
        .at(path)
    }

    /// The status of an error that the upstream made while its own status was 200.
    pub const UPSTREAM_STATUS: u16 = 502;

    /// 502 `server_error`: the upstream's reply is broken.
    pub fn upstream(message: impl Into<String>) -> Self {
        Self {
            status: Self::UPSTREAM_STATUS,
            kind: "server_error".into(),
            code: None,
            message: message.into(),
            param: None,
        }
    }

    /// The same error with another status.
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// The same error with a `code`.
    pub fn code(self, code: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Some(code.into()), ..self }
    }

    /// The same error, naming the field it is about.
    pub fn at(self, param: impl Display) -> Self {
        Self { param: Some(param.to_string()), ..self }
    }

    /// The body that says so.
    pub fn to_json(&self) -> Vec<u8> {
        #[derive(Serialize)]
        struct Body<'a> {
            error: Fields<'a>,
        }
        #[derive(Serialize)]
        struct Fields<'a> {
            message: &'a str,
            r#type: &'a str,
            param: Option<&'a str>,
            code: Option<&'a str>,
        }
        let error = Fields {
            message: &self.message,
            r#type: &self.kind,
            param: self.param.as_deref(),
            code: self.code.as_deref(),
        };
        serde_json::to_vec(&Body { error }).unwrap_or_default()
    }
}
