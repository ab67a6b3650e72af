//! Replies with several choices. Requests ask for one, so all choices are parts of one answer, such as the text in the
//! first and a call in the second.

use super::call_fragment::number;
use super::places;
use super::reasoning;
use crate::report::Dropped;
use crate::response::delta::{Delta, DeltaSink};
use crate::response::outcome::Failure;
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

/// What a choice has of the answer.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Contribution {
    /// The choice's number.
    pub(super) choice: u64,
    pub(super) text: bool,
    pub(super) reasoning: bool,
    pub(super) calls: bool,
    /// It is complete, so nothing follows.
    pub(super) is_complete: bool,
}

impl Contribution {
    pub(super) fn of(choice: &Choice<'_>, number: u64) -> Self {
        let has = |what: fn(&Message<'_>) -> bool| places::messages(choice).any(what);
        Self {
            choice: number,
            text: has(speaks),
            reasoning: has(reasons),
            calls: places::of_choice(choice).is_some() || has(|message| message.function_call.is_some()),
            is_complete: choice.delta.is_none(),
        }
    }

    /// Whether it has a piece of the answer.
    pub(super) fn has_any(self) -> bool {
        self.text || self.reasoning || self.calls
    }
}

impl AnswerChoices {
    /// Whether a choice is a part of the answer. If not, it is an alternative, which is reported when the first of it comes.
    pub(super) fn admit(&mut self, new: Contribution, sink: &mut impl DeltaSink) -> Result<bool, Failure> {
        if self.speaker == Some(new.choice) {
            return Ok(true);
        }
        let may_reason = !new.reasoning || self.may_reason(new.choice);
        let is_part = if new.text { self.may_speak(new) } else { may_reason };
        if !is_part && self.alternatives.insert(new.choice) {
            sink.delta(Delta::Unsupported { kind: Dropped::Part, name: "choice" })?;
        }
        Ok(!self.alternatives.contains(&new.choice))
    }

    /// A choice is ignored: notes the name of the call in it.
    pub(super) fn ignore(&mut self, called: Option<&str>) {
        if self.ignored_call.is_none() {
            self.ignored_call = called.map(ToOwned::to_owned);
        }
    }

    /// The name of a call that was ignored.
    pub(super) fn ignored_call(&self) -> Option<&str> {
        self.ignored_call.as_deref()
    }

    /// In a stream, the text of the first choice may come after that of others.
    fn may_speak(&mut self, new: Contribution) -> bool {
        let may = self.speaker.is_none() && (new.choice == 0 || new.is_complete);
        if may {
            self.speaker = Some(new.choice);
        }
        may
    }

    /// The first choice always may: its text comes with it, or follows.
    fn may_reason(&mut self, number: u64) -> bool {
        let reasoner = *self.reasoner.get_or_insert(number);
        number == 0 || reasoner == number
    }
}

/// The name of the first call in a choice, which is empty if the call cannot be read.
pub(super) fn called<'c>(choice: &'c Choice<'_>) -> Option<&'c str> {
    match places::of_choice(choice) {
        Some(ToolCalls::Read(calls)) => calls.first().map(|call| call.name().unwrap_or_default()),
        Some(ToolCalls::Unreadable) => Some(""),
        None => None,
    }
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
