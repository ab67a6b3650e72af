//! A parsed schema. Keywords keep the order of the source, because models write arguments in that order.

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use std::fmt;

/// The keywords that describe a schema without limiting its values.
pub(super) const ANNOTATIONS: [&str; 4] = ["title", "description", "default", "nullable"];

/// The longest value of a keyword that is added to a description, in characters.
const MAX_DESCRIBED_CHARS: usize = 2000;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Object(Keywords),
    Array(Vec<Node>),
    Scalar(Value),
}

/// The members of an object: the keywords of a schema, or the names in `properties`.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Keywords(Vec<(String, Node)>);

impl Node {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Scalar(Value::String(text.into()))
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Scalar(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn as_object(&self) -> Option<&Keywords> {
        match self {
            Self::Object(keywords) => Some(keywords),
            _ => None,
        }
    }

    pub(super) fn into_array(self) -> Option<Vec<Self>> {
        match self {
            Self::Array(nodes) => Some(nodes),
            _ => None,
        }
    }

    /// The keywords of a schema. `true`, and anything that is not a schema, has none and so allows any value.
    pub(super) fn into_keywords(self) -> Keywords {
        match self {
            Self::Object(keywords) => keywords,
            _ => Keywords::default(),
        }
    }

    pub(super) fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(nodes) => Some(nodes),
            _ => None,
        }
    }

    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The name of the value's type in JSON Schema.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Object(_) => "object",
            Self::Array(_) => "array",
            Self::Scalar(Value::String(_)) => "string",
            Self::Scalar(Value::Bool(_)) => "boolean",
            Self::Scalar(Value::Number(number)) if number.is_f64() => "number",
            Self::Scalar(Value::Number(_)) => "integer",
            Self::Scalar(_) => "null",
        }
    }

    /// The number of JSON values, including this one.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Object(keywords) => 1 + keywords.size(),
            Self::Array(nodes) => 1 + nodes.iter().map(Self::size).sum::<usize>(),
            Self::Scalar(_) => 1,
        }
    }
}

impl Keywords {
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, node)| node)
    }

    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Node> {
        self.0.iter_mut().find(|(known, _)| known == key).map(|(_, node)| node)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.get(key).and_then(Node::as_text)
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The number of JSON values within.
    pub(super) fn size(&self) -> usize {
        self.0.iter().map(|(_, node)| node.size()).sum()
    }

    /// Replaces the value in place, or adds it at the end.
    pub(super) fn set(&mut self, key: &str, node: Node) {
        match self.get_mut(key) {
            Some(known) => *known = node,
            None => self.0.push((key.to_owned(), node)),
        }
    }

    pub(super) fn set_first(&mut self, key: &str, node: Node) {
        self.take(key);
        self.0.insert(0, (key.to_owned(), node));
    }

    pub(super) fn take(&mut self, key: &str) -> Option<Node> {
        let at = self.0.iter().position(|(known, _)| known == key)?;
        Some(self.0.remove(at).1)
    }

    /// Takes the value if it is an array.
    pub(super) fn take_array(&mut self, key: &str) -> Option<Vec<Node>> {
        self.get(key)?.as_array()?;
        self.take(key)?.into_array()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Node)> {
        self.0.iter_mut().map(|(key, node)| (key.as_str(), node))
    }

    /// Takes the keywords that match.
    pub(super) fn extract(&mut self, matches: impl Fn(&str, &Node) -> bool) -> Self {
        let (taken, kept) =
            std::mem::take(&mut self.0).into_iter().partition(|(key, node)| matches(key, node));
        self.0 = kept;
        Self(taken)
    }

    /// Adds a line to the description.
    pub(super) fn describe(&mut self, words: &str) {
        let before = self.text("description").unwrap_or_default();
        let separator = if before.is_empty() { "" } else { "\n" };
        let all = format!("{before}{separator}{words}");
        self.set("description", Node::text(all));
    }

    /// Adds a keyword to the description, for dialects that cannot express it.
    pub(super) fn describe_keyword(&mut self, key: &str, value: &Node) {
        let value: String = value.to_json().chars().take(MAX_DESCRIBED_CHARS).collect();
        self.describe(&format!("({key}: {value})"));
    }
}

impl IntoIterator for Keywords {
    type Item = (String, Node);
    type IntoIter = std::vec::IntoIter<(String, Node)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(String, Node)> for Keywords {
    fn from_iter<I: IntoIterator<Item = (String, Node)>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Object(keywords) => {
                serializer.collect_map(keywords.0.iter().map(|(key, node)| (key, node)))
            }
            Self::Array(nodes) => nodes.serialize(serializer),
            Self::Scalar(value) => value.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut keywords = Vec::new();
        while let Some(entry) = map.next_entry()? {
            keywords.push(entry);
        }
        Ok(Node::Object(Keywords(keywords)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut nodes = Vec::new();
        while let Some(node) = seq.next_element()? {
            nodes.push(node);
        }
        Ok(Node::Array(nodes))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Scalar(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Node::Scalar(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::text(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_the_names_of_json_schema() {
        for (json, name) in [
            ("{}", "object"),
            ("[]", "array"),
            ("\"\"", "string"),
            ("true", "boolean"),
            ("1", "integer"),
            ("-1", "integer"),
            ("1.5", "number"),
            ("null", "null"),
        ] {
            assert_eq!(serde_json::from_str::<Node>(json).unwrap().type_name(), name);
        }
    }
}
