//! Code spans and fences of Markdown, in which a model quotes markup.

/// Reads the text so far, to its end.
#[derive(Debug, Default)]
pub(super) struct CodeQuotes {
    /// The backticks of the open fence; 0 outside of one.
    fence: usize,
    /// The backticks of the open span, which ends with its line; 0 outside of one.
    span: usize,
    /// The backticks at the end of the text.
    run: usize,
    /// A tag was found at the beginning of the span, so all in it is quoted.
    quotes_tag: bool,
}

/// The fewest backticks of a fence.
const FENCE: usize = 3;

impl CodeQuotes {
    pub(super) fn read(&mut self, text: &str) {
        for byte in text.bytes() {
            if byte == b'`' {
                self.run += 1;
                continue;
            }
            self.end_run();
            if byte == b'\n' {
                self.end_span();
            }
        }
    }

    /// Whether a tag that comes now is quoted. A backtick earlier in the line is not enough: models also write single ones.
    pub(super) fn quote_tag(&mut self) -> bool {
        self.end_run_before_tag();
        self.fence > 0 || self.quotes_tag
    }

    /// Whether the next text must be read: it may end a span, or decide what a backtick means.
    pub(super) fn needs_text(&self) -> bool {
        self.span > 0 || self.run > 0
    }

    fn end_run_before_tag(&mut self) {
        let opens = self.run > 0 && self.span == 0;
        self.end_run();
        self.quotes_tag |= opens && self.span > 0;
    }

    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        match run {
            0 => {}
            FENCE.. if self.fence == 0 => self.fence = run,
            FENCE.. if run >= self.fence => self.fence = 0,
            _ if self.fence > 0 => {}
            _ if self.span == 0 => self.span = run,
            _ if self.span == run => self.end_span(),
            _ => {}
        }
    }

    fn end_span(&mut self) {
        self.span = 0;
        self.quotes_tag = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_quoted_after_an_opening_backtick_and_in_a_fence() {
        for (text, quoted) in [
            ("", false),
            ("`", true),
            ("Write `", true),
            ("``", true),
            ("`x` and `", true),
            ("`x`", false),
            ("The ` key: ", false),
            ("The ` key.\n", false),
            ("`a", false),
            ("`a\n`", true),
            ("```\n", true),
            ("```xml\n<a>\n", true),
            ("```xml\n`a`\n", true),
            ("````\n```\n", true),
            ("```xml\n<a>\n```\n", false),
            ("```xml\n<a>\n```", false),
        ] {
            let mut quotes = CodeQuotes::default();
            for piece in text.split("") {
                quotes.read(piece);
            }
            assert_eq!(quotes.quote_tag(), quoted, "{text}");
        }
    }
}
