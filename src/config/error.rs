//! The errors of a configuration: all of them, each with its position.

use super::position::{self, Position};
use std::fmt;

/// One error of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The JSON path, e.g. `models[0].upstream`, or `configuration` for the root.
    pub path: String,
    /// Where the path begins. Absent if the configuration is a single line, as programs write it: Istio, `make run`.
    pub position: Option<Position>,
    /// The problem, and what is expected.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            Some(Position { line, column }) => write!(f, "{} (line {line}, column {column}): ", self.path)?,
            None => write!(f, "{}: ", self.path)?,
        }
        f.write_str(&self.message)
    }
}

/// All errors of a configuration, in the order of its text. Displayed one per line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// The errors; there is at least one.
    pub fn iter(&self) -> std::slice::Iter<'_, ConfigError> {
        self.0.iter()
    }
}

impl std::error::Error for ConfigErrors {}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.0.iter();
        lines.next().map_or(Ok(()), |first| write!(f, "{first}"))?;
        lines.try_for_each(|error| write!(f, "\n{error}"))
    }
}

/// Collects errors while a configuration is read.
#[derive(Debug, Default)]
pub(super) struct Errors(Vec<ConfigError>);

impl Errors {
    /// Adds an error at a path; the empty path is the root.
    pub(super) fn add(&mut self, at: &str, message: impl Into<String>) {
        let path = if at.is_empty() { "configuration" } else { at };
        self.0.push(ConfigError { path: path.to_owned(), position: None, message: message.into() });
    }

    /// Adds the error of a text that is not JSON.
    pub(super) fn add_syntax(&mut self, error: &serde_json::Error) {
        self.add("", without_position(error));
        if let Some(added) = self.0.last_mut() {
            added.position = Some(Position { line: error.line(), column: error.column() });
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.0.iter().any(|error| error.path == path)
    }

    /// Adds the line and column of each error in the text.
    pub(super) fn in_text(mut self, text: &str) -> ConfigErrors {
        if text.trim_end().contains('\n') {
            for error in &mut self.0 {
                error.position = error.position.or_else(|| position::of(&error.path, text));
            }
            let order = |at: Position| ((at.line as u64) << 32) + at.column as u64;
            self.0.sort_by_cached_key(|error| error.position.map_or(0, order));
        }
        ConfigErrors(self.0)
    }
}

/// serde_json appends the position to its messages.
pub(super) fn without_position(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let position = format!(" at line {} column {}", error.line(), error.column());
    message.strip_suffix(&position).unwrap_or(&message).to_owned()
}
