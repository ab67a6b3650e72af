//! JSON strings that are passed on as they were escaped.

use super::surrogates::{Mended, mend};
use super::{Kind, RawJson};
use memchr::{memchr, memmem};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A JSON string, quotes and escapes as they are on the wire.
#[derive(Debug, Clone)]
pub struct JsonStr<'a>(RawJson<'a>);

impl<'a> JsonStr<'a> {
    /// The string that `raw` holds, or nothing if it holds something else.
    pub fn of(raw: &'a RawValue) -> Option<Self> {
        let escaped = inside_quotes(raw.get())?;
        Some(match mend(escaped) {
            Mended { text: Cow::Borrowed(_), split: "" } => Self::valid(raw.get()),
            mended => Self::from_escaped(&mended.whole()),
        })
    }

    /// Escapes `text`.
    pub fn new(text: &str) -> JsonStr<'static> {
        JsonStr(RawJson::new(text))
    }

    /// A text of which it is known that it is one JSON string without lone surrogates.
    pub(super) fn valid(json: impl Into<Cow<'a, str>>) -> Self {
        Self(RawJson::valid(json))
    }

    fn from_escaped(escaped: &str) -> JsonStr<'static> {
        let mut builder = JsonStrBuilder::default();
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
            Some(_) => Cow::Owned(
                unescaped(escaped).unwrap_or_else(|| serde_json::from_str(self.0.get()).unwrap_or_default()),
            ),
        }
    }

    /// One text of all.
    pub fn joined(texts: impl IntoIterator<Item = Self>, separator: &str) -> Self {
        let mut texts = texts.into_iter();
        let Some(first) = texts.next() else { return JsonStr::new("") };
        let Some(second) = texts.next() else { return first };
        let separator = JsonStr::new(separator);
        let mut whole = JsonStrBuilder::default();
        whole.push(&first);
        for text in std::iter::once(second).chain(texts) {
            whole.push(&separator);
            whole.push(&text);
        }
        whole.finish()
    }

    /// The same string, borrowed from this one.
    pub fn borrowed(&self) -> JsonStr<'_> {
        JsonStr::valid(self.as_json())
    }

    /// The same string, borrowed from nowhere.
    pub fn into_owned(self) -> JsonStr<'static> {
        JsonStr(self.0.into_owned())
    }

    /// The same, as any JSON value.
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

/// Collects the pieces of one JSON string.
#[derive(Debug, Clone, Default)]
pub struct JsonStrBuilder(String);

impl JsonStrBuilder {
    /// An empty string with room for so many escaped bytes.
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

    /// Length of what was collected, in escaped bytes.
    pub fn len(&self) -> usize {
        self.0.len().saturating_sub(1)
    }

    /// Whether nothing was collected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The whole string.
    pub fn finish(mut self) -> JsonStr<'static> {
        self.push_escaped("\"");
        if self.0.len() == 1 {
            self.0.push('"');
        }
        // The pieces are whole JSON strings without their quotes, so their sum is one too.
        JsonStr::valid(self.0)
    }
}

/// Joins the pieces in which a string arrives: the first half of a surrogate pair waits for the second.
#[derive(Debug, Clone, Default)]
pub struct SurrogateJoiner {
    waiting: String,
}

impl SurrogateJoiner {
    /// The next piece, as far as it can go out now. It may be empty.
    pub fn push<'a>(&mut self, raw: &'a RawValue) -> Option<JsonStr<'a>> {
        inside_quotes(raw.get())?;
        Some(self.join(JsonStr::valid(raw.get())))
    }

    /// The same, for a string that was read.
    pub(super) fn join<'a>(&mut self, piece: JsonStr<'a>) -> JsonStr<'a> {
        if self.is_empty() && memmem::find(piece.escaped().as_bytes(), b"\\u").is_none() {
            return piece;
        }
        let joined = std::mem::take(&mut self.waiting) + piece.escaped();
        let mended = mend(&joined);
        self.waiting = mended.split.to_owned();
        JsonStr::from_escaped(&mended.text)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// No piece follows: a half that still waits has lost its other half.
    pub fn finish(&mut self) -> Option<JsonStr<'static>> {
        let lost = !std::mem::take(&mut self.waiting).is_empty();
        lost.then(|| JsonStr::new("\u{FFFD}"))
    }
}

/// What an escaped string stands for, if it has no other escapes than those of one letter: most have no others, and
/// serde_json, which knows all, grows its buffer from nothing for each string.
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

    proptest! {
        #[test]
        fn a_text_is_decoded_as_serde_json_decodes_it(string in r#"[a-cé🦀"\\/\n\t\r\x08\x0c\x01]{0,12}"#) {
            let plain = JsonStr::new(&string);
            prop_assert_eq!(plain.decode(), &*string);
            // JSON may escape a slash, and any character by its number.
            let escaped = plain.as_json().replace('/', r"\/").replace('a', r"\u0061");
            let escaped = text(&escaped);
            prop_assert_eq!(escaped.decode(), &*string);
        }
    }

    #[test]
    fn a_value_that_is_no_string_is_refused_by_its_kind() {
        let error = serde_json::from_str::<JsonStr<'_>>("[1]").unwrap_err();
        assert!(error.to_string().contains("expected a string, found an array"));
    }

    #[test]
    fn a_seam_joins_a_split_pair() {
        let join = |pieces: &[&str]| {
            let mut seam = SurrogateJoiner::default();
            let mut builder = JsonStrBuilder::default();
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
}
