//! Clients that send the whole conversation and `previous_response_id` as well (AutoGen), without ids.

use super::{is_call, text};
use crate::json::TapeValue;
use crate::wire::typed::Located;
use std::borrow::Cow;

/// How many items at the beginning of `input` repeat the stored conversation. It is all of it or nothing: a message that
/// somebody says twice is no repetition.
pub(super) fn prefix(stored: &[TapeValue<'_>], input: &[Located<'_, '_>]) -> usize {
    let mut input = input.iter().enumerate();
    let mut repeated = 0;
    let mut by_the_model = false;
    for said in stored.iter().filter_map(|item| said(*item)) {
        let next = input.by_ref().find_map(|(at, item)| self::said(item.value).map(|said| (at, said)));
        match next {
            Some((at, again)) if again == said => repeated = at + 1,
            _ => return 0,
        }
        by_the_model = !matches!(&said, Said::Message(role, _) if role != "assistant");
    }
    // The stored conversation ends with what the model said.
    if by_the_model { repeated } else { 0 }
}

/// What an item says, however it is written.
#[derive(Debug, PartialEq, Eq)]
enum Said<'a> {
    Message(Cow<'a, str>, String),
    Call(Cow<'a, str>),
    Output(Cow<'a, str>),
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
