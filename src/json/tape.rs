//! Validates JSON text in one pass and records where each value begins and ends.
//!
//! A `RawValue` is scanned again each time that one of its fields is read, so a document that is read level by level is
//! scanned once for each level. Here the text is scanned once, into a flat list of nodes: the tape of simdjson
//! (<https://arxiv.org/abs/1902.08318>, section 3), but without copies of strings and numbers. Everything else is a
//! look-up in that list.

use super::tape_reader::TapeReader;
use super::{JsonStr, RawJson};
use std::borrow::Cow;
use std::ops::Range;

/// A valid JSON text (RFC 8259) and its values.
///
/// ```
/// use transponder::json::{Bounds, Tape};
///
/// let tape = Tape::read(r#"{"model": "m", "n": [1, 2]}"#, Bounds { depth: 8, values: 100 }).unwrap();
/// let numbers = tape.root().field("n").unwrap();
/// assert_eq!(numbers.get(), "[1, 2]");
/// assert_eq!(numbers.elements().unwrap().count(), 2);
/// ```
#[derive(Debug)]
pub struct Tape<'a> {
    text: &'a str,
    /// In the order in which they begin. The name of a field is a node too, before that of its value.
    nodes: Vec<TapeNode>,
    has_surrogates: bool,
}

/// Sixteen bytes on every machine: a large request has tens of thousands of nodes.
#[derive(Debug)]
pub(super) struct TapeNode {
    pub(super) kind: Kind,
    /// Whether a string has escapes.
    pub(super) escaped: bool,
    pub(super) start: u32,
    pub(super) end: u32,
    /// The number of nodes, this one and all within it.
    pub(super) size: u32,
}

impl TapeNode {
    /// The bytes of the value in the text.
    fn span(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The bytes between the quotes of a string.
    fn inside_quotes(&self) -> Range<usize> {
        self.start as usize + 1..self.end as usize - 1
    }
}

/// The type of a JSON value. An integer is a number that is written without fraction and exponent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Kind {
    Null,
    Boolean,
    Integer,
    Decimal,
    String,
    Array,
    Object,
}

impl Kind {
    /// The type of a valid value.
    pub(super) fn of(json: &str) -> Self {
        match json.as_bytes().first() {
            Some(b'"') => Self::String,
            Some(b'{') => Self::Object,
            Some(b'[') => Self::Array,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'n') => Self::Null,
            _ if json.contains(['.', 'e', 'E']) => Self::Decimal,
            _ => Self::Integer,
        }
    }

    /// In the words of an error message.
    pub fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Integer => "an integer",
            Self::Decimal => "a decimal",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// Limits on a JSON text.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// How deeply arrays and objects may be nested.
    pub depth: usize,
    /// The number of values; names of fields are not counted.
    pub values: usize,
}

/// Why a text is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParseError {
    /// The text is not JSON.
    Syntax,
    /// [`Bounds::depth`] is exceeded.
    TooDeep,
    /// [`Bounds::values`] is exceeded, or the text has more than 4 GiB.
    TooMany,
}

impl<'a> Tape<'a> {
    /// Reads a text.
    ///
    /// # Errors
    /// The first error in the text.
    pub fn read(text: &'a str, bounds: Bounds) -> Result<Self, ParseError> {
        let (nodes, has_surrogates) = TapeReader::read(text.as_bytes(), bounds)?;
        Ok(Self { text, nodes, has_surrogates })
    }

    /// Whether the text may have escaped surrogates such as `\uD83E`, of which some may be lone.
    pub fn has_surrogates(&self) -> bool {
        self.has_surrogates
    }

    /// The outermost value.
    pub fn root(&self) -> TapeValue<'_> {
        TapeValue { tape: self, at: 0 }
    }
}

/// One value of a [`Tape`].
#[derive(Debug, Clone, Copy)]
pub struct TapeValue<'a> {
    tape: &'a Tape<'a>,
    /// The index of its node. Those of all values in it follow.
    at: usize,
}

