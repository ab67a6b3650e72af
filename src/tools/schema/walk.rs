//! Where schemas stand within a schema, and the way through all of them.

use super::node::{Keywords, Node};
use super::{compose, values};
use crate::upstream::Rules;

/// The largest schema that is taken apart, and the most that its parts may grow by, in values. Real tools' have hundreds.
pub(super) const LARGEST: usize = 10_000;

/// Deeper than this a schema is left open: hosts have bounds of their own (OpenAI: 10 levels), and models lose track before.
const DEEPEST: usize = 48;

/// Calls `visit` with each schema that is a direct part of this one. A property may be named as a keyword is,
/// and what `enum` or `default` hold is data.
pub(super) fn each_schema(keywords: &mut Keywords, visit: &mut dyn FnMut(&mut Node)) {
    for (key, node) in keywords.iter_mut() {
        match (key, node) {
            ("properties" | "patternProperties" | "dependentSchemas", Node::Object(named)) => {
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

/// Puts a schema and all of its parts into the dialect.
pub(super) fn shape(node: &mut Node, rules: &Rules) {
    Shaping { rules, depth: 0, left: LARGEST }.shape(node);
}

/// The way through a schema.
pub(super) struct Shaping<'r> {
    pub(super) rules: &'r Rules,
    depth: usize,
    left: usize,
}

impl Shaping<'_> {
    fn shape(&mut self, node: &mut Node) {
        // `true` and `false` say nothing that a dialect could say otherwise.
        let Node::Object(keywords) = node else { return };
        if self.depth == DEEPEST {
            keywords.extract(|key, _| !matches!(key, "type" | "description" | "title"));
            return;
        }
        compose::shape(keywords, self);
        values::shape(keywords, self.rules);
        self.depth += 1;
        each_schema(keywords, &mut |part| self.shape(part));
        self.depth -= 1;
    }

    /// Whether the schema may grow by so much.
    pub(super) fn may_grow(&mut self, by: usize) -> bool {
        let left = self.left.checked_sub(by);
        self.left = left.unwrap_or(self.left);
        left.is_some()
    }
}
