//! `$ref`: a reference is replaced by the schema that it points to.
//!
//! A recursive reference is replaced by an open schema with a description. Several references to one definition become
//! several copies, and definitions that refer to each other twice double each time, so the growth is bounded.

use super::budget::Budget;
use super::node::{Keywords, Node};
use super::subschemas::each_subschema;
use serde_json::Value;

/// The longest chain of references.
const MAX_CHAIN: usize = 32;

/// Keywords for references or validators, which have no meaning for a model.
const HOUSEKEEPING: [&str; 8] =
    ["$defs", "definitions", "$schema", "$id", "$anchor", "$comment", "$dynamicAnchor", "$vocabulary"];

/// Replaces all references.
pub(super) fn inline(root: &Node) -> Node {
    let mut inliner = Inliner { root, open: Vec::new(), budget: Budget::default() };
    let mut node = root.clone();
    inliner.inline(&mut node);
    node
}

struct Inliner<'r> {
    root: &'r Node,
    /// The references that are being replaced, outermost first.
    open: Vec<String>,
    budget: Budget,
}

impl Inliner<'_> {
    fn inline(&mut self, node: &mut Node) {
        let Node::Object(keywords) = node else { return };
        keywords.extract(|key, _| HOUSEKEEPING.contains(&key));
        let replaced = match keywords.take("$ref") {
            Some(Node::Scalar(Value::String(reference))) => self.replace(keywords, reference),
            _ => false,
        };
        if !replaced {
            each_subschema(keywords, &mut |node| self.inline(node));
        }
    }

    /// Replaces a reference by its target, or describes why not. The keywords beside `$ref` take precedence.
    fn replace(&mut self, keywords: &mut Keywords, reference: String) -> bool {
        let name = reference.rsplit('/').next().unwrap_or_default();
        let Some(target) = self.find(&reference).cloned() else {
            keywords.describe(&format!("(a {name})"));
            return false;
        };
        let mut target = target.into_keywords();
        let is_recursive = self.open.contains(&reference) || self.open.len() == MAX_CHAIN;
        if is_recursive || !self.budget.spend(target.size()) {
            if let Some(kind) = target.take("type") {
                keywords.set("type", kind);
            }
            keywords.describe(&format!("(again a {name}, as described above)"));
            return false;
        }
        for (key, node) in std::mem::take(keywords) {
            target.set(&key, node);
        }
        self.open.push(reference);
        let mut inlined = Node::Object(target);
        self.inline(&mut inlined);
        self.open.pop();
        *keywords = inlined.into_keywords();
        true
    }

    /// RFC 6901: in `#/$defs/name`, `~1` is `/` and `~0` is `~`.
    fn find(&self, reference: &str) -> Option<&Node> {
        let pointer = reference.strip_prefix('#')?;
        pointer.split('/').skip(1).try_fold(self.root, |node, token| {
            let token = token.replace("~1", "/").replace("~0", "~");
            match node {
                Node::Object(keywords) => keywords.get(&token),
                Node::Array(nodes) => nodes.get(token.parse::<usize>().ok()?),
                Node::Scalar(_) => None,
            }
        })
    }
}
