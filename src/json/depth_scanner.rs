//! Where a JSON document ends, told while it passes by.

use memchr::memchr2;

/// Watches a JSON object or array go by and tells when its last bracket has closed.
#[derive(Debug, Clone, Default)]
pub struct DepthScanner {
    depth: usize,
    in_string: bool,
    escaped: bool,
    closed: bool,
}

impl DepthScanner {
    /// Looks at the next bytes; true from the byte on that closes the document.
    pub fn push(&mut self, bytes: &[u8]) -> bool {
        self.split(bytes);
        self.closed
    }

    /// Splits `bytes` behind the byte that closes the document, if it is among them.
    pub fn split<'b>(&mut self, bytes: &'b [u8]) -> (&'b [u8], &'b [u8]) {
        let mut at = 0;
        while !self.closed {
            let rest = bytes.get(at..).unwrap_or_default();
            // In a string nothing matters but what may end it.
            let skipped = match self.in_string && !self.escaped {
                true => memchr2(b'"', b'\\', rest).unwrap_or(rest.len()),
                false => 0,
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

    /// Whether the document has closed.
    pub fn closed(&self) -> bool {
        self.closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_close_at_the_last_one_only() {
        let mut brackets = DepthScanner::default();
        for byte in br#"{"a":"}\"}","b":[{}]"# {
            assert!(!brackets.push(&[*byte]));
        }
        assert!(brackets.push(b"}"));
    }
}
