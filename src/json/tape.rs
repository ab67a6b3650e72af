//! Validates JSON text in one pass and records where each value begins and ends.
//!
//! A `RawValue` is scanned again each time that one of its fields is read, so a document that is read level by level is
//! scanned once for each level. Here the text is scanned once, into a flat list of nodes: the tape of simdjson
//! (<https://arxiv.org/abs/1902.08318>, section 3), but without copies of strings and numbers. Everything else is a
//! look-up in that list.

use super::structural_mask::StructuralMask;
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

#[derive(Debug)]
struct TapeNode {
    kind: Kind,
    /// Whether a string has escapes.
    escaped: bool,
    start: usize,
    end: usize,
    /// The number of nodes, this one and all within it.
    size: usize,
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
    /// [`Bounds::values`] is exceeded.
    TooMany,
}

impl<'a> Tape<'a> {
    /// Reads a text.
    ///
    /// # Errors
    /// The first error in the text.
    pub fn read(text: &'a str, bounds: Bounds) -> Result<Self, ParseError> {
        let bytes = text.as_bytes();
        // Conversations have about one node in 48 bytes.
        let nodes = Vec::with_capacity(text.len() / 48);
        let mut reader =
            Reader { bytes, mask: StructuralMask::of(bytes), at: 0, nodes, has_surrogates: false, bounds };
        reader.value(0)?;
        reader.skip_space();
        match reader.peek() {
            None => Ok(Self { text, nodes: reader.nodes, has_surrogates: reader.has_surrogates }),
            Some(_) => Err(ParseError::Syntax),
        }
    }

    /// Whether the text may have escaped surrogates such as `\uD83E`, of which some may be lone.
    pub fn has_surrogates(&self) -> bool {
        self.has_surrogates
    }

    /// The outermost value.
    pub fn root(&'a self) -> TapeValue<'a> {
        TapeValue { text: self.text, nodes: &self.nodes }
    }
}

/// One value of a [`Tape`].
#[derive(Debug, Clone, Copy)]
pub struct TapeValue<'a> {
    /// The text that was read.
    text: &'a str,
    /// The node of the value and those of all values in it.
    nodes: &'a [TapeNode],
}

impl<'a> TapeValue<'a> {
    fn node(self) -> Option<&'a TapeNode> {
        self.nodes.first()
    }

    /// The type of the value.
    pub fn kind(self) -> Kind {
        self.node().map_or(Kind::Null, |node| node.kind)
    }

    /// The JSON text of the value.
    pub fn get(self) -> &'a str {
        self.node().and_then(|node| self.text.get(node.start..node.end)).unwrap_or("null")
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

    /// The unescaped string; `None` if the value is not a string.
    pub fn string(self) -> Option<Cow<'a, str>> {
        match self.node() {
            Some(TapeNode { kind: Kind::String, escaped: false, start, end, .. }) => {
                self.text.get(start + 1..end - 1).map(Cow::Borrowed)
            }
            _ => self.text().map(|text| Cow::Owned(text.decode().into_owned())),
        }
    }

    /// The elements of an array; `None` if the value is not an array.
    pub fn elements(self) -> Option<impl Iterator<Item = TapeValue<'a>> + use<'a>> {
        (self.kind() == Kind::Array).then(|| self.children())
    }

    /// The names and values of an object's fields; empty if the value is not an object.
    pub fn fields(self) -> impl Iterator<Item = (TapeValue<'a>, TapeValue<'a>)> + use<'a> {
        let mut children = self.children();
        let is_object = self.kind() == Kind::Object;
        std::iter::from_fn(move || if is_object { Some((children.next()?, children.next()?)) } else { None })
    }

    /// The value of an object's field. If several fields have the name, the last one counts, as in most JSON readers.
    pub fn field(self, name: &str) -> Option<TapeValue<'a>> {
        self.fields().filter(|(field, _)| field.is(name)).last().map(|(_, value)| value)
    }

    /// Whether the value is this string.
    pub fn is(self, string: &str) -> bool {
        self.string().is_some_and(|own| own == string)
    }

    /// The bytes of the value in the text.
    pub(super) fn span(self) -> Range<usize> {
        self.node().map_or(0..0, |node| node.start..node.end)
    }

    fn children(self) -> impl Iterator<Item = TapeValue<'a>> + use<'a> {
        let mut rest = self.nodes.get(1..).unwrap_or_default();
        std::iter::from_fn(move || {
            let (nodes, after) = rest.split_at_checked(rest.first()?.size)?;
            rest = after;
            Some(TapeValue { text: self.text, nodes })
        })
    }
}

