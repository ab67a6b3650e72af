//! A fragment of a call, in one form for all providers.

use super::seen::Form;
use crate::json::{JsonStr, is_blank_string};
use crate::wire::chat::reply::{Function, ToolCall};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Calls in the text get indices from this one on. No provider uses such large ones.
const FIRST_TEXT_CALL_INDEX: u64 = 1 << 32;

/// A fragment of a call, as the provider sent it.
#[derive(Debug, Default)]
pub(in crate::response) struct CallFragment<'a> {
    pub(super) index: Option<u64>,
    pub(super) id: Cow<'a, str>,
    pub(super) name: &'a str,
    pub(super) arguments: Option<&'a RawValue>,
    /// It is of a tool that the upstream declares as `custom`.
    pub(super) is_custom: bool,
    pub(super) is_legacy: bool,
    pub(super) extra: Option<&'a RawValue>,
    /// It has no arguments, but something under a key that is not read.
    pub(super) is_unread: bool,
}

impl<'a> CallFragment<'a> {
    /// An element of `tool_calls`, in any form.
    pub(super) fn of(call: &'a ToolCall<'a>) -> Self {
        Self {
            index: call.index.and_then(number),
            id: call.id.map(label).unwrap_or_default(),
            name: call.name().unwrap_or_default(),
            arguments: first_full(call.arguments()),
            is_custom: call.custom.is_some(),
            is_legacy: false,
            extra: call.extra_content,
            is_unread: call.is_unread,
        }
    }

    /// A complete call that was found in the text, the `number`th of them, from 0.
    pub(super) fn from_text(number: u64, name: &'a str, arguments: &'a RawValue) -> Self {
        let index = Some(FIRST_TEXT_CALL_INDEX.saturating_add(number));
        Self { index, name, arguments: Some(arguments), ..Self::default() }
    }

    /// Whether it was found in the text.
    pub(super) fn is_in_text(&self) -> bool {
        self.index.is_some_and(|index| index >= FIRST_TEXT_CALL_INDEX)
    }

    /// The deprecated single `function_call`.
    pub(super) fn legacy(function: &'a Function<'a>) -> Self {
        let name = function.name.as_deref().unwrap_or_default();
        let arguments = first_full(function.arguments().into_iter().flatten());
        Self { index: Some(0), name, arguments, is_legacy: true, ..Self::default() }
    }

    /// The same fragment, with this index.
    pub(super) fn at(self, index: u64) -> Self {
        Self { index: Some(index), ..self }
    }

    /// Whether it cannot begin a call. Some providers send white space after the arguments.
    pub(super) fn is_empty(&self) -> bool {
        self.id.is_empty() && self.name.is_empty() && self.arguments.is_none_or(is_blank_string)
    }
}

/// The fragments in a list of calls. Each is a call of its own in a complete message, and where several have no index;
/// then its position is its index. But one that has the id of a call so far (`knows`) is of that call.
pub(super) fn of_list<'a>(
    calls: &'a [ToolCall<'a>],
    form: Form,
    knows: impl Fn(&str) -> bool,
) -> Vec<CallFragment<'a>> {
    let is_complete = form == Form::Complete;
    let each_is_a_call = is_complete || calls.len() > 1 && calls.iter().all(|call| call.index.is_none());
    let fragments = (0u64..).zip(calls).map(|(index, call)| {
        let fragment = CallFragment::of(call);
        let is_new = is_complete || !knows(&fragment.id);
        if each_is_a_call && is_new { fragment.at(index) } else { fragment }
    });
    fragments.collect()
}

/// The first that holds something, or the first.
fn first_full<'a>(mut places: impl Iterator<Item = &'a RawValue>) -> Option<&'a RawValue> {
    let is_full = |raw: &&RawValue| !is_blank_string(raw) && !["{}", "\"{}\""].contains(&raw.get());
    let first = places.next()?;
    if is_full(&first) { Some(first) } else { places.find(is_full).or(Some(first)) }
}

/// A number; some providers write it as a string, or as `0.0`.
pub(super) fn number(raw: &RawValue) -> Option<u64> {
    let number = raw.get().trim_matches('"');
    let whole = number.split_once('.').filter(|(_, fraction)| fraction.bytes().all(|digit| digit == b'0'));
    whole.map_or(number, |(whole, _)| whole).parse().ok()
}

/// A string; some providers write it as a number.
fn label(raw: &RawValue) -> Cow<'_, str> {
    match JsonStr::of(raw) {
        Some(text) => Cow::Owned(text.decode().into_owned()),
        None => Cow::Borrowed(raw.get()),
    }
}
