//! JSON strings that are passed on as they are escaped.

use super::surrogates::{Repaired, repair};
use super::{Kind, RawJson};
use memchr::{memchr, memchr2, memmem};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A JSON string with its quotes and escapes, as it was received. It holds no lone surrogates.
///
/// Two are equal if they decode to the same text.
///
/// ```
/// use transponder::json::JsonStr;
///
/// let text: JsonStr<'_> = serde_json::from_str(r#""caf\u00e9""#).unwrap();
/// assert_eq!(text.as_json(), r#""caf\u00e9""#);
/// assert_eq!(text.decode(), "café");
/// assert_eq!(text, JsonStr::new("café"));
/// ```
#[derive(Debug, Clone)]
pub struct JsonStr<'a>(RawJson<'a>);

impl<'a> JsonStr<'a> {
    /// The string in `raw`; `None` if `raw` is not a string.
    pub fn of(raw: &'a RawValue) -> Option<Self> {
        let escaped = inside_quotes(raw.get())?;
        Some(match repair(escaped) {
            Repaired { text: Cow::Borrowed(_), split: "" } => Self::valid(raw.get()),
            repaired => Self::from_escaped(&repaired.into_complete()),
        })
    }

    /// Escapes `text`.
    pub fn new(text: &str) -> JsonStr<'static> {
        JsonStr::valid(super::raw::to_string(text))
    }

    /// A text that is known to be one JSON string without lone surrogates.
    pub(super) fn valid(json: impl Into<Cow<'a, str>>) -> Self {
        Self(RawJson::valid(json))
    }

    fn from_escaped(escaped: &str) -> JsonStr<'static> {
        let mut builder = JsonStrBuilder::default();
        builder.push_escaped(escaped);
        builder.finish()
    }

    /// The text between the quotes, still escaped.
    pub fn escaped(&self) -> &str {
        inside_quotes(self.0.get()).unwrap_or_default()
    }

    /// Whether the string is empty.
    pub fn is_empty(&self) -> bool {
        self.escaped().is_empty()
    }

    /// Whether the string is empty or white space.
    pub fn is_blank(&self) -> bool {
        is_blank(self.escaped())
    }

    /// Whether the text certainly is a JSON object without lone surrogates. False if it takes unescaping to know.
    pub fn is_surely_object(&self) -> bool {
        super::escaped_object::is_object(self.escaped())
    }

    /// Unescapes the string.
    pub fn decode(&self) -> Cow<'_, str> {
        let escaped = self.escaped();
        match memchr(b'\\', escaped.as_bytes()) {
            None => Cow::Borrowed(escaped),
            Some(_) => Cow::Owned(
                unescaped(escaped).unwrap_or_else(|| serde_json::from_str(self.0.get()).unwrap_or_default()),
            ),
        }
    }

    /// Joins strings with a separator. A single string is returned as it is.
    pub fn joined(texts: impl IntoIterator<Item = Self>, separator: &str) -> Self {
        let mut texts = texts.into_iter();
        let Some(first) = texts.next() else { return JsonStr::default() };
        let Some(second) = texts.next() else { return first };
        let separator = JsonStr::new(separator);
        // Most are two.
        let bytes = first.as_json().len() + separator.as_json().len() + second.as_json().len();
        let mut joined = JsonStrBuilder::with_capacity(bytes);
        joined.push(&first);
        for text in std::iter::once(second).chain(texts) {
            joined.push(&separator);
            joined.push(&text);
        }
        joined.finish()
    }

    /// Borrows the string.
    pub fn borrowed(&self) -> JsonStr<'_> {
        JsonStr::valid(self.as_json())
    }

    /// Copies the text unless it is owned already.
    pub fn into_owned(self) -> JsonStr<'static> {
        JsonStr(self.0.into_owned())
    }

    /// The string as a JSON value of any type.
    pub fn into_raw(self) -> RawJson<'a> {
        self.0
    }

    /// The JSON text, quotes included.
    pub fn as_json(&self) -> &str {
        self.0.get()
    }
}

/// The empty string.
impl Default for JsonStr<'_> {
    fn default() -> Self {
        Self::valid("\"\"")
    }
}

impl PartialEq for JsonStr<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.decode() == other.decode()
    }
}

impl Serialize for JsonStr<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for JsonStr<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?;
        let found = || Kind::of(raw.get()).name();
        JsonStr::of(raw).ok_or_else(|| D::Error::custom(format_args!("expected a string, found {}", found())))
    }
}

