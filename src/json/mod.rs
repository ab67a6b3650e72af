//! The JSON layer: values are passed on as they are written, and only what must be read is parsed.
//!
//! Most of a conversation only passes through: text, tool arguments, tool outputs. Unescaping and escaping it again
//! would take time, and would change bytes on which prompt caches depend. What is written is always valid: half of a
//! surrogate pair becomes `\ufffd`, and a pair that an upstream splits over two deltas is joined.
//!
//! Who holds JSON how:
//!
//! | the value is | type |
//! |---|---|
//! | borrowed from the request | [`Tape`], [`TapeValue`]; a string that is passed on: [`JsonStr`] |
//! | borrowed from a chunk or document of the upstream | `&RawValue`, as serde borrows it |
//! | a string that is passed on, or put together from pieces | [`JsonStr`], [`JsonStrBuilder`] |
//! | any other value that is kept and passed on | [`RawJson`] |
//! | fields that are written several times | [`RawFields`] |
//! | kept, and read again as if the upstream sent it | `Box<RawValue>`: only it can be lent without a second parse |
//! | written from many small pieces | [`JsonText`] |
//! | looked into and rebuilt | `serde_json::Value`: in errors, JSON schemas and reasoning details only |

mod depth_scanner;
mod error_path;
mod escaped_object;
mod json_text;
mod object;
mod raw;
mod raw_fields;
mod string;
mod string_body;
mod structural_mask;
mod surrogates;
mod tape;
mod tape_reader;

pub use depth_scanner::DepthScanner;
pub use error_path::path_of;
pub use json_text::JsonText;
pub use object::object;
pub use raw::RawJson;
pub use raw_fields::RawFields;
pub use string::{JsonStr, JsonStrBuilder, SurrogateJoiner, is_blank_string};
pub use string_body::StringBody;
pub use surrogates::without_lone_surrogates;
pub use tape::{Bounds, Kind, ParseError, Tape, TapeValue};

use serde::de::{Deserialize, DeserializeOwned, Error as _, IgnoredAny};
use serde_json::Map;
use std::borrow::Cow;
use std::str::Utf8Error;

/// Decodes UTF-8; invalid bytes become U+FFFD. Checks all of it first, which is much cheaper than searching for invalid
/// bytes that are almost never there.
pub fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    checked_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Decodes UTF-8. The standard library reads byte by byte around every character that is not ASCII.
///
/// # Errors
/// As [`std::str::from_utf8`].
pub fn checked_utf8(bytes: &[u8]) -> Result<&str, Utf8Error> {
    simdutf8::basic::from_utf8(bytes).or_else(|_| std::str::from_utf8(bytes))
}

/// Reads a value from UTF-8. All JSON is read from text: for bytes, serde_json would be compiled once more, which is 22 kB of
/// the module.
///
/// # Errors
/// The bytes are no such value.
pub fn from_bytes<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> serde_json::Result<T> {
    serde_json::from_str(checked_utf8(bytes).map_err(serde_json::Error::custom)?)
}

/// Reads a value from text in whose strings lone surrogates become `\ufffd`. serde_json rejects them.
///
/// # Errors
/// The text is no such value.
pub fn from_text<T: DeserializeOwned>(text: &str) -> serde_json::Result<T> {
    serde_json::from_str(&without_lone_surrogates(text))
}

/// The last position up to `at` at which a character begins, or at which the text ends.
pub fn floor_boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The byte offset of `inner` within `outer`, if `inner` is a part of it that was borrowed from it.
pub fn offset_in(outer: &[u8], inner: &[u8]) -> Option<usize> {
    let offset = (inner.as_ptr() as usize).checked_sub(outer.as_ptr() as usize)?;
    outer.get(offset..)?.get(..inner.len()).map(|_| offset)
}

/// Whether a text is a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completeness {
    /// One JSON value.
    Complete,
    /// The beginning of one.
    Truncated,
    /// Not JSON, whatever may follow.
    Invalid,
}

/// Distinguishes a complete JSON value, one that was cut off, and text that is not JSON.
pub fn completeness(text: &str) -> Completeness {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Completeness::Complete,
        Err(error) if error.is_eof() => Completeness::Truncated,
        Err(_) => Completeness::Invalid,
    }
}

/// The object that is meant by arguments of a different type. Some upstreams and clients encode it twice, as a JSON
/// string with an object, and some write `null` for an empty one.
pub fn object_within(arguments: &str) -> Option<String> {
    if arguments.trim() == "null" {
        return Some("{}".to_owned());
    }
    let inner: String = serde_json::from_str(arguments).ok()?;
    // Arguments that are encoded three times are not known.
    let object = serde_json::from_str::<String>(&inner).unwrap_or(inner);
    is_object(&object, |_| true).then_some(object)
}

/// Whether `text` is a JSON object for which `predicate` holds.
pub fn is_object(text: &str, predicate: impl FnOnce(&Map<String, serde_json::Value>) -> bool) -> bool {
    serde_json::from_str(text).is_ok_and(|object| predicate(&object))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completeness_distinguishes_truncated_from_invalid() {
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

    #[test]
    fn an_object_is_found_within_a_string() {
        for (arguments, object) in [
            (r#""{\"q\":\"x\"}""#, Some(r#"{"q":"x"}"#)),
            (r#" "\"{\\\"q\\\":1}\"" "#, Some(r#"{"q":1}"#)),
            ("null", Some("{}")),
            (r#""null""#, None),
            (r#""ls""#, None),
            (r#""[1]""#, None),
            (r#"{"q":"{}"}"#, None),
            (r#"{"q":null}"#, None),
            ("[null]", None),
            ("ls", None),
            ("", None),
        ] {
            assert_eq!(object_within(arguments).as_deref(), object, "{arguments}");
        }
    }

    #[test]
    fn an_offset_exists_only_for_a_part_of_the_text() {
        let text = b"outer inner".as_slice();
        let (outer, inner) = text.split_at(6);
        assert_eq!(offset_in(text, inner), Some(6));
        assert_eq!(offset_in(text, text), Some(0));
        assert_eq!(offset_in(inner, outer), None);
        assert_eq!(offset_in(outer, inner), None);
        assert_eq!(offset_in(outer, text), None);
    }
}
