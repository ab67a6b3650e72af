//! Errors of the API: the type, the stable codes, and how an upstream's error is read as one.

pub(crate) mod classify;
mod code;
mod path;
mod redact;

pub use code::{Code, Stage};
pub use path::Path;
use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Display;

/// An error of the API. See [OpenAI's reference](https://platform.openai.com/docs/guides/error-codes).
///
/// As JSON: `{"error": {"message": "…", "type": "invalid_request_error", "param": "input[3].call_id", "code": "invalid_type"}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The HTTP status, used when the response's headers have not been sent yet.
    pub status: u16,
    /// `type`, e.g. `invalid_request_error`.
    pub kind: Cow<'static, str>,
    /// `code`, stable, for programs, e.g. `context_length_exceeded`.
    pub code: Option<Cow<'static, str>>,
    /// The problem and what to do, for people.
    pub message: String,
    /// The path of the field in the request, e.g. `input[3].call_id`.
    pub param: Option<String>,
    /// The seconds after which the upstream accepts a retry, if the body of its error states them. Not part of the JSON.
    pub retry_after: Option<u64>,
}

/// The type that a number should have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Number {
    Integer,
    Decimal,
}

impl Number {
    /// In the words of an error message.
    fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Decimal => "decimal",
        }
    }
}

impl ApiError {
    /// 400 `invalid_request_error` without a code.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self {
            status: 400,
            kind: "invalid_request_error".into(),
            code: None,
            message: message.into(),
            param: None,
            retry_after: None,
        }
    }

    /// An error of the filter, with the status that the table of codes gives. Codes whose status is the upstream's are
    /// set with [`code`](Self::code) on an error that has a status.
    pub fn of(code: Code, message: impl Into<String>) -> Self {
        let error = if code.status() < 500 { Self::invalid(message) } else { Self::upstream(message) };
        error.status(code.status()).code(code)
    }

    /// 500: the filter itself failed.
    pub fn internal() -> Self {
        Self::of(
            Code::InternalError,
            "The filter failed on this exchange. Please report it with the proxy's log",
        )
    }

    /// 400: a required field is absent.
    pub fn missing(path: Path<'_>) -> Self {
        Self::invalid(format!("Missing required parameter: '{path}'."))
            .code(Code::MissingRequiredParameter)
            .at(path)
    }

    /// 400: a value has the wrong type.
    pub fn wrong_type(path: Path<'_>, expected: &str, found: &str) -> Self {
        if let Path::Root = path {
            return Self::invalid(format!("Invalid body: expected {expected}, but got {found} instead."))
                .code(Code::InvalidType);
        }
        Self::invalid(format!("Invalid type for '{path}': expected {expected}, but got {found} instead."))
            .code(Code::InvalidType)
            .at(path)
    }

    /// 400: a string is not one of the `known` values.
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

    /// 400: a number is too small.
    pub fn below_minimum(path: Path<'_>, kind: Number, minimum: impl Display, found: impl Display) -> Self {
        Self::invalid(format!(
            "Invalid '{path}': {} below minimum value. Expected a value >= {minimum}, but got {found} instead.",
            kind.name()
        ))
        .code(match kind {
            Number::Integer => Code::IntegerBelowMinimum,
            Number::Decimal => Code::DecimalBelowMinimum,
        })
        .at(path)
    }

    /// 400: a number is too large.
    pub fn above_maximum(path: Path<'_>, kind: Number, maximum: impl Display, found: impl Display) -> Self {
        Self::invalid(format!(
            "Invalid '{path}': {} above maximum value. Expected a value <= {maximum}, but got {found} instead.",
            kind.name()
        ))
        .code(match kind {
            Number::Integer => Code::IntegerAboveMaximum,
            Number::Decimal => Code::DecimalAboveMaximum,
        })
        .at(path)
    }

    /// The status for an upstream error that came with status 200.
    pub const UPSTREAM_STATUS: u16 = 502;

    /// 502 `server_error`: the upstream's reply cannot be used.
    pub fn upstream(message: impl Into<String>) -> Self {
        Self {
            status: Self::UPSTREAM_STATUS,
            kind: "server_error".into(),
            code: None,
            message: message.into(),
            param: None,
            retry_after: None,
        }
    }

    /// Replaces the status.
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Sets `code`.
    pub fn code(self, code: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Some(code.into()), ..self }
    }

    /// Sets `param`, the field that the error is about.
    pub fn at(self, param: impl Display) -> Self {
        Self { param: Some(param.to_string()), ..self }
    }

    /// The JSON body.
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
