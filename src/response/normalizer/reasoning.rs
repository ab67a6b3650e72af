//! Where reasoning is, and its text if that is not a plain string.

use super::text_markup::{TextMarkup, TextPiece};
use crate::json::{self, JsonStr};
use crate::report::Dropped;
use crate::response::delta::{Delta, DeltaSink};
use crate::response::outcome::Failure;
use crate::wire::chat::reply::Message;
use fnv::FnvHasher;
use serde_json::Value;
use serde_json::value::RawValue;
use std::hash::Hasher;

/// The keys under which providers nest the text of reasoning.
const KEYS: &[&str] = &["thinking", "reasoning", "summary", "content", "text"];

/// Where the provider puts readable reasoning. A text that it sends in several places is read once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReasoningSource {
    /// Not known yet: any place counts.
    Unknown,
    /// A field such as `reasoning_content`. `reasoning_details` repeat it, and tags in the text may.
    Field(TextHash),
}

impl ReasoningSource {
    /// A field has reasoning, so the text hardly has any.
    pub(super) fn found_in_field(&mut self, markup: &mut TextMarkup) {
        if *self == Self::Unknown {
            *self = Self::Field(TextHash::default());
            markup.reasoning_is_in_field();
        }
    }

    /// The field has this text.
    pub(super) fn add(&mut self, text: &JsonStr<'_>) {
        if let Self::Field(said) = self {
            said.add(&text.decode());
        }
    }

    /// What the text before a closing tag is that has no opening one. If reasoning is in a field, it repeats that, or it
    /// is a text about the tag.
    pub(super) fn unopened(self, text: &str, tag: &str) -> Vec<TextPiece> {
        let reasoning = JsonStr::new(text.trim_matches('\n'));
        if reasoning.is_blank() || self.has_said(&reasoning) {
            return Vec::new();
        }
        vec![match self {
            Self::Unknown => TextPiece::Reasoning(reasoning),
            Self::Field(_) => TextPiece::Text(JsonStr::new(&format!("{text}{tag}"))),
        }]
    }

    /// Whether reasoning in the text repeats the field.
    pub(super) fn has_said(self, text: &JsonStr<'_>) -> bool {
        matches!(self, Self::Field(said) if said.is_of(&text.decode()))
    }
}

/// Reasoning in one of the fields that providers have for it.
#[derive(Debug)]
pub(super) enum ReasoningField<'a> {
    /// A string that is not empty.
    Text(&'a RawValue),
    /// A list or an object, in a field of a message in which none has a text.
    Nested(Value),
}

impl<'a> ReasoningField<'a> {
    /// Some providers fill several fields with the same text.
    pub(super) fn of(message: &Message<'a>) -> Option<Self> {
        let fields = [message.reasoning_content, message.reasoning, message.reasoning_text, message.thinking];
        let mut fields = fields.into_iter().flatten();
        let nested = fields.clone().find(|raw| is_nested(raw));
        match (fields.find(|raw| is_text(raw)), nested) {
            (Some(raw), _) => Some(Self::Text(raw)),
            (None, Some(raw)) => Some(Self::Nested(json::from_text(raw.get()).unwrap_or_default())),
            (None, None) => None,
        }
    }
}

/// A hash of a text without its white space. It tells whether the text repeats another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TextHash(u64);

impl TextHash {
    pub(super) fn add(&mut self, text: &str) {
        let mut hasher = FnvHasher::with_key(self.0);
        text.split_whitespace().for_each(|word| hasher.write(word.as_bytes()));
        self.0 = hasher.finish();
    }

    fn of(text: &str) -> Self {
        let mut hash = Self::default();
        hash.add(text);
        hash
    }

    /// Whether it is the hash of this text.
    pub(super) fn is_of(self, text: &str) -> bool {
        self == Self::of(text)
    }
}

/// Whether it is a string that is not empty.
pub(super) fn is_text(raw: &RawValue) -> bool {
    raw.get().starts_with('"') && raw.get() != "\"\""
}

/// Whether it is a list or an object with something in it.
pub(super) fn is_nested(raw: &RawValue) -> bool {
    raw.get().starts_with(['[', '{']) && !["[]", "{}"].contains(&raw.get())
}

/// The texts in a reasoning value, in their order: of a string, of a list of such values, or of an object such as
/// `{"type": "summary_text", "text": "..."}` or `{"type": "thinking", "thinking": [...], "signature": "..."}`.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) if text.is_empty() => Vec::new(),
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(fields) => KEYS.iter().find_map(|key| fields.get(*key)).map(texts).unwrap_or_default(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// Emits the texts of a reasoning value. One without any text, such as a signature, is reported by `name`.
pub(super) fn emit(value: &Value, name: &str, sink: &mut impl DeltaSink) -> Result<(), Failure> {
    let texts = texts(value);
    if texts.is_empty() {
        return sink.delta(Delta::Unsupported { kind: Dropped::Part, name });
    }
    texts.into_iter().try_for_each(|text| sink.delta(Delta::Reasoning(JsonStr::new(text))))
}
