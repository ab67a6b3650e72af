//! Tables of the fields that each object of a request may have, with their types, and the check that reads them.

use serde_json::{Map, Value};

use super::Refusal;

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    /// A string that is not empty.
    Name,
    Bool,
    Integer {
        min: i64,
    },
    Number {
        min: f64,
        max: f64,
    },
    Object,
    List,
    OneOf(&'static [&'static str]),
    /// Checked by a separate rule.
    Any,
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Name => value.as_str().is_some_and(|text| !text.is_empty()),
            Self::Bool => value.is_boolean(),
            Self::Integer { min } => value.as_i64().is_some_and(|number| number >= min),
            Self::Number { min, max } => value.as_f64().is_some_and(|number| (min..=max).contains(&number)),
            Self::Object => value.is_object(),
            Self::List => value.is_array(),
            Self::OneOf(words) => value.as_str().is_some_and(|word| words.contains(&word)),
            Self::Any => true,
        }
    }

    fn name(self) -> String {
        match self {
            Self::Text => "a string".to_owned(),
            Self::Name => "a non-empty string".to_owned(),
            Self::Bool => "a boolean".to_owned(),
            Self::Integer { min } => format!("an integer of at least {min}"),
            Self::Number { min, max } => format!("a number from {min} to {max}"),
            Self::Object => "an object".to_owned(),
            Self::List => "an array".to_owned(),
            Self::OneOf(words) => format!("one of {}", words.join(", ")),
            Self::Any => "anything".to_owned(),
        }
    }
}

