//! Keywords whose value has the wrong JSON type.
//!
//! Tools written in PHP send `[]` for an empty object, others send `null` for an absent keyword. Most upstreams
//! validate schemas and reject the request, so such keywords are omitted; `properties` becomes an empty object.

use super::node::{Keywords, Node};

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

/// Whether a keyword whose value begins with this byte may have the wrong type. An object under a keyword that takes a
/// string counts as a property with the name of that keyword.
pub(super) fn may_be_wrong(key: &str, value: u8) -> bool {
    allowed_types(key).is_some_and(|allowed| {
        let is_property = value == b'{' && allowed.contains(&"string");
        !is_property && !allowed.contains(&type_of_json(value))
    })
}

/// Removes the keywords of one schema whose value has the wrong type.
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

/// The type of a value that begins with this byte.
fn type_of_json(first: u8) -> &'static str {
    match first {
        b'{' => "object",
        b'[' => "array",
        b'"' => "string",
        b't' | b'f' => "boolean",
        b'n' => "null",
        _ => "number",
    }
}
