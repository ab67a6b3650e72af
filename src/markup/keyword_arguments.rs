//! Arguments in the form of Python, as Llama and LFM2 write them: keyword arguments with literals.
//!
//! `(city='Paris', days=3, now=True)` becomes `{"city":"Paris","days":3,"now":true}`.

use super::matching::Match;
use super::object_reader::{ObjectReader, Progress, push_escaped, with_gap};
use super::placeholder;
use serde_json::value::RawValue;

/// Reads such arguments.
#[derive(Debug, Default)]
pub(super) struct KeywordArguments {
    json: String,
    /// The open brackets, outermost first.
    open: Vec<Bracket>,
    /// The quotes that end the string.
    quotes: Option<&'static str>,
}

#[derive(Debug)]
struct Bracket {
    /// What closes it in the text.
    close: char,
    /// What closes it in JSON.
    json_close: char,
    has_comma: bool,
}

/// The quotes around strings.
const QUOTES: &[&str] = &["\"\"\"", "'''", "\"", "'"];

/// Python's constants, and those of JSON, which OLMo 3 writes.
const CONSTANTS: &[(&str, &str)] = &[
    ("True", "true"),
    ("False", "false"),
    ("None", "null"),
    ("true", "true"),
    ("false", "false"),
    ("null", "null"),
];

impl ObjectReader for KeywordArguments {
    fn token(&mut self, rest: &str) -> Result<usize, Progress> {
        match self.quotes {
            Some(quotes) => Ok(self.string(rest, quotes)),
            None => self.outside_string(rest).ok_or_else(|| self.problem(rest)),
        }
    }

    fn take_json(&mut self) -> Option<String> {
        (self.open.is_empty() && self.json.ends_with('}')).then(|| std::mem::take(&mut self.json))
    }
}

