//! Reads a text into the nodes of a tape.

use super::structural_mask::StructuralMask;
use super::tape::{Bounds, Kind, ParseError, TapeNode};

/// What follows a backslash.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    Invalid,
    /// One character that stands for another, or for itself.
    Character,
    /// `u`, before four digits.
    Number,
}

/// By the byte.
#[allow(clippy::indexing_slicing)] // Evaluated at compile time, where an index out of range is an error.
static ESCAPES: [Escape; 256] = {
    let mut escapes = [Escape::Invalid; 256];
    let mut at = 0;
    while at < CHARACTERS.len() {
        escapes[CHARACTERS[at] as usize] = Escape::Character;
        at += 1;
    }
    escapes[b'u' as usize] = Escape::Number;
    escapes
};
const CHARACTERS: &[u8] = b"\"\\/bfnrt";

/// Reads a text into nodes.
pub(super) struct TapeReader<'t> {
    bytes: &'t [u8],
    mask: StructuralMask<'t>,
    nodes: Vec<TapeNode>,
    has_surrogates: bool,
    bounds: Bounds,
    /// Why the text is rejected, if it is.
    error: ParseError,
}

/// Where a value ends; `None` if the text is rejected. A `Result` with the error would be returned in memory.
type End = Option<usize>;

/// Each function reads what begins at `at`. Positions are passed on in registers: in a field of the reader, each step
/// would be a load and a store.
impl<'t> TapeReader<'t> {
    /// The nodes of a text, and whether it may have escaped surrogates.
    pub(super) fn read(bytes: &'t [u8], bounds: Bounds) -> Result<(Vec<TapeNode>, bool), ParseError> {
        if u32::try_from(bytes.len()).is_err() {
            return Err(ParseError::TooMany);
        }
        let mut reader = Self {
            bytes,
            mask: StructuralMask::of(bytes),
            // Conversations have about one node in 40 bytes. To move the nodes later costs more than the room.
            nodes: Vec::with_capacity(bytes.len() / 32),
            has_surrogates: false,
            bounds,
            error: ParseError::Syntax,
        };
        let end = reader.value(0, 0).map(|end| reader.after_space(end));
        if end == Some(bytes.len()) { Ok((reader.nodes, reader.has_surrogates)) } else { Err(reader.error) }
    }

    #[cold]
    fn fail(&mut self, error: ParseError) -> End {
        self.error = error;
        None
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    /// Most requests have no white space.
    #[inline]
    fn after_space(&self, at: usize) -> usize {
        if self.byte(at).is_some_and(|byte| byte > b' ') { at } else { self.after_some_space(at) }
    }

    #[inline(never)]
    fn after_some_space(&self, mut at: usize) -> usize {
        while matches!(self.byte(at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            at += 1;
        }
        at
    }

    /// Most values are strings, for which nothing is called.
    #[inline(always)]
    fn value(&mut self, at: usize, depth: usize) -> End {
        let Some(values) = self.bounds.values.checked_sub(1) else { return self.fail(ParseError::TooMany) };
        self.bounds.values = values;
        let at = self.after_space(at);
        if self.byte(at) == Some(b'"') { self.string(at) } else { self.other_value(at, depth) }
    }

    #[inline(never)]
    fn other_value(&mut self, at: usize, depth: usize) -> End {
        match self.byte(at)? {
            b'{' => self.object(at, depth + 1),
            b'[' => self.array(at, depth + 1),
            b'-' | b'0'..=b'9' => self.number(at),
            b't' => self.literal(at, Kind::Boolean, b"true"),
            b'f' => self.literal(at, Kind::Boolean, b"false"),
            b'n' => self.literal(at, Kind::Null, b"null"),
            _ => None,
        }
    }

    fn object(&mut self, start: usize, depth: usize) -> End {
        let object = self.open(Kind::Object, start, depth)?;
        let mut at = self.after_space(start + 1);
        if self.byte(at)? == b'}' {
            return Some(self.close(object, at + 1));
        }
        loop {
            if self.byte(at)? != b'"' {
                return None;
            }
            let name_end = self.string(at)?;
            at = self.after_space(name_end);
            if self.byte(at)? != b':' {
                return None;
            }
            let end = self.value(at + 1, depth)?;
            at = self.after_space(end);
            match self.byte(at)? {
                b',' => at = self.after_space(at + 1),
                b'}' => return Some(self.close(object, at + 1)),
                _ => return None,
            }
        }
    }

    fn array(&mut self, start: usize, depth: usize) -> End {
        let array = self.open(Kind::Array, start, depth)?;
        let mut at = self.after_space(start + 1);
        if self.byte(at)? == b']' {
            return Some(self.close(array, at + 1));
        }
        loop {
            let end = self.value(at, depth)?;
            at = self.after_space(end);
            match self.byte(at)? {
                b',' => at += 1,
                b']' => return Some(self.close(array, at + 1)),
                _ => return None,
            }
        }
    }

    /// Begins an array or object; returns the index of its node.
    fn open(&mut self, kind: Kind, start: usize, depth: usize) -> Option<usize> {
        if depth > self.bounds.depth {
            return self.fail(ParseError::TooDeep);
        }
        self.push(kind, false, start, start);
        Some(self.nodes.len() - 1)
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

    /// Reads a string from its opening quote. Most have no escape.
    #[inline(always)]
    fn string(&mut self, start: usize) -> End {
        let at = self.mask.first_from(start + 1)?;
        let escaped = self.byte(at)? != b'"';
        let end = if escaped { self.escaped(at)? } else { at + 1 };
        self.push(Kind::String, escaped, start, end);
        Some(end)
    }

    /// Reads the rest of a string from its first escape.
    fn escaped(&mut self, mut at: usize) -> End {
        let (bytes, mut mask) = (self.bytes, self.mask);
        while *bytes.get(at)? == b'\\' {
            let escape = ESCAPES.get(usize::from(*bytes.get(at + 1)?)).copied()?;
            if escape != Escape::Character {
                self.long_escape(escape, bytes.get(at + 2..)?)?;
            }
            at = mask.first_from(at + 2)?;
        }
        self.mask = mask;
        // What is neither a backslash nor a quote is a control character.
        (*bytes.get(at)? == b'"').then_some(at + 1)
    }

    #[cold]
    fn long_escape(&mut self, escape: Escape, digits: &[u8]) -> Option<()> {
        let digits: &[u8; 4] = digits.first_chunk().filter(|_| escape == Escape::Number)?;
        // U+D800 to U+DFFF, and some others.
        self.has_surrogates |= matches!(digits, [b'd' | b'D', ..]);
        digits.iter().all(u8::is_ascii_hexdigit).then_some(())
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
        Some(at)
    }

    /// Skips digits; at least one is needed.
    fn digits(&self, start: usize) -> End {
        let mut at = start;
        while self.byte(at).is_some_and(|byte| byte.is_ascii_digit()) {
            at += 1;
        }
        (at > start).then_some(at)
    }

    fn literal(&mut self, start: usize, kind: Kind, word: &[u8]) -> End {
        let end = start + word.len();
        self.push(kind, false, start, end);
        (self.bytes.get(start..end)? == word).then_some(end)
    }
}
