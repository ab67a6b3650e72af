//! Rewrites JSON schemas, of tools and of the answer, into the part of JSON Schema that an upstream accepts.
//!
//! A schema that the upstream accepts is sent byte for byte as the client wrote it. Otherwise it is parsed and
//! rewritten; what the dialect cannot express is added to `description` in words, which the model also reads. Schemas
//! come from arbitrary tools and are not trusted: references may be circular or expand exponentially, so both the
//! depth and the growth are bounded.

mod booleans;
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

use crate::json::{Bounds, Kind, RawJson, Tape, TapeValue};
use crate::upstream::{Rules, SchemaDialect};
use crate::wire::responses::Schema;
use node::Node;

/// The schema of a tool's arguments. Its root becomes an object.
pub(crate) fn of_arguments<'a>(schema: Schema<'a>, dialect: SchemaDialect) -> RawJson<'a> {
    let rules = dialect.rules();
    let is_plain = |value: TapeValue<'_>| is_accepted(value, rules) && root::is_plain_object(value, rules);
    let (json, is_plain) = match schema {
        Schema::Sent(value) => (value.raw(), is_plain(value)),
        Schema::Own(json) => {
            let is_plain = Tape::read(json.get(), OWN).is_ok_and(|tape| is_plain(tape.root()));
            (json, is_plain)
        }
    };
    if is_plain { json } else { rewrite(json, |node| root::of_arguments(node, rules)) }
}

/// The filter's own schemas have a few dozen values.
const OWN: Bounds = Bounds { depth: 16, values: 1000 };

/// The schema of the answer.
pub(crate) fn of_answer<'a>(schema: TapeValue<'a>, dialect: SchemaDialect) -> RawJson<'a> {
    let rules = dialect.rules();
    if is_accepted(schema, rules) {
        return schema.raw();
    }
    rewrite(schema.raw(), |node| root::of_answer(node, rules))
}

/// A schema that cannot be parsed is sent unchanged. It is never too deep, because such requests were rejected.
fn rewrite(schema: RawJson<'_>, rewritten: impl FnOnce(Node) -> Node) -> RawJson<'_> {
    let Ok(node) = serde_json::from_str::<Node>(schema.get()) else { return schema };
    let rewritten = rewritten(node.clone());
    if rewritten == node { schema } else { RawJson::new(&rewritten) }
}

/// Whether no keyword needs to be rewritten. This is true of most schemas and saves parsing them.
fn is_accepted(schema: TapeValue<'_>, rules: &Rules) -> bool {
    let lacks_composition = !(rules.composed_root && rules.type_beside_any_of);
    let needs_rewriting = |key: &str, value: TapeValue<'_>| match value.first_byte().unwrap_or_default() {
        // `type`, `title` and `description`, the most common pairs, are right with a string.
        b'"' if matches!(key.as_bytes(), [.., b'e' | b'n']) => false,
        first => {
            (lacks_composition && key.ends_with("Of"))
                || (!rules.refs && (key.starts_with('$') || key == "definitions"))
                || (!rules.tuples && (key == "prefixItems" || key == "items" && first == b'['))
                || (!rules.booleans && booleans::has_any(key, value))
                || keyword_types::may_be_wrong(key, first)
        }
    };
    rules.keywords.is_none() && !rules.differs_in_values() && !any_pair(schema, &needs_rewriting)
}

/// Whether `predicate` holds for any key, still escaped, and its value, in any object.
fn any_pair(value: TapeValue<'_>, predicate: &impl Fn(&str, TapeValue<'_>) -> bool) -> bool {
    match value.kind() {
        Kind::Object => value.fields().any(|(name, value)| {
            name.escaped().is_some_and(|name| predicate(name, value)) || any_pair(value, predicate)
        }),
        Kind::Array => value.elements().into_iter().flatten().any(|element| any_pair(element, predicate)),
        _ => false,
    }
}