/// Lengths are 0 if the text ends within what is read, and `None` if these are no keyword arguments.
impl KeywordArguments {
    /// Reads a bracket, a separator, a word or the beginning of a string.
    fn outside_string(&mut self, rest: &str) -> Option<usize> {
        let gap = rest.len() - rest.trim_start().len();
        let rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return Some(gap) };
        match first {
            '(' if self.open.is_empty() => self.open(')', '{', '}'),
            '(' => self.open(')', '[', ']'), // a tuple
            '[' => self.open(']', '[', ']'),
            '{' => self.open('}', '{', '}'),
            ')' | ']' | '}' => self.close(first)?,
            ',' => self.comma()?,
            ':' => self.json.push(first),
            '"' | '\'' => return Some(with_gap(gap, self.opening_quotes(rest)?)),
            _ => {
                let Some(end) = rest.find(|char: char| !is_word_char(char)) else {
                    return (rest.len() <= MAX_WORD).then_some(0);
                };
                let (word, after) = rest.split_at(end);
                return Some(with_gap(gap, self.word(word, after)?));
            }
        }
        Some(gap + 1)
    }

    fn open(&mut self, close: char, json: char, json_close: char) {
        self.json.push(json);
        self.open.push(Bracket { close, json_close, has_comma: false });
    }

    fn comma(&mut self) -> Option<()> {
        self.open.last_mut()?.has_comma = true;
        self.json.push(',');
        Some(())
    }

    fn close(&mut self, close: char) -> Option<()> {
        let bracket = self.open.pop().filter(|bracket| bracket.close == close)?;
        // Python allows a comma after the last value.
        let ends_with_comma = self.json.ends_with(',');
        if ends_with_comma {
            self.json.pop();
        }
        let is_empty = self.json.ends_with(['{', '[']);
        let is_tuple = close == ')' && !self.open.is_empty();
        // A comma alone is no value, and brackets around a single value make no tuple of it.
        let is_valid = if is_empty { !ends_with_comma } else { !is_tuple || bracket.has_comma };
        is_valid.then(|| self.json.push(bracket.json_close))
    }

    /// Three quotes can be those of a long string, or an empty string and the beginning of another one.
    fn opening_quotes(&mut self, rest: &str) -> Option<usize> {
        let matches = |wanted: Match| QUOTES.iter().find(|quotes| Match::with_tag(rest, quotes) == wanted);
        if matches(Match::Partial).is_some() {
            return Some(0);
        }
        let quotes = matches(Match::Yes)?;
        self.quotes = Some(quotes);
        self.json.push('"');
        Some(quotes.len())
    }

    /// Reads a keyword and its `=`, or a literal.
    fn word(&mut self, word: &str, after: &str) -> Option<usize> {
        let is_keyword = self.open.len() == 1 && self.json.ends_with(['{', ',']);
        if is_keyword { self.keyword(word, after) } else { self.literal(word) }
    }

    fn literal(&mut self, word: &str) -> Option<usize> {
        // In JSON, two numbers without a comma would be one.
        let may_begin = self.json.ends_with(['[', ',', ':']);
        let known = CONSTANTS.iter().find(|(python, _)| *python == word).map(|(_, json)| *json);
        let is_json = || serde_json::from_str::<&RawValue>(word).is_ok();
        self.json.push_str(known.or_else(|| is_json().then_some(word)).filter(|_| may_begin)?);
        Some(word.len())
    }

    fn keyword(&mut self, word: &str, after: &str) -> Option<usize> {
        let begins = word.starts_with(|char: char| char.is_alphabetic() || char == '_');
        if !begins || word.contains(['+', '-', '.']) {
            return None;
        }
        let next = after.trim_start();
        if !next.starts_with('=') {
            return (next.is_empty() && after.len() <= MAX_WORD).then_some(0);
        }
        self.json.push('"');
        push_escaped(&mut self.json, word);
        self.json.push_str("\":");
        Some(word.len() + after.len() - next.len() + 1)
    }

    /// Why the rest is no keyword arguments.
    fn problem(&self, rest: &str) -> Progress {
        let expects_value = self.json.ends_with(['{', '[', ',', ':']);
        let is_placeholder = expects_value && placeholder::begins(rest.trim_start());
        if is_placeholder { Progress::Placeholder } else { Progress::Invalid }
    }

    /// Reads a part of a string. 0: the text ends within an escape or the quotes.
    fn string(&mut self, rest: &str, quotes: &'static str) -> usize {
        let length = rest.find(|char| char == '\\' || quotes.starts_with(char)).unwrap_or(rest.len());
        if length > 0 {
            push_escaped(&mut self.json, rest.get(..length).unwrap_or_default());
            return length;
        }
        if rest.starts_with('\\') {
            return self.escape(rest).unwrap_or(0);
        }
        match Match::with_tag(rest, quotes) {
            Match::Partial => 0,
            Match::Yes => {
                self.quotes = None;
                self.json.push('"');
                quotes.len()
            }
            // A single quote within three.
            Match::No => {
                push_escaped(&mut self.json, quotes.get(..1).unwrap_or_default());
                1
            }
        }
    }

    /// Reads an escape (The Python Language Reference, "Escape sequences"). Octal escapes, `\a`, `\v` and `\N{...}` stay as
    /// they are written. `None`: the text ends within it.
    fn escape(&mut self, rest: &str) -> Option<usize> {
        let escaped = rest.chars().nth(1)?;
        let digits = match escaped {
            '"' | '\\' | 'b' | 'f' | 'n' | 'r' | 't' => {
                self.json.extend(['\\', escaped]);
                return Some(2);
            }
            '\'' => {
                self.json.push(escaped);
                return Some(2);
            }
            // The line goes on.
            '\n' => return Some(2),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            // It stands for itself, as in a regular expression.
            _ => 0,
        };
        if rest.len() < 2 + digits {
            return None;
        }
        let digits_of = |digits: &&str| digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = rest.get(2..2 + digits).filter(digits_of);
        let number = number.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        match (number, number.and_then(char::from_u32)) {
            (Some(_), Some(char)) => push_escaped(&mut self.json, char.encode_utf8(&mut [0; 4])),
            // One half of a pair of surrogates, which JSON also has.
            (Some(half @ 0..=0xFFFF), None) => self.json.push_str(&format!("\\u{half:04x}")),
            _ => {
                self.json.push_str("\\\\");
                return Some(1);
            }
        }
        Some(2 + digits)
    }
}

