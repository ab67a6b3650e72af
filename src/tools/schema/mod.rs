//! Rewrites JSON schemas, of tools and of the answer, into the part of JSON Schema that an upstream accepts.
//!
//! A schema that the upstream accepts is sent byte for byte as the client wrote it. Otherwise it is parsed and
//! rewritten; what the dialect cannot express is added to `description` in words, which the model also reads. Schemas
//! come from arbitrary tools and are not trusted: references may be circular or expand exponentially, so both the
//! depth and the growth are bounded.

mod budget;
mod closed;
mod compose;
mod keyword_types;
mod node;
mod refs;
mod root;
mod subschemas;
mod values;
mod walk;

use crate::json::RawJson;
use crate::upstream::{Rules, SchemaDialect};
use memchr::memchr_iter;
use node::Node;

/// The schema of a tool's arguments. Its root becomes an object.
pub(crate) fn of_arguments<'a>(schema: RawJson<'a>, dialect: SchemaDialect) -> RawJson<'a> {
    let rules = dialect.rules();
    if is_accepted(schema.get(), rules) && root::is_plain_object(schema.get(), rules) {
        return schema;
    }
    rewrite(schema, |node| root::of_arguments(node, rules))
}

/// The schema of the answer.
pub(crate) fn of_answer<'a>(schema: RawJson<'a>, dialect: SchemaDialect) -> RawJson<'a> {
    let rules = dialect.rules();
    if is_accepted(schema.get(), rules) {
        return schema;
    }
    rewrite(schema, |node| root::of_answer(node, rules))
}

/// A schema that cannot be parsed is sent unchanged. It is never too deep, because such requests were rejected.
fn rewrite(schema: RawJson<'_>, rewritten: impl FnOnce(Node) -> Node) -> RawJson<'_> {
    let Ok(node) = serde_json::from_str::<Node>(schema.get()) else { return schema };
    let rewritten = rewritten(node.clone());
    if rewritten == node { schema } else { RawJson::new(&rewritten) }
}

/// Whether no keyword needs to be rewritten. This is true of most schemas and saves parsing them.
fn is_accepted(text: &str, rules: &Rules) -> bool {
    let lacks_composition = !(rules.composed_root && rules.type_beside_any_of);
    let needs_rewriting = |(key, value): (&str, u8)| match value {
        // A string is valid for `type`, `title` and `description`, the most common keywords.
        b'"' if key.ends_with(['e', 'n']) => false,
        _ => {
            (lacks_composition && key.ends_with("Of"))
                || (!rules.refs && (key.starts_with('$') || key == "definitions"))
                || (!rules.tuples && (key == "prefixItems" || key == "items" && value == b'['))
                || keyword_types::may_be_wrong(key, value)
        }
    };
    rules.keywords.is_none() && !rules.differs_in_values() && !pairs(text).any(needs_rewriting)
}

/// The keys of all objects in a JSON text, still escaped, each with the first byte of its value. A string that looks like
/// a key and a value is one here, too.
fn pairs(text: &str) -> impl Iterator<Item = (&str, u8)> {
    let bytes = text.as_bytes();
    memchr_iter(b':', bytes).filter_map(move |colon| {
        let (before, after) = (bytes.get(..colon)?.trim_ascii_end(), bytes.get(colon + 1..)?);
        let key_end = before.strip_suffix(b"\"")?.len();
        let key_start = before.get(..key_end)?.iter().rposition(|byte| *byte == b'"')? + 1;
        Some((text.get(key_start..key_end)?, *after.trim_ascii_start().first()?))
    })
}
