//! Assembles `reasoning_details`, which the provider needs back exactly as it sent them.
//!
//! OpenRouter sends one entry in fragments with the same `index`, its signature with the last of them, and encrypted
//! entries beside it. MiniMax is documented to repeat all of the text with every fragment.

use crate::json::{self, RawJson};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// The details of one reply since they were last taken.
#[derive(Debug, Default)]
pub(super) struct ReasoningDetails {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    fields: Map<String, Value>,
    /// The entry as it was sent, as long as it is a single fragment.
    verbatim: Option<RawJson<'static>>,
}

/// The fields that are sent in fragments.
const FRAGMENTED: &[&str] = &["text", "summary", "data"];

impl ReasoningDetails {
    /// Adds the details of a chunk: an array of objects. Returns the readable text that is new.
    pub(super) fn add(&mut self, raw: &RawValue) -> String {
        let fragments: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
        let mut new = String::new();
        for raw in fragments {
            let Ok(fragment) = json::from_text::<Map<String, Value>>(raw.get()) else { continue };
            match self.entries.iter_mut().rev().find(|entry| entry.continues_with(&fragment)) {
                Some(entry) => new.push_str(&entry.add(fragment)),
                None => {
                    new.push_str(readable(&fragment));
                    self.entries
                        .push(Entry { fields: fragment, verbatim: Some(RawJson::from(raw).into_owned()) });
                }
            }
        }
        new
    }

    /// Takes all entries, each as it was sent or assembled from its fragments.
    pub(super) fn take(&mut self) -> Vec<RawJson<'static>> {
        let entries = std::mem::take(&mut self.entries).into_iter();
        entries.map(|entry| entry.verbatim.unwrap_or_else(|| RawJson::compact(&entry.fields))).collect()
    }
}

impl Entry {
    /// Whether a fragment belongs to this entry: it has the same type, and the same `index` and `id` if both have one.
    fn continues_with(&self, fragment: &Map<String, Value>) -> bool {
        let same = |key: &str| match (self.fields.get(key), fragment.get(key)) {
            (Some(mine), Some(other)) => mine == other || mine.is_null() || other.is_null(),
            _ => true,
        };
        let is_text = self.fields.get("type").and_then(Value::as_str) != Some("reasoning.encrypted");
        is_text && self.fields.get("type") == fragment.get("type") && same("index") && same("id")
    }

    /// Adds a fragment. Returns the readable text that is new.
    fn add(&mut self, fragment: Map<String, Value>) -> String {
        self.verbatim = None;
        let mut new = String::new();
        for (key, value) in fragment {
            match (self.fields.get_mut(&key), value) {
                (Some(Value::String(mine)), Value::String(other)) if FRAGMENTED.contains(&key.as_str()) => {
                    let added = new_part(mine, &other);
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

/// The part of a fragment that is new. A fragment that repeats the text so far and adds to it is a snapshot. A text of
/// one or two characters is too short for this rule, because a fragment may begin with it by chance.
fn new_part<'f>(so_far: &str, fragment: &'f str) -> &'f str {
    match fragment.strip_prefix(so_far) {
        Some(more) if so_far.len() > 2 && !more.is_empty() => more,
        _ => fragment,
    }
}

/// The readable text of a fragment.
fn readable(fragment: &Map<String, Value>) -> &str {
    ["text", "summary"].iter().find_map(|key| fragment.get(*key)?.as_str()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(fragments: &[&str]) -> (String, String) {
        let mut details = ReasoningDetails::default();
        let text = fragments.iter().map(|raw| details.add(serde_json::from_str(raw).unwrap())).collect();
        (text, details.take().iter().map(|detail| detail.get()).collect::<Vec<_>>().join(","))
    }

    #[test]
    fn fragments_become_what_the_provider_wants_back() {
        let table: &[(&str, &[&str], &str, &str)] = &[
            (
                "a single fragment stays as it was sent",
                &[r#"[{"type":"x", "b":1.0,"a":2}]"#],
                "",
                r#"{"type":"x", "b":1.0,"a":2}"#,
            ),
            (
                "half a surrogate pair",
                &[
                    r#"[{"type":"reasoning.text","text":"a","index":0}]"#,
                    r#"[{"type":"reasoning.text","text":"b\ud83e","index":0}]"#,
                ],
                "ab�",
                r#"{"index":0,"text":"ab�","type":"reasoning.text"}"#,
            ),
            (
                "text in fragments, the signature last, encrypted entries beside it",
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
                "two entries",
                &[
                    r#"[{"type":"reasoning.text","text":"a","index":0},{"type":"reasoning.text","text":"b","index":1}]"#,
                ],
                "ab",
                r#"{"type":"reasoning.text","text":"a","index":0},{"type":"reasoning.text","text":"b","index":1}"#,
            ),
            (
                "a fragment that begins like the short text before it",
                &[
                    r#"[{"type":"reasoning.text","text":"\n"}]"#,
                    r#"[{"type":"reasoning.text","text":"\n\n"}]"#,
                ],
                "\n\n\n",
                r#"{"text":"\n\n\n","type":"reasoning.text"}"#,
            ),
            ("no details", &["null", "[]", "[1]", "{}", "\"x\""], "", ""),
        ];
        for (what, fragments, text, details) in table {
            assert_eq!(merged(fragments), ((*text).to_owned(), (*details).to_owned()), "{what}");
        }
    }
}
