//! `allOf`, `oneOf` and `anyOf`, and the other keywords of the same schema.

use super::budget::Budget;
use super::node::{ANNOTATIONS, Keywords, Node};
use crate::upstream::Rules;

/// How many levels of `allOf` within `allOf` are merged.
const MAX_ALL_OF_DEPTH: usize = 8;

pub(super) fn rewrite(keywords: &mut Keywords, rules: &Rules, budget: &mut Budget) {
    if rules.type_beside_any_of {
        return;
    }
    for _ in 0..MAX_ALL_OF_DEPTH {
        let Some(all) = keywords.take_array("allOf") else { break };
        all.into_iter().for_each(|part| merge(keywords, part.into_keywords()));
    }
    // Invalid: these keywords take a list of schemas.
    keywords.extract(|key, node| matches!(key, "allOf" | "anyOf" | "oneOf") && node.as_array().is_none());
    // A value that matches exactly one branch also matches any. For models there is no difference.
    match keywords.take("oneOf") {
        Some(one_of) if keywords.has("anyOf") => keywords.describe_keyword("oneOf", &one_of),
        Some(one_of) => keywords.set("anyOf", one_of),
        None => {}
    }
    if let Some(branches) = keywords.take_array("anyOf") {
        let common = keywords.extract(|key, _| !ANNOTATIONS.contains(&key));
        if budget.spend(common.size() * branches.len()) {
            let branches = branches.into_iter().map(|branch| with_common(branch.into_keywords(), &common));
            keywords.set("anyOf", Node::Array(branches.collect()));
        } else {
            keywords.describe_keyword("anyOf", &Node::Array(branches));
            merge(keywords, common);
        }
    }
}

/// A branch of `anyOf` merged with the other keywords of the schema.
fn with_common(mut branch: Keywords, common: &Keywords) -> Node {
    let mut merged = common.clone();
    if let Some(kind) = branch.take("type") {
        merged.set("type", kind);
    }
    merge(&mut merged, branch);
    Node::Object(merged)
}

/// Adds `more`, so that both apply. Contradictions to `keywords` are moved into the description.
pub(super) fn merge(keywords: &mut Keywords, more: Keywords) {
    for (key, node) in more {
        match (key.as_str(), keywords.get_mut(&key)) {
            (_, None) => keywords.set(&key, node),
            (_, Some(known)) if *known == node => {}
            ("properties", Some(Node::Object(known))) => {
                for (name, schema) in node.into_keywords() {
                    match known.get_mut(&name) {
                        Some(Node::Object(both)) => merge(both, schema.into_keywords()),
                        _ => known.set(&name, schema),
                    }
                }
            }
            ("required", Some(Node::Array(known))) => {
                let more = node.into_array().unwrap_or_default();
                known.extend(more.into_iter().filter(|name| !known.contains(name)).collect::<Vec<_>>());
            }
            ("description", Some(_)) => keywords.describe(node.as_text().unwrap_or_default()),
            ("title" | "default", Some(_)) => {}
            (_, Some(_)) => keywords.describe_keyword(&key, &node),
        }
    }
}
