//! Clients that send with `previous_response_id` what is stored already, without ids.

use super::{is_call, text};
use crate::json::TapeValue;
use crate::wire::typed::Located;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// How many items at the beginning of `input` repeat what is stored.
pub(super) fn prefix(stored: &[TapeValue<'_>], input: &[Located<'_, '_>]) -> usize {
    match conversation(stored, input) {
        0 => question(stored, input),
        repeated => repeated,
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

/// Semantic Kernel sends the user's last messages again before the outputs of the calls that answered them. Only there is it a
/// repetition: nobody says the same while the model waits for its outputs.
fn question(stored: &[TapeValue<'_>], input: &[Located<'_, '_>]) -> usize {
    let answered: BTreeSet<_> = stored.iter().filter_map(|item| output(*item)).collect();
    let calls = stored.iter().filter(|item| is_call(**item)).filter_map(|item| text(*item, "call_id"));
    let open: BTreeSet<_> = calls.filter(|call_id| !answered.contains(call_id)).collect();
    if !input.iter().filter_map(|item| output(item.value)).any(|call_id| open.contains(&call_id)) {
        return 0;
    }
    let again: Vec<_> = input.iter().map_while(|item| message(item.value)).collect();
    let users = stored.iter().filter_map(|item| message(*item)).filter(|said| !said.is_of_the_model());
    let users: Vec<_> = users.collect();
    if users.ends_with(&again) { again.len() } else { 0 }
}

fn output<'a>(item: TapeValue<'a>) -> Option<Cow<'a, str>> {
    match said(item)? {
        Said::Output(call_id) => Some(call_id),
        Said::Message(..) | Said::Call(_) => None,
    }
}

fn message(item: TapeValue<'_>) -> Option<Said<'_>> {
    said(item).filter(|said| matches!(said, Said::Message(..)))
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
}

/// `None` for reasoning and other things that such clients do not repeat.
fn said(item: TapeValue<'_>) -> Option<Said<'_>> {
    match (text(item, "role"), text(item, "call_id")) {
        (Some(role), _) => Some(Said::Message(role, words(item.field("content")?))),
        (None, Some(call_id)) if is_call(item) => Some(Said::Call(call_id)),
        (None, Some(call_id)) => Some(Said::Output(call_id)),
        (None, None) => None,
    }
}

fn words(content: TapeValue<'_>) -> String {
    match content.string() {
        Some(text) => text.into_owned(),
        None => content.elements().into_iter().flatten().filter_map(|part| text(part, "text")).collect(),
    }
}
