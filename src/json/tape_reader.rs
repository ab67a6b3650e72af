//! Reads a text into the nodes of a tape.

use super::structural_mask::StructuralMask;
use super::tape::{Bounds, Kind, ParseError, TapeNode};

/// What follows a backslash.
#[derive(Clone, Copy)]
enum Escape {
    Invalid,
    /// A letter or a slash.
    Letter,
    /// A quote or a backslash.
    Structural,
    /// `u`, before four digits.
    Number,
}

/// By the byte.
#[allow(clippy::indexing_slicing)] // Evaluated at compile time, where an index out of range is an error.
static ESCAPES: [Escape; 256] = {
    let mut escapes = [Escape::Invalid; 256];
    let mut at = 0;
    while at < LETTERS.len() {
        escapes[LETTERS[at] as usize] = Escape::Letter;
        at += 1;
    }
    escapes[b'"' as usize] = Escape::Structural;
    escapes[b'\\' as usize] = Escape::Structural;
    escapes[b'u' as usize] = Escape::Number;
    escapes
};
const LETTERS: &[u8] = b"/bfnrt";

/// Reads a text into nodes.
pub(super) struct TapeReader<'t> {
    bytes: &'t [u8],
    mask: StructuralMask<'t>,
    at: usize,
    nodes: Vec<TapeNode>,
    has_surrogates: bool,
    bounds: Bounds,
}

impl<'t> TapeReader<'t> {
    /// The nodes of a text, and whether it may have escaped surrogates.
    pub(super) fn read(bytes: &'t [u8], bounds: Bounds) -> Result<(Vec<TapeNode>, bool), ParseError> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(ParseError::TooMany);
        }
        // Conversations have about one node in 40 bytes. To move the nodes later costs more than the room.
        let nodes = Vec::with_capacity(bytes.len() / 32);
        let mut reader =
            Self { bytes, mask: StructuralMask::of(bytes), at: 0, nodes, has_surrogates: false, bounds };
        reader.value(0)?;
        reader.skip_space();
        match reader.peek() {
            None => Ok((reader.nodes, reader.has_surrogates)),
            Some(_) => Err(ParseError::Syntax),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Skips this byte if it comes next.
    fn takes(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn expect(&mut self, byte: u8) -> Result<(), ParseError> {
        if self.takes(byte) { Ok(()) } else { Err(ParseError::Syntax) }
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Most values are strings.
    #[inline]
    fn value(&mut self, depth: usize) -> Result<(), ParseError> {
        self.bounds.values = self.bounds.values.checked_sub(1).ok_or(ParseError::TooMany)?;
        self.skip_space();
        if self.peek() == Some(b'"') { self.string() } else { self.other_value(depth) }
    }

    fn other_value(&mut self, depth: usize) -> Result<(), ParseError> {
        match self.peek() {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal(Kind::Boolean, b"true"),
            Some(b'f') => self.literal(Kind::Boolean, b"false"),
            Some(b'n') => self.literal(Kind::Null, b"null"),
            _ => Err(ParseError::Syntax),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), ParseError> {
        let object = self.open(Kind::Object, depth)?;
        self.skip_space();
        if !self.takes(b'}') {
            loop {
                self.skip_space();
                match self.peek() {
                    Some(b'"') => self.string()?,
                    _ => return Err(ParseError::Syntax),
                }
                self.skip_space();
                self.expect(b':')?;
                self.value(depth)?;
                self.skip_space();
                if !self.takes(b',') {
                    break self.expect(b'}')?;
                }
            }
        }
        self.close(object);
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), ParseError> {
        let array = self.open(Kind::Array, depth)?;
        self.skip_space();
        if !self.takes(b']') {
            loop {
                self.value(depth)?;
                self.skip_space();
                if !self.takes(b',') {
                    break self.expect(b']')?;
                }
            }
        }
        self.close(array);
        Ok(())
    }

    /// Begins an array or object; returns the index of its node.
    fn open(&mut self, kind: Kind, depth: usize) -> Result<usize, ParseError> {
        if depth > self.bounds.depth {
            return Err(ParseError::TooDeep);
        }
        self.push(kind, false, self.at);
        self.at += 1;
        Ok(self.nodes.len() - 1)
    }

    fn close(&mut self, opened: usize) {
        let (end, size) = (self.at as u32, (self.nodes.len() - opened) as u32);
        if let Some(node) = self.nodes.get_mut(opened) {
            (node.end, node.size) = (end, size);
        }
    }

    /// Appends a node that ends here.
    fn push(&mut self, kind: Kind, escaped: bool, start: usize) {
        self.nodes.push(TapeNode { kind, escaped, start: start as u32, end: self.at as u32, size: 1 });
    }

    /// Reads a string whose opening quote is next.
    fn string(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        let mut escaped = false;
        self.mask.skip_to(start + 1);
        loop {
            // Nearly all of a request is skipped here.
            let at = self.mask.next().ok_or(ParseError::Syntax)?;
            match self.bytes.get(at..) {
                Some([b'"', ..]) => {
                    self.at = at + 1;
                    break;
                }
                Some([b'\\', byte, digits @ ..]) => match ESCAPES.get(usize::from(*byte)) {
                    Some(Escape::Letter) => {}
                    // What is escaped is structural itself.
                    Some(Escape::Structural) => _ = self.mask.next(),
                    Some(Escape::Number) => self.number_of_escape(digits)?,
                    _ => return Err(ParseError::Syntax),
                },
                _ => return Err(ParseError::Syntax),
            }
            escaped = true;
        }
        self.push(Kind::String, escaped, start);
        Ok(())
    }

    fn number_of_escape(&mut self, digits: &[u8]) -> Result<(), ParseError> {
        let digits: &[u8; 4] = digits.first_chunk().ok_or(ParseError::Syntax)?;
        // U+D800 to U+DFFF, and some others.
        self.has_surrogates |= matches!(digits, [b'd' | b'D', ..]);
        if digits.iter().all(u8::is_ascii_hexdigit) { Ok(()) } else { Err(ParseError::Syntax) }
    }

    fn number(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        let mut kind = Kind::Integer;
        self.takes(b'-');
        if !self.takes(b'0') {
            self.digits()?;
        }
        if self.takes(b'.') {
            kind = Kind::Decimal;
            self.digits()?;
        }
        if self.takes(b'e') || self.takes(b'E') {
            kind = Kind::Decimal;
            let _sign = self.takes(b'+') || self.takes(b'-');
            self.digits()?;
        }
        self.push(kind, false, start);
        Ok(())
    }

    /// Skips digits; at least one is needed.
    fn digits(&mut self) -> Result<(), ParseError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(ParseError::Syntax) }
    }

    fn literal(&mut self, kind: Kind, word: &[u8]) -> Result<(), ParseError> {
        let start = self.at;
        self.at += word.len();
        self.push(kind, false, start);
        if self.bytes.get(start..self.at) == Some(word) { Ok(()) } else { Err(ParseError::Syntax) }
    }
}
