//! Code spans and fences of Markdown, in which a model quotes markup.

use super::matching::{Match, floor_boundary};

/// Reads the text so far, to its end.
#[derive(Debug, Default)]
pub(super) struct CodeQuotes {
    /// The open fence.
    fence: Option<Fence>,
    /// The fence that the current line opens, unless it turns out to be a span.
    opening: Option<Fence>,
    /// The current line closes the fence, unless other text follows in it.
    is_closing: bool,
    /// The backticks of the open span; 0 outside of one.
    span: usize,
    /// The equal marks at the end of the text.
    run: Option<Run>,
    line: Line,
    has_text: bool,
}

/// What may be code where a tag stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Code {
    /// A span with so many backticks, if they come again in the paragraph.
    Span(usize),
    Fence(Fence),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fence {
    mark: char,
    length: usize,
    /// The text begins with it.
    is_first: bool,
}

#[derive(Debug)]
struct Run {
    mark: char,
    length: usize,
    begins_line: bool,
}

/// The current line so far.
#[derive(Debug, Default, PartialEq)]
enum Line {
    /// Nothing but white space and the marks of a block quote.
    #[default]
    Blank,
    Text,
}

/// The fewest marks of a fence.
const FENCE: usize = 3;

impl CodeQuotes {
    pub(super) fn read(&mut self, text: &str) {
        for char in text.chars() {
            match (&mut self.run, char) {
                (Some(run), _) if run.mark == char => run.length += 1,
                (_, '`' | '~') => {
                    self.end_run();
                    let begins_line = self.line == Line::Blank;
                    self.run = Some(Run { mark: char, length: 1, begins_line });
                }
                _ => {
                    self.end_run();
                    self.read_other(char);
                }
            }
        }
    }

    fn read_other(&mut self, char: char) {
        match char {
            '\n' => self.end_line(),
            '>' if self.line == Line::Blank => {}
            _ if char.is_whitespace() => {}
            _ => self.add_text(),
        }
    }

    fn add_text(&mut self) {
        self.line = Line::Text;
        self.is_closing = false;
        self.has_text = true;
    }

    /// Passes over escaped text without marks, while [`CodeQuotes::needs_text`] is false. Only the end of the text
    /// matters, and most ends decide at once.
    pub(super) fn skip(&mut self, escaped: &str) {
        if !matches!(escaped.as_bytes().last(), None | Some(b'n' | b' ' | b'>')) {
            (self.line, self.has_text) = (Line::Text, true);
            return;
        }
        let text = escaped.trim_end_matches([' ', '>']);
        let before = text.strip_suffix('n').unwrap_or_default();
        let ends_line = (before.len() - before.trim_end_matches('\\').len()) % 2 == 1;
        if ends_line {
            self.line = Line::Blank;
        } else if !text.is_empty() {
            self.line = Line::Text;
        }
        self.has_text |= !text.is_empty();
    }

    /// What may be code at a tag that comes now.
    pub(super) fn code(&mut self) -> Option<Code> {
        self.end_run();
        let span = (self.span > 0).then_some(Code::Span(self.span));
        self.fence.map(Code::Fence).or(span)
    }

    /// Whether the next text must be read: it may end a span, or decide what the marks in a line mean.
    pub(super) fn needs_text(&self) -> bool {
        self.span > 0 || self.run.is_some() || self.opening.is_some() || self.is_closing
    }

    fn end_run(&mut self) {
        let Some(Run { mark, length, begins_line }) = self.run.take() else { return };
        let is_first = !self.has_text;
        let is_closing =
            begins_line && self.fence.is_some_and(|fence| fence.mark == mark && length >= fence.length);
        self.add_text();
        self.is_closing = is_closing;
        if self.fence.is_some() {
            return;
        }
        if begins_line && length >= FENCE {
            self.opening = Some(Fence { mark, length, is_first });
            self.span = if mark == '`' { length } else { 0 };
        } else if mark == '`' {
            self.opening = self.opening.filter(|fence| fence.mark != '`');
            self.span = match self.span {
                0 => length,
                open if open == length => 0,
                open => open,
            };
        }
    }

    fn end_line(&mut self) {
        if std::mem::take(&mut self.is_closing) {
            self.fence = None;
        }
        if self.opening.is_some() {
            self.fence = self.opening.take();
        }
        // A span does not go on in another paragraph.
        if self.fence.is_some() || self.line == Line::Blank {
            self.span = 0;
        }
        self.line = Line::Blank;
    }
}

impl Code {
    /// Whether calls that stand in it are quoted, by the text after them. A model that calls a tool may have opened a
    /// span or a fence without closing it, or have put its whole reply into a fence.
    pub(super) fn closes_after(self, after: &str, ended: bool) -> Match {
        match self {
            Self::Span(length) => span_closes(length, after, ended),
            Self::Fence(fence) => fence.closes(after, ended),
        }
    }
}

/// No span goes on for longer after a call, in bytes.
const MAX_SPAN: usize = 1024;

