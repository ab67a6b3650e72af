//! Arguments as Gemma writes them: an object with bare keys, and strings between special tokens.
//!
//! `{city:<|"|>Paris<|"|>,days:3}` becomes `{"city":"Paris","days":3}`.

use super::matching::{Match, partial_tag_at_end};
use super::object_reader::{ObjectReader, Progress, push_escaped, with_gap};
use crate::json::JsonStr;
use serde_json::value::RawValue;

/// Reads such an object.
#[derive(Debug)]
pub(super) struct QuotedObject {
    /// The token before and after a string.
    quote: &'static str,
    json: String,
    /// The closing brackets of the open objects and arrays, outermost first.
    open: Vec<char>,
    in_string: bool,
}

impl ObjectReader for QuotedObject {
    fn token(&mut self, rest: &str) -> Result<usize, Progress> {
        if self.in_string { Ok(self.string(rest)) } else { self.outside_string(rest) }
    }

    fn take_json(&mut self) -> Option<String> {
        (self.open.is_empty() && self.json.ends_with('}')).then(|| std::mem::take(&mut self.json))
    }
}

impl QuotedObject {
    pub(super) fn new(quote: &'static str) -> Self {
        Self { quote, json: String::new(), open: Vec::new(), in_string: false }
    }

    /// Reads a part of a string. 0: the text holds at most a part of the token that ends it.
    fn string(&mut self, rest: &str) -> usize {
        let end = rest.find(self.quote);
        let length = end.unwrap_or_else(|| rest.len() - partial_tag_at_end(rest, self.quote));
        push_escaped(&mut self.json, rest.get(..length).unwrap_or_default());
        if end.is_none() {
            return length;
        }
        self.in_string = false;
        self.json.push('"');
        length + self.quote.len()
    }

    /// Reads a bracket, a separator, a word or the beginning of a string. 0: the text ends within it.
    fn outside_string(&mut self, rest: &str) -> Result<usize, Progress> {
        let gap = rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return Ok(gap) };
        match first {
            '{' => self.open.push('}'),
            '[' => self.open.push(']'),
            '}' | ']' if self.open.pop() != Some(first) => return Err(Progress::Invalid),
            '}' | ']' | ',' | ':' => {}
            _ => return Ok(with_gap(gap, self.string_or_word(rest).unwrap_or(0))),
        }
        self.json.push(first);
        Ok(gap + 1)
    }

    fn string_or_word(&mut self, rest: &str) -> Option<usize> {
        match Match::with_tag(rest, self.quote) {
            Match::Partial => return None,
            Match::Yes => {
                self.in_string = true;
                self.json.push('"');
                return Some(self.quote.len());
            }
            Match::No => {}
        }
        let is_key = self.json.ends_with(['{', ',']) && self.open.last() == Some(&'}');
        let ends: &[char] = if is_key { &[':'] } else { &[',', '}', ']'] };
        let length = if rest.starts_with('"') { json_string_length(rest)? } else { rest.find(ends)? };
        let word = rest.get(..length).unwrap_or_default().trim_end();
        let is_json = serde_json::from_str::<&RawValue>(word).is_ok() && (!is_key || word.starts_with('"'));
        if is_json {
            self.json.push_str(word);
        } else {
            self.json.push_str(JsonStr::new(word).as_json());
        }
        Some(length)
    }
}

/// The length of the JSON string at the beginning of a text, with its quotes.
fn json_string_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, char) in text.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::object_reader::tests::in_pieces;
    use super::*;

    fn read(text: &str, piece: usize) -> Progress {
        let mut object = QuotedObject::new("<|\"|>");
        in_pieces(text, piece, |text| object.read(text))
    }

    #[test]
    fn objects_become_json_however_they_are_cut() {
        for (text, json) in [
            ("{}", "{}"),
            (r#"{q:<|"|>x<|"|>}"#, r#"{"q":"x"}"#),
            (r#"{q:<|"|>a "b" {c}, <|d é\n<|"|>, n:5}"#, r#"{"q":"a \"b\" {c}, <|d é\\n","n":5}"#),
            (r#"{ a : [1, <|"|>x<|"|>, {b:true}], c:null }"#, r#"{"a":[1,"x",{"b":true}],"c":null}"#),
            (r#"{<|"|>q<|"|>:<|"|><|"|>}"#, r#"{"q":""}"#),
            (r#"{"q":"a\"b","r":1.5}"#, r#"{"q":"a\"b","r":1.5}"#),
            ("{path:/tmp/a b.txt,url:http://x}", r#"{"path":"/tmp/a b.txt","url":"http://x"}"#),
            ("{1:2}", r#"{"1":2}"#),
        ] {
            for piece in [1, 2, 3, 7, text.len()] {
                assert_eq!(
                    read(text, piece),
                    Progress::Complete(json.to_owned()),
                    "{text} in pieces of {piece}"
                );
            }
        }
    }

    #[test]
    fn other_texts_are_no_object() {
        for text in ["{q:}", "{q:1]", "{q:[1}", "{,}", "{q:1,}"] {
            assert_eq!(read(text, text.len()), Progress::Invalid, "{text}");
        }
        for text in ["", "{", "{q", "{q:<|", "{q:<|\"|>x<|\"|", "{q:1"] {
            assert_eq!(read(text, text.len().max(1)), Progress::Undecided, "{text}");
        }
    }
}