impl<'a> TapeValue<'a> {
    #[inline]
    fn node(self) -> Option<&'a TapeNode> {
        self.tape.nodes.get(self.at)
    }

    /// The type of the value.
    pub fn kind(self) -> Kind {
        self.node().map_or(Kind::Null, |node| node.kind)
    }

    /// The JSON text of the value.
    pub fn get(self) -> &'a str {
        self.node().and_then(|node| self.tape.text.get(node.span())).unwrap_or("null")
    }

    /// The first byte of the JSON text.
    pub fn first_byte(self) -> Option<u8> {
        self.node().and_then(|node| self.tape.text.as_bytes().get(node.start as usize).copied())
    }

    /// The characters of a string, as they are escaped; `None` if the value is not a string.
    pub fn escaped(self) -> Option<&'a str> {
        let node = self.node().filter(|node| node.kind == Kind::String)?;
        self.tape.text.get(node.inside_quotes())
    }

    /// The JSON text, to be passed on.
    pub fn raw(self) -> RawJson<'a> {
        RawJson::valid(self.get())
    }

    /// The string as it is escaped, to be passed on; `None` if the value is not a string. Lone surrogates have to be
    /// replaced before the tape is read.
    pub fn text(self) -> Option<JsonStr<'a>> {
        (self.kind() == Kind::String).then(|| JsonStr::valid(self.get()))
    }

    /// The bytes of the unescaped string, as names of fields are compared; empty if the value is not a string.
    #[inline]
    pub fn bytes(self) -> Cow<'a, [u8]> {
        match self.node() {
            Some(node @ TapeNode { kind: Kind::String, escaped: false, .. }) => {
                Cow::Borrowed(self.tape.text.as_bytes().get(node.inside_quotes()).unwrap_or_default())
            }
            _ => self.decoded_bytes(),
        }
    }

    #[cold]
    fn decoded_bytes(self) -> Cow<'a, [u8]> {
        Cow::Owned(self.string().unwrap_or_default().into_owned().into_bytes())
    }

    /// The unescaped string; `None` if the value is not a string.
    pub fn string(self) -> Option<Cow<'a, str>> {
        match self.node() {
            Some(node @ TapeNode { kind: Kind::String, escaped: false, .. }) => {
                self.tape.text.get(node.inside_quotes()).map(Cow::Borrowed)
            }
            _ => self.text().map(|text| Cow::Owned(text.decode().into_owned())),
        }
    }

    /// The elements of an array; `None` if the value is not an array.
    pub fn elements(self) -> Option<impl Iterator<Item = TapeValue<'a>> + use<'a>> {
        let (mut next, end) = self.inside(Kind::Array)?;
        Some(std::iter::from_fn(move || {
            let element = next.before(end)?;
            next = element.after()?;
            Some(element)
        }))
    }

    /// The names and values of an object's fields; empty if the value is not an object.
    pub fn fields(self) -> impl Iterator<Item = (TapeValue<'a>, TapeValue<'a>)> + use<'a> {
        let (mut next, end) = self.inside(Kind::Object).unwrap_or((self, self.at));
        std::iter::from_fn(move || {
            let name = next.before(end)?;
            let value = TapeValue { at: name.at + 1, ..name };
            next = value.after()?;
            Some((name, value))
        })
    }

    /// The value of an object's field. If several fields have the name, the last one counts, as in most JSON readers.
    pub fn field(self, name: &str) -> Option<TapeValue<'a>> {
        self.fields().filter(|(field, _)| field.is(name)).last().map(|(_, value)| value)
    }

    /// Whether the value is this string.
    #[inline]
    pub fn is(self, string: &str) -> bool {
        match self.node() {
            // Most are told apart by their lengths.
            Some(node @ TapeNode { kind: Kind::String, escaped: false, .. }) => {
                let inside = node.inside_quotes();
                inside.len() == string.len()
                    && self.tape.text.as_bytes().get(inside) == Some(string.as_bytes())
            }
            _ => *self.decoded_bytes() == *string.as_bytes(),
        }
    }

    /// The bytes of the value in the text.
    pub(super) fn span(self) -> Range<usize> {
        self.node().map_or(0..0, TapeNode::span)
    }

    /// The first value in one of this kind, and the index of the node behind the last one.
    #[inline]
    fn inside(self, kind: Kind) -> Option<(TapeValue<'a>, usize)> {
        let node = self.node().filter(|node| node.kind == kind)?;
        Some((TapeValue { at: self.at + 1, ..self }, self.at + node.size as usize))
    }

    #[inline]
    fn before(self, end: usize) -> Option<TapeValue<'a>> {
        (self.at < end).then_some(self)
    }

    /// The value behind this one.
    #[inline]
    fn after(self) -> Option<TapeValue<'a>> {
        Some(TapeValue { at: self.at + self.node()?.size as usize, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOUNDS: Bounds = Bounds { depth: 3, values: 8 };

    fn error(json: &str) -> Option<ParseError> {
        Tape::read(json, BOUNDS).err()
    }

    #[test]
    fn the_bounds_hold_at_the_last_value_and_level() {
        for (json, expected) in [
            ("[[[]]]", None),
            ("[[[[]]]]", Some(ParseError::TooDeep)),
            (r#"["[[[[", "\\", "\"[[[[", "a,b,c,d,e,f,g,h"]"#, None),
            ("[1,2,3,4,5,6,7]", None),
            ("[1,2,3,4,5,6,7,8]", Some(ParseError::TooMany)),
            (r#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7}"#, None),
            (r#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":[7]}"#, Some(ParseError::TooMany)),
        ] {
            assert_eq!(error(json), expected, "{json}");
        }
    }

    #[test]
    fn values_are_found_at_their_place() {
        let json = r#" {"a" : [1, -2.5e3, "x", {"b":null}], "\u0061b":true, "a":"\n"} "#;
        let document = Tape::read(json, Bounds { depth: 9, values: 99 }).unwrap();
        let root = document.root();
        assert_eq!(root.get(), json.trim());
        assert_eq!(root.field("a").unwrap().string().unwrap(), "\n", "the last counts");
        assert_eq!(root.field("ab").unwrap().kind(), Kind::Boolean, "a name may be escaped");
        assert!(root.field("b").is_none() && root.elements().is_none());
        let (_, first) = root.fields().next().unwrap();
        let elements: Vec<_> = first.elements().unwrap().map(|value| (value.kind(), value.get())).collect();
        assert_eq!(
            elements,
            [
                (Kind::Integer, "1"),
                (Kind::Decimal, "-2.5e3"),
                (Kind::String, "\"x\""),
                (Kind::Object, r#"{"b":null}"#)
            ]
        );
        assert!(first.fields().next().is_none());
    }

    /// Text that is nearly JSON.
    fn json_like() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            "[\\[\\]{},: \\n\"\\\\]",
            "-?[0-9]{0,3}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,2})?",
            "\"[a-zé\\n\\t]{0,40}\"",
            "\"(\\\\[\"\\\\/bfnrtux]|\\\\u[0-9a-gA-G]{4}|[ -~]){0,20}\"",
            "true|false|null|nul|\"a\":|,|\u{1}",
        ];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    fn json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            "\\PC{0,40}".prop_map(Into::into),
        ];
        leaf.prop_recursive(5, 40, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
                prop::collection::btree_map("\\PC{0,8}", inner, 0..6)
                    .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
            ]
        })
    }

    /// Builds the same value from the tape.
    fn rebuilt(value: TapeValue<'_>) -> serde_json::Value {
        match value.kind() {
            Kind::Array => value.elements().unwrap().map(rebuilt).collect(),
            Kind::Object => value
                .fields()
                .map(|(name, value)| (name.string().unwrap().into_owned(), rebuilt(value)))
                .collect(),
            Kind::String => value.string().unwrap().into(),
            _ => serde_json::from_str(value.get()).unwrap(),
        }
    }

    const WIDE: Bounds = Bounds { depth: 128, values: 10_000 };

    proptest! {
        #[test]
        fn accepts_what_serde_json_accepts(text in json_like()) {
            let expected = serde_json::from_str::<serde::de::IgnoredAny>(&text);
            let read = Tape::read(&text, WIDE);
            prop_assert_eq!(read.is_ok(), expected.is_ok(), "{:?}: {:?}", text, expected);
        }

        #[test]
        fn reads_the_value_that_was_written(value in json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let text = text.unwrap();
            let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(rebuilt(Tape::read(&text, WIDE).unwrap().root()), expected);
        }
    }
}
