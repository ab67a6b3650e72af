//! JSON schemas in the part of JSON Schema that the host takes: those of tools, and that of the answer.
//!
//! A schema that the host takes as it is goes up as it was written, byte for byte. Else it is taken
//! apart, and what cannot be said in the host's dialect is said in words, in `description`: the model
//! reads those too. Schemas come from anybody's tools, so nothing in them is trusted: references may
//! go in circles, or unfold to more than memory holds, and both have a bound here.

mod compose;
mod node;
mod refs;
mod root;
mod values;
mod walk;

use crate::json::RawJson;
use crate::upstream::{Rules, SchemaDialect};
use memchr::memmem;
use node::Node;

/// The schema of a tool's arguments, whose root is an object.
pub(crate) fn of_arguments<'a>(schema: RawJson<'a>, dialect: SchemaDialect) -> RawJson<'a> {
    let rules = dialect.rules();
    if is_plain(schema.get(), rules) && root::is_plain(schema.get(), rules) {
        return schema;
    }
    match parse(&schema) {
        Some(node) => RawJson::new(&root::of_arguments(node, rules)),
        None => schema,
    }
}

/// The schema of the answer.
pub(crate) fn of_answer<'a>(schema: RawJson<'a>, dialect: SchemaDialect) -> RawJson<'a> {
    let rules = dialect.rules();
    if is_plain(schema.get(), rules) {
        return schema;
    }
    match parse(&schema) {
        Some(node) => RawJson::new(&root::of_answer(node, rules)),
        None => schema,
    }
}

/// One that cannot be read goes up as it is. Depth is no reason: a request that is too deep was refused before.
fn parse(schema: &RawJson<'_>) -> Option<Node> {
    serde_json::from_str(schema.get()).ok()
}

/// Whether no word of a schema could be one that the dialect lacks. Most schemas are such, and need not be parsed.
fn is_plain(text: &str, rules: &Rules) -> bool {
    let has = |word: &str| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    let composes = || has("Of\"");
    let refers = || has("\"$") || has("\"definitions\"");
    let lists = || has("\"prefixItems\"") || has_tuple(text);
    rules.keywords.is_none()
        && !rules.differs_in_values()
        && (rules.composed_root && rules.type_beside_any_of || !composes())
        && (rules.refs || !refers())
        && (rules.tuples || !lists())
}

/// `"items": [`.
fn has_tuple(text: &str) -> bool {
    const ITEMS: &str = "\"items\"";
    memmem::find_iter(text.as_bytes(), ITEMS).any(|at| {
        let after = text.get(at + ITEMS.len()..).unwrap_or_default().trim_start();
        after.strip_prefix(':').is_some_and(|value| value.trim_start().starts_with('['))
    })
}
