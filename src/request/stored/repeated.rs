//! Clients that send with `previous_response_id` what is stored already, without ids.

use super::{is_call, text};
use crate::json::TapeValue;
use crate::wire::typed::Located;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// How many items at the beginning of `input` repeat what is stored.
pub(super) fn prefix(stored: &[TapeValue<'_>], input: &[Located<'_, '_>]) -> usize {
    match conversation(stored, input) {
        0 => turn(stored, input),
        repeated => repeated,
    }
}

/// Whether an item with the id of a stored one is that one. Only a message can be another.
pub(super) fn is_same(stored: TapeValue<'_>, again: TapeValue<'_>) -> bool {
    match (said(stored), said(again)) {
        (Some(stored @ Said::Message(..)), Some(again)) => stored == again,
        _ => true,
    }
}

/// AutoGen sends the whole conversation. It is all of it or nothing: a message that somebody says twice is no repetition.
fn conversation(stored: &[TapeValue<'_>], input: &[Located<'_, '_>]) -> usize {
    let mut input = input.iter().enumerate();
    let mut repeated = 0;
    let mut by_the_model = false;
    for said in stored.iter().filter_map(|item| said(*item)) {
        let next = input.by_ref().find_map(|(at, item)| self::said(item.value).map(|said| (at, said)));
        match next {
            Some((at, again)) if again == said => repeated = at + 1,
            _ => return 0,
        }
        by_the_model = said.is_of_the_model();
    }
    // The stored conversation ends with what the model said.
    if by_the_model { repeated } else { 0 }
}

/// Semantic Kernel and Strands send their whole turn again before the outputs for which the model waits. Only there is it a
/// repetition: nobody says the same while the model waits.
fn turn(stored: &[TapeValue<'_>], input: &[Located<'_, '_>]) -> usize {
    let mut answered = BTreeSet::new();
    answered.extend(stored.iter().filter_map(|item| output(*item)));
    let calls = stored.iter().filter(|item| is_call(**item)).filter_map(|item| text(*item, "call_id"));
    let mut open = BTreeSet::new();
    open.extend(calls.filter(|call_id| !answered.contains(call_id)));
    let is_new = |item: &Located<'_, '_>| output(item.value).is_some_and(|call_id| open.contains(&call_id));
    let new = input.iter().position(is_new).unwrap_or(0);
    // From the end, because only the last turn is repeated.
    let mut before = stored.iter().rev().filter_map(|item| said(*item));
    let mut is_repeated = |item: &Located<'_, '_>| {
        said(item.value).is_some_and(|again| {
            // What the model and its tools said may be missing, but not what the user said.
            before.find(|said| *said == again || said.is_of_the_user()) == Some(again)
        })
    };
    if input.iter().take(new).rev().all(&mut is_repeated) { new } else { 0 }
}

/// The call whose output an item is.
fn output(item: TapeValue<'_>) -> Option<Cow<'_, str>> {
    if item.field("role").is_some() || is_call(item) { None } else { text(item, "call_id") }
}

/// What an item says, however it is written.
#[derive(Debug, PartialEq, Eq)]
enum Said<'a> {
    Message(Cow<'a, str>, String),
    Call(Cow<'a, str>),
    Output(Cow<'a, str>),
}

impl Said<'_> {
    fn is_of_the_model(&self) -> bool {
        match self {
            Self::Message(role, _) => role == "assistant",
            Self::Call(_) => true,
            Self::Output(_) => false,
        }
    }

    fn is_of_the_user(&self) -> bool {
        matches!(self, Self::Message(..)) && !self.is_of_the_model()
    }
}

/// `None` for reasoning and other things that such clients do not repeat.
fn said(item: TapeValue<'_>) -> Option<Said<'_>> {
    match text(item, "role") {
        Some(role) => Some(Said::Message(role, words(item.field("content")?))),
        None if is_call(item) => text(item, "call_id").map(Said::Call),
        None => output(item).map(Said::Output),
    }
}

/// Two messages with the same content say the same: the text of its parts, and all else as it is written.
fn words(content: TapeValue<'_>) -> String {
    let part = |part: TapeValue<'_>| match text(part, "text") {
        Some(text) => text.into_owned(),
        None => part.get().to_owned(),
    };
    match content.string() {
        Some(text) => text.into_owned(),
        None => content.elements().into_iter().flatten().map(part).collect(),
    }
}
