//! The arguments of a call, as far as they arrived, and what each piece adds to them.

use crate::json::{DepthScanner, JsonStr};
use crate::response::delta::CallFormat;
use serde_json::Value;
use serde_json::value::RawValue;

/// The arguments of one call.
#[derive(Debug)]
pub(super) enum Arguments {
    /// `{}` came first. Some providers begin each call like this, and send its arguments afterwards.
    Placeholder,
    Json(Json),
    /// The text of a custom tool. Only its length matters here.
    Text {
        bytes: usize,
    },
}

/// Arguments as JSON.
#[derive(Debug, Default)]
pub(super) struct Json {
    /// The decoded text.
    text: String,
    depth: DepthScanner,
    /// The provider sends all arguments so far with each piece.
    is_cumulative: bool,
    /// A piece that began with all arguments so far. The next one shows whether it was all arguments so far, or an
    /// object in the arguments that begins like them.
    held: Option<String>,
}

impl Default for Arguments {
    fn default() -> Self {
        Self::Json(Json::default())
    }
}

impl Arguments {
    /// Adds a piece. Returns what is new in it.
    pub(super) fn push<'a>(&mut self, piece: JsonStr<'a>) -> JsonStr<'a> {
        match self {
            Self::Text { bytes } => {
                *bytes += piece.escaped().len();
                piece
            }
            Self::Json(json) if json.text.is_empty() && is_empty_object(&piece.decode()) => {
                *self = Self::Placeholder;
                JsonStr::default()
            }
            Self::Json(json) => json.push(piece),
            Self::Placeholder => {
                if piece.is_blank() || is_empty_object(&piece.decode()) {
                    return JsonStr::default();
                }
                let mut json = Json::default();
                let new = json.push(piece);
                *self = Self::Json(json);
                new
            }
        }
    }

    pub(super) fn make_text(&mut self) {
        match self {
            Self::Json(json) => *self = Self::Text { bytes: json.text.len() },
            Self::Placeholder => *self = Self::Text { bytes: 0 },
            Self::Text { .. } => {}
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Placeholder => false,
            Self::Json(json) => json.text.is_empty(),
            Self::Text { bytes } => *bytes == 0,
        }
    }

    /// Whether white space came and nothing else.
    pub(super) fn are_blank(&self) -> bool {
        matches!(self, Self::Json(json) if !json.text.is_empty() && json.text.trim_start().is_empty())
    }

    pub(super) fn format(&self) -> CallFormat {
        match self {
            Self::Placeholder => CallFormat::Placeholder,
            Self::Json(json) => CallFormat::Json { complete: json.is_complete() },
            Self::Text { .. } => CallFormat::Text,
        }
    }

    /// Whether they may be complete. Nothing marks the end of the text of a custom tool, so it always may be.
    pub(super) fn may_be_complete(&self) -> bool {
        !matches!(self.format(), CallFormat::Json { complete: false })
    }

    /// Whether they are complete and `raw` is equal to them.
    pub(super) fn is_repeated_by(&self, raw: &RawValue) -> bool {
        match self {
            Self::Text { .. } => false,
            Self::Placeholder => is_empty_object(&decoded(raw)),
            Self::Json(json) => {
                (json.is_complete() || self.hold_complete_piece()) && json.equals(&decoded(raw))
            }
        }
    }

    /// Whether a piece is held that is complete arguments by itself.
    pub(super) fn hold_complete_piece(&self) -> bool {
        matches!(self, Self::Json(json) if json.held.as_deref().is_some_and(is_closed))
    }

    /// Whether a piece is held that `next` continues: no arguments begin with a bracket that closes, or a comma.
    pub(super) fn hold_beginning_of(&self, next: Option<&RawValue>) -> bool {
        self.hold_complete_piece()
            && next.is_some_and(|raw| decoded(raw).trim_start().starts_with(['}', ']', ',']))
    }

    /// No piece follows: what is new in the one that was held.
    pub(super) fn release(&mut self) -> Option<JsonStr<'static>> {
        let Self::Json(json) = self else { return None };
        let held = json.held.take()?;
        let new = held.strip_prefix(json.text.as_str())?.to_owned();
        json.add(&new);
        Some(JsonStr::new(&new))
    }
}

impl Json {
    fn push<'a>(&mut self, piece: JsonStr<'a>) -> JsonStr<'a> {
        let decoded = piece.decode();
        if let Some(held) = self.held.take() {
            if decoded.trim().is_empty() && is_closed(&held) {
                self.held = Some(held);
                return JsonStr::default();
            }
            self.is_cumulative = decoded.starts_with(&held);
            if !self.is_cumulative {
                let new = held + &decoded;
                self.add(&new);
                return JsonStr::new(&new);
            }
        }
        if let Some(new) = self.new_of_all(&decoded) {
            if !self.is_cumulative {
                self.held = Some(decoded.into_owned());
                return JsonStr::default();
            }
            let new = new.to_owned();
            self.add(&new);
            return JsonStr::new(&new);
        }
        let (document, rest) = self.depth.split(decoded.as_bytes());
        // Some providers write the arguments twice into one string.
        if self.text.is_empty() && !rest.is_empty() && document == rest {
            let once = decoded.get(..document.len()).unwrap_or_default();
            self.text.push_str(once);
            return JsonStr::new(once);
        }
        self.text.push_str(&decoded);
        drop(decoded);
        piece
    }

    fn add(&mut self, new: &str) {
        self.depth.push(new.as_bytes());
        self.text.push_str(new);
    }

    /// What is new in a piece that begins with all arguments so far, unless it has brackets that only a continuation
    /// can close.
    fn new_of_all<'p>(&self, piece: &'p str) -> Option<&'p str> {
        if !piece.starts_with('{') || self.text.is_empty() {
            return None;
        }
        if self.depth.closed() {
            return self.equals(piece).then_some("");
        }
        let new = piece.strip_prefix(self.text.as_str())?;
        let (_, after) = DepthScanner::default().split(piece.as_bytes());
        (after.trim_ascii().is_empty() && (!new.is_empty() || self.is_cumulative)).then_some(new)
    }

    /// All arguments so far, if the provider sends them with each piece.
    fn so_far(&self) -> &str {
        self.held.as_deref().unwrap_or(&self.text)
    }

    fn is_complete(&self) -> bool {
        self.depth.closed() || self.is_scalar()
    }

    /// Whether these are complete arguments without brackets: a string that may hold the object, or `null`. It is
    /// called for each piece, so it must not read all of them.
    fn is_scalar(&self) -> bool {
        match self.text.as_bytes() {
            [b'"', .., b'"'] => !self.depth.is_inside(),
            text => text == b"null",
        }
    }

    /// Whether both are the same JSON, apart from white space.
    fn equals(&self, other: &str) -> bool {
        let value = |text: &str| serde_json::from_str::<Value>(text).ok();
        let own = self.so_far();
        own.trim() == other.trim() || value(own).is_some_and(|own| value(other) == Some(own))
    }
}

/// Whether the last bracket of an object has closed.
fn is_closed(object: &str) -> bool {
    DepthScanner::default().push(object.as_bytes())
}

fn is_empty_object(text: &str) -> bool {
    let inside = text.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inside.is_some_and(|inside| inside.trim().is_empty())
}

fn decoded(raw: &RawValue) -> String {
    JsonStr::of(raw).map_or_else(|| raw.get().to_owned(), |text| text.decode().into_owned())
}
