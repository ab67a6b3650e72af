//! Text that may still turn out to be markup.

use std::ops::Deref;

/// A text that is taken away from its beginning. What was taken is removed now and then: if each of many small pieces
/// moved the rest of a long text, the time would grow with the square of its length.
#[derive(Debug, Default)]
pub(super) struct HeldText {
    text: String,
    /// The bytes at the beginning that were taken.
    taken: usize,
}

impl Deref for HeldText {
    type Target = str;

    fn deref(&self) -> &str {
        self.text.get(self.taken..).unwrap_or_default()
    }
}

impl HeldText {
    pub(super) fn push_str(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Takes the first `length` bytes.
    pub(super) fn take(&mut self, length: usize) -> String {
        let first = self.get(..length).unwrap_or(self).to_owned();
        self.taken += first.len();
        if 2 * self.taken >= self.text.len() {
            self.text.drain(..self.taken);
            self.taken = 0;
        }
        first
    }

    pub(super) fn take_all(&mut self) -> String {
        self.take(self.len())
    }
}
