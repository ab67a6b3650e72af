//! Rules about JSON Schemas: of tools, and of the response format.

use serde_json::{Map, Value};

use super::look::demand;
use super::{Checked, Demands, Refusal};

const COMPOSING: [&str; 5] = ["anyOf", "oneOf", "allOf", "not", "enum"];

pub(super) fn schemas(body: &Value, strict: &Demands) -> Checked {
    let tools = body.get("tools").and_then(Value::as_array).into_iter().flatten();
    for (at, tool) in tools.enumerate() {
        let path = format!("tools[{at}].function.parameters");
        let Some(root) = tool.pointer("/function/parameters").and_then(Value::as_object) else { continue };
        if !strict.composed_root.unwrap_or(strict.any_schema)
            && let Some(word) = COMPOSING.iter().find(|word| root.contains_key(**word))
        {
            return Err(Refusal::at(&path, format!("the root must not have '{word}'")));
        }
        schema(root, strict, &path)?;
    }
    match body.pointer("/response_format/json_schema/schema").and_then(Value::as_object) {
        Some(answer) => schema(answer, strict, "response_format.json_schema.schema"),
        None => Ok(()),
    }
}

fn schema(keywords: &Map<String, Value>, strict: &Demands, path: &str) -> Checked {
    let has = |word: &str| keywords.contains_key(word);
    if let Some(word) = strict.schema_refuses.iter().find(|word| has(word)) {
        return Err(Refusal::at(path, format!("the keyword '{word}' is not supported")));
    }
    demand(!strict.one_type || !keywords.get("type").is_some_and(Value::is_array), path, || {
        "type must be one type".to_owned()
    })?;
    if !strict.any_schema {
        demand(!has("$ref"), path, || "the keyword '$ref' is not supported".to_owned())?;
        demand(!(has("anyOf") && has("type")), path, || {
            "when using anyOf, type should be defined in anyOf items instead of the parent schema".to_owned()
        })?;
        let tuple = keywords.get("items").is_some_and(Value::is_array) || has("prefixItems");
        demand(!tuple, path, || "items must be an object".to_owned())?;
        let properties =
            keywords.get("properties").and_then(Value::as_object).into_iter().flat_map(Map::values);
        let is_boolean = properties.chain(keywords.get("items")).any(Value::is_boolean);
        demand(!is_boolean, path, || "a schema must be an object".to_owned())?;
    }
    parts(keywords).try_for_each(|(name, part)| schema(part, strict, &format!("{path}.{name}")))
}

/// The subschemas of a schema. A property may have the name of a keyword.
fn parts(keywords: &Map<String, Value>) -> impl Iterator<Item = (&str, &Map<String, Value>)> {
    keywords.iter().flat_map(|(key, value)| {
        let values: Vec<&Value> = match (key.as_str(), value) {
            ("properties" | "$defs" | "definitions", Value::Object(named)) => named.values().collect(),
            ("anyOf" | "oneOf" | "allOf", Value::Array(list)) => list.iter().collect(),
            ("items" | "additionalProperties" | "not", value) => vec![value],
            _ => Vec::new(),
        };
        values.into_iter().filter_map(move |value| Some((key.as_str(), value.as_object()?)))
    })
}
