//! The parts of the answer that came in deltas. A complete message after them repeats these parts.

use super::attachments;
use super::parts::Part;
use super::reasoning::is_nested;
use crate::wire::chat::reply::{Message, ToolCalls};
use serde_json::value::RawValue;

/// Whether a message is a fragment or complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Delta,
    Complete,
}

/// What the deltas so far contained. A complete message after them repeats it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SeenInDeltas {
    pub(super) text: bool,
    pub(super) reasoning: bool,
    /// How many.
    pub(super) annotations: usize,
    pub(super) images: bool,
    pub(super) calls: bool,
}

impl SeenInDeltas {
    /// Notes a part of `content`, also one of a complete message.
    pub(super) fn add_part(&mut self, part: &Part<'_>) {
        match part {
            Part::Text { .. } | Part::Refusal(_) => self.text = true,
            Part::Reasoning { .. } => self.reasoning = true,
            Part::Call | Part::Unsupported { .. } => {}
        }
    }

    pub(super) fn add(&mut self, delta: &Message<'_>) {
        // All fields are listed, so that the compiler reports a new one.
        let Message {
            content,
            reasoning_content,
            reasoning,
            reasoning_text,
            thinking,
            reasoning_details,
            refusal,
            annotations,
            images,
            tool_calls,
            // Recorded where it is read.
            tool_call: _,
            tool_calls_in_camel_case: _,
            function_calls: _,
            function_call,
            error: _,
        } = delta;
        let is_set = |raw: &Option<&RawValue>| raw.is_some_and(|raw| !["\"\"", "[]"].contains(&raw.get()));
        let reasonings = [reasoning_content, reasoning, reasoning_text, thinking, reasoning_details];
        // The content of a list of parts is recorded where it is read.
        let is_list = content.is_some_and(|raw| raw.get().starts_with('['));
        self.text |= is_set(content) && !is_list || is_set(refusal);
        self.reasoning |= reasonings.into_iter().any(is_set);
        self.annotations += attachments::elements(*annotations).len();
        self.images |= images.is_some_and(is_nested);
        self.calls |= match tool_calls {
            None => function_call.is_some(),
            Some(ToolCalls::Read(calls)) => !calls.is_empty() || function_call.is_some(),
            Some(ToolCalls::Unreadable) => true,
        };
    }
}
