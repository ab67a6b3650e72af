//! What the model is told besides the results, and how long a text may be.

use crate::json;

/// What was not done, one sentence each.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<String>);

/// Between two parts of a text.
pub(super) const BETWEEN: &str = "\n\n";

/// How much of the model's own words a sentence repeats, in bytes.
const MAX_QUOTED_BYTES: usize = 200;

impl Notes {
    pub(super) fn add(&mut self, sentence: impl Into<String>) {
        let sentence = sentence.into();
        if !self.0.contains(&sentence) {
            self.0.push(sentence);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All sentences. `limit`: bytes.
    pub(super) fn text(&self, limit: usize) -> String {
        cut(&self.0.join(BETWEEN), limit)
    }
}

/// Words of the model.
pub(super) fn quoted(words: &str) -> String {
    format!("\"{}\"", cut(words, MAX_QUOTED_BYTES))
}

/// The name of a command or a field. The model may invent any.
pub(super) fn named(name: &str) -> String {
    format!("`{}`", cut(name, MAX_QUOTED_BYTES))
}

/// The mark of a text that was longer.
const MORE: char = '…';

/// A text that is at most so long, in bytes.
pub(super) fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let Some(room) = limit.checked_sub(MORE.len_utf8()) else { return String::new() };
    let mut cut = beginning(text, room).to_owned();
    cut.push(MORE);
    cut
}

/// The characters that fit into so many bytes.
pub(super) fn beginning(text: &str, bytes: usize) -> &str {
    text.get(..json::floor_boundary(text, bytes)).unwrap_or(text)
}
