//! Limits in addition to those of the configuration ([`crate::config::Limits`]).
//!
//! A worker has one VM and 1 GiB for all its streams, and a trap ends them all. Sizes in bytes do not
//! bound that alone: three bytes of JSON can cost a hundred of memory, and what is looked up among
//! others costs time for each of them.

use crate::error::{ApiError, Code, Path};
use crate::json::{Bounds, ParseError, Tape};

/// How deep a request may be nested. Many readers reject deeper JSON (serde_json with the same number), so the upstream
/// could not read it either.
pub(crate) const JSON_DEPTH: usize = 128;

/// How many values a request may hold. A long agent session has some ten thousand; each may cost about
/// a hundred bytes of memory however short it is.
pub(crate) const JSON_VALUES: usize = 500_000;

/// How many tools may be declared, in `tools` and in items. OpenAI takes 128; clients that gather many servers send
/// some hundred.
pub(crate) const TOOLS: usize = 20_000;

/// How many bytes of the request each event that shows the response may repeat. Tools and instructions
/// of Codex take about a tenth of it.
pub(crate) const ECHO_BYTES: usize = 1 << 20;

/// How many tools one reply may call. Models call a handful.
pub(crate) const CALLS: usize = 512;

/// How many items one reply may have. Each costs some hundred bytes, even if it holds one letter.
pub(crate) const REPLY_ITEMS: usize = 10_000;

/// Reads JSON as far as it stays within these bounds.
pub(crate) fn document(json: &str) -> Result<Tape<'_>, ParseError> {
    Tape::read(json, Bounds { depth: JSON_DEPTH, values: JSON_VALUES })
}

/// The request is nested too deep.
pub(crate) fn too_deep() -> ApiError {
    ApiError::of(
        Code::JsonTooDeep,
        format!("The JSON body of your request is nested more than {JSON_DEPTH} levels deep."),
    )
}

/// The request has too many values.
pub(crate) fn too_many_values() -> ApiError {
    ApiError::of(
        Code::JsonTooManyValues,
        format!("The JSON body of your request holds more than {JSON_VALUES} values."),
    )
}

/// Rejects too many tools.
pub(crate) fn check_tools(declared: usize) -> Result<(), ApiError> {
    if declared <= TOOLS {
        return Ok(());
    }
    Err(ApiError::of(
        Code::TooManyTools,
        format!("{declared} tools are declared; at most {TOOLS} are possible here."),
    )
    .at(Path::top("tools")))
}

/// The reply holds more than may be kept until its end.
pub(crate) fn reply_too_large(limit: usize) -> ApiError {
    ApiError::of(Code::ReplyTooLarge, format!("The upstream's reply is larger than {limit} bytes."))
}

/// One event of the reply is larger than may be held.
pub(crate) fn event_too_large(limit: usize) -> ApiError {
    ApiError::of(
        Code::ReplyTooLarge,
        format!("An event of the upstream's stream is larger than {limit} bytes."),
    )
}

/// The reply switches between text, reasoning and calls without end.
pub(crate) fn too_many_items() -> ApiError {
    ApiError::of(Code::ReplyTooLarge, format!("The upstream's reply has more than {REPLY_ITEMS} items."))
}

/// The reason why a call above the maximum is lost.
pub(crate) fn too_many_calls() -> String {
    format!("it is the upstream's call number {}, and {CALLS} are possible in one reply", CALLS + 1)
}
