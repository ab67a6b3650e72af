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
use memchr::memmem;
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

/// A schema that cannot be parsed is sent as it is. Depth is not a reason: requests that are too deep were refused.
fn rewrite(schema: RawJson<'_>, rewritten: impl FnOnce(Node) -> Node) -> RawJson<'_> {
    let Ok(node) = serde_json::from_str::<Node>(schema.get()) else { return schema };
    let rewritten = rewritten(node.clone());
    if rewritten == node { schema } else { RawJson::new(&rewritten) }
}

/// Whether the text holds no keyword that the dialect lacks. This is true of most schemas and saves parsing them.
fn is_accepted(text: &str, rules: &Rules) -> bool {
    let has = |word: &str| memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    let has_composition = || has("Of\"");
    let has_reference = || has("\"$") || has("\"definitions\"");
    let has_tuple = || has("\"prefixItems\"") || has_items_list(text);
    rules.keywords.is_none()
        && !rules.differs_in_values()
        && (rules.composed_root && rules.type_beside_any_of || !has_composition())
        && (rules.refs || !has_reference())
        && (rules.tuples || !has_tuple())
        && !keyword_types::may_be_wrong(text)
}

/// `"items": [`.
fn has_items_list(text: &str) -> bool {
    const ITEMS: &str = "\"items\"";
    memmem::find_iter(text.as_bytes(), ITEMS).any(|at| {
        let after = text.get(at + ITEMS.len()..).unwrap_or_default().trim_start();
        after.strip_prefix(':').is_some_and(|value| value.trim_start().starts_with('['))
    })
}
