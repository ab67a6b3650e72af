//! `allOf`, `oneOf` and `anyOf`, and what may stand beside them.

use super::node::{Keywords, Node};
use super::walk::Shaping;

/// `allOf` within `allOf`, and no further.
const DEEPEST_ALL_OF: usize = 8;

/// What describes a schema and says nothing about values.
pub(super) const ANNOTATIONS: [&str; 4] = ["title", "description", "default", "nullable"];

pub(super) fn shape(keywords: &mut Keywords, shaping: &mut Shaping<'_>) {
    if shaping.rules.type_beside_any_of {
        return;
    }
    for _ in 0..DEEPEST_ALL_OF {
        let Some(all) = keywords.take_array("allOf") else { break };
        all.into_iter().for_each(|part| add(keywords, part.into_keywords()));
    }
    // What is no list of schemas says nothing.
    keywords.extract(|key, node| matches!(key, "allOf" | "anyOf" | "oneOf") && node.as_array().is_none());
    // Whoever matches exactly one matches any; models do not count further.
    match keywords.take("oneOf") {
        Some(one_of) if keywords.has("anyOf") => keywords.say_keyword("oneOf", &one_of),
        Some(one_of) => keywords.set("anyOf", one_of),
        None => {}
    }
    if let Some(branches) = keywords.take_array("anyOf") {
        let common = keywords.extract(|key, _| !ANNOTATIONS.contains(&key));
        if shaping.may_grow(common.size() * branches.len()) {
            let branches = branches.into_iter().map(|branch| within(branch.into_keywords(), &common));
            keywords.set("anyOf", Node::Array(branches.collect()));
        } else {
            keywords.say_keyword("anyOf", &Node::Array(branches));
            add(keywords, common);
        }
    }
}

/// A branch of `anyOf` with what holds for all of them.
fn within(mut branch: Keywords, common: &Keywords) -> Node {
    let mut whole = common.clone();
    if let Some(kind) = branch.take("type") {
        whole.set("type", kind);
    }
    add(&mut whole, branch);
    Node::Object(whole)
}

/// Makes both hold at once. Where they contradict each other, what is added is said in words.
pub(super) fn add(keywords: &mut Keywords, more: Keywords) {
    for (key, node) in more {
        match (key.as_str(), keywords.get_mut(&key)) {
            (_, None) => keywords.set(&key, node),
            (_, Some(known)) if *known == node => {}
            ("properties", Some(Node::Object(known))) => {
                for (name, schema) in node.into_keywords() {
                    match known.get_mut(&name) {
                        Some(Node::Object(both)) => add(both, schema.into_keywords()),
                        _ => known.set(&name, schema),
                    }
                }
            }
            ("required", Some(Node::Array(known))) => {
                let more = node.into_array().unwrap_or_default();
                known.extend(more.into_iter().filter(|name| !known.contains(name)).collect::<Vec<_>>());
            }
            ("description", Some(_)) => keywords.say(node.as_text().unwrap_or_default()),
            ("title" | "default", Some(_)) => {}
            (_, Some(_)) => keywords.say_keyword(&key, &node),
        }
    }
}
