//! Checks replies and events against the schemas of the Open Responses specification, written down in `open_responses.json`.
//!
//! There, a shape is a string of alternatives (`'literal'`, `[list of shape]`, a basic type or another shape's name), or an
//! object: fields with their shapes (`?` after the name: may be absent), or, when its values are objects, one shape for each
//! `type`. Unknown fields are allowed, as in the specification.
//!
//! It is stricter than the specification where clients are (`logprobs` in text events), and differs where this project
//! does on purpose:
//!
//! * `text.format` repeats the schema: the specification wants null there, OpenAI's SDKs parse by it.
//! * Tools other than functions, calls of them (`custom_tool_call`, `shell_call` and their events) and compactions are
//!   OpenAI's extensions: only a client that declared such a tool, or asked for a summary, meets them.
//! * The error event has its fields twice, nested as the specification wants them and flat as OpenAI sends them.

use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::sync::LazyLock;

static SHAPES: LazyLock<Map<String, Value>> =
    LazyLock::new(|| serde_json::from_str(include_str!("open_responses.json")).unwrap());

/// Panics unless the value has the shape `response`, `compaction`, `input_tokens`, `event` or `error_body`.
pub fn assert_valid(shape: &str, value: &Value) {
    if let Err(problem) = named(shape, value, shape) {
        panic!("{problem} in {value:#}");
    }
}

/// The values of `type` in this shape.
pub fn types_of(shape: &str) -> BTreeSet<&'static str> {
    SHAPES[shape].as_object().unwrap().keys().map(String::as_str).collect()
}

type Checked = Result<(), String>;

fn named(name: &str, value: &Value, path: &str) -> Checked {
    match &SHAPES[name] {
        Value::String(alternatives) => any_of(alternatives, value, path),
        Value::Object(fields) if fields.values().all(Value::is_object) => {
            let kind = value["type"].as_str().unwrap_or_default();
            let variant = fields.get(kind).or_else(|| fields.get("*"));
            let variant = variant.ok_or_else(|| format!("{path}: no {name} has the type {kind:?}"))?;
            object(variant.as_object().unwrap(), value, path)
        }
        Value::Object(fields) => object(fields, value, path),
        other => panic!("{name} is no shape: {other}"),
    }
}

fn object(fields: &Map<String, Value>, value: &Value, path: &str) -> Checked {
    let object = value.as_object().ok_or_else(|| format!("{path}: no object"))?;
    fields.iter().try_for_each(|(name, shape)| {
        let (name, optional) = name.strip_suffix('?').map_or((name.as_str(), false), |name| (name, true));
        let path = format!("{path}.{name}");
        match object.get(name) {
            Some(value) => any_of(shape.as_str().unwrap(), value, &path),
            None if optional => Ok(()),
            None => Err(format!("{path} is missing")),
        }
    })
}

fn any_of(alternatives: &str, value: &Value, path: &str) -> Checked {
    let tried: Vec<Checked> = alternatives.split(" | ").map(|shape| one(shape, value, path)).collect();
    if tried.iter().any(Result::is_ok) {
        Ok(())
    } else {
        Err(tried.into_iter().filter_map(Result::err).collect::<Vec<_>>().join("; or "))
    }
}

fn one(shape: &str, value: &Value, path: &str) -> Checked {
    if let Some(list) = shape.strip_prefix('[') {
        let element = list.strip_suffix(']').unwrap();
        let values = value.as_array().ok_or_else(|| format!("{path}: no array"))?;
        let mut values = values.iter().enumerate();
        return values.try_for_each(|(at, value)| one(element, value, &format!("{path}[{at}]")));
    }
    let fits = match shape {
        "any" => true,
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "object" => value.is_object(),
        literal if literal.starts_with('\'') => value.as_str() == Some(literal.trim_matches('\'')),
        name => return named(name, value, path),
    };
    if fits { Ok(()) } else { Err(format!("{path}: {value} is not {shape}")) }
}
