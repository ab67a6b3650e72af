//! Keywords whose value has the wrong JSON type.
//!
//! Tools written in PHP send `[]` for an empty object, others send `null` for an absent keyword. Most upstreams
//! validate schemas and refuse the request, so such keywords are left out; `properties` becomes an empty object.

use super::node::{Keywords, Node};
use memchr::memmem;

/// The JSON types that a keyword's value can have. None: the keyword is not checked.
fn allowed_types(keyword: &str) -> Option<&'static [&'static str]> {
    Some(match keyword {
        "properties" | "patternProperties" | "dependentSchemas" | "$defs" | "definitions" => &["object"],
        "required" | "enum" | "anyOf" | "oneOf" | "allOf" | "prefixItems" => &["array"],
        "type" => &["string", "array"],
        "items" => &["object", "array", "boolean"],
        "additionalProperties" | "not" => &["object", "boolean"],
        "title" | "description" | "format" | "pattern" | "$ref" => &["string"],
        _ => return None,
    })
}

/// Whether a keyword may have a value of the wrong type, without parsing the schema. A property with the name of a
/// keyword looks the same here.
pub(super) fn may_be_wrong(schema: &str) -> bool {
    memmem::find_iter(schema.as_bytes(), "\":").any(|end| {
        let key = schema.get(..end).and_then(|before| before.rsplit('"').next()).unwrap_or_default();
        let value = schema.get(end + 2..).unwrap_or_default().trim_start();
        allowed_types(key).is_some_and(|allowed| !allowed.contains(&type_of_json(value)))
    })
}

/// Leaves out what is wrong in the keywords of one schema.
pub(super) fn repair(keywords: &mut Keywords) {
    if keywords.get("properties").is_some_and(|properties| properties.as_object().is_none()) {
        keywords.set("properties", Node::Object(Keywords::default()));
    }
    keywords
        .extract(|key, node| allowed_types(key).is_some_and(|allowed| !allowed.contains(&node.type_name())));
    if let Some(Node::Array(names)) = keywords.get_mut("required") {
        names.retain(|name| name.as_text().is_some());
    }
    keywords.extract(|key, node| {
        matches!(key, "type" | "enum" | "anyOf" | "oneOf" | "allOf")
            && node.as_array().is_some_and(<[Node]>::is_empty)
    });
}

fn type_of_json(json: &str) -> &'static str {
    match json.bytes().next() {
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'n') => "null",
        _ => "number",
    }
}