/// The name and type of a field, and whether it is required.
pub(super) type Field = (&'static str, Kind, bool);

const MUST: bool = true;
const MAY: bool = false;

/// The fields that every provider accepts. A script adds fields with `allow_fields` and removes some with `refuse_fields`.
pub(super) const TOP: &[Field] = &[
    ("model", Kind::Name, MUST),
    ("messages", Kind::List, MUST),
    ("tools", Kind::List, MAY),
    ("tool_choice", Kind::Any, MAY),
    ("parallel_tool_calls", Kind::Bool, MAY),
    ("stream", Kind::Bool, MAY),
    ("stream_options", Kind::Object, MAY),
    ("max_tokens", Kind::Integer { min: 1 }, MAY),
    ("temperature", Kind::Number { min: 0.0, max: 2.0 }, MAY),
    ("top_p", Kind::Number { min: 0.0, max: 1.0 }, MAY),
    ("stop", Kind::Any, MAY),
    ("response_format", Kind::Object, MAY),
    ("n", Kind::Any, MAY),
];

/// The types of fields that only some providers accept and a script may allow.
pub(super) const OPTIONAL_TOP: &[Field] = &[
    ("max_completion_tokens", Kind::Integer { min: 1 }, MAY),
    ("seed", Kind::Integer { min: i64::MIN }, MAY),
    ("user", Kind::Text, MAY),
    ("metadata", Kind::Object, MAY),
    ("store", Kind::Bool, MAY),
    ("reasoning_effort", Kind::Name, MAY),
    ("logprobs", Kind::Bool, MAY),
    ("top_logprobs", Kind::Integer { min: 1 }, MAY),
    ("verbosity", Kind::OneOf(&["low", "medium", "high"]), MAY),
    ("prompt_cache_key", Kind::Text, MAY),
];

pub(super) const SYSTEM_MESSAGE: &[Field] = &[("role", Kind::Any, MUST), ("content", Kind::Any, MUST)];

pub(super) const USER_MESSAGE: &[Field] = SYSTEM_MESSAGE;

pub(super) const ASSISTANT_MESSAGE: &[Field] =
    &[("role", Kind::Any, MUST), ("content", Kind::Any, MAY), ("tool_calls", Kind::List, MAY)];

pub(super) const TOOL_MESSAGE: &[Field] =
    &[("role", Kind::Any, MUST), ("content", Kind::Any, MUST), ("tool_call_id", Kind::Name, MUST)];

pub(super) const TEXT_PART: &[Field] = &[("type", Kind::Any, MUST), ("text", Kind::Text, MUST)];

pub(super) const IMAGE_PART: &[Field] = &[("type", Kind::Any, MUST), ("image_url", Kind::Object, MUST)];

pub(super) const IMAGE_URL: &[Field] =
    &[("url", Kind::Name, MUST), ("detail", Kind::OneOf(&["auto", "low", "high"]), MAY)];

pub(super) const TOOL: &[Field] =
    &[("type", Kind::OneOf(&["function"]), MUST), ("function", Kind::Object, MUST)];

pub(super) const FUNCTION: &[Field] =
    &[("name", Kind::Name, MUST), ("description", Kind::Text, MAY), ("parameters", Kind::Object, MAY)];

pub(super) const CUSTOM_TOOL: &[Field] =
    &[("type", Kind::OneOf(&["custom"]), MUST), ("custom", Kind::Object, MUST)];

pub(super) const CUSTOM: &[Field] =
    &[("name", Kind::Name, MUST), ("description", Kind::Text, MAY), ("format", Kind::Object, MAY)];

pub(super) const CUSTOM_CALL: &[Field] =
    &[("id", Kind::Name, MUST), ("type", Kind::OneOf(&["custom"]), MUST), ("custom", Kind::Object, MUST)];

pub(super) const CALLED_CUSTOM: &[Field] = &[("name", Kind::Name, MUST), ("input", Kind::Text, MUST)];

/// OpenAI, vLLM and Groq use these; Z.ai, Qwen and Ollama reject or ignore them.
pub(super) const FUNCTION_STRICT: Field = ("strict", Kind::Bool, MAY);

pub(super) const TOOL_CALL: &[Field] =
    &[("id", Kind::Name, MUST), ("type", Kind::OneOf(&["function"]), MUST), ("function", Kind::Object, MUST)];

pub(super) const CALLED_FUNCTION: &[Field] = &[("name", Kind::Name, MUST), ("arguments", Kind::Text, MUST)];

pub(super) const STREAM_OPTIONS: &[Field] = &[("include_usage", Kind::Bool, MAY)];

pub(super) const CHOSEN_TOOL: &[Field] =
    &[("type", Kind::OneOf(&["function"]), MUST), ("function", Kind::Object, MUST)];

pub(super) const CHOSEN_FUNCTION: &[Field] = &[("name", Kind::Name, MUST)];

pub(super) const CHOSEN_AMONG: &[Field] =
    &[("type", Kind::OneOf(&["allowed_tools"]), MUST), ("allowed_tools", Kind::Object, MUST)];

pub(super) const ALLOWED_TOOLS: &[Field] =
    &[("mode", Kind::OneOf(&["auto", "required"]), MUST), ("tools", Kind::List, MUST)];

pub(super) const RESPONSE_FORMAT: &[Field] = &[
    ("type", Kind::OneOf(&["text", "json_object", "json_schema"]), MUST),
    ("json_schema", Kind::Object, MAY),
];

pub(super) const JSON_SCHEMA: &[Field] = &[
    ("name", Kind::Name, MUST),
    ("description", Kind::Text, MAY),
    ("schema", Kind::Object, MUST),
    ("strict", Kind::Bool, MAY),
];

/// Rejects unknown fields, missing required fields and wrong types.
pub(super) fn check(value: &Value, fields: &[Field], also: &[String], path: &str) -> Result<(), Refusal> {
    let Some(object) = value.as_object() else {
        return Err(Refusal::at(path, "must be an object".to_owned()));
    };
    unknown(object, fields, also, path)?;
    types(value, fields, path)
}

/// Rejects missing required fields and wrong types.
pub(super) fn types(value: &Value, fields: &[Field], path: &str) -> Result<(), Refusal> {
    let Some(object) = value.as_object() else {
        return Err(Refusal::at(path, "must be an object".to_owned()));
    };
    for (name, kind, must) in fields {
        let here = join(path, name);
        match object.get(*name) {
            None if *must => return Err(Refusal::at(&here, "Field required".to_owned())),
            None => {}
            Some(value) if kind.fits(value) => {}
            Some(_) => return Err(Refusal::at(&here, format!("must be {}", kind.name()))),
        }
    }
    Ok(())
}

fn unknown(
    object: &Map<String, Value>,
    fields: &[Field],
    also: &[String],
    path: &str,
) -> Result<(), Refusal> {
    let known = |key: &String| fields.iter().any(|(name, ..)| name == key) || also.contains(key);
    match object.keys().find(|key| !known(key)) {
        None => Ok(()),
        Some(key) => {
            let here = join(path, key);
            Err(Refusal {
                message: format!("Extra inputs are not permitted: {here}"),
                param: here,
                code: "extra_forbidden",
            })
        }
    }
}

pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
