//! Calls and their outputs find each other by `call_id`, wherever they stand.

use crate::chat::request::Part;
use crate::config::History;
use crate::items::{Call, Entry, Output, Report};
use crate::json::Text;
use crate::responses::ApiError;
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
    let mut open: BTreeMap<Cow<'a, str>, VecDeque<usize>> = BTreeMap::new();
    for (number, call) in entries.iter().filter_map(call).enumerate() {
        open.entry(call.call_id.clone()).or_default().push_back(number);
    }
    let mut lost = entries.iter().filter(|entry| matches!(entry, Entry::LostCall)).count();
    let mut outputs: Outputs<'a> = entries.iter().filter_map(call).map(|_| None).collect();
    let mut kept = Vec::with_capacity(entries.len());
    for entry in entries {
        let Entry::Output(output) = entry else {
            kept.push(entry);
            continue;
        };
        let answered = open.get_mut(&output.call_id).and_then(VecDeque::pop_front);
        match answered.and_then(|number| outputs.get_mut(number)) {
            Some(of_call) => {
                kept.push(Entry::Output(Output { call_id: output.call_id.clone(), parts: Vec::new() }));
                *of_call = Some(output);
            }
            None if history == History::Strict && lost == 0 => return Err(orphan(&output.call_id)),
            // What a tool said is worth something even if nobody knows what it was asked.
            None => {
                lost = lost.saturating_sub(1);
                report.repaired("call_output", &output.call_id);
                let heading = Part::Text { text: Text::new(WITHOUT_CALL) };
                kept.push(Entry::User(std::iter::once(heading).chain(output.parts).collect()));
            }
        }
    }
    let mut calls = kept.iter().filter_map(call).zip(&outputs);
    match calls.find(|(_, output)| output.is_none()) {
        Some((Call { call_id, .. }, _)) if history == History::Strict => {
            Err(ApiError::invalid(format!("No tool output found for function call {call_id}.")).at("input"))
        }
        _ => Ok((kept, outputs)),
    }
}

fn call<'e, 'a>(entry: &'e Entry<'a>) -> Option<&'e Call<'a>> {
    match entry {
        Entry::Call(call) => Some(call),
        _ => None,
    }
}

fn orphan(call_id: &str) -> ApiError {
    ApiError::invalid(format!("No tool call found for function call output with call_id {call_id}."))
        .at("input")
}
