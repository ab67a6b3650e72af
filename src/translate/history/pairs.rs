//! Calls and their outputs find each other by `call_id`, wherever they stand.

use crate::chat::request::Part;
use crate::config::History;
use crate::items::{Entry, Output, Report};
use crate::json::Text;
use crate::responses::ApiError;
use std::borrow::Cow;
use std::collections::{BTreeMap, VecDeque};

/// Goes before an output whose call is not known, or the model would take it for the user's words.
const WITHOUT_CALL: &str = "[Output of a tool call that was not sent along]";

/// Outputs by the call that they answer; several for an id that was used again.
pub(super) type Outputs<'a> = BTreeMap<Cow<'a, str>, VecDeque<Output<'a>>>;

/// Finds the output of each call. What remains among the entries are outputs' places, for the order.
///
/// # Errors
/// With [`History::Strict`], 400 for a call without output or an output without call, in OpenAI's words.
pub(super) fn pair<'a>(
    entries: Vec<Entry<'a>>,
    history: History,
    report: &mut Report,
) -> Result<(Vec<Entry<'a>>, Outputs<'a>), ApiError> {
    let mut open: BTreeMap<Cow<'a, str>, usize> = BTreeMap::new();
    let mut lost = 0usize;
    for entry in &entries {
        match entry {
            Entry::Call(call) => *open.entry(call.call_id.clone()).or_default() += 1,
            Entry::LostCall => lost += 1,
            _ => {}
        }
    }
    let mut outputs = Outputs::new();
    let mut kept = Vec::with_capacity(entries.len());
    for entry in entries {
        let Entry::Output(output) = entry else {
            kept.push(entry);
            continue;
        };
        match open.get_mut(&output.call_id).filter(|calls| **calls > 0) {
            Some(calls) => {
                *calls -= 1;
                kept.push(Entry::Output(Output { call_id: output.call_id.clone(), parts: Vec::new() }));
                outputs.entry(output.call_id.clone()).or_default().push_back(output);
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
    let is_open = |call_id: &str| open.get(call_id).is_some_and(|calls| *calls > 0);
    let unanswered = kept.iter().find_map(|entry| match entry {
        Entry::Call(call) if is_open(&call.call_id) => Some(&call.call_id),
        _ => None,
    });
    match unanswered {
        Some(call_id) if history == History::Strict => {
            Err(ApiError::invalid(format!("No tool output found for function call {call_id}.")).at("input"))
        }
        _ => Ok((kept, outputs)),
    }
}

fn orphan(call_id: &str) -> ApiError {
    ApiError::invalid(format!("No tool call found for function call output with call_id {call_id}."))
        .at("input")
}
