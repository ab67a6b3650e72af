//! What a host accepts and how it answers: the options and the named presets.

use serde::Deserialize;

/// What a host accepts and how it answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// The upstream's `:path`.
    pub path: String,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            path: "/v1/chat/completions".to_owned(),
        }
    }
}

const PRESETS: [(&str, &str); 2] = [("generic", "{}"), ("vllm", "{}")];

/// The JSON object of a preset's options.
pub fn preset(name: &str) -> Option<&'static str> {
    PRESETS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

/// The names of all presets.
pub fn preset_names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}
