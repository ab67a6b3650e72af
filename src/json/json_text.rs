//! JSON text that is written piece by piece.

use super::raw;
use super::structural_mask::is_plain;
use serde::Serialize;

/// A JSON text under construction. Its parts are put together by the caller: syntax, strings and values.
///
/// serde looks for characters to escape even in the names of fields. Where many small objects are written, that was half
/// of the work.
#[derive(Debug, Default)]
pub struct JsonText(Vec<u8>);

impl JsonText {
    /// An empty text with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Appends JSON: syntax, names of fields, or values.
    #[inline]
    pub fn raw(&mut self, json: &str) {
        self.0.extend_from_slice(json.as_bytes());
    }

    /// Appends a string, escaped.
    pub fn string(&mut self, text: &str) {
        // Hardly any id or name needs an escape.
        if !is_plain(text.as_bytes()) {
            return self.value(text);
        }
        self.0.reserve(text.len() + 2);
        self.0.push(b'"');
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(b'"');
    }

    /// Appends any value.
    pub fn value(&mut self, value: &(impl Serialize + ?Sized)) {
        raw::write(value, &mut self.0);
    }

    /// Inserts JSON at a position.
    pub fn insert(&mut self, at: usize, json: Self) {
        self.0.splice(at.min(self.0.len())..at.min(self.0.len()), json.0);
    }

    /// The length so far, in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Ends an object that lacks its last bracket with the fields of `rest`, which is written as an object.
    pub fn end_object(mut self, rest: &impl Serialize) -> Vec<u8> {
        let end = self.0.len();
        self.value(rest);
        if self.0.ends_with(b"{}") && self.0.len() == end + 2 {
            self.0.truncate(end);
            self.0.push(b'}');
        } else if let Some(bracket) = self.0.get_mut(end) {
            *bracket = b',';
        }
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_string_is_escaped_as_serde_json_does_it() {
        for string in ["", "call_1", "a\"b", "a\\b", "a\n\u{1}", "ü🦀\u{7f}"] {
            let mut text = JsonText::default();
            text.string(string);
            assert_eq!(text.0, serde_json::to_vec(string).unwrap());
        }
    }

    #[test]
    fn an_object_ends_with_the_fields_of_another() {
        for (rest, expected) in [(json!({}), r#"{"a":1}"#), (json!({"b": 2}), r#"{"a":1,"b":2}"#)] {
            let mut text = JsonText::with_capacity(9);
            text.raw(r#"{"a":1"#);
            assert_eq!(text.end_object(&rest), expected.as_bytes());
        }
    }
}
