//! Lone surrogates: JSON's grammar allows `\ud83e` alone, but it is half a character, and strict readers reject it (RFC
//! 8259 section 8.2 calls the result "unpredictable"). They become `\ufffd`.

use memchr::{memchr, memchr_iter};
use std::borrow::Cow;

/// Replaces lone surrogates in JSON text, such as a body or a function's arguments. Borrowed if there are none.
pub fn without_lone_surrogates(json: &str) -> Cow<'_, str> {
    match repair(json).text {
        Cow::Owned(repaired) if repaired != json => Cow::Owned(repaired),
        _ => Cow::Borrowed(json),
    }
}

/// Escaped text without lone surrogates.
pub(super) struct Repaired<'a> {
    pub(super) text: Cow<'a, str>,
    /// A high surrogate that ends the text, e.g. `\ud83e`; otherwise empty. Its other half may be in the next piece.
    pub(super) split: &'a str,
}

impl Repaired<'_> {
    /// The text if no other piece follows.
    pub(super) fn into_complete(self) -> String {
        let mut text = self.text.into_owned();
        if !self.split.is_empty() {
            text.push_str("\\ufffd");
        }
        text
    }
}

/// Whether there may be a surrogate: also true for `\ud000`, and for `\\ud800`, which is an escaped backslash.
fn may_hold_surrogates(escaped: &str) -> bool {
    let bytes = escaped.as_bytes();
    memchr_iter(b'\\', bytes).any(|at| matches!(bytes.get(at + 1..), Some([b'u', b'd' | b'D', ..])))
}

/// Replaces lone surrogates.
pub(super) fn repair(escaped: &str) -> Repaired<'_> {
    if !may_hold_surrogates(escaped) {
        return Repaired { text: Cow::Borrowed(escaped), split: "" };
    }
    let mut text = String::with_capacity(escaped.len());
    let mut rest = escaped;
    while let Some((before, escape)) = memchr(b'\\', rest.as_bytes()).and_then(|at| rest.split_at_checked(at))
    {
        text.push_str(before);
        let (length, surrogate) = escape_at(escape);
        let (escape, after) = escape.split_at_checked(length).unwrap_or((escape, ""));
        rest = after;
        match surrogate {
            Surrogate::None => text.push_str(escape),
            Surrogate::Low => text.push_str("\\ufffd"),
            Surrogate::High if after.is_empty() => return Repaired { text: Cow::Owned(text), split: escape },
            Surrogate::High => match escape_at(after) {
                (length, Surrogate::Low) => {
                    let (low, after) = after.split_at_checked(length).unwrap_or((after, ""));
                    text.push_str(escape);
                    text.push_str(low);
                    rest = after;
                }
                _ => text.push_str("\\ufffd"),
            },
        }
    }
    text.push_str(rest);
    Repaired { text: Cow::Owned(text), split: "" }
}

enum Surrogate {
    None,
    High,
    Low,
}

/// The length of the escape at the beginning of `text`, in bytes, and whether it is a surrogate.
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
