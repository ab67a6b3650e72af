//! The root of a schema. Arguments are an object, and most dialects require a plain one there.

use super::budget::MAX_VALUES;
use super::node::{ANNOTATIONS, Keywords, Node};
use super::{compose, refs, walk};
use crate::json::{Kind, TapeValue};
use crate::upstream::Rules;

/// Whether the root is a plain object. A keyword that is there twice is for the parser to decide about.
pub(super) fn is_plain_object(schema: TapeValue<'_>, rules: &Rules) -> bool {
    let mut kinds = schema.fields().filter(|(name, _)| name.is("type")).map(|(_, kind)| kind);
    let mut properties = schema.fields().filter(|(name, _)| name.is("properties")).map(|(_, value)| value);
    kinds.next().is_some_and(|kind| kind.get() == "\"object\"")
        && properties.next().map_or(rules.composed_root, |properties| {
            rules.composed_root || properties.kind() == Kind::Object
        })
        && kinds.next().is_none()
        && properties.next().is_none()
}

/// The schema of a tool's arguments.
pub(super) fn of_arguments(node: Node, rules: &Rules) -> Node {
    let mut keywords = rewritten(node, rules).into_keywords();
    if !rules.composed_root {
        flatten(&mut keywords);
    }
    if keywords.text("type").is_some_and(|kind| kind != "object") {
        let other = keywords.extract(|key, _| !ANNOTATIONS.contains(&key));
        keywords.describe_keyword("arguments", &Node::Object(other));
    }
    if keywords.text("type").is_none() {
        keywords.set_first("type", Node::text("object"));
    }
    if keywords.get("properties").and_then(Node::as_object).is_none() {
        keywords.set("properties", Node::Object(Keywords::default()));
    }
    Node::Object(keywords)
}

/// The schema of the answer. Its root may have any type.
pub(super) fn of_answer(node: Node, rules: &Rules) -> Node {
    let mut node = rewritten(node, rules);
    if let Node::Object(keywords) = &mut node
        && !rules.composed_root
        && keywords.text("type") == Some("object")
    {
        flatten(keywords);
    }
    node
}

fn rewritten(mut node: Node, rules: &Rules) -> Node {
    if node.size() > MAX_VALUES {
        return node;
    }
    if !rules.refs || node.as_object().is_some_and(|root| root.has("$ref") && !rules.composed_root) {
        node = refs::inline(&node);
    }
    walk::rewrite(&mut node, rules);
    node
}

/// Merges alternatives at the root into one object with all of their properties. A property is required if every
/// alternative requires it. The description lists the alternatives.
fn flatten(root: &mut Keywords) {
    if let Some(all) = root.take_array("allOf") {
        all.into_iter().for_each(|part| compose::merge(root, part.into_keywords()));
    }
    for word in ["anyOf", "oneOf"] {
        let Some(alternatives) = root.take_array(word) else { continue };
        let required: Vec<Vec<Node>> = alternatives.iter().map(required_by).collect();
        root.describe(&format!("({word} of these: {})", summary(&alternatives)));
        for alternative in alternatives {
            let properties = alternative.into_keywords().take("properties");
            properties.into_iter().for_each(|properties| add_properties(root, properties.into_keywords()));
        }
        let by_all = required.first().cloned().unwrap_or_default();
        let by_all = by_all.into_iter().filter(|name| required.iter().all(|names| names.contains(name)));
        let by_all = Keywords::from_iter([("required".to_owned(), Node::Array(by_all.collect()))]);
        compose::merge(root, by_all);
    }
    for word in ["enum", "not", "const", "if", "then", "else"] {
        if let Some(value) = root.take(word) {
            root.describe_keyword(word, &value);
        }
    }
}

/// Adds the properties of an alternative. A property that several alternatives have becomes `anyOf`.
fn add_properties(root: &mut Keywords, properties: Keywords) {
    if !root.has("properties") {
        root.set("properties", Node::Object(Keywords::default()));
    }
    let Some(Node::Object(known)) = root.get_mut("properties") else { return };
    for (name, schema) in properties {
        match known.get_mut(&name) {
            None => known.set(&name, schema),
            Some(same) if *same == schema => {}
            Some(Node::Object(either)) if either.has("anyOf") && either.len() == 1 => {
                if let Some(Node::Array(branches)) = either.get_mut("anyOf")
                    && !branches.contains(&schema)
                {
                    branches.push(schema);
                }
            }
            Some(other) => {
                let branches = Node::Array(vec![other.clone(), schema]);
                *other = Node::Object(Keywords::from_iter([("anyOf".to_owned(), branches)]));
            }
        }
    }
}

fn required_by(schema: &Node) -> Vec<Node> {
    let required = schema.as_object().and_then(|keywords| keywords.get("required"));
    required.and_then(Node::as_array).unwrap_or_default().to_vec()
}

/// Lists the alternatives by their required properties, which is what distinguishes them.
fn summary(alternatives: &[Node]) -> String {
    let each = alternatives.iter().map(|alternative| {
        let title = alternative.as_object().and_then(|keywords| keywords.text("title"));
        let required = Node::Array(required_by(alternative)).to_json();
        title.map_or(format!("required {required}"), |title| format!("{title}, required {required}"))
    });
    each.collect::<Vec<_>>().join("; ")
}
