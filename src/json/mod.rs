//! JSON strings that are passed on as they were escaped, and the little that is read from
//! JSON text without building a tree of it.
//!
//! Most of a conversation only passes through: text, tool arguments, tool outputs. Unescaping
//! and escaping it again would cost time and could change it, so [`Text`] keeps a JSON string
//! as it stood on the wire. What leaves is always valid: a `\uD83E` without its second half
//! becomes `\uFFFD`, and a pair that a host split over two deltas is joined by a [`Seam`].

mod brackets;
mod document;
mod place;
mod raw;
mod stops;
mod surrogates;
mod text;

pub use brackets::Brackets;
pub use document::{Bounds, Document, Flaw, Kind, Value};
pub use place::path_of;
pub use raw::Raw;
pub use surrogates::{mended, without_lone_surrogates};
pub use text::{Seam, Text, TextBuilder};

use serde::de::IgnoredAny;
use serde::ser::Serialize;
use serde_json::Map;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Bytes as text; what is not UTF-8 becomes U+FFFD. They nearly always are, and to check that is much
/// cheaper than to look for where they are not.
pub fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// `value` as JSON text.
pub fn raw(value: &(impl Serialize + ?Sized)) -> Box<RawValue> {
    // Only a map with keys that are no strings can fail here, and there is none.
    serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Whether a text is one whole JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wholeness {
    /// It is.
    Whole,
    /// It is the beginning of one.
    Cut,
    /// It is not, and more text would not help.
    Broken,
}

/// Whether `text` is one whole JSON value, the beginning of one, or neither.
pub fn wholeness(text: &str) -> Wholeness {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Wholeness::Whole,
        Err(error) if error.is_eof() => Wholeness::Cut,
        Err(_) => Wholeness::Broken,
    }
}

/// Whether a text is a JSON object of which this is true.
pub fn is_object(text: &str, and: impl FnOnce(&Map<String, serde_json::Value>) -> bool) -> bool {
    serde_json::from_str(text).is_ok_and(|object| and(&object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wholeness_tells_cut_from_broken() {
        for (json, expected) in [
            ("{}", Wholeness::Whole),
            (r#"{"a":1} "#, Wholeness::Whole),
            (r#"{"a":"x"#, Wholeness::Cut),
            ("", Wholeness::Cut),
            ("{'a'}", Wholeness::Broken),
            ("{}}", Wholeness::Broken),
        ] {
            assert_eq!(wholeness(json), expected, "{json}");
        }
    }
}
