//! Rewrites a schema and all of its subschemas.

use super::budget::Budget;
use super::node::Node;
use super::subschemas::each_subschema;
use super::{booleans, closed, compose, keyword_types, values};
use crate::upstream::Rules;

/// Below this depth only types and descriptions are kept. Upstreams have lower limits (OpenAI: 10 levels).
const MAX_DEPTH: usize = 48;

/// Rewrites a schema into the dialect.
pub(super) fn rewrite(node: &mut Node, rules: &Rules) {
    Rewrite { rules, depth: 0, budget: Budget::default() }.node(node);
}

struct Rewrite<'r> {
    rules: &'r Rules,
    depth: usize,
    budget: Budget,
}

impl Rewrite<'_> {
    fn node(&mut self, node: &mut Node) {
        let Node::Object(keywords) = node else { return };
        if self.depth == MAX_DEPTH {
            keywords.extract(|key, _| !matches!(key, "type" | "description" | "title"));
            return;
        }
        keyword_types::repair(keywords);
        compose::rewrite(keywords, self.rules, &mut self.budget);
        values::rewrite(keywords, self.rules);
        if self.rules.closed {
            closed::close(keywords);
        }
        if !self.rules.booleans {
            booleans::rewrite(keywords);
        }
        self.depth += 1;
        each_subschema(keywords, &mut |part| self.node(part));
        self.depth -= 1;
    }
}
