//! Reads Rust source well enough to see what it uses: tokens, without comments, literals and test code.

use std::fs;
use std::iter::Peekable;
use std::ops::Range;
use std::path::Path;
use std::str::CharIndices;

/// One file of `src/`.
pub(crate) struct Source {
    /// Relative to `src/`: `items/mod.rs`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// The tokens outside of items marked `#[cfg(test)]`.
    pub(crate) tokens: Vec<Token>,
    /// How many lines items marked `#[cfg(test)]` take.
    test_lines: usize,
}

pub(crate) struct Token {
    pub(crate) text: String,
    line: usize,
}

impl Source {
    /// All of `src/`, without the files that hold tests only.
    pub(crate) fn all() -> Vec<Self> {
        let mut sources = Vec::new();
        collect(Path::new("src"), &mut sources);
        sources.sort_by(|a, b| a.path.cmp(&b.path));
        assert!(sources.len() > 50, "src/ was read");
        sources
    }

    fn new(path: String, text: String) -> Self {
        let mut tokens = tokens(&text);
        let mut test_lines = 0;
        while let Some(range) = test_item(&tokens) {
            test_lines += tokens[range.end - 1].line - tokens[range.start].line + 1;
            tokens.drain(range);
        }
        Self { path, text, tokens, test_lines }
    }

    /// The module directly below the crate's root that the file belongs to; `lib` is the root itself.
    pub(crate) fn room(&self) -> &str {
        self.path.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// Lines of code and comments, test code left out.
    pub(crate) fn lines(&self) -> usize {
        self.text.lines().count() - self.test_lines
    }

    /// How many modules the file is below the crate's root.
    fn depth(&self) -> usize {
        let module = self.path.trim_end_matches(".rs").trim_end_matches("/mod");
        if module == "lib" { 0 } else { module.split('/').count() }
    }

    /// The modules that its paths lead to, from `crate::` or from as many `super::` as reach the root.
    pub(crate) fn uses(&self) -> Vec<&str> {
        let mut rooms = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            let follows_a_path = at > 0 && self.is(at - 1, "::");
            let root = match token.text.as_str() {
                _ if follows_a_path => None,
                "crate" => Some(at),
                "super" => self.root_by_super(at),
                _ => None,
            };
            if let Some(root) = root.filter(|root| self.is(root + 1, "::")) {
                rooms.extend(self.heads(root + 2));
            }
        }
        rooms.retain(|room| *room != self.room());
        rooms.sort_unstable();
        rooms.dedup();
        rooms
    }

    /// The last `super` of a chain that reaches the crate's root.
    fn root_by_super(&self, at: usize) -> Option<usize> {
        let chain = (at..).step_by(2).take_while(|at| self.is(*at, "super") && self.is(at + 1, "::"));
        let chain: Vec<usize> = chain.collect();
        if chain.len() < self.depth() { None } else { chain.last().copied() }
    }

    /// The first names of a path, or of each path in braces.
    fn heads(&self, at: usize) -> Vec<&str> {
        if !self.is(at, "{") {
            return self.tokens.get(at).map(|token| token.text.as_str()).into_iter().collect();
        }
        let (mut heads, mut depth) = (Vec::new(), 0);
        for (at, token) in self.tokens.iter().enumerate().skip(at) {
            match token.text.as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                name if depth == 1 && (self.is(at - 1, "{") || self.is(at - 1, ",")) => heads.push(name),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        heads
    }

    /// The types that have an inherent `impl` here.
    pub(crate) fn inherent_impls(&self) -> Vec<&str> {
        let starts_an_item =
            |at: usize| at == 0 || ["}", ";", "]", "{"].iter().any(|end| self.is(at - 1, end));
        let impls = (0..self.tokens.len()).filter(|at| self.is(*at, "impl") && starts_an_item(*at));
        impls.filter_map(|at| self.implemented(at)).collect()
    }

    /// The type of the `impl` at this place, if it is not the implementation of a trait.
    fn implemented(&self, at: usize) -> Option<&str> {
        let (mut name, mut depth) = (None, 0_usize);
        for token in &self.tokens[at + 1..] {
            match token.text.as_str() {
                "<" => depth += 1,
                ">" => depth = depth.saturating_sub(1),
                "for" if depth == 0 => return None,
                "$" => return None, // A macro writes it.
                "{" | "where" => break,
                text if depth == 0 && is_word(text) => name = Some(text),
                _ => {}
            }
        }
        name
    }

    /// The types that are defined here.
    pub(crate) fn types(&self) -> Vec<&str> {
        let pairs = self.tokens.windows(2);
        let types = pairs.filter(|pair| ["struct", "enum", "union"].contains(&pair[0].text.as_str()));
        types.map(|pair| pair[1].text.as_str()).collect()
    }

    /// The structs with named fields that are defined here, and how many fields each has.
    pub(crate) fn fields(&self) -> Vec<(&str, usize)> {
        let structs = (0..self.tokens.len()).filter(|at| self.is(*at, "struct"));
        structs.filter_map(|at| Some((self.tokens.get(at + 1)?.text.as_str(), self.fields_of(at)?))).collect()
    }

    /// The colons in the braces of a struct: each field has one, and paths are tokens of their own.
    fn fields_of(&self, at: usize) -> Option<usize> {
        let ends = |token: &&Token| ["{", ";", "("].contains(&token.text.as_str());
        let body = at + self.tokens.get(at..)?.iter().position(|token| ends(&token))?;
        self.is(body, "{").then(|| {
            let fields = self.tokens[body..].iter().take_while(|token| token.text != "}");
            fields.filter(|token| token.text == ":").count()
        })
    }

    fn is(&self, at: usize, text: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.text == text)
    }
}

