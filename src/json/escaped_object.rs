//! Recognises a JSON object within a JSON string, such as the arguments of a call, without unescaping it.
//!
//! The history repeats the arguments of all earlier calls. To unescape them and to parse the copy was a tenth of the
//! instructions for a request of 1 MB; this takes a fifth of that.

use memchr::memchr;

/// Whether the characters of a JSON string, still escaped, certainly are one valid JSON object, perhaps within white
/// space. An object that is nested more than [`DEPTH`] levels deep, or that has an escape with a number, is not certain.
pub(super) fn is_object(escaped: &str) -> bool {
    let mut reader = Reader { rest: escaped.as_bytes() };
    reader.token() == Some(b'{') && reader.object(0).is_some() && reader.is_at_end()
}

const DEPTH: usize = 64;

struct Reader<'t> {
    rest: &'t [u8],
}

/// Each function reads what its name says. `None` if it is not there.
impl Reader<'_> {
    /// The next byte outside of strings, unescaped, that is not white space.
    fn token(&mut self) -> Option<u8> {
        self.skip_space();
        let (byte, rest) = match self.rest {
            [b'\\', b'"', rest @ ..] => (b'"', rest),
            [byte, rest @ ..] => (*byte, rest),
            [] => return None,
        };
        self.rest = rest;
        Some(byte)
    }

    fn skip_space(&mut self) {
        while let [b' ', rest @ ..] | [b'\\', b'n' | b't' | b'r', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn is_at_end(&mut self) -> bool {
        self.skip_space();
        self.rest.is_empty()
    }

    fn value(&mut self, first: u8, depth: usize) -> Option<()> {
        match first {
            b'"' => self.string(),
            b'{' => self.object(depth + 1),
            b'[' => self.array(depth + 1),
            b't' => self.word(b"rue"),
            b'f' => self.word(b"alse"),
            b'n' => self.word(b"ull"),
            b'-' | b'0'..=b'9' => self.number(first),
            _ => None,
        }
    }

    /// The rest of an object whose bracket was read.
    fn object(&mut self, depth: usize) -> Option<()> {
        let mut token = self.token().filter(|_| depth < DEPTH)?;
        if token == b'}' {
            return Some(());
        }
        loop {
            (token == b'"').then_some(())?;
            self.string()?;
            (self.token()? == b':').then_some(())?;
            let first = self.token()?;
            self.value(first, depth)?;
            match self.token()? {
                b',' => token = self.token()?,
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    /// The rest of an array whose bracket was read.
    fn array(&mut self, depth: usize) -> Option<()> {
        let mut token = self.token().filter(|_| depth < DEPTH)?;
        if token == b']' {
            return Some(());
        }
        loop {
            self.value(token, depth)?;
            match self.token()? {
                b',' => token = self.token()?,
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    /// The rest of a string whose quote was read. All but backslashes is plain, because it is within a string.
    fn string(&mut self) -> Option<()> {
        loop {
            let plain = memchr(b'\\', self.rest)?;
            self.rest = match self.rest.get(plain + 1..)? {
                [b'"', rest @ ..] => {
                    self.rest = rest;
                    return Some(());
                }
                [b'\\', b'\\', b'"' | b'\\', rest @ ..] => rest,
                [b'\\', b'/' | b'b' | b'f' | b'n' | b'r' | b't', rest @ ..] => rest,
                [b'/', rest @ ..] => rest,
                _ => return None,
            };
        }
    }

    fn number(&mut self, first: u8) -> Option<()> {
        let mut first = first;
        if first == b'-' {
            (first, self.rest) = self.rest.split_first().map(|(digit, rest)| (*digit, rest))?;
        }
        match first {
            b'0' => {}
            b'1'..=b'9' => self.skip_digits(),
            _ => return None,
        }
        if let [b'.', rest @ ..] = self.rest {
            self.rest = rest;
            self.digits()?;
        }
        if let [b'e' | b'E', b'+' | b'-', rest @ ..] | [b'e' | b'E', rest @ ..] = self.rest {
            self.rest = rest;
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        self.rest.first().filter(|byte| byte.is_ascii_digit())?;
        self.skip_digits();
        Some(())
    }

    fn skip_digits(&mut self) {
        while let [b'0'..=b'9', rest @ ..] = self.rest {
            self.rest = rest;
        }
    }

    fn word(&mut self, rest_of_word: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(rest_of_word)?;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Completeness, JsonStr, completeness};
    use super::*;
    use proptest::prelude::*;

    fn is_object_in(text: &str) -> bool {
        is_object(JsonStr::new(text).escaped())
    }

    #[test]
    fn objects_are_recognised() {
        for (text, expected) in [
            (r#"{}"#, true),
            (" {\n\t\"a\": [1, -0.5e+3, true, false, null, [], {}, \"\\\\\\\"\\n/\"]} \n", true),
            (r#"{"cmd":"rg -n \"é\" src","n":10}"#, true),
            (r#"{"a":"\u00e9"}"#, false),
            (r#"{"a":1,}"#, false),
            (r#"{"a" 1}"#, false),
            (r#"{"a":01}"#, false),
            (r#"{"a":- 1}"#, false),
            (r#"{"a":1.}"#, false),
            (r#"{"a":1e}"#, false),
            ("{\"a\":\"\n\"}", false),
            (r#"{"a":"\x"}"#, false),
            (r#"{a:1}"#, false),
            (r#"{"a":1} x"#, false),
            (r#"{"a":[1}"#, false),
            (r#"{"a":"x"#, false),
            ("[]", false),
            ("", false),
        ] {
            assert_eq!(is_object_in(text), expected, "{text}");
        }
        assert!(is_object(r#"{\"a\":\"\/\"}"#), "a slash that is escaped within the outer string");
    }

    #[test]
    fn deep_objects_are_not_certain() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        assert!(is_object_in(&nested(DEPTH - 1)));
        assert!(!is_object_in(&nested(DEPTH)));
    }

    proptest! {
        #[test]
        fn what_is_recognised_is_an_object_for_serde_json(
            pieces in prop::collection::vec(prop_oneof![
                Just("{".to_owned()), Just("}".to_owned()), Just("\"a\":".to_owned()), Just(",".to_owned()),
                "[\\[\\]{},: \\n\"\\\\]",
                "-?[0-9]{0,2}(\\.[0-9]{0,2})?([eE][+-]?[0-9]{0,2})?",
                "\"[a-zé\\n]{0,4}\"",
                "\"(\\\\[\"\\\\/bfnrtux]|[ -~]){0,4}\"",
                "true|false|null|nul",
            ], 0..8),
        ) {
            let text = format!("{{{}}}", pieces.concat());
            prop_assert!(!is_object_in(&text) || completeness(&text) == Completeness::Complete, "{text}");
        }
    }
}
