//! The arguments of a call, as far as they arrived, and what each piece adds to them.

use crate::json::{DepthScanner, JsonStr};
use crate::response::delta::CallFormat;
use serde_json::Value;
use serde_json::value::RawValue;

/// The arguments of one call.
#[derive(Debug)]
pub(super) enum Arguments {
    /// `{}` came first. Some providers begin each call so and send its arguments after that.
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

    pub(super) fn format(&self) -> CallFormat {
        match self {
            Self::Placeholder => CallFormat::Placeholder,
            Self::Json(json) => CallFormat::Json { complete: json.is_complete() },
            Self::Text { .. } => CallFormat::Text,
        }
    }

    /// Whether they are complete and `raw` is equal to them.
    pub(super) fn is_repeated_by(&self, raw: &RawValue) -> bool {
        match self {
            Self::Text { .. } => false,
            Self::Placeholder => is_empty_object(&decoded(raw)),
            Self::Json(json) => json.is_complete() && json.equals(&decoded(raw)),
        }
    }
}

impl Json {
    fn push<'a>(&mut self, piece: JsonStr<'a>) -> JsonStr<'a> {
        let decoded = piece.decode();
        if let Some(new) = self.new_of_all(&decoded) {
            self.is_cumulative = true;
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

    /// What is new in a piece that begins with all arguments so far. After an unfinished object, its own beginning is
    /// hardly ever a continuation: only an object in itself, whose first key is the same, would read so.
    fn new_of_all<'p>(&self, piece: &'p str) -> Option<&'p str> {
        if !piece.starts_with('{') || self.text.is_empty() {
            return None;
        }
        if self.depth.closed() {
            return self.equals(piece).then_some("");
        }
        let new = piece.strip_prefix(self.text.as_str())?;
        (!new.is_empty() || self.is_cumulative).then_some(new)
    }

    fn is_complete(&self) -> bool {
        self.depth.closed() || self.is_scalar()
    }

    /// Whether these are complete arguments without brackets: a string that may hold the object, or `null`. It is asked
    /// about each piece, so it must not read all of them.
    fn is_scalar(&self) -> bool {
        match self.text.as_bytes() {
            [b'"', .., b'"'] => !self.depth.is_inside(),
            text => text == b"null",
        }
    }

    /// Whether both are the same JSON, white space aside.
    fn equals(&self, other: &str) -> bool {
        let value = |text: &str| serde_json::from_str::<Value>(text).ok();
        self.text.trim() == other.trim() || value(&self.text).is_some_and(|own| value(other) == Some(own))
    }
}

fn is_empty_object(text: &str) -> bool {
    let inside = text.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    inside.is_some_and(|inside| inside.trim().is_empty())
}

fn decoded(raw: &RawValue) -> String {
    JsonStr::of(raw).map_or_else(|| raw.get().to_owned(), |text| text.decode().into_owned())
}
