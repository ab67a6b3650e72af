//! JSON strings that are passed on as they were escaped, and the little that is read from
//! JSON text without building a tree of it.
//!
//! Most of a conversation only passes through: text, tool arguments, tool outputs. Unescaping
//! and escaping it again would cost time and could change it, so [`Text`] keeps a JSON string
//! as it stood on the wire. What leaves is always valid: a `\uD83E` without its second half
//! becomes `\uFFFD`, and a pair that a host split over two deltas is joined by a [`Seam`].

use memchr::{memchr, memmem};
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A JSON string, quotes and escapes as they are on the wire.
#[derive(Debug, Clone)]
pub struct Text<'a>(Cow<'a, RawValue>);

impl<'a> Text<'a> {
    /// The string that `raw` holds, or nothing if it holds something else.
    pub fn of(raw: &'a RawValue) -> Option<Self> {
        let escaped = inside_quotes(raw.get())?;
        Some(match mend(escaped) {
            Mended { text: Cow::Borrowed(_), split: "" } => Self(Cow::Borrowed(raw)),
            mended => Self::from_escaped(&mended.whole()),
        })
    }

    /// Escapes `text`.
    pub fn new(text: &str) -> Text<'static> {
        Text(Cow::Owned(raw(text)))
    }

    fn from_escaped(escaped: &str) -> Text<'static> {
        let mut builder = TextBuilder::default();
        builder.push_escaped(escaped);
        builder.finish()
    }

    /// What stands between the quotes, still escaped.
    pub fn escaped(&self) -> &str {
        inside_quotes(self.0.get()).unwrap_or_default()
    }

    /// Whether it is `""`.
    pub fn is_empty(&self) -> bool {
        self.escaped().is_empty()
    }

    /// Whether it holds nothing but white space.
    pub fn is_blank(&self) -> bool {
        self.decode().trim().is_empty()
    }

    /// The characters it stands for.
    pub fn decode(&self) -> Cow<'_, str> {
        let escaped = self.escaped();
        match memchr(b'\\', escaped.as_bytes()) {
            None => Cow::Borrowed(escaped),
            Some(_) => Cow::Owned(serde_json::from_str(self.0.get()).unwrap_or_default()),
        }
    }

    /// The characters it stands for, borrowed from the body if nothing is escaped.
    pub fn into_decoded(self) -> Cow<'a, str> {
        if let Cow::Borrowed(raw) = self.0
            && let Some(plain) = inside_quotes(raw.get()).filter(|text| !text.contains('\\'))
        {
            return Cow::Borrowed(plain);
        }
        Cow::Owned(self.decode().into_owned())
    }

    /// The same string, borrowed from nowhere.
    pub fn into_owned(self) -> Text<'static> {
        Text(Cow::Owned(self.0.into_owned()))
    }

    /// The same, as any JSON value.
    pub fn into_raw(self) -> Cow<'a, RawValue> {
        self.0
    }

    /// The JSON text, quotes included.
    pub fn as_json(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for Text<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.decode() == other.decode()
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?;
        Text::of(raw)
            .ok_or_else(|| D::Error::custom(format_args!("expected a string, found {}", kind_of(raw))))
    }
}

/// Collects the pieces of one JSON string.
#[derive(Debug, Clone, Default)]
pub struct TextBuilder(String);

impl TextBuilder {
    /// Appends a piece.
    pub fn push(&mut self, piece: &Text<'_>) {
        self.push_escaped(piece.escaped());
    }

    fn push_escaped(&mut self, escaped: &str) {
        if self.0.is_empty() {
            self.0.push('"');
        }
        self.0.push_str(escaped);
    }

    /// Length of what was collected, in escaped bytes.
    pub fn len(&self) -> usize {
        self.0.len().saturating_sub(1)
    }

    /// Whether nothing was collected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The whole string.
    pub fn finish(mut self) -> Text<'static> {
        self.push_escaped("\"");
        if self.0.len() == 1 {
            self.0.push('"');
        }
        // The pieces are whole JSON strings without their quotes, so their sum is one too.
        Text(Cow::Owned(RawValue::from_string(self.0).unwrap_or_else(|_| raw(""))))
    }
}

/// Joins the pieces in which a string arrives: the first half of a surrogate pair waits for the second.
#[derive(Debug, Clone, Default)]
pub struct Seam {
    waiting: String,
}

