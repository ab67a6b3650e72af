//! Finds the end of a JSON object or array while it arrives in pieces.

use memchr::memchr2;

/// Counts brackets outside of strings. Does not check that the JSON is valid.
#[derive(Debug, Clone, Default)]
pub struct DepthScanner {
    depth: usize,
    in_string: bool,
    escaped: bool,
    closed: bool,
}

impl DepthScanner {
    /// Reads the next bytes. Returns whether the document has ended.
    pub fn push(&mut self, bytes: &[u8]) -> bool {
        self.split(bytes);
        self.closed
    }

    /// Reads the next bytes and splits them after the bracket that ends the document, if it is among them.
    pub fn split<'b>(&mut self, bytes: &'b [u8]) -> (&'b [u8], &'b [u8]) {
        let mut at = 0;
        while !self.closed {
            let rest = bytes.get(at..).unwrap_or_default();
            // In a string, only quotes and backslashes matter.
            let skipped = if self.in_string && !self.escaped {
                memchr2(b'"', b'\\', rest).unwrap_or(rest.len())
            } else {
                0
            };
            let Some(byte) = rest.get(skipped) else { return (bytes, &[]) };
            self.step(*byte);
            at += skipped + 1;
        }
        bytes.split_at_checked(at).unwrap_or((bytes, &[]))
    }

    fn step(&mut self, byte: u8) {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                self.closed |= self.depth == 0;
            }
            _ => {}
        }
    }

    /// Whether a string or a bracket is open.
    pub fn is_inside(&self) -> bool {
        self.in_string || self.depth > 0
    }

    /// Whether a string is open.
    pub fn is_in_string(&self) -> bool {
        self.in_string
    }

    /// Whether the document has ended.
    pub fn closed(&self) -> bool {
        self.closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_bracket_ends_the_document() {
        let mut scanner = DepthScanner::default();
        for byte in br#"{"a":"}\"}","b":[{}]"# {
            assert!(!scanner.push(&[*byte]));
        }
        assert!(scanner.push(b"}"));
    }
}
