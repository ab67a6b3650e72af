//! Pairs calls with their outputs by `call_id`, regardless of their positions in the history.

use crate::config::History;
use crate::error::ApiError;
use crate::items::{Call, Entry, Output};
use crate::json::JsonStr;
use crate::report::{Repaired, Report};
use crate::wire::chat::request::Content;
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

/// Precedes an output whose call is unknown. Without it, the output would look like a message from the user.
const WITHOUT_CALL: &str = "[Output of a tool call that was not sent along]";

/// Replaces an output that was never sent.
const NO_OUTPUT: &str = "(no output: the call was interrupted)";

/// Replaces an output that the client sends later.
const PENDING: &str = "(no output yet: the call is still running)";

/// Moves each output into its call; what remains of it marks its place. Of calls that share an id, the first gets the
/// first output. An output without call becomes the user's, and a call without output gets a text that says so.
///
/// # Errors
/// With [`History::Strict`], 400 for a call without output, an output without call, or a reference to an
/// item that is not known, in OpenAI's words.
pub(super) fn pair(entries: &mut [Entry<'_>], policy: History, report: &mut Report) -> Result<(), ApiError> {
    let mut lost = lost_calls(entries, policy)?;
    let mut calls = Calls::of(entries);
    for place in 0..entries.len() {
        let Some(Entry::Output(output)) = entries.get_mut(place) else { continue };
        let Output { call_id, content } = std::mem::take(output);
        match calls.waiting(entries, &call_id).and_then(|call| as_call(entries.get_mut(call)?)) {
            Some(call) => call.output = Some(content),
            None if policy == History::Strict && lost == 0 => return Err(without_call(&call_id)),
            None => {
                lost = lost.saturating_sub(1);
                report.repaired(Repaired::CallOutput, &call_id);
                // The model can use an output even if it does not know what was called.
                let mut user = Content::Text(JsonStr::new(WITHOUT_CALL));
                user.append(content);
                if let Some(entry) = entries.get_mut(place) {
                    *entry = Entry::User(user);
                }
            }
        }
    }
    entries.iter_mut().filter_map(as_call).try_for_each(|call| ensure_output(call, policy, report))
}

/// How many calls were sent as references. Their outputs find no call.
fn lost_calls(entries: &[Entry<'_>], policy: History) -> Result<usize, ApiError> {
    let mut lost = 0;
    for entry in entries {
        let Entry::Reference(item) = entry else { continue };
        if policy == History::Strict && !item.is_dispensable() {
            return Err(item.not_found());
        }
        lost += usize::from(item.is_call());
    }
    Ok(lost)
}

fn ensure_output(call: &mut Call<'_>, policy: History, report: &mut Report) -> Result<(), ApiError> {
    if call.output.is_none() {
        let text = match policy {
            _ if call.is_async => PENDING,
            History::Strict => return Err(without_output(&call.call_id)),
            History::Repair => {
                report.repaired(Repaired::ToolCall, &call.name);
                NO_OUTPUT
            }
        };
        call.output = Some(Content::Text(JsonStr::new(text)));
    }
    Ok(())
}

/// The places of the calls in a history.
struct Calls<'a> {
    /// In order.
    places: Vec<usize>,
    /// How many of the first ones have their outputs.
    answered: usize,
    /// The places for each id. Only built when an output is out of order.
    of_id: Option<BTreeMap<Cow<'a, str>, VecDeque<usize>>>,
}

impl<'a> Calls<'a> {
    fn of(entries: &[Entry<'a>]) -> Self {
        let places = (0..).zip(entries).filter_map(|(place, entry)| call_id(entry).map(|_| place));
        Self { places: places.collect(), answered: 0, of_id: None }
    }

    /// The place of the first call with this id that has no output.
    fn waiting(&mut self, entries: &[Entry<'a>], id: &str) -> Option<usize> {
        let waits =
            |place: &usize| matches!(entries.get(*place), Some(Entry::Call(Call { output: None, .. })));
        let rest = self.places.get(self.answered..).unwrap_or_default();
        self.answered += rest.iter().take_while(|place| !waits(place)).count();
        // Outputs are nearly always in the order of their calls.
        let next = self.places.get(self.answered).copied();
        if next.and_then(|next| call_id(entries.get(next)?)).is_some_and(|next| next == id) {
            return next;
        }
        let places = self.of_id.get_or_insert_with(|| by_id(entries)).get_mut(id)?;
        std::iter::from_fn(|| places.pop_front()).find(waits)
    }
}

fn by_id<'a>(entries: &[Entry<'a>]) -> BTreeMap<Cow<'a, str>, VecDeque<usize>> {
    let mut places: BTreeMap<_, VecDeque<_>> = BTreeMap::new();
    for (place, entry) in entries.iter().enumerate() {
        if let Some(id) = call_id(entry) {
            places.entry(id.clone()).or_default().push_back(place);
        }
    }
    places
}

