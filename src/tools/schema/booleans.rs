//! Schemas that are `true` or `false`. Ollama refuses the request, and other servers read schemas into objects too.
//!
//! `additionalProperties` and the like stay as they are: `false` is what they usually have.

use super::node::{Keywords, Node};
use crate::json::TapeValue;
use serde_json::Value;

/// Whether a keyword may have such a schema.
pub(super) fn has_any(key: &str, value: TapeValue<'_>) -> bool {
    let is_boolean = |schema: TapeValue<'_>| matches!(schema.first_byte(), Some(b't' | b'f'));
    match key {
        "properties" => value.fields().any(|(_, schema)| is_boolean(schema)),
        "items" => is_boolean(value),
        _ => false,
    }
}

/// Writes those of properties and items as objects with the same meaning.
pub(super) fn rewrite(keywords: &mut Keywords) {
    if let Some(Node::Object(properties)) = keywords.get_mut("properties") {
        properties.iter_mut().for_each(|(_, schema)| as_object(schema));
    }
    if let Some(items) = keywords.get_mut("items") {
        as_object(items);
    }
}

fn as_object(schema: &mut Node) {
    let Node::Scalar(Value::Bool(any)) = *schema else { return };
    let mut keywords = Keywords::default();
    if !any {
        keywords.set("not", Node::Object(Keywords::default()));
    }
    *schema = Node::Object(keywords);
}
