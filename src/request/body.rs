//! The body as JSON.

use crate::bounds;
use crate::error::{ApiError, Code};
use crate::json::{self, ParseError, Tape};
use serde::de::IgnoredAny;
use std::fmt::Display;

/// The body as text.
pub(super) fn utf8(body: &[u8]) -> Result<&str, ApiError> {
    json::checked_utf8(body).map_err(|error| not_json(&error))
}

/// Parses the body, within the bounds of depth and number of values.
pub(super) fn parse(body: &str) -> Result<Tape<'_>, ApiError> {
    bounds::document(body).map_err(|error| match error {
        ParseError::TooDeep => bounds::too_deep(),
        ParseError::TooMany => bounds::too_many_values(),
        // serde_json parses it once more, for its error message.
        ParseError::Syntax => match serde_json::from_str::<IgnoredAny>(body) {
            Err(error) => not_json(&error),
            Ok(_) => not_json(&"it is not JSON"),
        },
    })
}

fn not_json(error: &dyn Display) -> ApiError {
    ApiError::invalid(format!("We could not parse the JSON body of your request: {error}."))
        .code(Code::InvalidJson)
}