/// Builds one JSON string from pieces.
#[derive(Debug, Clone, Default)]
pub struct JsonStrBuilder(String);

impl JsonStrBuilder {
    /// An empty string with capacity for this many escaped bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self(String::with_capacity(bytes + 2))
    }

    /// Appends a piece.
    pub fn push(&mut self, piece: &JsonStr<'_>) {
        self.push_escaped(piece.escaped());
    }

    /// Appends the characters of a JSON string, escaped.
    pub(super) fn push_escaped(&mut self, escaped: &str) {
        if self.0.is_empty() {
            self.0.push('"');
        }
        self.0.push_str(escaped);
    }

    /// Appends text that is not escaped yet.
    pub fn push_text(&mut self, text: &str) {
        if text.bytes().fold(false, |any, byte| any | (byte < b' ')) {
            return self.push(&JsonStr::new(text));
        }
        let mut rest = text;
        while let Some((plain, special)) =
            memchr2(b'"', b'\\', rest.as_bytes()).and_then(|at| rest.split_at_checked(at))
        {
            let (special, after) = special.split_at_checked(1).unwrap_or((special, ""));
            self.push_escaped(plain);
            self.0.push('\\');
            self.0.push_str(special);
            rest = after;
        }
        self.push_escaped(rest);
    }

    /// The length of the escaped text, in bytes.
    pub fn len(&self) -> usize {
        self.0.len().saturating_sub(1)
    }

    /// Whether the string is empty so far.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The string built from all pieces.
    pub fn finish(mut self) -> JsonStr<'static> {
        self.push_escaped("\"");
        if self.0.len() == 1 {
            self.0.push('"');
        }
        // Each piece is a complete JSON string without its quotes, so all of them together are one too.
        JsonStr::valid(self.0)
    }
}

/// Joins surrogate pairs that an upstream splits over two deltas: the first half is held back until the second arrives.
#[derive(Debug, Clone, Default)]
pub struct SurrogateJoiner {
    waiting: String,
}

impl SurrogateJoiner {
    /// Reads the next piece and returns what can be passed on now, which may be empty. `None` if `raw` is not a string.
    pub fn push<'a>(&mut self, raw: &'a RawValue) -> Option<JsonStr<'a>> {
        inside_quotes(raw.get())?;
        Some(self.join(JsonStr::valid(raw.get())))
    }

    /// The same for a piece that may hold lone surrogates.
    pub(super) fn join<'a>(&mut self, piece: JsonStr<'a>) -> JsonStr<'a> {
        let escaped = piece.escaped().as_bytes();
        // Most pieces have no escape, and to prepare a search for two bytes takes longer than to search for one.
        let has_number = || memchr(b'\\', escaped).is_some() && memmem::find(escaped, b"\\u").is_some();
        if self.is_empty() && !has_number() {
            return piece;
        }
        let joined = std::mem::take(&mut self.waiting) + piece.escaped();
        let repaired = repair(&joined);
        self.waiting = repaired.split.to_owned();
        JsonStr::from_escaped(&repaired.text)
    }

    /// Whether nothing is held back.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Ends the string. If the first half of a pair is still held back, it is replaced by U+FFFD.
    pub fn finish(&mut self) -> Option<JsonStr<'static>> {
        let lost = !std::mem::take(&mut self.waiting).is_empty();
        lost.then(|| JsonStr::new("\u{FFFD}"))
    }
}

/// Unescapes a string whose escapes all have one letter; `None` if it has others. Few strings do, and serde_json, which
/// reads every escape, grows a new buffer step by step for each string.
fn unescaped(escaped: &str) -> Option<String> {
    let mut text = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((plain, escape)) = memchr(b'\\', rest.as_bytes()).and_then(|at| rest.split_at_checked(at))
    {
        text.push_str(plain);
        text.push(match escape.as_bytes().get(1)? {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            same @ (b'"' | b'\\' | b'/') => char::from(*same),
            _ => return None,
        });
        rest = escape.get(2..)?;
    }
    text.push_str(rest);
    Some(text)
}

/// Whether `raw` is a string that is empty or white space.
pub fn is_blank_string(raw: &RawValue) -> bool {
    inside_quotes(raw.get()).is_some_and(is_blank)
}

/// Whether an escaped string is empty or white space. Nearly all are decided by their first byte.
fn is_blank(escaped: &str) -> bool {
    let mut rest = escaped.as_bytes();
    loop {
        rest = match rest {
            [] => return true,
            [b' ', rest @ ..] | [b'\\', b'n' | b'r' | b't', rest @ ..] => rest,
            [b'\\', b'u' | b'f', ..] => return is_white_space(escaped),
            [byte, ..] if !byte.is_ascii() => return is_white_space(escaped),
            _ => return false,
        };
    }
}

