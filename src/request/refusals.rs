//! Rejects requests that need state which is not stored, and those with values out of range.

use super::stored::previous_not_found;
use crate::error::{ApiError, Code, Number, Path};
use crate::wire::responses::Request;
use crate::wire::typed::Object;
use std::borrow::Cow;

/// The fields that refer to state which the filter never stores.
const STATE: &[(&str, Code, &str)] = &[
    (
        "conversation",
        Code::UnsupportedParameter,
        "Conversations are not stored here. Send the whole conversation in `input`.",
    ),
    (
        "prompt",
        Code::UnsupportedParameter,
        "Prompts are not stored here. Send their text in `instructions` or `input`.",
    ),
];

/// Rejects requests that go on from a response that is not there. `is_on`: responses are stored.
pub(super) fn previous_response(body: &Object<'_, '_>, is_on: bool) -> Result<(), ApiError> {
    let Some(id) = body.get::<Option<Cow<'_, str>>>("previous_response_id")? else { return Ok(()) };
    Err(if is_on {
        previous_not_found(&id)
    } else {
        ApiError::of(
            Code::PreviousResponseNotFound,
            "Responses are not stored here. Send the whole conversation in `input` instead of `previous_response_id`.",
        )
        .at("previous_response_id")
    })
}

/// Rejects requests that need other state.
pub(super) fn state(body: &Object<'_, '_>) -> Result<(), ApiError> {
    if let Some((field, code, message)) = STATE.iter().find(|(field, ..)| body.field(field).is_some()) {
        return Err(ApiError::invalid(*message).code(*code).at(Path::top(field)));
    }
    match body.get("background")? {
        Some(true) => {
            Err(ApiError::invalid("No response is made in the background here. Use `stream` instead.")
                .code(Code::UnsupportedParameter)
                .at("background"))
        }
        _ => Ok(()),
    }
}

/// Rejects values that the API reference excludes.
pub(super) fn values(request: &Request<'_>) -> Result<(), ApiError> {
    decimal("temperature", request.temperature, 2.0)?;
    decimal("top_p", request.top_p, 1.0)?;
    if let Some(wanted @ 21..) = request.top_logprobs {
        return Err(ApiError::above_maximum(Path::top("top_logprobs"), Number::Integer, 20, wanted));
    }
    // OpenAI's minimum is 16, but some upstreams accept less.
    if request.max_output_tokens == Some(0) {
        return Err(ApiError::below_minimum(Path::top("max_output_tokens"), Number::Integer, 1, 0));
    }
    match request.truncation.as_deref() {
        None | Some("auto" | "disabled") => Ok(()),
        Some(other) => Err(ApiError::wrong_value(Path::top("truncation"), other, &["auto", "disabled"])),
    }
}

fn decimal(field: &'static str, value: Option<f64>, maximum: f64) -> Result<(), ApiError> {
    match value {
        Some(value) if value < 0.0 => {
            Err(ApiError::below_minimum(Path::top(field), Number::Decimal, 0, value))
        }
        Some(value) if value > maximum => {
            Err(ApiError::above_maximum(Path::top(field), Number::Decimal, maximum, value))
        }
        _ => Ok(()),
    }
}
