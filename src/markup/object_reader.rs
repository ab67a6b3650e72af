//! Arguments that are written as an object in another form than JSON.

use super::keyword_arguments::KeywordArguments;
use super::quoted_object::QuotedObject;
use crate::json::JsonStr;
use serde_json::value::RawValue;

/// Reads a growing text and writes JSON.
#[derive(Debug)]
pub(super) enum ObjectReader {
    Quoted(QuotedObject),
    Keywords(KeywordArguments),
}

/// The result of reading.
#[derive(Debug, PartialEq)]
pub(super) enum Progress {
    /// More text is needed.
    Undecided,
    /// The object, as JSON.
    Complete(String),
    /// `...` or the like stands in the place of a value: the model explains how a call looks.
    Placeholder,
    Invalid,
}

impl Progress {
    /// The end of an object. Commas, colons and values are in their places if what was written is JSON.
    pub(super) fn complete(json: String) -> Self {
        let is_json = serde_json::from_str::<&RawValue>(&json).is_ok();
        if is_json { Self::Complete(json) } else { Self::Invalid }
    }
}

impl ObjectReader {
    /// Reads more text. Returns the length of the text that was read and need not be passed again.
    pub(super) fn read(&mut self, text: &str) -> (usize, Progress) {
        match self {
            Self::Quoted(object) => object.read(text),
            Self::Keywords(arguments) => arguments.read(text),
        }
    }
}

/// Writes a part of a string.
pub(super) fn push_escaped(json: &mut String, text: &str) {
    let escaped = JsonStr::new(text);
    let escaped = escaped.as_json();
    json.push_str(escaped.get(1..escaped.len() - 1).unwrap_or_default());
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Reads a text that arrives in pieces of this many bytes, or a few more.
    pub(in super::super) fn in_pieces(
        text: &str,
        piece: usize,
        mut read: impl FnMut(&str) -> (usize, Progress),
    ) -> Progress {
        let (mut position, mut end) = (0, 0);
        loop {
            end = (end + piece).min(text.len());
            while !text.is_char_boundary(end) {
                end += 1;
            }
            let (length, progress) = read(text.get(position..end).unwrap());
            position += length;
            if progress != Progress::Undecided || end == text.len() {
                return progress;
            }
        }
    }
}
