//! `reasoning_details`: what a host wants back as it sent it, put together from its pieces.
//!
//! OpenRouter sends a thought in pieces that carry the same `index`, its signature with the last of them,
//! and encrypted parts beside it. MiniMax is documented to repeat all of the text with every piece.

use crate::json;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The details of one reply.
#[derive(Debug, Default)]
pub(super) struct Details {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    fields: Map<String, Value>,
    /// As it came, as long as nothing was added to it.
    whole: Option<Box<RawValue>>,
}

/// The fields that come in pieces.
const TEXTS: &[&str] = &["text", "summary", "data"];

impl Details {
    /// Adds what a chunk brought: the readable text that is new in it.
    pub(super) fn add(&mut self, raw: &RawValue) -> String {
        let pieces: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
        let mut new = String::new();
        for raw in pieces {
            let Ok(piece) = serde_json::from_str::<Map<String, Value>>(raw.get()) else { continue };
            match self.entries.iter_mut().rev().find(|entry| entry.goes_on_with(&piece)) {
                Some(entry) => new.push_str(&entry.add(piece)),
                None => {
                    new.push_str(shown(&piece));
                    self.entries.push(Entry { fields: piece, whole: Some(raw.to_owned()) });
                }
            }
        }
        new
    }

    /// All of them, each as it came or as the sum of its pieces. The next begin anew.
    pub(super) fn take(&mut self) -> Vec<Box<RawValue>> {
        let entries = std::mem::take(&mut self.entries).into_iter();
        entries.map(|entry| entry.whole.unwrap_or_else(|| json::raw(&entry.fields))).collect()
    }
}

impl Entry {
    /// Whether a piece belongs to this entry: one of the same type and, if it says so, of the same place.
    fn goes_on_with(&self, piece: &Map<String, Value>) -> bool {
        let same = |key: &str| match (self.fields.get(key), piece.get(key)) {
            (Some(mine), Some(other)) => mine == other || mine.is_null() || other.is_null(),
            _ => true,
        };
        let is_text = self.fields.get("type").and_then(Value::as_str) != Some("reasoning.encrypted");
        is_text && self.fields.get("type") == piece.get("type") && same("index") && same("id")
    }

    fn add(&mut self, piece: Map<String, Value>) -> String {
        self.whole = None;
        let mut new = String::new();
        for (key, value) in piece {
            match (self.fields.get_mut(&key), value) {
                (Some(Value::String(mine)), Value::String(other)) if TEXTS.contains(&key.as_str()) => {
                    let added = beyond(mine, &other);
                    mine.push_str(added);
                    if key != "data" {
                        new.push_str(added);
                    }
                }
                (_, Value::Null) => {}
                (_, other) => {
                    self.fields.insert(key, other);
                }
            }
        }
        new
    }
}

/// What a piece adds. One that says all again, and more, is a snapshot; a piece may by chance begin like a
/// text of one or two characters.
fn beyond<'p>(so_far: &str, piece: &'p str) -> &'p str {
    match piece.strip_prefix(so_far) {
        Some(more) if so_far.len() > 2 && !more.is_empty() => more,
        _ => piece,
    }
}

/// What can be read of a piece.
fn shown(piece: &Map<String, Value>) -> &str {
    ["text", "summary"].iter().find_map(|key| piece.get(*key)?.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(pieces: &[&str]) -> (String, String) {
        let mut details = Details::default();
        let text = pieces.iter().map(|piece| details.add(serde_json::from_str(piece).unwrap())).collect();
        (text, details.take().iter().map(|detail| detail.get()).collect::<Vec<_>>().join(","))
    }

    #[test]
    fn pieces_become_what_the_host_wants_back() {
        let table: &[(&str, &[&str], &str, &str)] = &[
            ("as it came", &[r#"[{"type":"x", "b":1.0,"a":2}]"#], "", r#"{"type":"x", "b":1.0,"a":2}"#),
            (
                "text in pieces, the signature last, an encrypted part beside it",
                &[
                    r#"[{"type":"reasoning.text","text":"Let ","index":0,"signature":null}]"#,
                    r#"[{"type":"reasoning.text","text":"me","index":0}]"#,
                    r#"[{"type":"reasoning.text","signature":"s==","index":0}]"#,
                    r#"[{"type":"reasoning.encrypted","data":"A","index":0},{"type":"reasoning.encrypted","data":"B","index":1}]"#,
                ],
                "Let me",
                r#"{"index":0,"signature":"s==","text":"Let me","type":"reasoning.text"},{"type":"reasoning.encrypted","data":"A","index":0},{"type":"reasoning.encrypted","data":"B","index":1}"#,
            ),
            (
                "snapshots",
                &[
                    r#"[{"type":"reasoning.text","text":"Let"}]"#,
                    r#"[{"type":"reasoning.text","text":"Let me"}]"#,
                ],
                "Let me",
                r#"{"text":"Let me","type":"reasoning.text"}"#,
            ),
            (
                "two thoughts",
                &[
                    r#"[{"type":"reasoning.text","text":"a","index":0},{"type":"reasoning.text","text":"b","index":1}]"#,
                ],
                "ab",
                r#"{"type":"reasoning.text","text":"a","index":0},{"type":"reasoning.text","text":"b","index":1}"#,
            ),
            (
                "pieces that are alike",
                &[
                    r#"[{"type":"reasoning.text","text":"\n"}]"#,
                    r#"[{"type":"reasoning.text","text":"\n\n"}]"#,
                ],
                "\n\n\n",
                r#"{"text":"\n\n\n","type":"reasoning.text"}"#,
            ),
            ("no details", &["null", "[]", "[1]", "{}", "\"x\""], "", ""),
        ];
        for (what, pieces, text, details) in table {
            assert_eq!(merged(pieces), ((*text).to_owned(), (*details).to_owned()), "{what}");
        }
    }
}
