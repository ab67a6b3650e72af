//! Replies with several choices. Requests ask for one, so all choices are parts of one answer, such as the text in the
//! first and a call in the second.

use super::call_fragment::{CallFragment, number};
use super::places;
use super::reasoning;
use crate::wire::chat::reply::{Choice, Message, ToolCalls};
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// The choices of a reply so far.
#[derive(Debug, Default)]
pub(super) struct AnswerChoices {
    /// The choice that gives the text: the first of a stream; of a document, the first that has any.
    speaker: Option<u64>,
    /// The choice that gives the reasoning: the first that has any.
    reasoner: Option<u64>,
    /// Choices with text, or reasoning, that another choice already gives. They are alternative answers, so they are
    /// ignored.
    alternatives: BTreeSet<u64>,
    /// The name of the first call in an alternative.
    ignored_call: Option<String>,
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
        let has =
            |what: fn(&Message<'_>) -> bool| [&choice.delta, &choice.message].into_iter().flatten().any(what);
        let may_reason = !has(reasons) || self.may_reason(number);
        let is_part = if has(speaks) { self.may_speak(number, choice) } else { may_reason };
        if !is_part {
            return Admission::Alternative { is_new: self.alternatives.insert(number) };
        }
        if self.alternatives.contains(&number) {
            Admission::Alternative { is_new: false }
        } else {
            Admission::Part
        }
    }

    /// The choice is ignored: notes the call in it.
    pub(super) fn ignore(&mut self, choice: &Choice<'_>) {
        let called = match places::of_choice(choice) {
            Some(ToolCalls::Read(calls)) => calls.first().map(|call| CallFragment::of(call).name.to_owned()),
            Some(ToolCalls::Unreadable) => Some(String::new()),
            None => None,
        };
        if self.ignored_call.is_none() {
            self.ignored_call = called;
        }
    }

    /// The name of a call that was ignored.
    pub(super) fn ignored_call(&self) -> Option<&str> {
        self.ignored_call.as_deref()
    }

    /// In a stream, the text of the first choice may come after that of others.
    fn may_speak(&mut self, number: u64, choice: &Choice<'_>) -> bool {
        let may = self.speaker.is_none() && (number == 0 || choice.delta.is_none());
        if may {
            self.speaker = Some(number);
        }
        may
    }

    /// The first choice always may: its text comes with it, or follows.
    fn may_reason(&mut self, number: u64) -> bool {
        let reasoner = *self.reasoner.get_or_insert(number);
        number == 0 || reasoner == number
    }
}

/// Whether a choice has a piece of the answer: text, reasoning or a call.
pub(super) fn continues(choice: &Choice<'_>) -> bool {
    let mut messages = [&choice.delta, &choice.message].into_iter().flatten();
    places::of_choice(choice).is_some()
        || messages.any(|message| speaks(message) || reasons(message) || message.function_call.is_some())
}

/// Whether a message has text.
fn speaks(message: &Message<'_>) -> bool {
    has_text([message.content, message.refusal])
}

fn reasons(message: &Message<'_>) -> bool {
    let fields = [message.reasoning_content, message.reasoning, message.reasoning_text, message.thinking];
    has_text(fields) || message.reasoning_details.is_some_and(is_list)
}

fn has_text<const N: usize>(fields: [Option<&RawValue>; N]) -> bool {
    fields.into_iter().flatten().any(|raw| reasoning::is_text(raw) || is_list(raw))
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
    ordered.sort_by_cached_key(|(index, _)| *index);
    for (position, (index, _)) in (0u64..).zip(&mut ordered) {
        *index = position.max(*index);
    }
    ordered
}
