//! The error body of the API: one type, one shape.

use serde::Serialize;
use std::borrow::Cow;

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
    pub fn at(self, param: impl Into<String>) -> Self {
        Self { param: Some(param.into()), ..self }
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
