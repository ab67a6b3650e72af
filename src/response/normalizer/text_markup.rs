//! Reasoning and tool calls that upstreams leave in the text, as the model wrote them.

use super::calls_in_reasoning::CallsInReasoning;
use super::repeated_calls::RepeatedCalls;
use crate::error::{ApiError, Code};
use crate::json::JsonStr;
use crate::markup::{Scanner, Segment};
use crate::response::context::TextRules;
use crate::tools::names::Names;
use serde_json::value::{RawValue, to_raw_value};
use std::rc::Rc;

/// Finds markup in the text of one reply: it reads what the upstream's options ask for, and notices the calls that it
/// does not read.
#[derive(Debug)]
pub(super) struct TextMarkup {
    scanner: Option<Scanner>,
    unread: Option<Scanner>,
    found: TextCalls,
    /// How many calls were read.
    read: u64,
    repeated: RepeatedCalls,
    /// The tools of the calls whose arguments cannot be read.
    lost: Vec<String>,
    in_reasoning: CallsInReasoning,
}

/// The calls in the text that the client does not get as calls.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::response) struct TextCalls {
    /// How many complete calls are part of the text.
    pub(in crate::response) unread: usize,
    /// How many calls of declared tools had arguments that cannot be read.
    pub(in crate::response) lost: usize,
    /// The text ends within a call.
    pub(in crate::response) ends_within: bool,
}

/// A piece of the text after the markup in it was read.
#[derive(Debug)]
pub(super) enum TextPiece {
    Text(JsonStr<'static>),
    Reasoning(JsonStr<'static>),
    /// What stands before a closing tag of reasoning that has no opening one, and the tag.
    Unopened {
        text: String,
        tag: String,
    },
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
    pub(super) fn new(rules: TextRules, tools: Rc<Names>) -> Self {
        let TextRules { scanner, unread, in_reasoning, logprobs: _ } = rules;
        let in_reasoning = CallsInReasoning::new(in_reasoning);
        let reads_calls = scanner.as_ref().is_some_and(Scanner::finds_calls);
        Self {
            scanner,
            unread,
            found: TextCalls::default(),
            read: 0,
            repeated: RepeatedCalls::new(tools, reads_calls),
            lost: Vec::new(),
            in_reasoning,
        }
    }

    /// Reasoning came in a field, so the text hardly has any.
    pub(super) fn reasoning_is_in_field(&mut self) {
        if let Some(scanner) = &mut self.scanner {
            scanner.reasoning_is_in_field();
        }
    }

    /// The calls of the reply that may repeat one in the text.
    pub(super) fn repeated_calls(&mut self) -> &mut RepeatedCalls {
        &mut self.repeated
    }

    /// The reply has ended: fails for a call in the text that is lost. If `tool_calls` has a call of the tool, the text was
    /// about that.
    pub(super) fn check_lost(&mut self) -> Result<(), ApiError> {
        let repeated = &self.repeated;
        self.lost.retain(|tool| !repeated.has_call_of(tool));
        self.found.lost = self.lost.len();
        let Some(tool) = self.lost.first() else { return Ok(()) };
        Err(ApiError::upstream(format!(
            "The call of tool '{tool}' in the upstream's text cannot be delivered: its arguments cannot be read."
        ))
        .code(Code::ToolCallLost))
    }

    pub(super) fn finds_reasoning(&self) -> bool {
        self.scanner.as_ref().is_some_and(Scanner::finds_reasoning)
    }

    /// Takes the next piece of the text. `None`: it has no markup and can be used unchanged.
    pub(super) fn push(&mut self, text: &JsonStr<'_>) -> Option<Vec<TextPiece>> {
        let scanner = self.scanner.as_mut()?;
        if scanner.lets_pass(text.escaped()) {
            return None;
        }
        let segments = scanner.push(&text.decode());
        Some(self.pieces(segments))
    }

    /// Counts the calls in text that the client gets.
    pub(super) fn notice(&mut self, text: &JsonStr<'_>) {
        self.in_reasoning.notice_text(text);
        if let Some(unread) = &mut self.unread
            && !unread.lets_pass(text.escaped())
        {
            self.found.unread += calls_in(&unread.push(&text.decode()));
        }
    }

    /// The text ends here or is interrupted: what was held back as possible markup is text.
    pub(super) fn flush(&mut self) -> Vec<TextPiece> {
        self.found.ends_within = false;
        if let Some(unread) = self.unread.as_mut().filter(|unread| !unread.is_idle()) {
            self.found.ends_within = unread.is_within_call();
            self.found.unread += calls_in(&unread.flush());
        }
        let Some(scanner) = &mut self.scanner else { return Vec::new() };
        self.found.ends_within |= scanner.is_within_call();
        let segments = scanner.flush();
        self.pieces(segments)
    }

    pub(super) fn in_reasoning(&mut self) -> &mut CallsInReasoning {
        &mut self.in_reasoning
    }

    /// The reply has ended, without any other call: the calls in its reasoning, if they are all there is. If calls in
    /// the text are not read, these are not either.
    pub(super) fn take_calls_in_reasoning(&mut self) -> Vec<TextPiece> {
        let calls = self.in_reasoning.take();
        if self.unread.is_some() {
            self.found.unread += calls.len();
            return Vec::new();
        }
        self.pieces(
            calls.into_iter().map(|(name, arguments)| Segment::ToolCall { name, arguments }).collect(),
        )
    }

    /// The calls so far that the client does not get as calls.
    pub(super) fn calls(&self) -> TextCalls {
        self.found
    }

    fn pieces(&mut self, segments: Vec<Segment>) -> Vec<TextPiece> {
        segments.into_iter().filter_map(|segment| self.piece(segment)).collect()
    }

    /// A lost call is reported at the end of the reply, and its text is text.
    fn piece(&mut self, segment: Segment) -> Option<TextPiece> {
        Some(match segment {
            Segment::Text(text) => TextPiece::Text(JsonStr::new(&text)),
            Segment::Reasoning(text) => TextPiece::Reasoning(JsonStr::new(&text)),
            Segment::Unopened { text, tag } => TextPiece::Unopened { text, tag },
            Segment::ToolCall { name, arguments } => {
                let number = self.read;
                self.read += 1;
                TextPiece::Call { number, name, arguments: to_raw_value(&arguments).unwrap_or_default() }
            }
            Segment::LostCall { name } => {
                self.lost.push(name);
                return None;
            }
            Segment::Retract => TextPiece::EndOfMessage,
        })
    }
}

fn calls_in(segments: &[Segment]) -> usize {
    segments.iter().filter(|segment| matches!(segment, Segment::ToolCall { .. })).count()
}
