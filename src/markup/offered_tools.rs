//! The tools that the request offers. Only their names make a call, and their schemas give the types of arguments.

use crate::json::{JsonStr, RawJson, is_object};
use crate::tools::names::{Names, ToolName};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::rc::Rc;

/// The names of the offered tools, and the JSON schemas of their arguments.
#[derive(Debug, Default, Clone)]
pub(crate) struct OfferedTools {
    /// `None` if no tool is offered.
    names: Option<Rc<Names>>,
    /// By upstream name; `None` if nobody needs them.
    schemas: Option<Rc<Schemas>>,
}

type Schemas = BTreeMap<Rc<str>, RawJson<'static>>;

impl FromIterator<(ToolName, RawJson<'static>)> for OfferedTools {
    fn from_iter<I: IntoIterator<Item = (ToolName, RawJson<'static>)>>(tools: I) -> Self {
        let (mut names, mut schemas) = (Names::default(), BTreeMap::new());
        for (tool, schema) in tools {
            schemas.insert(Rc::clone(&tool.upstream), schema);
            names.push(tool);
        }
        Self { names: Some(Rc::new(names)), schemas: Some(Rc::new(schemas)) }
    }
}

/// Without the schemas, which are needed only where the arguments are read.
impl From<Rc<Names>> for OfferedTools {
    fn from(names: Rc<Names>) -> Self {
        Self { names: Some(names), schemas: None }
    }
}

impl OfferedTools {
    pub(crate) fn is_empty(&self) -> bool {
        self.names.as_ref().is_none_or(|names| names.is_empty())
    }

    /// The upstream name of the tool that a model means, e.g. by `functions.f:0`.
    pub(crate) fn find(&self, written: &str) -> Option<&str> {
        let names = self.names.as_ref()?;
        names.get(names.resolve(written)?).map(|tool| &*tool.upstream)
    }

    /// Whether `written` can become the name of an offered tool.
    pub(crate) fn may_become(&self, written: &str) -> bool {
        self.names.as_ref().is_some_and(|names| names.may_become_one(written))
    }

    /// Whether a tool declares an argument with this name.
    pub(super) fn declares(&self, name: &str, key: &str) -> bool {
        self.argument_schema(name, key).is_some()
    }

    /// Whether a tool may have arguments: it declares some, or its schema is not known.
    pub(super) fn takes_arguments(&self, name: &str) -> bool {
        let Some(schema) = self.schemas.as_ref().and_then(|schemas| schemas.get(name)) else { return true };
        is_object(schema.get(), |schema| {
            schema
                .get("properties")
                .and_then(Value::as_object)
                .is_some_and(|properties| !properties.is_empty())
        })
    }

    /// Whether these arguments are a schema of arguments, as in a list of the tools.
    pub(super) fn is_schema(&self, name: &str, arguments: &str) -> bool {
        let is_schema = |object: &Map<String, Value>| {
            object.get("type").is_some_and(|kind| kind == "object")
                && object.get("properties").is_some_and(Value::is_object)
        };
        is_object(arguments, is_schema) && !self.declares(name, "properties")
    }

    /// The schema of an argument. `None` if the tool does not declare it.
    fn argument_schema(&self, name: &str, key: &str) -> Option<Value> {
        let mut schema: Value = serde_json::from_str(self.schemas.as_ref()?.get(name)?.get()).ok()?;
        schema.get_mut("properties")?.get_mut(key).map(Value::take)
    }

    /// An argument that was written as plain text, as JSON of the type that the schema declares.
    pub(crate) fn typed_argument(&self, name: &str, key: &str, text: &str) -> String {
        let schema = self.argument_schema(name, key);
        let types = schema.as_ref().and_then(types);
        let value =
            serde_json::from_str::<Value>(text).or_else(|_| serde_json::from_str(&text.to_lowercase()));
        let fits = value.is_ok_and(|value| match &types {
            Some(types) => !value.is_string() && types.iter().any(|declared| is_of(&value, declared)),
            None => true,
        });
        if !fits {
            JsonStr::new(text).as_json().to_owned()
        } else if serde_json::from_str::<&RawValue>(text).is_ok() {
            text.trim().to_owned()
        } else {
            // `True` and `None` of Python.
            text.to_lowercase()
        }
    }
}

/// The types that a schema allows. None: any.
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

    pub(in super::super) fn offered_tools() -> OfferedTools {
        let schema = json!({"type": "object", "properties": {
            "city": {"type": "string"}, "n": {"type": "integer"}, "x": {"type": ["number", "null"]},
            "on": {"type": "boolean"}, "list": {"type": "array"}, "o": {"type": "object"},
            "either": {"anyOf": [{"type": "string"}, {"type": "null"}]}, "any": {},
        }});
        let tools = ["get_weather", "get_time", "shell"];
        let named = tools.map(|name| {
            let tool = ToolName { namespace: None, name: name.into(), upstream: name.into() };
            (tool, RawJson::new(&schema))
        });
        named.into_iter().collect()
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
            assert_eq!(offered_tools().typed_argument("get_weather", key, text), expected, "{key}: {text}");
        }
    }
}