fn span_closes(length: usize, after: &str, ended: bool) -> Match {
    let ended = ended || after.len() > MAX_SPAN;
    let after = after.get(..floor_boundary(after, MAX_SPAN.min(after.len()))).unwrap_or_default();
    let paragraph = after.split_inclusive('\n').enumerate();
    let lines =
        paragraph.map_while(|(number, line)| (number == 0 || !line.trim().is_empty()).then_some(line));
    let read: usize = lines.map(str::len).sum();
    let (paragraph, rest) = after.split_at_checked(read).unwrap_or((after, ""));
    let ends_paragraph = rest.contains('\n') || ended;
    let mut text = paragraph;
    while let Some(at) = text.find('`') {
        let marks = text.get(at..).unwrap_or_default();
        text = marks.trim_start_matches('`');
        let may_grow = text.is_empty() && rest.is_empty() && !ended;
        match marks.len() - text.len() {
            _ if may_grow => return Match::Partial,
            run if run == length => return Match::Yes,
            _ => {}
        }
    }
    Match::partial_if(!ends_paragraph)
}

impl Fence {
    fn closes(self, after: &str, ended: bool) -> Match {
        let after = after.trim_start();
        let rest = after.trim_start_matches(self.mark);
        let marks = after.len() - rest.len();
        let can_be_all = marks == 0 || self.is_first && marks >= self.length;
        if !rest.trim().is_empty() {
            Match::Yes
        } else if !ended {
            Match::Partial
        } else if can_be_all {
            Match::No
        } else {
            Match::Yes
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_found_by_the_rules_of_markdown() {
        let fence = |mark, length| Some(Code::Fence(Fence { mark, length, is_first: false }));
        let first = |mark, length| Some(Code::Fence(Fence { mark, length, is_first: true }));
        for (text, code) in [
            ("", None),
            ("`", Some(Code::Span(1))),
            ("Write ``", Some(Code::Span(2))),
            ("`x` and `", Some(Code::Span(1))),
            ("`x`", None),
            ("The ` key: ", Some(Code::Span(1))),
            ("The ` key:\n", Some(Code::Span(1))),
            ("The ` key.\n\n", None),
            ("The ` key.\n \n", None),
            ("Use ```` ``` ````, ", None),
            ("Do not use ``` here.\n", Some(Code::Span(3))),
            ("```x``` is\n", None),
            ("```\n", first('`', 3)),
            ("\n```xml\n<a>\n", first('`', 3)),
            ("As:\n```xml\n`a`\n", fence('`', 3)),
            ("As:\n> ~~~~ a ` b\n", fence('~', 4)),
            ("As:\n ````\n```\n", fence('`', 4)),
            ("```xml\n<a>\n```\n", None),
            ("```xml\n<a>\n```` \n", None),
            ("```xml\n<a>\n``` x\n", first('`', 3)),
            ("```xml\n<a>\n~~~\n", first('`', 3)),
            ("```xml\n<a> ```\n", first('`', 3)),
            ("```bash\nls\n```\nNow:```\n", Some(Code::Span(3))),
        ] {
            let mut quotes = CodeQuotes::default();
            for piece in text.split("") {
                quotes.read(piece);
            }
            assert_eq!(quotes.code(), code, "{text}");
        }
    }

    #[test]
    fn text_that_is_passed_over_counts_as_text() {
        for (pieces, expected) in [
            (&["a", "\\n"][..], Line::Blank),
            (&["a\\n", "> "], Line::Blank),
            (&["a\\\\n"], Line::Text),
            (&["a\\n", "b"], Line::Text),
        ] {
            let mut quotes = CodeQuotes::default();
            pieces.iter().for_each(|piece| quotes.skip(piece));
            assert_eq!(quotes.line, expected, "{pieces:?}");
        }
    }

    #[test]
    fn the_text_after_a_call_says_whether_it_is_quoted() {
        let fence = |is_first| Code::Fence(Fence { mark: '`', length: 3, is_first });
        for (code, after, open, ended) in [
            (Code::Span(1), "` is the form.", Match::Yes, Match::Yes),
            (Code::Span(1), "\nand `` then `.", Match::Yes, Match::Yes),
            (Code::Span(1), " and `", Match::Partial, Match::Yes),
            (Code::Span(1), "\n\nThe ` key", Match::No, Match::No),
            (Code::Span(1), "\n ", Match::Partial, Match::No),
            (Code::Span(1), "", Match::Partial, Match::No),
            (fence(false), "\n", Match::Partial, Match::No),
            (fence(false), "\n```", Match::Partial, Match::Yes),
            (fence(false), "\nx", Match::Yes, Match::Yes),
            (fence(true), "\n```\n", Match::Partial, Match::No),
            (fence(true), "\n```\nDone.", Match::Yes, Match::Yes),
        ] {
            assert_eq!(
                (code.closes_after(after, false), code.closes_after(after, true)),
                (open, ended),
                "{after}"
            );
        }
    }
}
