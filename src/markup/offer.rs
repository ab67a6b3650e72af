//! The tools that the request offers: whose names are taken for calls, and of which types their arguments are.

use crate::json::{JsonStr, RawJson};
use crate::wire::chat::request::Tool;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The tools that go up, by their upstream names, with the schemas of their arguments.
#[derive(Debug, Default)]
pub(crate) struct Offer(BTreeMap<String, RawJson<'static>>);

impl Offer {
    pub(crate) fn of(tools: &[Tool<'_>]) -> Self {
        let mut offered = BTreeMap::new();
        for tool in tools {
            if let Tool::Function { function } = tool {
                offered.insert(function.name.clone().into_owned(), function.parameters.clone().into_owned());
            }
        }
        Self(offered)
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tool that a model means by `written`, e.g. `functions.f:0`.
    pub(crate) fn find(&self, written: &str) -> Option<&str> {
        let name = plain(written.trim());
        self.0.keys().find(|known| *known == name).map(String::as_str)
    }

    /// Whether `written` can become a name that is offered.
    pub(crate) fn may_become(&self, written: &str) -> bool {
        let written = written.trim_start();
        let name = written.strip_prefix(SCOPE).unwrap_or(written);
        SCOPE.starts_with(written)
            || self.0.keys().any(|known| match name.strip_prefix(known.as_str()) {
                Some(rest) => rest.trim_start_matches(':').chars().all(|char| char.is_ascii_digit()),
                None => known.starts_with(name),
            })
    }

    /// The JSON of one argument that was written as plain text, by the type that the schema declares.
    pub(crate) fn typed(&self, name: &str, key: &str, text: &str) -> String {
        let schema = self.0.get(name).and_then(|schema| serde_json::from_str(schema.get()).ok());
        let types =
            schema.as_ref().and_then(|schema: &Value| types(schema.pointer("/properties")?.get(key)?));
        let value =
            serde_json::from_str::<Value>(text).or_else(|_| serde_json::from_str(&text.to_lowercase()));
        let fits = value.is_ok_and(|value| match &types {
            Some(types) => !value.is_string() && types.iter().any(|declared| is_of(&value, declared)),
            None => true,
        });
        match fits {
            true if serde_json::from_str::<&RawValue>(text).is_ok() => text.trim().to_owned(),
            // Python's `True` and `None`.
            true => text.to_lowercase(),
            false => JsonStr::new(text).as_json().to_owned(),
        }
    }
}

/// Kimi and gpt-oss put this before a name.
const SCOPE: &str = "functions.";

fn plain(written: &str) -> &str {
    let name = written.strip_prefix(SCOPE).unwrap_or(written);
    match name.rsplit_once(':') {
        Some((name, digits)) if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            name
        }
        _ => name,
    }
}

/// The types that a schema allows; nothing if it does not say.
fn types(schema: &Value) -> Option<Vec<&str>> {
    match schema.get("type") {
        Some(Value::String(one)) => Some(vec![one]),
        Some(Value::Array(several)) => Some(several.iter().filter_map(Value::as_str).collect()),
        _ => {
            let choices = ["anyOf", "oneOf"].iter().find_map(|key| schema.get(*key)?.as_array())?;
            Some(choices.iter().filter_map(types).flatten().collect())
        }
    }
}

fn is_of(value: &Value, declared: &str) -> bool {
    match declared {
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "null" => value.is_null(),
        _ => false,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use serde_json::json;

    pub(in super::super) fn offer() -> Offer {
        let schema = json!({"type": "object", "properties": {
            "city": {"type": "string"}, "n": {"type": "integer"}, "x": {"type": ["number", "null"]},
            "on": {"type": "boolean"}, "list": {"type": "array"}, "o": {"type": "object"},
            "either": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "any": {},
        }});
        let tools = ["get_weather", "get_time", "shell"];
        Offer(tools.into_iter().map(|name| (name.to_owned(), RawJson::new(&schema))).collect())
    }

    #[test]
    fn arguments_have_the_type_that_the_schema_declares() {
        for (key, text, expected) in [
            ("city", "Paris", r#""Paris""#),
            ("city", "5", r#""5""#),
            ("city", "\"quoted\" \\ \n", r#""\"quoted\" \\ \n""#),
            ("n", "5", "5"),
            ("n", "five", r#""five""#),
            ("n", "5.5", r#""5.5""#),
            ("x", "5.5", "5.5"),
            ("x", "null", "null"),
            ("on", "true", "true"),
            ("on", "False", "false"),
            ("list", "[1, 2]", "[1, 2]"),
            ("list", "1", r#""1""#),
            ("o", " {\"a\": {}} ", "{\"a\": {}}"),
            ("either", "null", "null"),
            ("either", "5", r#""5""#),
            ("any", "5", "5"),
            ("any", "None", r#""None""#),
            ("undeclared", "{}", "{}"),
            ("undeclared", "text", r#""text""#),
        ] {
            assert_eq!(offer().typed("get_weather", key, text), expected, "{key}: {text}");
        }
    }

    #[test]
    fn only_what_is_offered_is_a_name() {
        let offer = offer();
        for written in ["shell", " shell ", "functions.shell", "functions.shell:12", "shell:0"] {
            assert_eq!(offer.find(written), Some("shell"), "{written}");
        }
        for written in ["", "sh", "shell2", "shell:", "other", "functions.", "functions.other"] {
            assert_eq!(offer.find(written), None, "{written}");
        }
        for written in ["", " sh", "func", "functions.", "functions.get_", "shell:", "shell:1"] {
            assert!(offer.may_become(written), "{written}");
        }
        for written in ["x", "shells", "functions.x", "shell:x", "Shell"] {
            assert!(!offer.may_become(written), "{written}");
        }
    }
}