/// The same, by decoding it. A lone surrogate may be half of a character, and is not white space.
fn is_white_space(escaped: &str) -> bool {
    JsonStr::from_escaped(&repair(escaped).into_complete()).decode().trim().is_empty()
}

pub(super) fn inside_quotes(json: &str) -> Option<&str> {
    json.strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(json: &str) -> JsonStr<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_string_keeps_its_escapes() {
        for json in [r#""""#, r#""plain""#, r#""a\nb\u00e9\/""#, r#""\\ud83e""#, r#""\ud83e\udd80""#] {
            assert_eq!(text(json).as_json(), json);
            assert_eq!(serde_json::to_string(&text(json)).unwrap(), json);
        }
    }

    #[test]
    fn white_space_is_blank_however_it_is_escaped() {
        for (json, blank) in [
            (r#""""#, true),
            (r#"" \n\t\r""#, true),
            (r#""\u0020\f""#, true),
            ("\"\u{a0} \"", true),
            (r#"" x""#, false),
            (r#""\u0041""#, false),
            ("\"é\"", false),
            (r#""\ud83e""#, false),
            (r#"" \udd80""#, false),
        ] {
            assert_eq!(text(json).is_blank(), blank, "{json}");
            assert_eq!(is_blank_string(serde_json::from_str(json).unwrap()), blank, "{json}");
        }
        assert!(!is_blank_string(serde_json::from_str("[]").unwrap()));
    }

    #[test]
    fn lone_surrogates_become_replacement_characters() {
        for (json, repaired) in [
            (r#""a\ud83e""#, r#""a\ufffd""#),
            (r#""\udd80b""#, r#""\ufffdb""#),
            (r#""\ud83e\n""#, r#""\ufffd\n""#),
            (r#""\ud83e\ud83e\udd80""#, r#""\ufffd\ud83e\udd80""#),
            (r#""\\\ud83e""#, r#""\\\ufffd""#),
        ] {
            assert_eq!(text(json).as_json(), repaired, "{json}");
        }
    }

    proptest! {
        #[test]
        fn text_is_escaped_as_serde_json_does_it(string in r#"[a-cé🦀"\\/\n\t\x01]{0,12}"#) {
            let json = serde_json::to_string_pretty(&serde_json::json!([string])).unwrap();
            let mut builder = JsonStrBuilder::default();
            builder.push_text(&json);
            let text = builder.finish();
            prop_assert_eq!(text.as_json(), serde_json::to_string(&json).unwrap());
        }

        #[test]
        fn a_string_is_decoded_as_serde_json_decodes_it(string in r#"[a-cé🦀"\\/\n\t\r\x08\x0c\x01]{0,12}"#) {
            let plain = JsonStr::new(&string);
            prop_assert_eq!(plain.decode(), &*string);
            // JSON may escape a slash, and any character by its number.
            let escaped = plain.as_json().replace('/', r"\/").replace('a', r"\u0061");
            let escaped = text(&escaped);
            prop_assert_eq!(escaped.decode(), &*string);
        }
    }

    #[test]
    fn the_error_for_another_kind_of_value_names_it() {
        let error = serde_json::from_str::<JsonStr<'_>>("[1]").unwrap_err();
        assert!(error.to_string().contains("expected a string, found an array"));
    }

    #[test]
    fn a_split_surrogate_pair_is_joined() {
        let join = |pieces: &[&str]| {
            let mut joiner = SurrogateJoiner::default();
            let mut builder = JsonStrBuilder::default();
            for piece in pieces {
                let raw: &RawValue = serde_json::from_str(piece).unwrap();
                builder.push(&joiner.push(raw).unwrap());
            }
            if let Some(lost) = joiner.finish() {
                builder.push(&lost);
            }
            builder.finish().decode().into_owned()
        };
        assert_eq!(join(&[r#""H\ud83e""#, r#""\udd80!""#]), "H🦀!");
        assert_eq!(join(&[r#""H\ud83e""#, r#""x""#]), "H\u{FFFD}x");
        assert_eq!(join(&[r#""H\ud83e""#]), "H\u{FFFD}");
        assert_eq!(join(&[r#""H\ud83e""#, r#""""#, r#""\udd80""#]), "H🦀");
    }
}