/// Reads a text into nodes.
struct Reader<'t> {
    bytes: &'t [u8],
    mask: StructuralMask<'t>,
    at: usize,
    nodes: Vec<TapeNode>,
    has_surrogates: bool,
    bounds: Bounds,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek();
        self.at += 1;
        byte
    }

    /// Skips this byte if it comes next.
    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Result<(), ParseError> {
        if self.takes(byte) { Ok(()) } else { Err(ParseError::Syntax) }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Result<(), ParseError> {
        self.bounds.values = self.bounds.values.checked_sub(1).ok_or(ParseError::TooMany)?;
        self.skip_space();
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal(Kind::Boolean, b"true"),
            Some(b'f') => self.literal(Kind::Boolean, b"false"),
            Some(b'n') => self.literal(Kind::Null, b"null"),
            _ => Err(ParseError::Syntax),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), ParseError> {
        let object = self.open(Kind::Object, depth)?;
        self.skip_space();
        if !self.takes(b'}') {
            loop {
                self.skip_space();
                self.string()?;
                self.skip_space();
                self.expect(b':')?;
                self.value(depth)?;
                self.skip_space();
                if !self.takes(b',') {
                    break self.expect(b'}')?;
                }
            }
        }
        self.close(object);
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), ParseError> {
        let array = self.open(Kind::Array, depth)?;
        self.skip_space();
        if !self.takes(b']') {
            loop {
                self.value(depth)?;
                self.skip_space();
                if !self.takes(b',') {
                    break self.expect(b']')?;
                }
            }
        }
        self.close(array);
        Ok(())
    }

    /// Begins an array or object; returns the index of its node.
    fn open(&mut self, kind: Kind, depth: usize) -> Result<usize, ParseError> {
        if depth > self.bounds.depth {
            return Err(ParseError::TooDeep);
        }
        self.push(kind, false, self.at);
        self.at += 1;
        Ok(self.nodes.len() - 1)
    }

    fn close(&mut self, opened: usize) {
        let size = self.nodes.len() - opened;
        if let Some(node) = self.nodes.get_mut(opened) {
            (node.end, node.size) = (self.at, size);
        }
    }

    /// Appends a node that ends here.
    fn push(&mut self, kind: Kind, escaped: bool, start: usize) {
        self.nodes.push(TapeNode { kind, escaped, start, end: self.at, size: 1 });
    }

    fn string(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        let mut escaped = false;
        self.expect(b'"')?;
        loop {
            // Nearly all of a request is skipped here.
            self.at = self.mask.next(self.at).ok_or(ParseError::Syntax)?;
            match self.next() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                _ => return Err(ParseError::Syntax),
            }
            escaped = true;
        }
        self.push(Kind::String, escaped, start);
        Ok(())
    }

    fn escape(&mut self) -> Result<(), ParseError> {
        match self.next() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(()),
            Some(b'u') => {
                let digits = self.bytes.get(self.at..self.at + 4).ok_or(ParseError::Syntax)?;
                self.at += 4;
                // U+D800 to U+DFFF, and some others.
                self.has_surrogates |= matches!(digits.first(), Some(b'd' | b'D'));
                if digits.iter().all(u8::is_ascii_hexdigit) { Ok(()) } else { Err(ParseError::Syntax) }
            }
            _ => Err(ParseError::Syntax),
        }
    }

    fn number(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        let mut kind = Kind::Integer;
        self.takes(b'-');
        if !self.takes(b'0') {
            self.digits()?;
        }
        if self.takes(b'.') {
            kind = Kind::Decimal;
            self.digits()?;
        }
        if self.takes(b'e') || self.takes(b'E') {
            kind = Kind::Decimal;
            let _sign = self.takes(b'+') || self.takes(b'-');
            self.digits()?;
        }
        self.push(kind, false, start);
        Ok(())
    }

    /// Skips digits; at least one is needed.
    fn digits(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(ParseError::Syntax) }
    }

    fn literal(&mut self, kind: Kind, word: &[u8]) -> Result<(), ParseError> {
        let start = self.at;
        self.at += word.len();
        self.push(kind, false, start);
        if self.bytes.get(start..self.at) == Some(word) { Ok(()) } else { Err(ParseError::Syntax) }
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
