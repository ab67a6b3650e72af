//! The form in which a provider writes the model's output. Each flag is one difference that breaks translators.

use serde::{Deserialize, Deserializer, de::Error};
use serde_json::{Map, Value};

/// A script names a provider, or sets flags, or both: `"tgi"`, `{"ids": "empty"}`, `{"like": "tgi", "ids": "empty"}`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape(Flags);

impl std::ops::Deref for Shape {
    type Target = Flags;

    fn deref(&self) -> &Flags {
        &self.0
    }
}

/// The flags. Each default is what OpenAI does.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Flags {
    /// The field of a delta or message that carries reasoning.
    pub(crate) reasoning_field: String,
    pub(crate) role: Role,
    /// `content` next to the role in the first delta.
    pub(crate) first_content: Presence,
    /// A first frame without choices, as Azure's content filter sends.
    pub(crate) empty_first_chunk: bool,
    /// The `id` of every chunk. If absent, one is generated.
    pub(crate) id: Option<String>,

    pub(crate) calls: Calls,
    /// Whether the last delta with calls is in the chunk with the finish reason.
    pub(crate) calls_on_finish_chunk: bool,
    pub(crate) index: Index,
    pub(crate) ids: Ids,
    /// `arguments` in the first delta of a call.
    pub(crate) first_arguments: FirstArguments,
    /// `id` in the later deltas of a call.
    pub(crate) later_id: Presence,
    /// `name` in the later deltas of a call.
    pub(crate) later_name: Presence,
    /// Whether `arguments` that are JSON are written as an object instead of a string.
    pub(crate) arguments_object: bool,

    /// Whether the finish reason is `stop` although tools were called.
    pub(crate) finish_hides_calls: bool,
    pub(crate) usage: UsagePlace,

    /// `data: {` or `data:{`.
    pub(crate) data_space: bool,
    pub(crate) line_end: String,
}

impl Default for Flags {
    fn default() -> Self {
        Self {
            reasoning_field: "reasoning_content".to_owned(),
            role: Role::First,
            first_content: Presence::Empty,
            empty_first_chunk: false,
            id: None,
            calls: Calls::Fragments,
            calls_on_finish_chunk: false,
            index: Index::Counted,
            ids: Ids::Given,
            first_arguments: FirstArguments::Empty,
            later_id: Presence::Omit,
            later_name: Presence::Omit,
            arguments_object: false,
            finish_hides_calls: false,
            usage: UsagePlace::OwnChunk,
            data_space: true,
            line_end: "\n".to_owned(),
        }
    }
}

/// How a field is written when its value is not new.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Presence {
    Omit,
    Null,
    Empty,
    Repeat,
}

impl Presence {
    pub(crate) fn put(self, object: &mut Map<String, Value>, key: &str, repeated: &Value) {
        let value = match self {
            Self::Omit => return,
            Self::Null => Value::Null,
            Self::Empty => Value::from(""),
            Self::Repeat => repeated.clone(),
        };
        object.insert(key.to_owned(), value);
    }
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    First,
    Every,
    Never,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Calls {
    Fragments,
    /// Each call is complete in a separate delta.
    Whole,
    /// All calls are complete in one delta.
    Together,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Index {
    Counted,
    FromOne,
    AlwaysZero,
    Omit,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ids {
    Given,
    /// The string `"0"` for every call.
    Same,
    Omit,
    Null,
    Empty,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FirstArguments {
    Empty,
    Omit,
    Null,
    /// The first fragment of the arguments.
    Piece,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UsagePlace {
    /// A last chunk without choices, if the client requested usage.
    OwnChunk,
    /// Providers that send usage unasked put it in one of the places below.
    FinishChunk,
    EveryChunk,
    InChoice,
}

/// The known forms of providers, as flags.
const PROVIDERS: [(&str, &str); 11] = [
    ("openai", "{}"),
    ("vllm", r#"{"reasoning_field": "reasoning", "first_arguments": "omit"}"#),
    (
        "tgi",
        r#"{"id": "", "role": "every", "first_content": "omit", "ids": "same", "later_id": "repeat", "later_name": "null",
            "first_arguments": "piece", "finish_hides_calls": true, "data_space": false}"#,
    ),
    ("llamacpp", r#"{"first_content": "null"}"#),
    ("ollama", r#"{"reasoning_field": "reasoning", "calls": "whole"}"#),
    (
        "together",
        r#"{"reasoning_field": "reasoning", "role": "every", "later_id": "null", "later_name": "null", "usage": "finish_chunk"}"#,
    ),
    (
        "mistral",
        r#"{"index": "omit", "calls": "together", "calls_on_finish_chunk": true, "usage": "finish_chunk"}"#,
    ),
    ("deepseek", r#"{"first_content": "null", "usage": "finish_chunk"}"#),
    ("dashscope", r#"{"later_id": "empty", "later_name": "empty"}"#),
    ("gemini", r#"{"index": "always_zero", "calls": "whole", "finish_hides_calls": true}"#),
    ("azure", r#"{"empty_first_chunk": true}"#),
];

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let mut given = match Value::deserialize(input)? {
            Value::String(name) => Map::from_iter([("like".to_owned(), Value::String(name))]),
            Value::Object(flags) => flags,
            _ => {
                return Err(D::Error::custom("shape must be a provider's name or an object of flags"));
            }
        };
        let mut flags = match given.remove("like") {
            Some(name) => flags_of(&name).map_err(D::Error::custom)?,
            None => Map::new(),
        };
        flags.extend(given);
        serde_json::from_value(Value::Object(flags)).map(Shape).map_err(D::Error::custom)
    }
}

fn flags_of(provider: &Value) -> Result<Map<String, Value>, String> {
    let known = PROVIDERS.iter().find(|(name, _)| provider == name);
    let (_, flags) = known.ok_or_else(|| format!("no shape is named {provider}"))?;
    serde_json::from_str(flags).map_err(|error| error.to_string())
}
