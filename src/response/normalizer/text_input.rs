//! A string that comes in pieces, as a provider sends it: the text or the reasoning of a reply.
//!
//! Nearly all providers send what is new. Some send all of the text so far with each piece. The first three pieces show
//! which it is: each begins with the one before, or not.

use crate::json::{JsonStr, SurrogateJoiner};
use serde_json::value::RawValue;

/// Each string of a message is read separately.
#[derive(Debug, Default)]
pub(super) struct TextInputs {
    pub(super) reasoning: TextInput,
    pub(super) text: TextInput,
    pub(super) refusal: SurrogateJoiner,
}

/// Passes on what is new in each piece, with surrogate pairs joined that are split over two pieces.
#[derive(Debug, Default)]
pub(super) struct TextInput {
    joiner: SurrogateJoiner,
    pieces: Pieces,
}

/// What the pieces are.
#[derive(Debug)]
enum Pieces {
    /// The text so far, which has no word or is one piece. The next piece shows whether it begins with that.
    Undecided(String),
    /// A piece that begins with all text so far. The next one shows whether that is by chance.
    Held { so_far: String, piece: String },
    /// Each piece is new.
    New,
    /// Each piece has all text so far.
    Cumulative(String),
}

impl Default for Pieces {
    fn default() -> Self {
        Self::Undecided(String::new())
    }
}

/// The longest beginning of a text that is compared, in bytes. Providers send less with the first piece.
const MAX_BEGINNING: usize = 1024;

/// A text of at most so many bytes may be the beginning of the next piece by chance.
const MAX_CHANCE: usize = 2;

impl TextInput {
    /// The next piece. Returns what is new in it; `None` if `raw` is no string.
    pub(super) fn push<'a>(&mut self, raw: &'a RawValue) -> Option<JsonStr<'a>> {
        let piece = self.joiner.push(raw)?;
        Some(self.pieces.push(piece))
    }

    /// Something other than this text follows: returns what was held back, apart from half a character.
    pub(super) fn interrupt(&mut self) -> Option<JsonStr<'static>> {
        self.pieces.interrupt()
    }

    /// No piece follows: returns what was held back.
    pub(super) fn finish(&mut self) -> Option<JsonStr<'static>> {
        let last = self.joiner.finish().map(|half| self.pieces.push(half));
        let held = self.pieces.interrupt();
        match (last, held) {
            (Some(last), Some(held)) => Some(JsonStr::joined([last, held], "")),
            (last, held) => last.or(held),
        }
    }
}

impl Pieces {
    fn push<'a>(&mut self, piece: JsonStr<'a>) -> JsonStr<'a> {
        match self {
            Self::New => piece,
            _ if piece.is_empty() => piece,
            // Such as the text of a document.
            Self::Undecided(so_far) if so_far.is_empty() && piece.escaped().len() > MAX_BEGINNING => {
                *self = Self::New;
                piece
            }
            _ => self.compare(piece),
        }
    }

    fn compare<'a>(&mut self, piece: JsonStr<'a>) -> JsonStr<'a> {
        let text = piece.decode();
        match std::mem::replace(self, Self::New) {
            Self::Undecided(so_far) if has_word(&so_far) => {
                if more(&text, &so_far).is_some() {
                    *self = Self::Held { so_far, piece: text.into_owned() };
                    return JsonStr::default();
                }
            }
            Self::Undecided(so_far) => {
                if so_far.len() + text.len() <= MAX_BEGINNING {
                    *self = Self::Undecided(so_far + &text);
                }
            }
            Self::Held { so_far, piece } => {
                let is_repeated = *text == *piece && !may_be_chance(&so_far);
                if more(&text, &piece).is_none() && !is_repeated {
                    return JsonStr::new(&(piece + &text));
                }
                return self.all_so_far(&so_far, text.into_owned());
            }
            Self::Cumulative(so_far) => return self.all_so_far(&so_far, text.into_owned()),
            Self::New => {}
        }
        drop(text);
        piece
    }

    /// The piece is all text so far, and perhaps more. Any other is new.
    fn all_so_far(&mut self, so_far: &str, text: String) -> JsonStr<'static> {
        let (new, all) = match text.strip_prefix(so_far) {
            Some(new) => (JsonStr::new(new), text),
            None => (JsonStr::new(&text), format!("{so_far}{text}")),
        };
        *self = Self::Cumulative(all);
        new
    }

    /// Pieces before and after something else are not compared: each is a text of its own.
    fn interrupt(&mut self) -> Option<JsonStr<'static>> {
        match self {
            Self::Undecided(so_far) if so_far.is_empty() => None,
            Self::Undecided(_) => {
                *self = Self::New;
                None
            }
            Self::Held { so_far, piece } => {
                let (so_far, piece) = (std::mem::take(so_far), std::mem::take(piece));
                if may_be_chance(&so_far) {
                    *self = Self::New;
                    Some(JsonStr::new(&piece))
                } else {
                    Some(self.all_so_far(&so_far, piece))
                }
            }
            Self::New | Self::Cumulative(_) => None,
        }
    }
}

/// What `text` has after `beginning`.
fn more<'t>(text: &'t str, beginning: &str) -> Option<&'t str> {
    text.strip_prefix(beginning).filter(|more| !more.is_empty())
}

/// Many texts begin with the same sign several times, such as a line of dashes.
fn has_word(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

fn may_be_chance(text: &str) -> bool {
    text.len() <= MAX_CHANCE
}
