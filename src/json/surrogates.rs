//! Surrogates: `\uD83E` is half a character, and valid in JSON only by the letter.

use memchr::{memchr, memchr_iter};
use serde_json::value::RawValue;
use std::borrow::Cow;

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

/// An escaped string without lone surrogates, and the high surrogate at its very end, if there is one.
pub(super) struct Mended<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) split: &'a str,
}

impl Mended<'_> {
    pub(super) fn whole(self) -> String {
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
    memchr_iter(b'\\', bytes).any(|at| matches!(bytes.get(at + 1..), Some([b'u', b'd' | b'D', ..])))
}

/// RFC 8259 section 8.2 leaves lone surrogates "unpredictable"; strict readers refuse them.
pub(super) fn mend(escaped: &str) -> Mended<'_> {
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
