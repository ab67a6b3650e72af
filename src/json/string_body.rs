//! A JSON string in a model's text: it arrives in pieces and may be invalid.

use super::{JsonStr, JsonStrBuilder, SurrogateJoiner};
use memchr::memchr;

/// Reads a JSON string from behind its opening quote to its closing one, piece by piece, and passes it on as it is
/// escaped.
///
/// Models write JSON that is almost valid, and the text must arrive nevertheless. So only what JSON does not allow is
/// rewritten:
/// * a raw control character is escaped;
/// * an unknown escape such as `\d` means its character;
/// * in `\u00g9` the `g` counts as 0;
/// * half of a surrogate pair becomes U+FFFD.
#[derive(Debug, Default)]
pub struct StringBody {
    /// The beginning of an escape that continues in the next piece.
    escape: String,
    surrogates: SurrogateJoiner,
}

impl StringBody {
    /// Whether `piece` consists of plain characters only, so that it can be passed on without being read: within a JSON
    /// string that holds JSON text, quotes and escapes of the inner text begin with a backslash of the outer one.
    pub fn is_plain(&self, piece: &JsonStr<'_>) -> bool {
        let nothing_waits = self.escape.is_empty() && self.surrogates.is_empty();
        nothing_waits && memchr(b'\\', piece.escaped().as_bytes()).is_none()
    }

    /// Reads the next piece. Returns what can be passed on now, and what follows the closing quote once that has come.
    pub fn push<'p>(&mut self, piece: &'p str) -> (JsonStr<'static>, Option<&'p str>) {
        let mut text = JsonStrBuilder::with_capacity(piece.len());
        let after = self.read(piece, &mut text);
        (self.surrogates.join(text.finish()), after)
    }

    /// Ends the string: half of a surrogate pair that still waits is replaced.
    pub fn finish(&mut self) -> Option<JsonStr<'static>> {
        self.surrogates.finish()
    }

    fn read<'p>(&mut self, piece: &'p str, text: &mut JsonStrBuilder) -> Option<&'p str> {
        let mut rest = if self.escape.is_empty() { piece } else { self.escape(piece, text) };
        while let Some((plain, special)) =
            rest.bytes().position(is_special).and_then(|at| rest.split_at_checked(at))
        {
            text.push_escaped(plain);
            rest = match special.strip_prefix('"') {
                Some(after) => return Some(after),
                None if special.starts_with('\\') => self.escape(special, text),
                None => push_char(special, text),
            };
        }
        text.push_escaped(rest);
        None
    }

    /// Reads an escape, or the rest of one, and returns what follows it.
    fn escape<'p>(&mut self, piece: &'p str, text: &mut JsonStrBuilder) -> &'p str {
        let mut chars = piece.chars();
        for char in chars.by_ref() {
            self.escape.push(char);
            if is_complete(&self.escape) {
                push_escape(&self.escape, text);
                self.escape.clear();
                break;
            }
        }
        chars.as_str()
    }
}

/// Whether a character is special in a JSON string.
fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

fn is_complete(escape: &str) -> bool {
    match escape.as_bytes() {
        [] | [_] => false,
        [_, b'u', digits @ ..] => digits.len() >= 4 && escape.chars().count() == "\\u0000".len(),
        _ => true,
    }
}

fn push_escape(escape: &str, text: &mut JsonStrBuilder) {
    match escape.as_bytes() {
        [_, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't'] => text.push_escaped(escape),
        [_, b'u', digits @ ..] if digits.iter().all(u8::is_ascii_hexdigit) => text.push_escaped(escape),
        [_, b'u', ..] => {
            let hex = |char: char| if char.is_ascii_hexdigit() { char } else { '0' };
            let digits: String = escape.chars().skip(2).map(hex).collect();
            text.push_escaped(&format!("\\u{digits}"));
        }
        _ => {
            push_char(escape.trim_start_matches('\\'), text);
        }
    }
}

/// Escapes the first character, and returns what follows it.
fn push_char<'p>(special: &'p str, text: &mut JsonStrBuilder) -> &'p str {
    let mut chars = special.chars();
    let char: String = chars.by_ref().take(1).collect();
    text.push(&JsonStr::new(&char));
    chars.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `body` and its closing quote in pieces of `size` characters.
    fn read(body: &str, size: usize) -> String {
        let (mut reader, mut text) = (StringBody::default(), JsonStrBuilder::default());
        let chars: Vec<char> = format!("{body}\"").chars().collect();
        let mut is_closed = false;
        for piece in chars.chunks(size) {
            let piece: String = piece.iter().collect();
            let (read, after) = reader.push(&piece);
            serde_json::from_str::<String>(read.as_json()).unwrap();
            text.push(&read);
            is_closed |= after == Some("");
        }
        assert!(is_closed, "{body}");
        text.push(&reader.finish().unwrap_or_default());
        text.finish().as_json().to_owned()
    }

    #[test]
    fn what_is_valid_keeps_its_escapes() {
        for body in ["", "plain", r#"a\n\"\\\/\u00E9\u00e9"#, r"\ud83e\udd80", "Grüße 🦀\u{7f}"] {
            for size in 1..9 {
                assert_eq!(read(body, size), format!("\"{body}\""), "by {size}");
            }
        }
    }

    #[test]
    fn what_is_not_valid_is_repaired() {
        for (body, repaired) in [
            ("a\nb\u{1}", r#""a\nb\u0001""#),
            (r"\d+\é\🦀", r#""d+é🦀""#),
            ("\\\n", r#""\n""#),
            (r"\u00g9\uzzé1", r#""\u0009\u0001""#),
            (r#"\u00"1"#, r#""\u0001""#),
            (r"a\ud83eb", r#""a\ufffdb""#),
            (r"\udd80", r#""\ufffd""#),
            (r"\ud83e\ud83e\udd80", r#""\ufffd\ud83e\udd80""#),
        ] {
            for size in 1..9 {
                assert_eq!(read(body, size), repaired, "{body} by {size}");
            }
        }
    }
}