/// The `call_id` of an entry that is a call.
pub(super) fn call_id<'e, 'a>(entry: &'e Entry<'a>) -> Option<&'e Cow<'a, str>> {
    match entry {
        Entry::Call(call) => Some(&call.call_id),
        _ => None,
    }
}

fn as_call<'e, 'a>(entry: &'e mut Entry<'a>) -> Option<&'e mut Call<'a>> {
    match entry {
        Entry::Call(call) => Some(call),
        _ => None,
    }
}

fn without_output(call_id: &str) -> ApiError {
    ApiError::invalid(format!("No tool output found for function call {call_id}.")).at("input")
}

fn without_call(call_id: &str) -> ApiError {
    ApiError::invalid(format!("No tool call found for function call output with call_id {call_id}."))
        .at("input")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::items::FUNCTION;

    /// `a` is a call, `=a` its output.
    fn entries(written: &str) -> Vec<Entry<'_>> {
        let call = |id| Call {
            call_id: Cow::Borrowed(id),
            namespace: None,
            name: Cow::Borrowed("f"),
            kind: &FUNCTION,
            arguments: JsonStr::new("{}"),
            input: None,
            is_async: false,
            output: None,
        };
        let output = |id, number: usize| Output {
            call_id: Cow::Borrowed(id),
            content: Content::Text(JsonStr::new(&number.to_string())),
        };
        let words = written.split_whitespace().enumerate();
        words
            .map(|(number, word)| match word.strip_prefix('=') {
                Some(id) => Entry::Output(output(id, number)),
                None => Entry::Call(call(word)),
            })
            .collect()
    }

    /// For each call, the position of its output.
    fn outputs(written: &str) -> Result<Vec<String>, ApiError> {
        let mut entries = entries(written);
        pair(&mut entries, History::Strict, &mut Report::default())?;
        let output = |call: &mut Call<'_>| match call.output.take() {
            Some(Content::Text(text)) => text.decode().into_owned(),
            other => format!("{other:?}"),
        };
        Ok(entries.iter_mut().filter_map(as_call).map(output).collect())
    }

    #[test]
    fn outputs_find_their_calls_in_turn_and_out_of_turn() {
        for (written, expected) in [
            ("a =a b =b", "1 3"),
            ("a b c =a =b =c", "3 4 5"),
            ("a b c =c =b =a", "5 4 3"),
            ("=a a", "0"),
            ("a b a c =c =a =b =a", "5 6 7 4"),
            ("a a b =b =a =a", "4 5 3"),
            ("a b =b =a a =a", "3 2 5"),
        ] {
            assert_eq!(outputs(written).unwrap().join(" "), expected, "{written}");
        }
    }

    #[test]
    fn an_error_names_the_call_or_output_that_has_no_counterpart() {
        for (written, named) in [
            ("a =a =a", "output with call_id a"),
            ("a b =b", "call a"),
            ("a b =b =b", "output with call_id b"),
        ] {
            let error = outputs(written).unwrap_err();
            assert!(error.message.contains(named), "{written}: {}", error.message);
        }
    }
}
