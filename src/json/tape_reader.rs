//! Reads a text into the nodes of a tape.

use super::structural_mask::StructuralMask;
use super::tape::{Bounds, Kind, ParseError, TapeNode};

/// What follows a backslash.
#[derive(Clone, Copy, PartialEq, Eq)]
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
    nodes: Vec<TapeNode>,
    has_surrogates: bool,
    bounds: Bounds,
}

/// Where a value ends.
type End = Result<usize, ParseError>;

/// Each function reads what begins at `at`. Positions are passed on in registers: in a field of the reader, each step
/// would be a load and a store.
impl<'t> TapeReader<'t> {
    /// The nodes of a text, and whether it may have escaped surrogates.
    pub(super) fn read(bytes: &'t [u8], bounds: Bounds) -> Result<(Vec<TapeNode>, bool), ParseError> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(ParseError::TooMany);
        }
        // Conversations have about one node in 40 bytes. To move the nodes later costs more than the room.
        let nodes = Vec::with_capacity(bytes.len() / 32);
        let mut reader =
            Self { bytes, mask: StructuralMask::of(bytes), nodes, has_surrogates: false, bounds };
        let end = reader.value(0, 0)?;
        match reader.byte(reader.after_space(end)) {
            None => Ok((reader.nodes, reader.has_surrogates)),
            Some(_) => Err(ParseError::Syntax),
        }
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn after_space(&self, mut at: usize) -> usize {
        while matches!(self.byte(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            at += 1;
        }
        at
    }

    /// Most values are strings.
    #[inline]
    fn value(&mut self, at: usize, depth: usize) -> End {
        self.bounds.values = self.bounds.values.checked_sub(1).ok_or(ParseError::TooMany)?;
        let at = self.after_space(at);
        if self.byte(at) == Some(b'"') { self.string(at) } else { self.other_value(at, depth) }
    }

    fn other_value(&mut self, at: usize, depth: usize) -> End {
        match self.byte(at) {
            Some(b'{') => self.object(at, depth + 1),
            Some(b'[') => self.array(at, depth + 1),
            Some(b'-' | b'0'..=b'9') => self.number(at),
            Some(b't') => self.literal(at, Kind::Boolean, b"true"),
            Some(b'f') => self.literal(at, Kind::Boolean, b"false"),
            Some(b'n') => self.literal(at, Kind::Null, b"null"),
            _ => Err(ParseError::Syntax),
        }
    }

    fn object(&mut self, start: usize, depth: usize) -> End {
        let object = self.open(Kind::Object, start, depth)?;
        let mut at = self.after_space(start + 1);
        if self.byte(at) == Some(b'}') {
            return Ok(self.close(object, at + 1));
        }
        loop {
            let name_end = match self.byte(at) {
                Some(b'"') => self.string(at)?,
                _ => return Err(ParseError::Syntax),
            };
            at = self.after_space(name_end);
            if self.byte(at) != Some(b':') {
                return Err(ParseError::Syntax);
            }
            let end = self.value(at + 1, depth)?;
            at = self.after_space(end);
            match self.byte(at) {
                Some(b',') => at = self.after_space(at + 1),
                Some(b'}') => return Ok(self.close(object, at + 1)),
                _ => return Err(ParseError::Syntax),
            }
        }
    }

    fn array(&mut self, start: usize, depth: usize) -> End {
        let array = self.open(Kind::Array, start, depth)?;
        let mut at = self.after_space(start + 1);
        if self.byte(at) == Some(b']') {
            return Ok(self.close(array, at + 1));
        }
        loop {
            let end = self.value(at, depth)?;
            at = self.after_space(end);
            match self.byte(at) {
                Some(b',') => at += 1,
                Some(b']') => return Ok(self.close(array, at + 1)),
                _ => return Err(ParseError::Syntax),
            }
        }
    }

    /// Begins an array or object; returns the index of its node.
    fn open(&mut self, kind: Kind, start: usize, depth: usize) -> Result<usize, ParseError> {
        if depth > self.bounds.depth {
            return Err(ParseError::TooDeep);
        }
        self.push(kind, false, start, start);
        Ok(self.nodes.len() - 1)
    }

    fn close(&mut self, opened: usize, end: usize) -> usize {
        let size = (self.nodes.len() - opened) as u32;
        if let Some(node) = self.nodes.get_mut(opened) {
            (node.end, node.size) = (end as u32, size);
        }
        end
    }

    fn push(&mut self, kind: Kind, escaped: bool, start: usize, end: usize) {
        self.nodes.push(TapeNode { kind, escaped, start: start as u32, end: end as u32, size: 1 });
    }

    /// Reads a string from its opening quote.
    fn string(&mut self, start: usize) -> End {
        let bytes = self.bytes;
        let mut mask = self.mask;
        let mut escaped = false;
        mask.skip_to(start + 1);
        let end = loop {
            // Nearly all of a request is skipped here.
            let at = mask.next().ok_or(ParseError::Syntax)?;
            match bytes.get(at..) {
                Some([b'"', ..]) => break at + 1,
                Some([b'\\', byte, digits @ ..]) => {
                    escaped = true;
                    let escape = ESCAPES.get(usize::from(*byte)).copied().unwrap_or(Escape::Invalid);
                    if escape == Escape::Structural {
                        // What is escaped is found as well.
                        mask.next();
                    } else if escape != Escape::Letter {
                        self.long_escape(escape, digits)?;
                    }
                }
                _ => return Err(ParseError::Syntax),
            }
        };
        self.mask = mask;
        self.push(Kind::String, escaped, start, end);
        Ok(end)
    }

    #[cold]
    fn long_escape(&mut self, escape: Escape, digits: &[u8]) -> Result<(), ParseError> {
        let digits: &[u8; 4] =
            digits.first_chunk().filter(|_| escape == Escape::Number).ok_or(ParseError::Syntax)?;
        // U+D800 to U+DFFF, and some others.
        self.has_surrogates |= matches!(digits, [b'd' | b'D', ..]);
        if digits.iter().all(u8::is_ascii_hexdigit) { Ok(()) } else { Err(ParseError::Syntax) }
    }

    fn number(&mut self, start: usize) -> End {
        let mut kind = Kind::Integer;
        let mut at = start + usize::from(self.byte(start) == Some(b'-'));
        at = if self.byte(at) == Some(b'0') { at + 1 } else { self.digits(at)? };
        if self.byte(at) == Some(b'.') {
            kind = Kind::Decimal;
            at = self.digits(at + 1)?;
        }
        if matches!(self.byte(at), Some(b'e' | b'E')) {
            kind = Kind::Decimal;
            at += 1;
            at = self.digits(at + usize::from(matches!(self.byte(at), Some(b'+' | b'-'))))?;
        }
        self.push(kind, false, start, at);
        Ok(at)
    }

    /// Skips digits; at least one is needed.
    fn digits(&self, start: usize) -> End {
        let mut at = start;
        while self.byte(at).is_some_and(|byte| byte.is_ascii_digit()) {
            at += 1;
        }
        if at > start { Ok(at) } else { Err(ParseError::Syntax) }
    }

    fn literal(&mut self, start: usize, kind: Kind, word: &[u8]) -> End {
        let end = start + word.len();
        self.push(kind, false, start, end);
        if self.bytes.get(start..end) == Some(word) { Ok(end) } else { Err(ParseError::Syntax) }
    }
}
