//! Replies with several choices. Requests ask for one, so all choices are parts of one answer, such as the text in the
//! first and a call in the second.

use super::call_fragment::number;
use super::reasoning;
use crate::wire::chat::reply::{Choice, Message};
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// The choices of a reply so far.
#[derive(Debug, Default)]
pub(super) struct AnswerChoices {
    /// The choice that gives text and reasoning: the first of a stream; of a document, the first that has any.
    speaker: Option<u64>,
    /// Choices with their own text or reasoning. They are alternative answers, so they are ignored.
    alternatives: BTreeSet<u64>,
}

/// Whether a choice counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Part,
    Alternative { is_new: bool },
}

impl AnswerChoices {
    pub(super) fn admit(&mut self, number: u64, choice: &Choice<'_>) -> Admission {
        if self.speaker == Some(number) {
            return Admission::Part;
        }
        if [&choice.delta, &choice.message].into_iter().flatten().any(speaks) {
            // In a stream, the text of the first choice may come after that of others.
            if self.speaker.is_some() || number > 0 && choice.delta.is_some() {
                return Admission::Alternative { is_new: self.alternatives.insert(number) };
            }
            self.speaker = Some(number);
        }
        if self.alternatives.contains(&number) {
            Admission::Alternative { is_new: false }
        } else {
            Admission::Part
        }
    }
}

/// Whether a message has text or reasoning.
fn speaks(message: &Message<'_>) -> bool {
    let fields = [
        message.content,
        message.refusal,
        message.reasoning_content,
        message.reasoning,
        message.reasoning_text,
        message.thinking,
    ];
    fields.into_iter().flatten().any(|raw| reasoning::is_text(raw) || is_list(raw))
        || message.reasoning_details.is_some_and(is_list)
}

fn is_list(raw: &RawValue) -> bool {
    raw.get().starts_with('[') && raw.get() != "[]"
}

pub(super) fn index(choice: &Choice<'_>) -> u64 {
    choice.index.and_then(number).unwrap_or(0)
}

/// The choices of a chunk by index, each with its number. Some upstreams give all of them the index 0.
pub(super) fn in_order<'c, 'a>(choices: &'c [Choice<'a>]) -> Vec<(u64, &'c Choice<'a>)> {
    let mut ordered: Vec<_> = choices.iter().map(|choice| (index(choice), choice)).collect();
    ordered.sort_by_key(|(index, _)| *index);
    for (position, (index, _)) in (0u64..).zip(&mut ordered) {
        *index = position.max(*index);
    }
    ordered
}