fn collect(directory: &Path, into: &mut Vec<Source>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs") && !path.ends_with("tests.rs") {
            let name = path.strip_prefix("src").unwrap().to_str().unwrap().to_owned();
            into.push(Source::new(name, fs::read_to_string(&path).unwrap()));
        }
    }
}

/// Where an item marked `#[cfg(test)]` is, its attribute included.
fn test_item(tokens: &[Token]) -> Option<Range<usize>> {
    let mark = ["#", "[", "cfg", "(", "test", ")", "]"];
    let is_mark = |window: &[Token]| window.iter().zip(mark).all(|(token, text)| token.text == text);
    let start = tokens.windows(mark.len()).position(is_mark)?;
    let mut depth = 0;
    for (at, token) in tokens.iter().enumerate().skip(start + mark.len()) {
        match token.text.as_str() {
            "{" => depth += 1,
            "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 && ["}", ";"].contains(&token.text.as_str()) {
            return Some(start..at + 1);
        }
    }
    None
}

fn is_word(text: &str) -> bool {
    text.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Words, `::`, and single characters of all else.
fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = text.char_indices().peekable();
    let mut line = 1;
    while let Some((at, first)) = chars.next() {
        let rest = &text[at..];
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            '"' => string(rest),
            '\'' => character(rest),
            _ if is_raw_string(rest) => raw_string(rest),
            _ if first.is_whitespace() => first.len_utf8(),
            _ => {
                let length = word_or_sign(rest);
                tokens.push(Token { text: rest[..length].to_owned(), line });
                length
            }
        };
        line += rest[..length].matches('\n').count();
        skip_to(&mut chars, at + length);
    }
    tokens
}

fn skip_to(chars: &mut Peekable<CharIndices<'_>>, end: usize) {
    while chars.next_if(|(at, _)| *at < end).is_some() {}
}

/// The length of a string literal.
fn string(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of a character literal; of a lifetime only its quote.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((escaped, _))) => {
            let after = escaped + 1;
            rest[after..].find('\'').map_or(rest.len(), |end| after + end + 1)
        }
        (Some(_), Some((end, '\''))) => end + 1,
        _ => 1,
    }
}

fn is_raw_string(rest: &str) -> bool {
    let rest = rest.strip_prefix('b').unwrap_or(rest);
    rest.strip_prefix('r').is_some_and(|rest| rest.trim_start_matches('#').starts_with('"'))
}

/// The length of `r"…"`, `r#"…"#`, `br"…"`.
fn raw_string(rest: &str) -> usize {
    let start = rest.find('"').unwrap();
    let end = format!("\"{}", "#".repeat(rest[..start].matches('#').count()));
    rest[start + 1..].find(&end).map_or(rest.len(), |at| start + 1 + at + end.len())
}

/// The length of a word, of `::`, or of one character.
fn word_or_sign(rest: &str) -> usize {
    if rest.starts_with("::") {
        return 2;
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    let word = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
    if word == 0 { rest.chars().next().unwrap().len_utf8() } else { word }
}

#[test]
fn paths_are_found_and_literals_are_not() {
    let text = r##"
        use crate::{error::Code, json::{self, Raw}}; // crate::comment
        fn f<'a>(c: char) -> bool { c == '"' || c == '\'' || super::super::wire::is("crate::string") }
        const R: &str = r#"crate::raw "#;
        #[cfg(test)]
        mod tests { use crate::test; }
        fn g() { crate::bounds::f(); super::inner::crate_like() }
    "##;
    let source = Source::new("items/message.rs".into(), text.into());
    assert_eq!(source.uses(), ["bounds", "error", "json", "wire"]);
    assert_eq!(source.lines(), text.lines().count() - 2);
}

#[test]
fn fields_are_counted() {
    let text = "struct A<T: Copy> { pub a: b::C<T>, #[x(y)] pub(crate) d: [u8; 2] } struct B(u8); struct C;";
    let source = Source::new("items/message.rs".into(), text.into());
    assert_eq!(source.fields(), [("A", 2)]);
}

#[test]
fn an_inherent_impl_is_told_from_a_trait_impl() {
    let text = "struct A<T>(T); impl<T: Into<u8>> A<T> {} impl Clone for A<u8> {} impl fmt::Debug for B {}
        fn f() -> impl Fn() {} impl super::C<'_> where u8: Copy {}";
    let source = Source::new("items/message.rs".into(), text.into());
    assert_eq!((source.types(), source.inherent_impls()), (vec!["A"], vec!["A", "C"]));
}
