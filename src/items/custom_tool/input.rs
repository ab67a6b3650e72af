//! The text of a custom tool's call, read out of a function's arguments: a JSON string within a JSON string, cut anywhere.

use serde_json::Value;

/// The text of arguments that are not written as `{"input": "..."}`: models also send another key,
/// a bare string, or the raw text itself. It must arrive all the same.
pub(super) fn other_form(arguments: &str) -> String {
    match serde_json::from_str(arguments) {
        Ok(Value::String(text)) => text,
        Ok(Value::Object(mut object)) => match (object.remove("input"), object.len()) {
            (Some(Value::String(text)), _) => text,
            (None, 0) => String::new(),
            (None, 1) => match object.into_iter().next() {
                Some((_, Value::String(text))) => text,
                _ => arguments.to_owned(),
            },
            _ => arguments.to_owned(),
        },
        _ => arguments.to_owned(),
    }
}

/// Takes the string out of `{"input": "..."}` as it arrives.
#[derive(Debug, Default)]
pub(super) struct InputReader {
    state: ReaderState,
    /// A high surrogate whose low one has not come yet.
    high: Option<u16>,
    /// Something else follows the string.
    deviates: bool,
}

#[derive(Debug, Default)]
enum ReaderState {
    /// Nothing has come yet.
    #[default]
    Opening,
    /// Matched this many characters of [`OPENING`].
    Matched(usize),
    /// Within the string.
    Text,
    /// After a backslash within the string.
    Escape,
    /// Within the digits of `\u`.
    Unicode { digits: u8, value: u16 },
    /// After the string: within the brace that closes the object, or behind it.
    Closed { object: bool },
    /// The arguments have another form, see [`other_form`].
    Other,
}

/// What comes before the text, white space aside.
const OPENING: &str = "{\"input\":\"";

impl InputReader {
    /// Whether the string has begun.
    pub(super) fn began(&self) -> bool {
        !matches!(self.state, ReaderState::Opening | ReaderState::Matched(_) | ReaderState::Other)
    }

    /// Whether something else follows the string.
    pub(super) fn deviates(&self) -> bool {
        self.deviates
    }

    /// What `piece`, the next of the arguments, adds to the text.
    pub(super) fn push(&mut self, piece: &str) -> String {
        let mut text = String::with_capacity(piece.len());
        for char in piece.chars() {
            self.step(char, &mut text);
        }
        text
    }

    /// A half of a surrogate pair that lost its other half.
    pub(super) fn finish(&mut self) -> String {
        self.high.take().map(|_| char::REPLACEMENT_CHARACTER).into_iter().collect()
    }

    fn step(&mut self, char: char, text: &mut String) {
        self.state = match std::mem::take(&mut self.state) {
            ReaderState::Opening => self.opening(0, char),
            ReaderState::Matched(matched) => self.opening(matched, char),
            ReaderState::Text => match char {
                '"' => {
                    text.push_str(&self.finish());
                    ReaderState::Closed { object: false }
                }
                '\\' => ReaderState::Escape,
                other => self.literal(other, text),
            },
            ReaderState::Escape => match char {
                'u' => ReaderState::Unicode { digits: 0, value: 0 },
                'n' => self.literal('\n', text),
                't' => self.literal('\t', text),
                'r' => self.literal('\r', text),
                'b' => self.literal('\u{8}', text),
                'f' => self.literal('\u{c}', text),
                other => self.literal(other, text),
            },
            ReaderState::Unicode { digits, value } => {
                // JSON demands hexadecimal digits here; whatever else comes counts as 0.
                let value =
                    (value << 4) | char.to_digit(16).and_then(|digit| u16::try_from(digit).ok()).unwrap_or(0);
                match digits {
                    3 => self.unit(value, text),
                    _ => ReaderState::Unicode { digits: digits + 1, value },
                }
            }
            ReaderState::Closed { object: false } if char == '}' => ReaderState::Closed { object: true },
            state @ ReaderState::Closed { .. } => {
                self.deviates |= !char.is_ascii_whitespace();
                state
            }
            ReaderState::Other => ReaderState::Other,
        };
    }

    fn opening(&self, matched: usize, char: char) -> ReaderState {
        let mut expected = OPENING.chars().skip(matched);
        match expected.next() {
            Some(next) if next == char => match expected.next() {
                Some(_) => ReaderState::Matched(matched + 1),
                None => ReaderState::Text,
            },
            // White space may stand between the tokens, not within the key.
            _ if char.is_ascii_whitespace() && !(2..=7).contains(&matched) => ReaderState::Matched(matched),
            _ => ReaderState::Other,
        }
    }

    fn literal(&mut self, char: char, text: &mut String) -> ReaderState {
        text.push_str(&self.finish());
        text.push(char);
        ReaderState::Text
    }

    /// One UTF-16 unit that was written as `\uXXXX`.
    fn unit(&mut self, unit: u16, text: &mut String) -> ReaderState {
        let is_high = (0xD800..=0xDBFF).contains(&unit);
        match self.high.take() {
            None if is_high => self.high = Some(unit),
            Some(_) if is_high => {
                text.push(char::REPLACEMENT_CHARACTER);
                self.high = Some(unit);
            }
            high => {
                let units = high.into_iter().chain([unit]);
                text.extend(
                    char::decode_utf16(units).map(|char| char.unwrap_or(char::REPLACEMENT_CHARACTER)),
                );
            }
        }
        ReaderState::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXTS: &[&str] =
        &["", "plain", "*** Begin Patch\n+\"quoted\"\\\t\u{8}\n", "Grüße 🦀\u{FFFF}", "{\"input\":\"x\"}"];

    fn read(arguments: &str, size: usize) -> String {
        let mut reader = InputReader::default();
        let chars: Vec<char> = arguments.chars().collect();
        let mut text: String =
            chars.chunks(size).map(|piece| reader.push(&piece.iter().collect::<String>())).collect();
        assert!(reader.began(), "{arguments}");
        text.push_str(&reader.finish());
        text
    }

    #[test]
    fn the_text_arrives_however_the_arguments_are_cut() {
        for text in TEXTS {
            let compact = serde_json::json!({ "input": text }).to_string();
            let spaced = compact.replacen("{\"input\":", "{ \n\"input\" :\t ", 1);
            let escaped: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            let escaped = format!("{{\"input\":\"{escaped}\"}}");
            for arguments in [&compact, &spaced, &escaped] {
                for size in 1..=arguments.len() {
                    assert_eq!(read(arguments, size), *text, "{arguments} by {size}");
                }
            }
        }
    }

    #[test]
    fn lone_surrogates_become_replacement_characters() {
        for (arguments, text) in [
            (r#"{"input":"a\ud83eb"}"#, "a\u{FFFD}b"),
            (r#"{"input":"\ud83e"}"#, "\u{FFFD}"),
            (r#"{"input":"\udd80"}"#, "\u{FFFD}"),
            (r#"{"input":"\ud83e\ud83e\udd80"}"#, "\u{FFFD}🦀"),
        ] {
            assert_eq!(read(arguments, 1), text, "{arguments}");
        }
    }

    #[test]
    fn other_forms_lose_no_text() {
        for (arguments, text) in [
            ("{}", ""),
            ("\"bare\"", "bare"),
            (r#"{"patch":"other key"}"#, "other key"),
            (r#"{"a":1,"input":"second"}"#, "second"),
            (r#"{"a":1,"b":2}"#, r#"{"a":1,"b":2}"#),
            ("*** Begin Patch", "*** Begin Patch"),
        ] {
            assert_eq!(other_form(arguments), text, "{arguments}");
        }
    }
}
