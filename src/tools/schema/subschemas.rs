//! The schemas within a schema.

use super::node::{Keywords, Node};

/// Calls `visit` with each direct subschema. Names in `properties` are not keywords, even where they look like one,
/// and the values of `enum` and `default` are data.
pub(super) fn each_subschema(keywords: &mut Keywords, visit: &mut dyn FnMut(&mut Node)) {
    for (key, node) in keywords.iter_mut() {
        match (key, node) {
            (
                "properties" | "patternProperties" | "dependentSchemas" | "$defs" | "definitions",
                Node::Object(named),
            ) => {
                named.iter_mut().for_each(|(_, schema)| visit(schema));
            }
            ("anyOf" | "oneOf" | "allOf" | "prefixItems" | "items", Node::Array(schemas)) => {
                schemas.iter_mut().for_each(&mut *visit);
            }
            (
                "items"
                | "additionalProperties"
                | "not"
                | "if"
                | "then"
                | "else"
                | "contains"
                | "propertyNames"
                | "unevaluatedItems"
                | "unevaluatedProperties",
                schema,
            ) => visit(schema),
            _ => {}
        }
    }
}