/// The longest keyword or number, and the most white space after a keyword, in bytes.
const MAX_WORD: usize = 256;

/// Whether a keyword, a number or another literal can have this character.
fn is_word_char(char: char) -> bool {
    char.is_alphanumeric() || "_+-.".contains(char)
}

#[cfg(test)]
mod tests {
    use super::super::object_reader::tests::in_pieces;
    use super::*;

    fn read(text: &str, piece: usize) -> Progress {
        let mut arguments = KeywordArguments::default();
        in_pieces(text, piece, |text| arguments.read(text))
    }

    #[test]
    fn keyword_arguments_become_json_however_they_are_cut() {
        for (text, json) in [
            ("()", "{}"),
            ("( )", "{}"),
            ("(city='Paris', n=5)", r#"{"city":"Paris","n":5}"#),
            ("(a = True,b=False , c=None)", r#"{"a":true,"b":false,"c":null}"#),
            ("(a=true, b=null)", r#"{"a":true,"b":null}"#),
            ("(x=-2.5e3, y=1e+5,)", r#"{"x":-2.5e3,"y":1e+5}"#),
            (r#"(a="it's", b='say "hi"')"#, r#"{"a":"it's","b":"say \"hi\""}"#),
            (r"(a='it\'s\n\t\\ \d', b='\x41\u00e9\U0001F600')", r#"{"a":"it's\n\t\\ \\d","b":"Aé😀"}"#),
            (r#"(a="\ud83d\ude00\xzz\u12")"#, r#"{"a":"\ud83d\ude00\\xzz\\u12"}"#),
            ("(a='x\\\ny\nz')", r#"{"a":"xy\nz"}"#),
            ("(a='''it's \"x\"\n''', b=\"\"\"\"q\" \"\"\")", r#"{"a":"it's \"x\"\n","b":"\"q\" "}"#),
            ("(a='', b=\"\")", r#"{"a":"","b":""}"#),
            (
                "(o={'a': [1, {'b': (1, 2,)}], \"c\": {}}, l=[])",
                r#"{"o":{"a":[1,{"b":[1,2]}],"c":{}},"l":[]}"#,
            ),
            ("(\n  a=1,\n  b=')',\n)", r#"{"a":1,"b":")"}"#),
            ("(é=1)", r#"{"é":1}"#),
        ] {
            for piece in [1, 2, 3, 7, text.len()] {
                let expected = Progress::Complete(json.to_owned());
                assert_eq!(read(text, piece), expected, "{text} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn other_texts_are_no_keyword_arguments() {
        for text in [
            "('Paris')",
            "(city)",
            "(5)",
            "(=1)",
            "(5=1)",
            "(+x=1)",
            "(a.b=1)",
            "(a=b)",
            "(a=f())",
            "(a=1+1)",
            "(a=1 b=2)",
            "(a=1 2)",
            "(a=[1 2])",
            "(a=True 1)",
            "(a=(1))",
            "(a=('x'))",
            "(a=)",
            "(a=1,,)",
            "(,)",
            "(**a)",
            "(a=[1})",
            "(a=1]",
            "(a==1)",
            "(a='x' 'y')",
            "(a={1, 2})",
            "(a=f'x')",
        ] {
            for piece in [1, text.len()] {
                assert_eq!(read(text, piece), Progress::Invalid, "{text} in pieces of {piece}");
            }
        }
        let long = "1".repeat(MAX_WORD + 1);
        for text in [format!("(a={long}"), format!("({long}"), format!("(a{}", " ".repeat(MAX_WORD + 1))] {
            assert_eq!(read(&text, 1), Progress::Invalid, "{text}");
        }
        for text in ["(...)", "(a=...)", "(a=[…])", "( <city> )", "(a=<city>)"] {
            for piece in [1, text.len()] {
                assert_eq!(read(text, piece), Progress::Placeholder, "{text} in pieces of {piece}");
            }
        }
        for text in ["", "(", "(a", "(a ", "(a=", "(a=1", "(a='x", "(a='x\\", "(a='''x''", "(a=[1]"] {
            assert_eq!(read(text, text.len().max(1)), Progress::Undecided, "{text}");
        }
    }
}
