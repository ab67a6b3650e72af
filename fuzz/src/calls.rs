//! Counts tool calls independently of how the filter reads them.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use transponder::items::CALL_ITEMS;
use transponder::sse::decode::{Decoder, Frame};

/// The calls in an upstream's reply that no reader can doubt.
#[derive(Default)]
struct Made {
    ids: BTreeSet<String>,
    /// The arguments of each index, since the last call at that index began.
    arguments: BTreeMap<u64, String>,
    /// The index of the last fragment.
    last: u64,
}

/// The ids of the calls in an upstream's reply that no reader can doubt: fragments with both an id and a name.
pub fn made_by(reply: &[u8]) -> BTreeSet<String> {
    let mut made = Made::default();
    if let Ok(document) = serde_json::from_slice::<Value>(reply) {
        made.collect(&document, &["delta", "message"]);
        return made.ids;
    }
    // A body that begins like a document but is not valid JSON, or continues after it, has no such calls.
    let begins = reply.iter().find(|byte| !byte.is_ascii_whitespace() && !b"\xEF\xBB\xBF".contains(byte));
    if begins.is_some_and(|byte| b"{[".contains(byte)) {
        return made.ids;
    }
    let mut done = false;
    let mut take = |frame: Frame<'_>| {
        if let Frame::Event { data, .. } = frame {
            // Where the blank lines between events are missing, it is one line of many.
            let is_end = |line: &[u8]| [b"[DONE]".as_slice(), b"\"[DONE]\""].contains(&line.trim_ascii());
            done |= data.split(|byte| *byte == b'\n').any(is_end);
            if let Ok(chunk) = serde_json::from_slice::<Value>(data)
                && !done
            {
                // A complete message among deltas repeats them, perhaps with other ids.
                made.collect(&chunk, &["delta"]);
            }
        }
    };
    let mut decoder = Decoder::new(8 << 20);
    let mut rest = reply;
    while let Ok(Some(frame)) = decoder.next(&mut rest) {
        take(frame);
    }
    while let Ok(Some(frame)) = decoder.finish() {
        take(frame);
    }
    made.ids
}

impl Made {
    fn collect(&mut self, chunk: &Value, messages: &[&str]) {
        let choices = chunk["choices"].as_array().into_iter().flatten();
        let Some(choice) = choices.into_iter().find(|choice| number(&choice["index"]) == 0) else { return };
        for message in messages {
            for call in choice[message]["tool_calls"].as_array().into_iter().flatten() {
                self.add(call);
            }
        }
    }

    fn add(&mut self, call: &Value) {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (id, name) = (text(&call["id"]), text(&call["function"]["name"]));
        let has_index = !call["index"].is_null();
        if has_index {
            self.last = number(&call["index"]);
        }
        let begins = !id.is_empty() && !name.is_empty() && self.may_begin(has_index);
        let arguments = self.arguments.entry(self.last).or_default();
        if begins && self.ids.insert(id) {
            arguments.clear();
        }
        arguments.push_str(&text(&call["function"]["arguments"]));
    }

    /// Some vLLM versions send a new id with each piece, so only whole arguments end the call at an index. Without an
    /// index, no arguments do too.
    fn may_begin(&self, has_index: bool) -> bool {
        let is_whole =
            |text: &String| serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object());
        let before = self.arguments.get(&self.last);
        before.is_none_or(|text| is_whole(text) || !has_index && text.is_empty())
    }
}

fn number(index: &Value) -> u64 {
    let written = index.as_str().and_then(|text| text.parse().ok());
    index.as_u64().or(written).unwrap_or(0)
}

/// How many calls the client receives.
pub fn handed_over(response: &Value) -> usize {
    let items = response["output"].as_array().into_iter().flatten();
    items.filter(|item| is_call(item)).count()
}

/// How many calls the client's history has.
pub fn in_history(request: &Value) -> usize {
    request["input"].as_array().into_iter().flatten().filter(|item| is_call(item)).count()
}

/// How many calls are sent upstream.
pub fn in_messages(body: &Value) -> usize {
    let messages = body["messages"].as_array().into_iter().flatten();
    messages.filter_map(|message| message["tool_calls"].as_array()).map(Vec::len).sum()
}

fn is_call(item: &Value) -> bool {
    item["type"].as_str().is_some_and(|item_type| CALL_ITEMS.contains(&item_type))
}
