//! `type`, `enum`, `const`, tuples, and keywords that a dialect does not have.

use super::node::{ANNOTATIONS, Keywords, Node};
use crate::upstream::{Enums, Nulls, Rules};
use serde_json::Value;

pub(super) fn rewrite(keywords: &mut Keywords, rules: &Rules) {
    if !rules.tuples {
        tuples(keywords);
    }
    if rules.enums != Enums::Any {
        enumerations(keywords, rules.enums);
    }
    if rules.nulls != Nulls::TypeList {
        types(keywords, rules.nulls);
    }
    if let Some(known) = rules.keywords {
        let unknown = keywords.extract(|key, _| !known.contains(&key));
        // Models do not add undeclared properties anyway.
        let is_implied = |key: &str, node: &Node| {
            key == "additionalProperties" && matches!(node, Node::Scalar(Value::Bool(_)))
        };
        for (key, node) in unknown.into_iter().filter(|(key, node)| !is_implied(key, node)) {
            keywords.describe_keyword(&key, &node);
        }
    }
}

/// A tuple becomes a list of any of its members. The description gives their order.
fn tuples(keywords: &mut Keywords) {
    let prefix = keywords.take_array("prefixItems");
    let Some(members) = keywords.take_array("items").or(prefix) else { return };
    let mut any = Vec::new();
    for member in &members {
        let member = Node::Object(member.clone().into_keywords());
        if !any.contains(&member) {
            any.push(member);
        }
    }
    let items = match any.pop() {
        Some(only) if any.is_empty() => only,
        last => {
            any.extend(last);
            Node::Object(Keywords::from_iter([("anyOf".to_owned(), Node::Array(any))]))
        }
    };
    keywords.take("additionalItems");
    keywords.set("items", items);
    keywords.describe(&format!("(the items in their order: {})", Node::Array(members).to_json()));
}

/// Values that the dialect cannot list go into the description; a type that they share becomes `type`.
fn enumerations(keywords: &mut Keywords, accepted: Enums) {
    if let Some(value) = keywords.take("const") {
        keywords.set("enum", Node::Array(vec![value]));
    }
    let Some(mut values) = keywords.take_array("enum") else { return };
    let all = Node::Array(values.clone());
    values.retain(|value| *value != Node::Scalar(Value::Null));
    let nullable = values.len() < all.as_array().unwrap_or_default().len();
    let mut kinds: Vec<&str> = values.iter().map(Node::type_name).collect();
    kinds.dedup();
    let kind = match kinds.as_slice() {
        [kind] => Some(*kind),
        _ => None,
    };
    if !keywords.has("type")
        && let Some(kind) = kind
    {
        keywords.set("type", Node::text(kind));
    }
    if nullable && let Some(kind) = keywords.text("type").map(str::to_owned) {
        keywords.set("type", Node::Array(vec![Node::text(kind), Node::text("null")]));
    }
    match (accepted, kind) {
        (_, Some("string")) | (Enums::OneType, Some("integer" | "number")) => {
            keywords.set("enum", Node::Array(values));
        }
        _ => keywords.describe_keyword("enum", &all),
    }
}

/// A list of types becomes `anyOf` with one branch each. `null` becomes `nullable` or a branch.
fn types(keywords: &mut Keywords, nulls: Nulls) {
    let Some(mut kinds) = keywords.take_array("type") else { return };
    let all = kinds.len();
    kinds.retain(|kind| kind.as_text() != Some("null"));
    let nullable = kinds.len() < all;
    if nullable && nulls == Nulls::Nullable {
        keywords.set("nullable", Node::Scalar(Value::Bool(true)));
    }
    let null_branch = nullable && nulls == Nulls::AnyOf;
    if let ([kind], false) = (kinds.as_slice(), null_branch) {
        keywords.set_first("type", kind.clone());
        return;
    }
    let common = keywords.extract(|key, _| !ANNOTATIONS.contains(&key));
    let mut branches: Vec<Node> = kinds.into_iter().map(|kind| branch(kind, &common)).collect();
    if null_branch {
        branches.push(branch(Node::text("null"), &Keywords::default()));
    }
    keywords.set("anyOf", Node::Array(branches));
}

/// The keywords of `all` that apply to values of one type.
fn branch(kind: Node, all: &Keywords) -> Node {
    let applicable: &[&str] = match kind.as_text() {
        Some("string") => &["minLength", "maxLength", "pattern", "format"],
        Some("integer" | "number") => {
            &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
        }
        Some("array") => &["items", "minItems", "maxItems", "uniqueItems"],
        Some("object") => {
            &["properties", "required", "additionalProperties", "minProperties", "maxProperties"]
        }
        _ => &[],
    };
    let mut all = all.clone();
    let mut keywords = all.extract(|key, _| key == "enum" || applicable.contains(&key));
    keywords.set_first("type", kind);
    Node::Object(keywords)
}
