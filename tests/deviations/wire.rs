//! How an upstream sends an answer: its pieces, and the chunks or the document that they form.

use super::Rng;
use super::answer::{Answer, Call};
use serde_json::{Map, Value, json};

/// The pieces of a reply in their order. Each is a delta, or a fragment of a call.
#[derive(Debug, Default)]
pub struct Wire {
    /// One JSON document, in which each part is one piece.
    pub is_document: bool,
    pub reasoning: Vec<Value>,
    pub text: Vec<Value>,
    /// The fragments of each call.
    pub calls: Vec<Vec<Value>>,
    /// All arguments of each call, as they are written.
    pub arguments: Vec<Value>,
    /// The name of each call, as it is written.
    pub names: Vec<String>,
    /// Deltas after the calls.
    pub closing: Vec<Value>,
    pub order: Order,
    pub finish: Value,
    pub usage: Value,
}

/// In which order the fragments of several calls are sent.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    #[default]
    OneByOne,
    InTurns,
    /// In one chunk.
    Together,
}

impl Wire {
    /// As OpenAI sends it.
    pub fn of(answer: &Answer, is_document: bool, rng: &mut Rng) -> Self {
        let mut pieces = |text: &str| if is_document { whole(text) } else { split(text, rng) };
        let deltas =
            |pieces: Vec<String>, key: &str| pieces.into_iter().map(|piece| json!({ key: piece })).collect();
        let calls = answer.calls.iter().enumerate();
        let mut wire = Self {
            is_document,
            reasoning: deltas(pieces(&answer.reasoning), "reasoning_content"),
            text: deltas(pieces(&answer.text), "content"),
            calls: calls
                .map(|(number, call)| fragments(number, call, pieces(&call.arguments.to_string())))
                .collect(),
            arguments: answer.calls.iter().map(|call| call.arguments.to_string().into()).collect(),
            names: answer.calls.iter().map(|call| call.name.to_owned()).collect(),
            closing: deltas(pieces(&answer.closing), "content"),
            order: Order::OneByOne,
            finish: json!(if answer.calls.is_empty() { "stop" } else { "tool_calls" }),
            usage: answer.usage.map_or(Value::Null, usage),
        };
        if is_document {
            wire.fragments().for_each(|call| drop(call.as_object_mut().unwrap().remove("index")));
        }
        wire
    }

    /// The fragments of all calls, including those that repeat a call.
    pub fn fragments(&mut self) -> impl Iterator<Item = &mut Value> {
        let repeated = self.closing.iter_mut().filter_map(|delta| delta["tool_calls"].as_array_mut());
        self.calls.iter_mut().chain(repeated).flatten()
    }

    /// Sends each call in one fragment.
    pub fn join_fragments(&mut self) {
        for (fragments, arguments) in self.calls.iter_mut().zip(&self.arguments) {
            fragments.truncate(1);
            fragments[0]["function"]["arguments"] = arguments.clone();
        }
    }

    /// Writes the arguments of a call in another way.
    pub fn respell(&mut self, number: usize, arguments: &str, rng: &mut Rng) {
        let pieces = if self.is_document { whole(arguments) } else { split(arguments, rng) };
        let head = self.calls[number].swap_remove(0);
        self.calls[number] = continued(head, pieces);
        self.arguments[number] = json!(arguments);
    }

    /// The chunks of the stream, or the document.
    pub fn chunks(&self) -> Vec<Value> {
        if self.is_document {
            return vec![self.document()];
        }
        let chunk = |delta: &Value, finish: &Value| json!({"id": "c", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
        let calls = self.call_chunks().into_iter().map(|fragments| json!({"tool_calls": fragments}));
        let calls: Vec<Value> = calls.collect();
        let deltas = [&self.reasoning, &self.text, &calls, &self.closing].into_iter().flatten();
        let mut chunks: Vec<Value> = deltas.map(|delta| chunk(delta, &Value::Null)).collect();
        chunks.push(chunk(&json!({}), &self.finish));
        if !self.usage.is_null() {
            chunks.push(json!({"choices": [], "usage": self.usage}));
        }
        chunks
    }

    /// The fragments of each chunk.
    fn call_chunks(&self) -> Vec<Vec<Value>> {
        match self.order {
            Order::OneByOne => self.calls.iter().flatten().map(|fragment| vec![fragment.clone()]).collect(),
            Order::Together => vec![self.calls.concat()],
            Order::InTurns => {
                let turns = self.calls.iter().map(Vec::len).max().unwrap_or(0);
                let fragments =
                    (0..turns).flat_map(|turn| self.calls.iter().filter_map(move |call| call.get(turn)));
                fragments.map(|fragment| vec![fragment.clone()]).collect()
            }
        }
    }

    fn document(&self) -> Value {
        let mut message = json!({"role": "assistant", "content": null});
        for part in self.reasoning.iter().chain(&self.text) {
            merge(&mut message, part);
        }
        if !self.calls.is_empty() {
            message["tool_calls"] = self.calls.concat().into();
        }
        let choice = json!({"index": 0, "message": message, "finish_reason": self.finish});
        json!({"id": "c", "object": "chat.completion", "choices": [choice], "usage": self.usage})
    }
}

/// `usage` of these input, cached and output tokens.
pub fn usage([input, cached, output]: [u64; 3]) -> Value {
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
        "prompt_tokens_details": {"cached_tokens": cached}})
}

/// Adds the fields of a delta to a message. Both may have a list.
fn merge(message: &mut Value, delta: &Value) {
    for (key, value) in delta.as_object().into_iter().flatten() {
        match (&mut message[key], value) {
            (Value::Array(values), Value::Array(more)) => values.extend(more.clone()),
            (Value::Array(values), Value::String(text)) => values.push(json!({"type": "text", "text": text})),
            (Value::String(text), Value::String(more)) => text.push_str(more),
            (place, value) => *place = value.clone(),
        }
    }
}

/// The fragments of a call whose arguments come in these pieces.
fn fragments(number: usize, call: &Call, pieces: Vec<String>) -> Vec<Value> {
    let head = json!({"index": number, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}});
    continued(head, pieces)
}

fn continued(mut head: Value, mut pieces: Vec<String>) -> Vec<Value> {
    let index = head["index"].clone();
    head["function"]["arguments"] = json!(pieces.remove(0));
    let rest = pieces.into_iter().map(|piece| json!({"index": index, "function": {"arguments": piece}}));
    std::iter::once(head).chain(rest).collect()
}

fn whole(text: &str) -> Vec<String> {
    if text.is_empty() { Vec::new() } else { vec![text.to_owned()] }
}

/// The text in up to five pieces. The first may be empty.
pub fn split(text: &str, rng: &mut Rng) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    let characters: Vec<char> = text.chars().collect();
    let mut cuts: Vec<usize> = (0..rng.usize(0..5)).map(|_| rng.usize(0..characters.len())).collect();
    cuts.extend([0, characters.len()]);
    cuts.sort_unstable();
    let first_is_empty = rng.bool();
    cuts.dedup();
    let pieces = cuts.windows(2).map(|cut| characters[cut[0]..cut[1]].iter().collect());
    first_is_empty.then(String::new).into_iter().chain(pieces).collect()
}

/// The message or the delta of each choice.
pub fn messages(chunks: &mut [Value]) -> impl Iterator<Item = &mut Map<String, Value>> {
    let choices = chunks.iter_mut().filter_map(|chunk| chunk["choices"].as_array_mut()).flatten();
    choices.filter_map(|choice| {
        let key = if choice.get("delta").is_some() { "delta" } else { "message" };
        choice[key].as_object_mut()
    })
}