impl Seam {
    /// The next piece, as far as it can go out now. It may be empty.
    pub fn push<'a>(&mut self, raw: &'a RawValue) -> Option<Text<'a>> {
        let escaped = inside_quotes(raw.get())?;
        if self.waiting.is_empty() && memmem::find(escaped.as_bytes(), b"\\u").is_none() {
            return Some(Text(Cow::Borrowed(raw)));
        }
        let joined = std::mem::take(&mut self.waiting) + escaped;
        let mended = mend(&joined);
        self.waiting = mended.split.to_owned();
        Some(Text::from_escaped(&mended.text))
    }

    /// No piece follows: a half that still waits has lost its other half.
    pub fn finish(&mut self) -> Option<Text<'static>> {
        let lost = !std::mem::take(&mut self.waiting).is_empty();
        lost.then(|| Text::new("\u{FFFD}"))
    }
}

/// An escaped string without lone surrogates, and the high surrogate at its very end, if there is one.
struct Mended<'a> {
    text: Cow<'a, str>,
    split: &'a str,
}

impl Mended<'_> {
    fn whole(self) -> String {
        let mut text = self.text.into_owned();
        if !self.split.is_empty() {
            text.push_str("\\ufffd");
        }
        text
    }
}

/// Whether there is a `\uD800` to `\uDFFF`, or what looks like one.
fn may_hold_surrogates(escaped: &str) -> bool {
    let bytes = escaped.as_bytes();
    memmem::find_iter(bytes, b"\\u").any(|at| matches!(bytes.get(at + 2), Some(b'd' | b'D')))
}

/// RFC 8259 section 8.2 leaves lone surrogates "unpredictable"; strict readers refuse them.
fn mend(escaped: &str) -> Mended<'_> {
    if !may_hold_surrogates(escaped) {
        return Mended { text: Cow::Borrowed(escaped), split: "" };
    }
    let mut text = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((before, escape)) = memchr(b'\\', rest.as_bytes()).and_then(|at| rest.split_at_checked(at))
    {
        text.push_str(before);
        let (length, surrogate) = escape_at(escape);
        let (this, after) = escape.split_at_checked(length).unwrap_or((escape, ""));
        rest = after;
        match surrogate {
            Surrogate::None => text.push_str(this),
            Surrogate::Low => text.push_str("\\ufffd"),
            Surrogate::High if after.is_empty() => return Mended { text: Cow::Owned(text), split: this },
            Surrogate::High => match escape_at(after) {
                (length, Surrogate::Low) => {
                    let (low, after) = after.split_at_checked(length).unwrap_or((after, ""));
                    text.push_str(this);
                    text.push_str(low);
                    rest = after;
                }
                _ => text.push_str("\\ufffd"),
            },
        }
    }
    text.push_str(rest);
    Mended { text: Cow::Owned(text), split: "" }
}

enum Surrogate {
    None,
    High,
    Low,
}

/// The length of the escape that `text` begins with, and which surrogate it is.
fn escape_at(text: &str) -> (usize, Surrogate) {
    let Some(hex) = text.strip_prefix("\\u").and_then(|digits| digits.get(..4)) else {
        return (2, Surrogate::None);
    };
    match u16::from_str_radix(hex, 16) {
        Ok(0xD800..=0xDBFF) => (6, Surrogate::High),
        Ok(0xDC00..=0xDFFF) => (6, Surrogate::Low),
        _ => (6, Surrogate::None),
    }
}

fn inside_quotes(json: &str) -> Option<&str> {
    json.strip_prefix('"')?.strip_suffix('"')
}

/// Bytes as text; what is not UTF-8 becomes U+FFFD. They nearly always are, and to check that is much
/// cheaper than to look for where they are not.
pub fn utf8(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Any JSON value that is only passed on: as it was written, but for lone surrogates in its strings.
pub fn mended(raw: &RawValue) -> Cow<'_, RawValue> {
    // Backslashes occur in strings only, and the last of them ends before the last bracket or quote.
    match mend(raw.get()).text {
        Cow::Borrowed(_) => Cow::Borrowed(raw),
        Cow::Owned(text) => RawValue::from_string(text).map_or(Cow::Borrowed(raw), Cow::Owned),
    }
}

/// JSON text within a string, which some reader upstream will parse in its turn.
pub fn without_lone_surrogates(json: &str) -> Cow<'_, str> {
    match mend(json).text {
        Cow::Owned(mended) if mended != json => Cow::Owned(mended),
        _ => Cow::Borrowed(json),
    }
}

/// [`kind_of`] a whole number.
pub const INTEGER: &str = "an integer";
/// [`kind_of`] any other number.
pub const DECIMAL: &str = "a decimal";

/// What a JSON value is, in the words of an error message.
pub fn kind_of(raw: &RawValue) -> &'static str {
    match raw.get().as_bytes().first() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ if raw.get().contains(['.', 'e', 'E']) => DECIMAL,
        _ => INTEGER,
    }
}

