//! JSON values that are passed on as they stand.

use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::borrow::Cow;

/// The text of a JSON value. It is valid: it was read, or written, as one.
#[derive(Debug, Clone)]
pub struct RawJson<'a>(Cow<'a, str>);

impl<'a> RawJson<'a> {
    /// `value` as JSON.
    pub fn new(value: &(impl Serialize + ?Sized)) -> RawJson<'static> {
        // Only a map with keys that are no strings can fail here, and there is none.
        RawJson(Cow::Owned(serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())))
    }

    /// JSON that stands in the source.
    pub fn literal(json: &'static str) -> RawJson<'static> {
        debug_assert!(serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok(), "{json}");
        RawJson::valid(json)
    }

    /// A text of which it is known that it is one JSON value.
    pub(super) fn valid(json: impl Into<Cow<'a, str>>) -> Self {
        Self(json.into())
    }

    /// The text.
    pub fn get(&self) -> &str {
        &self.0
    }

    /// The same, borrowed from nowhere.
    pub fn into_owned(self) -> RawJson<'static> {
        RawJson(Cow::Owned(self.0.into_owned()))
    }
}

/// What serde_json calls a struct whose only field is JSON text. Its `RawValue` is written like that, but a
/// `RawValue` cannot be made without reading the text once more.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

impl Serialize for RawJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut raw = serializer.serialize_struct(RAW_VALUE, 1)?;
        raw.serialize_field(RAW_VALUE, &self.0)?;
        raw.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_it_stands() {
        for json in ["1.50e0", r#""\u0041\/""#, "[ 1 ]", r#"{"a": {}}"#] {
            assert_eq!(serde_json::to_string(&[RawJson::valid(json)]).unwrap(), format!("[{json}]"));
        }
    }
}
