//! Pairs calls with their outputs by `call_id`, regardless of their positions in the history.

use crate::config::History;
use crate::error::ApiError;
use crate::items::{Call, Entry, Output, Reasoning};
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

/// One step of a history in which every call has its output.
#[derive(Debug)]
pub(super) enum Step<'a> {
    /// Text of the system or the developer.
    Instructions(Content<'a>),
    /// Content from the user.
    User(Content<'a>),
    /// Text of the model.
    Assistant(Content<'a>),
    /// Reasoning of the model.
    Reasoning(Reasoning<'a>),
    /// A call and its output.
    Call(Call<'a>, Content<'a>),
    /// The place at which an output was sent: calls that follow were made after it.
    OutputSent,
}

/// Pairs calls and outputs. Of calls that share an id, the first gets the first output.
///
/// # Errors
/// With [`History::Strict`], 400 for a call without output, an output without call, or a reference to an
/// item that is not known, in OpenAI's words.
pub(super) fn pair<'a>(
    entries: Vec<Entry<'a>>,
    policy: History,
    report: &mut Report,
) -> Result<Vec<Step<'a>>, ApiError> {
    let mut lost = lost_calls(&entries, policy)?;
    let mut calls = Calls::of(&entries);
    let mut steps = Vec::with_capacity(entries.len());
    for entry in entries {
        steps.push(match entry {
            Entry::Instructions(content) => Step::Instructions(content),
            Entry::User(content) => Step::User(content),
            Entry::Assistant(content) => Step::Assistant(content),
            Entry::Reasoning(reasoning) => Step::Reasoning(reasoning),
            Entry::Call(call) => Step::Call(call, Content::default()),
            Entry::Reference(_) => continue,
            Entry::Output(output) => match calls.answer(output) {
                Ok(()) => Step::OutputSent,
                Err(orphan) if policy == History::Strict && lost == 0 => {
                    return Err(without_call(&orphan.call_id));
                }
                Err(orphan) => {
                    lost = lost.saturating_sub(1);
                    report.repaired(Repaired::CallOutput, &orphan.call_id);
                    // The model can use an output even if it does not know what was called.
                    let mut content = Content::Text(JsonStr::new(WITHOUT_CALL));
                    content.append(orphan.content);
                    Step::User(content)
                }
            },
        });
    }
    hand_out(calls.outputs, &mut steps, policy, report)?;
    Ok(steps)
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

/// Moves the outputs, which are in the order of the calls, into the calls.
fn hand_out<'a>(
    outputs: Vec<Option<Output<'a>>>,
    steps: &mut [Step<'a>],
    policy: History,
    report: &mut Report,
) -> Result<(), ApiError> {
    let calls = steps.iter_mut().filter_map(|step| match step {
        Step::Call(call, content) => Some((call, content)),
        _ => None,
    });
    for ((call, content), output) in calls.zip(outputs) {
        *content = match output {
            Some(output) => output.content,
            None if call.is_async => Content::Text(JsonStr::new(PENDING)),
            None if policy == History::Strict => return Err(without_output(&call.call_id)),
            None => {
                report.repaired(Repaired::ToolCall, &call.name);
                Content::Text(JsonStr::new(NO_OUTPUT))
            }
        };
    }
    Ok(())
}

/// The calls of a history, in their order, and the outputs that were found for them.
struct Calls<'a> {
    ids: Vec<Cow<'a, str>>,
    outputs: Vec<Option<Output<'a>>>,
    /// All calls before this one have their outputs.
    next: usize,
    /// The calls of each id. Only built when an output is out of order.
    of_id: Option<BTreeMap<Cow<'a, str>, VecDeque<usize>>>,
}

impl<'a> Calls<'a> {
    fn of(entries: &[Entry<'a>]) -> Self {
        let ids: Vec<_> = entries.iter().filter_map(call_id).cloned().collect();
        let outputs = ids.iter().map(|_| None).collect();
        Self { ids, outputs, next: 0, of_id: None }
    }

    /// Gives an output to its call, or returns it if no call waits for it.
    fn answer(&mut self, output: Output<'a>) -> Result<(), Output<'a>> {
        match self.waiting(&output.call_id).and_then(|number| self.outputs.get_mut(number)) {
            Some(place) => {
                *place = Some(output);
                Ok(())
            }
            None => Err(output),
        }
    }

    /// The first call with this id that has no output.
    fn waiting(&mut self, call_id: &str) -> Option<usize> {
        let waits = |number: &usize| matches!(self.outputs.get(*number), Some(None));
        self.next = (self.next..self.ids.len()).find(waits).unwrap_or(self.ids.len());
        // Outputs are nearly always in the order of their calls.
        if self.ids.get(self.next).is_some_and(|next| next == call_id) {
            return Some(self.next);
        }
        let numbers = self.of_id.get_or_insert_with(|| numbers(&self.ids)).get_mut(call_id)?;
        std::iter::from_fn(|| numbers.pop_front()).find(waits)
    }
}

fn numbers<'a>(ids: &[Cow<'a, str>]) -> BTreeMap<Cow<'a, str>, VecDeque<usize>> {
    let mut numbers: BTreeMap<_, VecDeque<_>> = BTreeMap::new();
    for (number, id) in ids.iter().enumerate() {
        numbers.entry(id.clone()).or_default().push_back(number);
    }
    numbers
}

/// The `call_id` of an entry that is a call.
pub(super) fn call_id<'e, 'a>(entry: &'e Entry<'a>) -> Option<&'e Cow<'a, str>> {
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
        let steps = pair(entries(written), History::Strict, &mut Report::default())?;
        assert_eq!(steps.len(), written.split_whitespace().count());
        let output = |step| match step {
            Step::Call(_, Content::Text(text)) => Some(text.decode().into_owned()),
            Step::Call(_, other) => Some(format!("{other:?}")),
            _ => None,
        };
        Ok(steps.into_iter().filter_map(output).collect())
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
