//! Calls and their outputs find each other by `call_id`, wherever they stand.

use crate::config::History;
use crate::error::ApiError;
use crate::items::{Entry, Output};
use crate::json::JsonStr;
use crate::report::{Repaired, Report};
use crate::wire::chat::request::Part;
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

/// Goes before an output whose call is not known, or the model would take it for the user's words.
const WITHOUT_CALL: &str = "[Output of a tool call that was not sent along]";

/// The output of each call, in the order of the calls; nothing for one that has none.
pub(super) type Outputs<'a> = Vec<Option<Output<'a>>>;

/// Finds the output of each call. What remains among the entries are outputs' places, for the order. Of calls that
/// share an id, the first gets the first output.
///
/// # Errors
/// With [`History::Strict`], 400 for a call without output or an output without call, in OpenAI's words.
pub(super) fn pair<'a>(
    entries: Vec<Entry<'a>>,
    history: History,
    report: &mut Report,
) -> Result<(Vec<Entry<'a>>, Outputs<'a>), ApiError> {
    let mut calls = Calls::of(&entries);
    let mut lost = lost_calls(&entries, history)?;
    let placed = entries.into_iter().map(|entry| {
        let Entry::Output(output) = entry else { return Ok(entry) };
        match calls.answer(output) {
            Ok(place) => Ok(place),
            Err(orphan) if history == History::Strict && lost == 0 => Err(without_call(&orphan.call_id)),
            // What a tool said is worth something even if nobody knows what it was asked.
            Err(orphan) => {
                lost = lost.saturating_sub(1);
                report.repaired(Repaired::CallOutput, &orphan.call_id);
                let heading = Part::Text { text: JsonStr::new(WITHOUT_CALL) };
                Ok(Entry::User(std::iter::once(heading).chain(orphan.parts).collect()))
            }
        }
    });
    let placed = placed.collect::<Result<_, _>>()?;
    match calls.first_unanswered() {
        Some(call_id) if history == History::Strict => Err(without_output(call_id)),
        _ => Ok((placed, calls.outputs)),
    }
}

/// How many calls are only referred to. Their outputs find no call.
fn lost_calls(entries: &[Entry<'_>], history: History) -> Result<usize, ApiError> {
    let mut lost = 0;
    for entry in entries {
        let Entry::Reference(item) = entry else { continue };
        if history == History::Strict && !item.is_dispensable() {
            return Err(item.not_found());
        }
        lost += usize::from(item.is_call());
    }
    Ok(lost)
}

/// The calls of a conversation, in their order, and their outputs.
struct Calls<'a> {
    ids: Vec<Cow<'a, str>>,
    outputs: Outputs<'a>,
    /// All calls before this one have their outputs.
    next: usize,
    /// The calls of each id; looked for only when an output comes out of turn.
    of_id: Option<BTreeMap<Cow<'a, str>, VecDeque<usize>>>,
}

impl<'a> Calls<'a> {
    fn of(entries: &[Entry<'a>]) -> Self {
        let ids: Vec<_> = entries.iter().filter_map(call_id).cloned().collect();
        let outputs = ids.iter().map(|_| None).collect();
        Self { ids, outputs, next: 0, of_id: None }
    }

    /// Gives a call its output, and leaves the output's place; the output itself, if no call waits for it.
    fn answer(&mut self, output: Output<'a>) -> Result<Entry<'a>, Output<'a>> {
        let answered = self.waiting(&output.call_id).and_then(|number| self.outputs.get_mut(number));
        let Some(answered) = answered else { return Err(output) };
        let place = Output { call_id: output.call_id.clone(), parts: Vec::new() };
        *answered = Some(output);
        Ok(Entry::Output(place))
    }

    fn waiting(&mut self, call_id: &str) -> Option<usize> {
        let waits = |number: &usize| matches!(self.outputs.get(*number), Some(None));
        self.next = (self.next..self.ids.len()).find(waits).unwrap_or(self.ids.len());
        // So it is nearly always: outputs stand in the order of their calls.
        if self.ids.get(self.next).is_some_and(|next| next == call_id) {
            return Some(self.next);
        }
        let numbers = self.of_id.get_or_insert_with(|| numbers(&self.ids)).get_mut(call_id)?;
        std::iter::from_fn(|| numbers.pop_front()).find(waits)
    }

    fn first_unanswered(&self) -> Option<&str> {
        let mut calls = self.ids.iter().zip(&self.outputs);
        calls.find(|(_, output)| output.is_none()).map(|(call_id, _)| &**call_id)
    }
}

fn numbers<'a>(ids: &[Cow<'a, str>]) -> BTreeMap<Cow<'a, str>, VecDeque<usize>> {
    let mut numbers: BTreeMap<_, VecDeque<_>> = BTreeMap::new();
    for (number, id) in ids.iter().enumerate() {
        numbers.entry(id.clone()).or_default().push_back(number);
    }
    numbers
}

fn call_id<'e, 'a>(entry: &'e Entry<'a>) -> Option<&'e Cow<'a, str>> {
    match entry {
        Entry::Call(call) => Some(&call.call_id),
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
    use crate::items::{Call, FUNCTION};

    /// Calls `a`, outputs `=a`.
    fn entries(written: &str) -> Vec<Entry<'_>> {
        let call = |id| Call {
            call_id: Cow::Borrowed(id),
            namespace: None,
            name: Cow::Borrowed("f"),
            kind: &FUNCTION,
            arguments: JsonStr::new("{}"),
            input: None,
        };
        let output = |id, number: usize| Output {
            call_id: Cow::Borrowed(id),
            parts: vec![Part::Text { text: JsonStr::new(&number.to_string()) }],
        };
        let words = written.split_whitespace().enumerate();
        words
            .map(|(number, word)| match word.strip_prefix('=') {
                Some(id) => Entry::Output(output(id, number)),
                None => Entry::Call(call(word)),
            })
            .collect()
    }

    /// Where the output of each call stands.
    fn outputs(written: &str) -> Result<Vec<String>, ApiError> {
        let (placed, outputs) = pair(entries(written), History::Strict, &mut Report::default())?;
        assert_eq!(placed.len(), written.split_whitespace().count());
        let text = |output: Output<'_>| match &output.parts[..] {
            [Part::Text { text }] => text.decode().into_owned(),
            other => format!("{other:?}"),
        };
        Ok(outputs.into_iter().map(|output| output.map_or("-".to_owned(), text)).collect())
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
    fn what_finds_no_other_is_named() {
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
