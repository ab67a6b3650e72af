//! JSON values that are passed on as they are written.

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The text of one valid JSON value, borrowed or owned. It serialises as that text, byte for byte.
#[derive(Debug, Clone)]
pub struct RawJson<'a>(Cow<'a, str>);

impl<'a> RawJson<'a> {
    /// Serialises `value`.
    pub fn new(value: &(impl Serialize + ?Sized)) -> RawJson<'static> {
        RawJson::valid(to_string(value))
    }

    /// Serialises a value that is kept until the reply ends: takes no more memory than its text needs.
    pub fn compact(value: &(impl Serialize + ?Sized)) -> RawJson<'static> {
        RawJson::valid(to_string(value).into_boxed_str().into_string())
    }

    /// A JSON value that is part of the source code.
    pub fn literal(json: &'static str) -> RawJson<'static> {
        debug_assert!(serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok(), "{json}");
        RawJson::valid(json)
    }

    /// A text that is known to be one JSON value.
    pub(super) fn valid(json: impl Into<Cow<'a, str>>) -> Self {
        Self(json.into())
    }

    /// The JSON text.
    pub fn get(&self) -> &str {
        &self.0
    }

    /// Copies the text unless it is owned already.
    pub fn into_owned(self) -> RawJson<'static> {
        RawJson(Cow::Owned(self.0.into_owned()))
    }
}

pub(super) fn to_string(value: &(impl Serialize + ?Sized)) -> String {
    // serde_json only fails for maps whose keys are not strings, and no type here has such a map.
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// Appends a value. It never fails, as above.
pub(super) fn write(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    if serde_json::to_writer(&mut *out, value).is_err() {
        out.extend_from_slice(b"null");
    }
}

impl<'a> From<&'a RawValue> for RawJson<'a> {
    fn from(raw: &'a RawValue) -> Self {
        Self::valid(raw.get())
    }
}

/// The name by which serde_json's serializer knows a struct whose one field is JSON text.
///
/// `RawValue` serialises under this name. A borrowed `RawValue` cannot be made without parsing the text again
/// (<https://github.com/serde-rs/json/issues/1310> asks for it), and `RawValue::from_string_unchecked` is `unsafe`
/// and for owned text only. The name is private to serde_json, so a test compares with `RawValue`.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

impl Serialize for RawJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut raw = serializer.serialize_struct(RAW_VALUE, 1)?;
        raw.serialize_field(RAW_VALUE, &self.0)?;
        raw.end()
    }
}

impl<'de> Deserialize<'de> for RawJson<'static> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: Box<str> = Box::<RawValue>::deserialize(deserializer)?.into();
        Ok(RawJson::valid(text.into_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serialises_like_serde_json_s_own_raw_value() {
        for json in ["1.50e0", r#""\u0041\/""#, "[ 1 ]", r#"{"a": {}}"#, "null"] {
            let raw: &RawValue = serde_json::from_str(json).unwrap();
            let ours = RawJson::from(raw);
            assert_eq!(serde_json::to_string(&ours).unwrap(), json);
            assert_eq!(serde_json::to_string(&[&ours]).unwrap(), serde_json::to_string(&[raw]).unwrap());
            assert_eq!(serde_json::to_value(&ours).unwrap(), serde_json::to_value(raw).unwrap());
            assert_eq!(serde_json::from_str::<RawJson<'static>>(json).unwrap().get(), json);
        }
    }
}
