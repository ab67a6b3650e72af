//! Arguments that are written as an object in another form than JSON.

use crate::json::JsonStr;
use serde_json::value::RawValue;
use std::fmt;

/// Reads a growing text token by token, and writes JSON.
pub(super) trait ObjectReader: fmt::Debug {
    /// Reads the next token, or a part of a string. Returns its length; 0: the text ends within it.
    ///
    /// # Errors
    /// What is in the place of the token.
    fn token(&mut self, rest: &str) -> Result<usize, Progress>;

    /// Takes the JSON, if the object has ended.
    fn take_json(&mut self) -> Option<String>;

    /// Reads more text. Returns the length of the text that was read and need not be passed again.
    fn read(&mut self, text: &str) -> (usize, Progress) {
        let mut position = 0;
        loop {
            match self.token(text.get(position..).unwrap_or_default()) {
                Ok(0) => return (position, Progress::Undecided),
                Ok(length) => position += length,
                Err(progress) => return (position, progress),
            }
            if let Some(json) = self.take_json() {
                return (position, Progress::complete(json));
            }
        }
    }
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
    fn complete(json: String) -> Self {
        let is_json = serde_json::from_str::<&RawValue>(&json).is_ok();
        if is_json { Self::Complete(json) } else { Self::Invalid }
    }
}

/// The length of a token and of the white space before it. 0: the text ends within the token.
pub(super) fn with_gap(gap: usize, token: usize) -> usize {
    if token == 0 { 0 } else { gap + token }
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
