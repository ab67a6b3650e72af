//! A reply as one `chat.completion`, and what both forms of a reply take from the request.

use serde_json::{Map, Value, json};

use crate::calls::Numbering;
use crate::script::{Reply, Step};

/// The properties of a request that its answer depends on.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// The number of earlier requests. Generated ids contain it, so that equal runs have equal ids.
    pub(crate) turn: usize,
    pub(crate) model: String,
    pub(crate) stream: bool,
    pub(crate) include_usage: bool,
    /// The size of the request in bytes, from which the token count is estimated.
    pub(crate) size: usize,
}

impl Facts {
    /// A constant instead of the clock, so that equal runs have equal bytes.
    pub(crate) const CREATED: u64 = 1_700_000_000;

    pub(crate) fn of(body: &Value, turn: usize, size: usize) -> Self {
        let flag = |pointer| body.pointer(pointer).and_then(Value::as_bool) == Some(true);
        Self {
            turn,
            model: body.get("model").and_then(Value::as_str).unwrap_or_default().to_owned(),
            stream: flag("/stream"),
            include_usage: flag("/stream_options/include_usage"),
            size,
        }
    }

    pub(crate) fn id(&self) -> String {
        format!("chatcmpl-{}", self.turn)
    }
}

/// The scripted usage, or an estimate of one token per four bytes.
pub(crate) fn usage(reply: &Reply, facts: &Facts) -> Option<Value> {
    if let Some(scripted) = &reply.usage {
        return scripted.clone();
    }
    let said: usize = reply.steps().iter().map(size).sum();
    let (prompt, completion) = (facts.size.div_ceil(4), said.div_ceil(4));
    Some(json!({
        "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion
    }))
}

fn size(step: &Step) -> usize {
    match step {
        Step::Text(text) | Step::Reasoning(text) | Step::Refusal(text) => text.len(),
        Step::ToolCalls(calls) => {
            calls.iter().map(|call| call.name.len() + call.arguments_text().len()).sum()
        }
        Step::Data(_) | Step::Raw(_) | Step::Comment(_) | Step::WaitMs(_) => 0,
    }
}

/// The reply as one JSON document.
pub(crate) fn completion(reply: &Reply, facts: &Facts) -> Value {
    let message = message(reply, facts);
    let finish = reply.finish_reason(message.contains_key("tool_calls"));
    let mut answer = json!({
        "id": reply.shape.id.clone().unwrap_or_else(|| facts.id()),
        "object": "chat.completion",
        "created": Facts::CREATED,
        "model": facts.model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    });
    if let (Some(usage), Some(map)) = (usage(reply, facts), answer.as_object_mut()) {
        map.insert("usage".to_owned(), usage);
    }
    answer
}

fn message(reply: &Reply, facts: &Facts) -> Map<String, Value> {
    let mut message =
        Map::from_iter([("role".to_owned(), json!("assistant")), ("content".to_owned(), Value::Null)]);
    let mut numbering = Numbering::new(facts);
    for step in reply.steps() {
        match step {
            Step::Text(text) => append(&mut message, "content", &text),
            Step::Reasoning(text) => append(&mut message, reply.reasoning_field(), &text),
            Step::Refusal(text) => append(&mut message, "refusal", &text),
            Step::ToolCalls(calls) => {
                let calls = numbering.message(&calls, reply);
                let all = message.entry("tool_calls").or_insert_with(|| Value::Array(Vec::new()));
                if let Some(all) = all.as_array_mut() {
                    all.extend(calls);
                }
            }
            // These steps only exist in streams.
            Step::Data(_) | Step::Raw(_) | Step::Comment(_) | Step::WaitMs(_) => {}
        }
    }
    message
}

fn append(message: &mut Map<String, Value>, key: &str, text: &str) {
    let before = message.get(key).and_then(Value::as_str).unwrap_or_default();
    let all = format!("{before}{text}");
    message.insert(key.to_owned(), Value::String(all));
}
