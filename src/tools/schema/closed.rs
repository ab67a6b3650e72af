//! Gemini's requirements on the structure of schemas: schemas are objects, arrays have `items`, and `required` names
//! only properties.

use super::node::{Keywords, Node};
use super::subschemas::each_subschema;
use serde_json::Value;

/// Changes one schema and the boolean schemas directly below it.
pub(super) fn close(keywords: &mut Keywords) {
    if let Some(Node::Object(properties)) = keywords.get_mut("properties") {
        // A property whose schema is `false` must be absent.
        properties.extract(|_, schema| *schema == Node::Scalar(Value::Bool(false)));
    }
    if keywords.text("type") == Some("array") && !keywords.has("items") {
        keywords.set("items", Node::Object(Keywords::default()));
    }
    each_subschema(keywords, &mut |schema| {
        if schema.as_object().is_none() {
            *schema = Node::Object(Keywords::default());
        }
    });
    let declared = keywords.get("properties").and_then(Node::as_object).cloned().unwrap_or_default();
    if let Some(Node::Array(names)) = keywords.get_mut("required") {
        names.retain(|name| name.as_text().is_some_and(|name| declared.has(name)));
        if names.is_empty() {
            keywords.take("required");
        }
    }
}
