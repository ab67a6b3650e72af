//! Takes the input of a custom tool out of a function's arguments while they arrive.

use crate::json::{JsonStr, StringBody};
use serde_json::Value;

/// The input in arguments of a form other than `{"input": "..."}`. Models also use a different key, a bare string, or
/// send the input itself. It must arrive in all cases.
pub(super) fn other_form(arguments: &str) -> String {
    match serde_json::from_str(arguments) {
        Ok(Value::String(text)) => encoded_twice(&text).unwrap_or(text),
        Ok(Value::Null) => String::new(),
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

/// The input of arguments that are a JSON string. Any other string is the input itself.
fn encoded_twice(arguments: &str) -> Option<String> {
    match serde_json::from_str::<Value>(arguments).ok()?.get_mut("input")?.take() {
        Value::String(input) => Some(input),
        _ => None,
    }
}

/// Takes the string out of `{"input": "..."}`, which is itself a JSON string (`arguments`) and split anywhere.
///
/// The input is decoded once, from `arguments`. The result is the body of a JSON string, as a delta needs it, and its
/// escapes are passed on unchanged.
#[derive(Debug, Default)]
pub(super) struct InputReader {
    state: State,
    input: StringBody,
    /// Something else follows the string.
    deviates: bool,
}

#[derive(Debug)]
enum State {
    /// This many characters of [`OPENING`] have arrived.
    Opening(usize),
    /// Within the string.
    Input,
    /// After the string.
    Closing { object_closed: bool },
    /// The arguments have another form, see [`other_form`].
    Other,
}

impl Default for State {
    fn default() -> Self {
        Self::Opening(0)
    }
}

/// The text before the input, without white space.
const OPENING: &[u8] = b"{\"input\":\"";

impl InputReader {
    /// Whether the string has begun.
    pub(super) fn began(&self) -> bool {
        matches!(self.state, State::Input | State::Closing { .. })
    }

    /// Whether something else follows the string.
    pub(super) fn deviates(&self) -> bool {
        self.deviates
    }

    /// Reads the next piece of the arguments; returns what it adds to the input.
    pub(super) fn push<'p>(&mut self, piece: &'p JsonStr<'_>) -> JsonStr<'p> {
        if matches!(self.state, State::Input) && self.input.is_plain(piece) {
            return piece.borrowed();
        }
        let piece = piece.decode();
        let rest = self.opening(&piece);
        if !matches!(self.state, State::Input) {
            self.closing(rest);
            return JsonStr::default();
        }
        let (input, after) = self.input.push(rest);
        if let Some(after) = after {
            self.state = State::Closing { object_closed: false };
            self.closing(after);
        }
        input
    }

    /// The end of the input, if half a character still waits for its other half.
    pub(super) fn finish(&mut self) -> JsonStr<'static> {
        self.input.finish().unwrap_or_default()
    }

    /// Reads what comes before the input; returns what follows it.
    fn opening<'p>(&mut self, piece: &'p str) -> &'p str {
        let mut bytes = piece.as_bytes().iter();
        while let State::Opening(matched) = self.state {
            let Some(byte) = bytes.next() else { return "" };
            // White space is allowed between tokens, but not within the key.
            let may_skip = byte.is_ascii_whitespace() && !(2..=7).contains(&matched);
            self.state = match OPENING.get(matched..) {
                Some([expected]) if expected == byte => State::Input,
                Some([expected, ..]) if expected == byte => State::Opening(matched + 1),
                _ if may_skip => State::Opening(matched),
                _ => State::Other,
            };
        }
        piece.get(piece.len() - bytes.len()..).unwrap_or_default()
    }

    /// Reads what comes after the input: the brace that closes the object, and white space.
    fn closing(&mut self, rest: &str) {
        let State::Closing { object_closed } = &mut self.state else { return };
        for byte in rest.bytes() {
            if byte == b'}' && !*object_closed {
                *object_closed = true;
            } else {
                self.deviates |= !byte.is_ascii_whitespace();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::JsonStrBuilder;
    use proptest::prelude::*;

    fn read<'p>(pieces: impl IntoIterator<Item = &'p str>) -> String {
        let (mut reader, mut input) = (InputReader::default(), JsonStrBuilder::default());
        for piece in pieces {
            let piece = JsonStr::new(piece);
            let delta = reader.push(&piece);
            serde_json::from_str::<String>(delta.as_json()).unwrap();
            input.push(&delta);
        }
        assert!(reader.began() && !reader.deviates());
        input.push(&reader.finish());
        input.finish().decode().into_owned()
    }

    /// The pieces between these characters.
    fn split(text: &str, mut cuts: Vec<usize>) -> Vec<&str> {
        cuts.retain(|cut| text.is_char_boundary(*cut));
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        cuts.windows(2).filter_map(|cut| text.get(cut[0]..cut[1])).collect()
    }

    /// A character, as a model may escape it.
    fn written() -> impl Strategy<Value = String> {
        let plain =
            prop_oneof!["[a-c é🦀}{]", r#"\\["\\/bfnrt]"#, r"\\u00[0-9a-fA-F]{2}", r"\\ud83[c-e]\\udd80",];
        prop::collection::vec(plain, 0..20).prop_map(|characters| characters.concat())
    }

    proptest! {
        #[test]
        fn the_deltas_are_what_serde_json_reads(
            body in written(),
            space in "[ \n\t]{0,2}",
            cuts in prop::collection::vec(0..200_usize, 0..30),
        ) {
            let arguments = format!("{{{space}\"input\"{space}:{space}\"{body}\"{space}}}{space}");
            let expected: Value = serde_json::from_str(&arguments).unwrap();
            prop_assert_eq!(read(split(&arguments, cuts)), expected["input"].as_str().unwrap());
        }
    }

    #[test]
    fn other_arguments_do_not_begin() {
        for arguments in
            ["", "{}", "\"bare\"", r#"{"patch":"x"}"#, r#"{"in put":"x"}"#, r#"{"input":1}"#, "x"]
        {
            let (mut reader, arguments) = (InputReader::default(), JsonStr::new(arguments));
            assert!(reader.push(&arguments).is_empty() && !reader.began(), "{}", arguments.decode());
        }
    }

    #[test]
    fn what_follows_the_input_is_noticed() {
        for (arguments, deviates) in
            [(r#"{"input":"x"} "#, false), (r#"{"input":"x"}}"#, true), (r#"{"input":"x","other":1}"#, true)]
        {
            let (mut reader, arguments) = (InputReader::default(), JsonStr::new(arguments));
            assert_eq!(reader.push(&arguments).as_json(), "\"x\"");
            assert_eq!(reader.deviates(), deviates, "{}", arguments.decode());
        }
    }

    #[test]
    fn other_forms_lose_no_text() {
        for (arguments, text) in [
            ("{}", ""),
            ("\"bare\"", "bare"),
            ("null", ""),
            (r#""null""#, "null"),
            (r#""{\"input\":\"x\"}""#, "x"),
            (r#""{\"a\":\"x\"}""#, r#"{"a":"x"}"#),
            (r#"{"patch":"other key"}"#, "other key"),
            (r#"{"a":1,"input":"second"}"#, "second"),
            (r#"{"a":1,"b":2}"#, r#"{"a":1,"b":2}"#),
            ("*** Begin Patch", "*** Begin Patch"),
        ] {
            assert_eq!(other_form(arguments), text, "{arguments}");
        }
    }
}
