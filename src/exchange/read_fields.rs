//! What is read of a request's body that is not translated, as slices of it.

use crate::json::{self, JsonStr};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Fields of the body.
#[derive(Deserialize)]
pub(super) struct ReadFields<'a> {
    #[serde(borrow)]
    pub(super) model: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) prompt_cache_key: Option<&'a RawValue>,
}

impl<'a> ReadFields<'a> {
    /// `None` if the body cannot be read.
    pub(super) fn of(body: &'a [u8]) -> Option<Self> {
        json::from_bytes(body).ok()
    }

    /// The model's name.
    pub(super) fn model_name(&self) -> Option<JsonStr<'a>> {
        JsonStr::of(self.model?)
    }
}