/// `value` as JSON text.
pub fn raw(value: &(impl Serialize + ?Sized)) -> Box<RawValue> {
    // Only a map with keys that are no strings can fail here, and there is none.
    serde_json::value::to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Whether a text is one whole JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wholeness {
    /// It is.
    Whole,
    /// It is the beginning of one.
    Cut,
    /// It is not, and more text would not help.
    Broken,
}

/// Whether `text` is one whole JSON value, the beginning of one, or neither.
pub fn wholeness(text: &str) -> Wholeness {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Wholeness::Whole,
        Err(error) if error.is_eof() => Wholeness::Cut,
        Err(_) => Wholeness::Broken,
    }
}

/// Watches a JSON object or array go by and tells when its last bracket has closed.
#[derive(Debug, Clone, Default)]
pub struct Brackets {
    depth: usize,
    in_string: bool,
    escaped: bool,
    closed: bool,
}

impl Brackets {
    /// Looks at the next bytes; true from the byte on that closes the document.
    pub fn push(&mut self, bytes: &[u8]) -> bool {
        for &byte in bytes {
            self.step(byte);
        }
        self.closed
    }

    /// Splits `bytes` behind the byte that closes the document, if it is among them.
    pub fn split<'b>(&mut self, bytes: &'b [u8]) -> (&'b [u8], &'b [u8]) {
        let last = bytes.iter().position(|byte| self.push(&[*byte]));
        last.and_then(|at| bytes.split_at_checked(at + 1)).unwrap_or((bytes, &[]))
    }

    fn step(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.closed |= self.depth == 0;
            }
            _ => {}
        }
    }

    /// Whether the document has closed.
    pub fn closed(&self) -> bool {
        self.closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(json: &str) -> Text<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn text_keeps_its_escapes() {
        for json in [r#""""#, r#""plain""#, r#""a\nb\u00e9\/""#, r#""\\ud83e""#, r#""\ud83e\udd80""#] {
            assert_eq!(text(json).as_json(), json);
            assert_eq!(serde_json::to_string(&text(json)).unwrap(), json);
        }
    }

    #[test]
    fn lone_surrogates_become_replacement_characters() {
        for (json, mended) in [
            (r#""a\ud83e""#, r#""a\ufffd""#),
            (r#""\udd80b""#, r#""\ufffdb""#),
            (r#""\ud83e\n""#, r#""\ufffd\n""#),
            (r#""\ud83e\ud83e\udd80""#, r#""\ufffd\ud83e\udd80""#),
            (r#""\\\ud83e""#, r#""\\\ufffd""#),
        ] {
            assert_eq!(text(json).as_json(), mended, "{json}");
        }
    }

    #[test]
    fn a_value_that_is_no_string_is_refused_by_its_kind() {
        let error = serde_json::from_str::<Text<'_>>("[1]").unwrap_err();
        assert!(error.to_string().contains("expected a string, found an array"));
    }

    #[test]
    fn a_seam_joins_a_split_pair() {
        let join = |pieces: &[&str]| {
            let mut seam = Seam::default();
            let mut builder = TextBuilder::default();
            for piece in pieces {
                let raw: &RawValue = serde_json::from_str(piece).unwrap();
                builder.push(&seam.push(raw).unwrap());
            }
            if let Some(lost) = seam.finish() {
                builder.push(&lost);
            }
            builder.finish().decode().into_owned()
        };
        assert_eq!(join(&[r#""H\ud83e""#, r#""\udd80!""#]), "H🦀!");
        assert_eq!(join(&[r#""H\ud83e""#, r#""x""#]), "H\u{FFFD}x");
        assert_eq!(join(&[r#""H\ud83e""#]), "H\u{FFFD}");
        assert_eq!(join(&[r#""H\ud83e""#, r#""""#, r#""\udd80""#]), "H🦀");
    }

    #[test]
    fn wholeness_tells_cut_from_broken() {
        for (json, expected) in [
            ("{}", Wholeness::Whole),
            (r#"{"a":1} "#, Wholeness::Whole),
            (r#"{"a":"x"#, Wholeness::Cut),
            ("", Wholeness::Cut),
            ("{'a'}", Wholeness::Broken),
            ("{}}", Wholeness::Broken),
        ] {
            assert_eq!(wholeness(json), expected, "{json}");
        }
    }

    #[test]
    fn brackets_close_at_the_last_one_only() {
        let mut brackets = Brackets::default();
        for byte in br#"{"a":"}\"}","b":[{}]"# {
            assert!(!brackets.push(&[*byte]));
        }
        assert!(brackets.push(b"}"));
    }
}
