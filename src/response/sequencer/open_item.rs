//! The item that is open.

use super::calls::OpenedCall;
use super::waiting_text::WaitingText;
use crate::items::{OpenMessage, OpenReasoning};
use crate::json::RawJson;

/// The open item. Each type holds what can exist beside it and nothing else.
///
/// ```text
///          visible text           named call
///   None ───────────────▶ Message ───────────▶ Call ──complete──▶ next of the queue
///    │                       ▲                  ▲    (until then all else is queued)
///    └──reasoning──▶ Reasoning ─────────────────┘
/// ```
#[derive(Debug)]
pub(super) enum OpenItem {
    None(NextMessage),
    Reasoning(OpenReasoning, NextMessage),
    Message(OpenMessage),
    Call(OpenedCall, NextMessage),
}

/// The text for a message that has not begun.
#[derive(Debug, Default)]
pub(super) struct NextMessage {
    /// White space until visible text arrives, which opens the message: an empty message would blank Codex's last answer.
    pub(super) pending_text: WaitingText,
    pub(super) citations: Vec<RawJson<'static>>,
}

impl Default for OpenItem {
    fn default() -> Self {
        Self::None(NextMessage::default())
    }
}

impl OpenItem {
    /// Whether text or reasoning may take its place. A call must be complete first.
    pub(super) fn may_close(&self) -> bool {
        match self {
            Self::None(_) | Self::Reasoning(..) | Self::Message(_) => true,
            Self::Call(call, _) => call.is_complete() || call.is_placeholder(),
        }
    }

    /// Whether it is a call whose arguments are `{}` unless others follow.
    pub(super) fn is_placeholder(&self) -> bool {
        matches!(self, Self::Call(call, _) if call.is_placeholder())
    }
}

impl NextMessage {
    /// The white space was before another item, so it does not begin the message.
    pub(super) fn without_text(self) -> Self {
        Self { pending_text: WaitingText::default(), ..self }
    }
}
