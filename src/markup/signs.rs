//! The bytes that may matter in a text, found without a branch.

use super::dialects::FUNCTOOLS;
use super::tags::may_begin_tag;

/// What may matter in an escaped text, as bits.
pub(super) const TAG: u8 = 1;
pub(super) const ESCAPE: u8 = 2;
pub(super) const CODE: u8 = 4;

/// The bit of each byte.
#[allow(clippy::indexing_slicing)] // Evaluated at compile time, where an index out of range is an error.
static SIGNS: [u8; 256] = {
    let mut signs = [0; 256];
    let mut byte = 0;
    while byte < signs.len() {
        signs[byte] = match byte as u8 {
            b'\\' => ESCAPE,
            b'`' | b'~' => CODE,
            byte if may_begin_tag(byte) => TAG,
            _ => 0,
        };
        byte += 1;
    }
    signs
};

/// The bits of all bytes of a text. Every piece of a reply is looked at, and most are short, so this has no branch.
pub(super) fn signs(escaped: &str) -> u8 {
    escaped.bytes().fold(0, |found, byte| found | SIGNS.get(usize::from(byte)).copied().unwrap_or(0))
}

/// Whether no call without a tag begins here, decided by the first character.
pub(super) fn begins_with_word(escaped: &str) -> bool {
    let first = escaped.trim_start_matches(' ').chars().next();
    first.is_some_and(|char| char.is_ascii_alphanumeric() && !FUNCTOOLS.starts_with(char))
}
