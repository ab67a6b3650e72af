//! The parts of `content` where that is an array.
//!
//! Mistral sends `[{"type": "thinking", "thinking": [...]}, {"type": "text", "text": "..."}]`.

use super::places;
use serde_json::Value;

/// What a part is.
#[derive(Debug)]
pub(super) enum Part<'a> {
    /// `name`: its type.
    Reasoning {
        name: &'a str,
    },
    Text {
        text: &'a str,
        annotations: &'a [Value],
    },
    Refusal(&'a str),
    /// It is read where other calls are.
    Call,
    /// `name`: its type.
    Unsupported {
        name: &'a str,
    },
}

impl<'a> Part<'a> {
    pub(super) fn of(part: &'a Value) -> Self {
        let string = |key: &str| part.get(key).and_then(Value::as_str);
        let name = string("type").unwrap_or_default();
        let is_reasoning = name.starts_with("reasoning")
            || ["thinking", "reasoning"].iter().any(|key| part.get(key).is_some());
        // Among the parts of LangChain's messages are plain strings.
        match (string("text").or(part.as_str()), string("refusal")) {
            _ if is_reasoning => Self::Reasoning { name },
            (Some(text), _) => {
                let annotations = part.get("annotations").and_then(Value::as_array);
                Self::Text { text, annotations: annotations.map(Vec::as_slice).unwrap_or_default() }
            }
            (None, Some(text)) => Self::Refusal(text),
            (None, None) if places::is_call_type(name) => Self::Call,
            (None, None) => Self::Unsupported { name },
        }
    }
}
