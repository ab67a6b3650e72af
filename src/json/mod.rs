//! JSON strings that are passed on as they were escaped, and the little that is read from
//! JSON text without building a tree of it.
//!
//! Most of a conversation only passes through: text, tool arguments, tool outputs. Unescaping
//! and escaping it again would cost time and could change it, so [`JsonStr`] keeps a JSON string
//! as it stood on the wire. What leaves is always valid: a `\uD83E` without its second half
//! becomes `\uFFFD`, and a pair that a host split over two deltas is joined by a [`SurrogateJoiner`].

mod depth_scanner;
mod error_path;
mod raw;
mod string;
mod string_body;
mod structural_mask;
mod surrogates;
mod tape;

pub use depth_scanner::DepthScanner;
pub use error_path::path_of;
pub use raw::RawJson;
pub use string::{JsonStr, JsonStrBuilder, SurrogateJoiner};
pub use string_body::StringBody;
pub use surrogates::{mended, without_lone_surrogates};
pub use tape::{Bounds, Kind, ParseError, Tape, TapeValue};

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
pub enum Completeness {
    /// It is.
    Complete,
    /// It is the beginning of one.
    Truncated,
    /// It is not, and more text would not help.
    Invalid,
}

/// Whether `text` is one whole JSON value, the beginning of one, or neither.
pub fn completeness(text: &str) -> Completeness {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Completeness::Complete,
        Err(error) if error.is_eof() => Completeness::Truncated,
        Err(_) => Completeness::Invalid,
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
            ("{}", Completeness::Complete),
            (r#"{"a":1} "#, Completeness::Complete),
            (r#"{"a":"x"#, Completeness::Truncated),
            ("", Completeness::Truncated),
            ("{'a'}", Completeness::Invalid),
            ("{}}", Completeness::Invalid),
        ] {
            assert_eq!(completeness(json), expected, "{json}");
        }
    }
}
