//! Reasoning and tool calls that upstreams leave in the text, as the model wrote them.

use crate::json::JsonStr;
use crate::markup::{Scanner, Segment};
use serde_json::value::{RawValue, to_raw_value};

/// Finds markup in the text of one reply, if the upstream's options ask for it.
#[derive(Debug)]
pub(super) struct TextMarkup {
    scanner: Option<Scanner>,
    /// How many calls were found.
    calls: u64,
}

/// A piece of the text after the markup in it was read.
#[derive(Debug)]
pub(super) enum TextPiece {
    Text(JsonStr<'static>),
    Reasoning(JsonStr<'static>),
    /// The `number`th call of the text, from 0.
    Call {
        number: u64,
        name: String,
        arguments: Box<RawValue>,
    },
    /// The text so far was reasoning whose opening tag is missing. It was already sent as a message.
    EndOfMessage,
}

impl TextMarkup {
    pub(super) fn new(scanner: Option<Scanner>) -> Self {
        Self { scanner, calls: 0 }
    }

    /// Takes the next piece of the text. `None`: it holds no markup and can be used as it is.
    pub(super) fn push(&mut self, text: &JsonStr<'_>) -> Option<Vec<TextPiece>> {
        let scanner = self.scanner.as_mut().filter(|scanner| !scanner.lets_pass(text.escaped()))?;
        let segments = scanner.push(&text.decode());
        Some(self.pieces(segments))
    }

    /// The text ends here or is interrupted: what was held back as possible markup is text.
    pub(super) fn flush(&mut self) -> Vec<TextPiece> {
        let Some(scanner) = &mut self.scanner else { return Vec::new() };
        let segments = scanner.flush();
        self.pieces(segments)
    }

    fn pieces(&mut self, segments: Vec<Segment>) -> Vec<TextPiece> {
        segments.into_iter().map(|segment| self.piece(segment)).collect()
    }

    fn piece(&mut self, segment: Segment) -> TextPiece {
        match segment {
            Segment::Text(text) => TextPiece::Text(JsonStr::new(&text)),
            Segment::Reasoning(text) => TextPiece::Reasoning(JsonStr::new(&text)),
            Segment::ToolCall { name, arguments } => {
                let number = self.calls;
                self.calls += 1;
                TextPiece::Call { number, name, arguments: to_raw_value(&arguments).unwrap_or_default() }
            }
            Segment::Retract => TextPiece::EndOfMessage,
        }
    }
}
