//! `$ref`: what it points to is put in its place.
//!
//! A schema that refers to itself has no end, so where it comes round again stands an open schema
//! that says what belongs there. Several references to one definition unfold to several copies, and
//! definitions that refer to each other twice double each time, so the whole has a bound.

use super::node::{Keywords, Node};
use super::walk::{LARGEST, each_schema};
use serde_json::Value;

/// How far references may lead on to references.
const LONGEST_CHAIN: usize = 32;

/// Keywords that are of use to references, or to validators, and to no model.
const HOUSEKEEPING: [&str; 8] =
    ["$defs", "definitions", "$schema", "$id", "$anchor", "$comment", "$dynamicAnchor", "$vocabulary"];

/// Unfolds a schema.
pub(super) fn unfolded(whole: &Node) -> Node {
    let mut unfolding = Unfolding { whole, open: Vec::new(), left: LARGEST };
    let mut node = whole.clone();
    unfolding.unfold(&mut node);
    node
}

struct Unfolding<'w> {
    whole: &'w Node,
    /// The references that are being unfolded.
    open: Vec<String>,
    /// How many values may still be added.
    left: usize,
}

impl Unfolding<'_> {
    fn unfold(&mut self, node: &mut Node) {
        let Node::Object(keywords) = node else { return };
        keywords.extract(|key, _| HOUSEKEEPING.contains(&key));
        let unfolded = match keywords.take("$ref") {
            Some(Node::Scalar(Value::String(reference))) => self.replace(keywords, reference),
            _ => false,
        };
        if !unfolded {
            each_schema(keywords, &mut |node| self.unfold(node));
        }
    }

    /// Puts in its place what a reference points to, or says why not. What stands beside it counts more.
    fn replace(&mut self, keywords: &mut Keywords, reference: String) -> bool {
        let name = reference.rsplit('/').next().unwrap_or_default();
        let Some(target) = self.find(&reference).cloned() else {
            keywords.say(&format!("(a {name})"));
            return false;
        };
        let mut target = target.into_keywords();
        let size = target.size();
        if self.open.contains(&reference) || self.open.len() == LONGEST_CHAIN || size > self.left {
            if let Some(kind) = target.take("type") {
                keywords.set("type", kind);
            }
            keywords.say(&format!("(again a {name}, as described above)"));
            return false;
        }
        self.left -= size;
        for (key, node) in std::mem::take(keywords) {
            target.set(&key, node);
        }
        self.open.push(reference);
        let mut unfolded = Node::Object(target);
        self.unfold(&mut unfolded);
        self.open.pop();
        *keywords = unfolded.into_keywords();
        true
    }

    /// RFC 6901: `#/$defs/name`, where `~1` stands for `/` and `~0` for `~`.
    fn find(&self, reference: &str) -> Option<&Node> {
        let pointer = reference.strip_prefix('#')?;
        pointer.split('/').skip(1).try_fold(self.whole, |node, token| {
            let token = token.replace("~1", "/").replace("~0", "~");
            match node {
                Node::Object(keywords) => keywords.get(&token),
                Node::Array(nodes) => nodes.get(token.parse::<usize>().ok()?),
                Node::Scalar(_) => None,
            }
        })
    }
}
