//! Reasoning: how an effort is sent upstream, and in which fields earlier reasoning is sent back.

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

/// Top-level fields of a Chat Completions request body.
pub type Fields = Map<String, Value>;

/// An object with one field.
pub(super) fn one_field(name: &str, value: impl Into<Value>) -> Fields {
    let mut fields = Fields::new();
    fields.insert(name.to_owned(), value.into());
    fields
}

/// The fields that each effort adds to the request body, by effort.
pub type Efforts = BTreeMap<String, EffortFields>;

/// How `reasoning.effort` is sent.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Reasoning {
    /// The fields that each effort adds to the request body. `"high"` is short for `{"reasoning_effort": "high"}`. Without a
    /// table, efforts are dropped and reported. Of `minimal`, `low`, `medium`, `high`, `xhigh`, `max` and `ultra`, an effort
    /// missing from the table maps to the closest lower one, else the closest higher one. `none` is never substituted.
    pub efforts: Efforts,
    /// The fields for any effort missing from the table, instead of those of the closest one. If absent, an effort with an
    /// unknown name is dropped and reported.
    pub unknown: Option<EffortFields>,
}

/// The fields that one effort adds.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema), serde(untagged), schemars(inline))]
pub enum EffortFields {
    /// The value of `reasoning_effort`.
    Word(String),
    /// Any fields.
    Fields(Fields),
}

impl<'de> Deserialize<'de> for EffortFields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WordOrFields)
    }
}

struct WordOrFields;

impl<'de> Visitor<'de> for WordOrFields {
    type Value = EffortFields;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of `reasoning_effort`, or an object of fields")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<EffortFields, E> {
        Ok(EffortFields::Word(word.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EffortFields, A::Error> {
        let mut fields = Fields::new();
        while let Some((name, value)) = map.next_entry()? {
            fields.insert(name, value);
        }
        Ok(EffortFields::Fields(fields))
    }
}

impl EffortFields {
    /// The fields to add; a word becomes the value of `reasoning_effort`.
    pub fn to_fields(&self) -> Fields {
        match self {
            Self::Word(word) => one_field("reasoning_effort", word.as_str()),
            Self::Fields(fields) => fields.clone(),
        }
    }
}

/// The efforts at which a model thinks, in ascending order: OpenAI's, and `ultra`, which Codex also sends.
const SCALE: [&str; 7] = ["minimal", "low", "medium", "high", "xhigh", "max", "ultra"];

/// The effort that turns thinking off.
const NONE: &str = "none";

/// The names that an effort can have in a table.
pub fn effort_names() -> impl Iterator<Item = &'static str> {
    std::iter::once(NONE).chain(SCALE)
}

impl Reasoning {
    /// The fields that an effort adds to the request body, or `None` if it cannot be sent to this upstream.
    pub fn fields(&self, effort: &str) -> Option<Fields> {
        let entry = self.efforts.get(effort).or(self.unknown.as_ref()).or_else(|| self.nearest(effort));
        entry.map(EffortFields::to_fields)
    }

    fn nearest(&self, effort: &str) -> Option<&EffortFields> {
        let (below, above) = SCALE.split_at(SCALE.iter().position(|known| *known == effort)?);
        below.iter().rev().chain(above).find_map(|known| self.efforts.get(*known))
    }

    /// Whether the model thinks at this effort. It is assumed to, unless the table can turn thinking off and `none` is asked for.
    pub fn thinks(&self, effort: Option<&str>) -> bool {
        !(effort == Some(NONE) && self.efforts.contains_key(NONE))
    }
}

/// How reasoning from earlier turns is sent back.
#[derive(Debug, Clone, Default, PartialEq, serde::Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ReasoningReplay {
    /// The field of the assistant message that carries the reasoning text: `reasoning_content` or `reasoning`. If absent, the text is not sent back.
    pub field: Option<String>,
    /// Whether an assistant message with tool calls must always have the field, even if empty (DeepSeek, Kimi).
    pub always_present: bool,
    /// Whether `reasoning_details` are sent back unchanged on the assistant message (OpenRouter, MiniMax).
    pub details: bool,
    /// Whether `extra_content` is sent back unchanged on the tool call. It holds Gemini's thought signature.
    pub signatures: bool,
    /// The `extra_content` to put on the first call of an assistant message if the client returned none of its calls with their
    /// own, for example because it drops reasoning items. Gemini rejects calls without a signature.
    pub unsigned: Option<Fields>,
}

/// `reasoning_replay` is written as a word or as an object.
#[cfg(test)]
pub(super) fn replay_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    let word = serde_json::json!({"description": "`off`, or the name of the field.", "type": "string"});
    schemars::json_schema!({"anyOf": [generator.subschema_for::<ReasoningReplay>(), word]})
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn table(reasoning: Value) -> Reasoning {
        serde_json::from_value(reasoning).unwrap()
    }

    #[test]
    fn a_missing_effort_maps_to_the_closest_one() {
        let three = table(json!({"efforts": {"none": "off", "low": "l", "high": {"thinking": true}}}));
        let word = |word: &str| Some(Fields::from_iter([("reasoning_effort".to_owned(), json!(word))]));
        let thinking = Some(Fields::from_iter([("thinking".to_owned(), json!(true))]));
        for (effort, fields) in [
            ("none", word("off")),
            ("minimal", word("l")),
            ("low", word("l")),
            ("medium", word("l")),
            ("high", thinking.clone()),
            ("xhigh", thinking.clone()),
            ("max", thinking.clone()),
            ("ultra", thinking),
            ("enormous", None),
        ] {
            assert_eq!(three.fields(effort), fields, "{effort}");
        }
    }

    #[test]
    fn none_is_never_substituted() {
        assert_eq!(table(json!({"efforts": {"high": "high"}})).fields("none"), None);
        assert_eq!(table(json!({"efforts": {"none": "none"}})).fields("low"), None);
    }

    #[test]
    fn the_entry_for_unknown_efforts_takes_precedence_over_the_closest() {
        let table = table(json!({"efforts": {"low": "low"}, "unknown": "high"}));
        for effort in ["medium", "none", "enormous"] {
            assert_eq!(table.fields(effort), table.unknown.as_ref().map(EffortFields::to_fields), "{effort}");
        }
    }

    #[test]
    fn only_the_effort_none_turns_thinking_off() {
        let table = table(json!({"efforts": {"none": "none"}}));
        assert!(table.thinks(None) && table.thinks(Some("low")) && !table.thinks(Some("none")));
        assert!(Reasoning::default().thinks(Some("none")), "no table can turn thinking off");
    }
}
