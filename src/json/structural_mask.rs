//! Where the plain part of a JSON string may end, found for a block of the text at once.

/// How many bytes are looked at together: one bit of a mask stands for each.
const BLOCK: usize = 64;

/// Finds the bytes of a text at which its reader has to look: quotes, backslashes and control characters.
#[derive(Debug)]
pub(super) struct StructuralMask<'t> {
    bytes: &'t [u8],
    /// The block that was looked at last, by its number, and a bit for each stop in it.
    known: (usize, u64),
}

impl<'t> StructuralMask<'t> {
    pub(super) fn of(bytes: &'t [u8]) -> Self {
        let mut stops = Self { bytes, known: (0, 0) };
        stops.known.1 = stops.look(0).unwrap_or(0);
        stops
    }

    /// The first stop that is not before this place. To ask from where the last one was found costs next to nothing.
    pub(super) fn next(&mut self, from: usize) -> Option<usize> {
        let mut number = from / BLOCK;
        let mut found = self.block(number)? & (u64::MAX << (from % BLOCK));
        while found == 0 {
            number += 1;
            found = self.block(number)?;
        }
        Some(number * BLOCK + found.trailing_zeros() as usize)
    }

    fn block(&mut self, number: usize) -> Option<u64> {
        if self.known.0 != number {
            self.known = (number, self.look(number)?);
        }
        Some(self.known.1)
    }

    fn look(&self, number: usize) -> Option<u64> {
        let rest = self.bytes.get(number * BLOCK..).filter(|rest| !rest.is_empty())?;
        if let Some(block) = rest.first_chunk() {
            return Some(mask(block));
        }
        let mut block = [b' '; BLOCK];
        block.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
        Some(mask(&block))
    }
}

/// A bit for each stop. RawConfig so that it becomes a few vector instructions and four times two multiplications.
fn mask(block: &[u8; BLOCK]) -> u64 {
    let stops = block.map(|byte| u8::from((byte == b'"') | (byte == b'\\') | (byte < b' ')));
    let (words, _) = stops.as_chunks::<8>();
    // In each word, the multiplication brings the lowest bits of its eight bytes together in the highest byte.
    const TOGETHER: u64 = 0x0102_0408_1020_4080;
    let bits = |word: &[u8; 8]| u64::from_le_bytes(*word).wrapping_mul(TOGETHER) >> 56;
    words.iter().rev().fold(0, |mask, word| (mask << 8) | bits(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_finds_what_is_there(
            bytes in prop::collection::vec(prop_oneof![9 => Just(b'a'), 1 => any::<u8>()], 0..300),
            asked in prop::collection::vec(0..310_usize, 1..20),
        ) {
            let mut stops = StructuralMask::of(&bytes);
            for from in asked {
                let expected = bytes.iter().skip(from).position(|byte| *byte < 32 || b"\"\\".contains(byte));
                prop_assert_eq!(stops.next(from), expected.map(|at| from + at));
            }
        }
    }
}
