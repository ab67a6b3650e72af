//! A reply as Server-Sent Events: OpenAI's form, changed by the flags of `shape`.
//!
//! role chunk, deltas, finish chunk, usage chunk, `[DONE]`. This module does no I/O: it returns a list of writes.

use serde_json::{Map, Value, json};

use crate::answer::{Facts, usage};
use crate::calls::Numbering;
use crate::script::{Reply, Step};
use crate::shape::{Presence, Role, UsagePlace};

/// One action on the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Out {
    Write(Vec<u8>),
    WaitMs(u64),
}

/// The writes of a whole stream.
pub(crate) fn writes(reply: &Reply, facts: &Facts) -> Vec<Out> {
    let writer = Writer { reply, facts, usage: usage(reply, facts) };
    let mut outs = writer.opening();
    let mut pieces = writer.pieces();
    let held = writer.held_for_finish(&mut pieces);
    outs.extend(pieces.iter().map(|piece| writer.piece(piece)));
    outs.extend(writer.ending(held));
    outs
}

/// The writes of a raw body, split as the reply asks.
pub(crate) fn split(body: &[u8], size: Option<usize>) -> Vec<Out> {
    let size = size.unwrap_or(body.len()).max(1);
    body.chunks(size).map(|piece| Out::Write(piece.to_vec())).collect()
}

/// Splits a step into the deltas of single events.
enum Piece {
    Delta(Map<String, Value>),
    Calls(Vec<Value>),
    Data(Value),
    Bytes(String),
    WaitMs(u64),
}

struct Writer<'a> {
    reply: &'a Reply,
    facts: &'a Facts,
    usage: Option<Value>,
}

impl Writer<'_> {
    fn opening(&self) -> Vec<Out> {
        let shape = &self.reply.shape;
        let mut outs = Vec::new();
        if shape.empty_first_chunk {
            outs.push(self.event(&json!({
                "id": "", "object": "", "created": 0, "model": "", "choices": [], "prompt_filter_results": []
            })));
        }
        if shape.role == Role::First {
            let mut delta = Map::from_iter([("role".to_owned(), json!("assistant"))]);
            let content =
                if shape.first_content == Presence::Repeat { Presence::Empty } else { shape.first_content };
            content.put(&mut delta, "content", &Value::Null);
            outs.push(self.choice(delta, None));
        }
        outs
    }

    fn pieces(&self) -> Vec<Piece> {
        let mut numbering = Numbering::new(self.facts);
        let mut pieces = Vec::new();
        for step in self.reply.steps() {
            match step {
                Step::Text(text) => pieces.extend(self.text_pieces("content", &text)),
                Step::Reasoning(text) => {
                    pieces.extend(self.text_pieces(self.reply.reasoning_field(), &text));
                }
                Step::Refusal(text) => pieces.extend(self.text_pieces("refusal", &text)),
                Step::ToolCalls(calls) => {
                    pieces.extend(numbering.deltas(&calls, self.reply).into_iter().map(Piece::Calls))
                }
                Step::Data(value) => pieces.push(Piece::Data(value)),
                Step::Raw(bytes) => pieces.push(Piece::Bytes(bytes)),
                Step::Comment(text) => {
                    let end = &self.reply.shape.line_end;
                    pieces.push(Piece::Bytes(format!(": {text}{end}{end}")));
                }
                Step::WaitMs(time) => pieces.push(Piece::WaitMs(time)),
            }
        }
        pieces
    }

    fn text_pieces(&self, key: &str, text: &str) -> Vec<Piece> {
        cut(text, self.reply.chunking.text)
            .into_iter()
            .map(|piece| Piece::Delta(Map::from_iter([(key.to_owned(), json!(piece))])))
            .collect()
    }

    /// Some providers put the last calls into the chunk with the finish reason.
    fn held_for_finish(&self, pieces: &mut Vec<Piece>) -> Map<String, Value> {
        let last_is_calls = matches!(pieces.last(), Some(Piece::Calls(_)));
        if !(self.reply.shape.calls_on_finish_chunk && last_is_calls) {
            return Map::new();
        }
        match pieces.pop() {
            Some(Piece::Calls(fragments)) => calls_delta(&fragments),
            _ => Map::new(),
        }
    }

    fn piece(&self, piece: &Piece) -> Out {
        match piece {
            Piece::Delta(delta) => self.choice(delta.clone(), None),
            Piece::Calls(fragments) => self.choice(calls_delta(fragments), None),
            Piece::Data(value) => self.event(value),
            Piece::Bytes(bytes) => Out::Write(bytes.clone().into_bytes()),
            Piece::WaitMs(time) => Out::WaitMs(*time),
        }
    }

    fn ending(&self, held: Map<String, Value>) -> Vec<Out> {
        let mut outs = Vec::new();
        let calls_seen = self.reply.steps().iter().any(|step| matches!(step, Step::ToolCalls(_)));
        if let Some(finish) = self.reply.finish_reason(calls_seen) {
            outs.push(self.choice(held, Some(finish)));
        } else if !held.is_empty() {
            outs.push(self.choice(held, None));
        }
        if let (Some(usage), true, UsagePlace::OwnChunk) =
            (&self.usage, self.facts.include_usage, self.reply.shape.usage)
        {
            let mut chunk = self.envelope();
            chunk.insert("choices".to_owned(), json!([]));
            chunk.insert("usage".to_owned(), usage.clone());
            outs.push(self.event(&Value::Object(chunk)));
        }
        if self.reply.done.unwrap_or(true) {
            let end = &self.reply.shape.line_end;
            // Axum writes the space here even if it omits it in its own events. TGI does the same.
            outs.push(Out::Write(format!("data: [DONE]{end}{end}").into_bytes()));
        }
        outs
    }

    /// A chunk with one choice.
    fn choice(&self, mut delta: Map<String, Value>, finish: Option<String>) -> Out {
        let shape = &self.reply.shape;
        if shape.role == Role::Every {
            delta.insert("role".to_owned(), json!("assistant"));
        }
        let finished = finish.is_some();
        let mut choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        let mut chunk = self.envelope();
        if let Some(usage) = &self.usage {
            let place = shape.usage;
            if place == UsagePlace::InChoice && finished {
                set(&mut choice, "usage", usage.clone());
            }
            let here = place == UsagePlace::EveryChunk || place == UsagePlace::FinishChunk && finished;
            if here {
                chunk.insert("usage".to_owned(), usage.clone());
            } else if place == UsagePlace::OwnChunk && self.facts.include_usage {
                // OpenAI: "All other chunks will also include a usage field, but with a null value."
                chunk.insert("usage".to_owned(), Value::Null);
            }
        }
        chunk.insert("choices".to_owned(), json!([choice]));
        self.event(&Value::Object(chunk))
    }

    fn envelope(&self) -> Map<String, Value> {
        let id = self.reply.shape.id.clone();
        Map::from_iter([
            ("id".to_owned(), json!(id.unwrap_or_else(|| self.facts.id()))),
            ("object".to_owned(), json!("chat.completion.chunk")),
            ("created".to_owned(), json!(Facts::CREATED)),
            ("model".to_owned(), json!(self.facts.model)),
        ])
    }

    fn event(&self, data: &Value) -> Out {
        let space = if self.reply.shape.data_space { " " } else { "" };
        let end = &self.reply.shape.line_end;
        Out::Write(format!("data:{space}{data}{end}{end}").into_bytes())
    }
}

fn calls_delta(fragments: &[Value]) -> Map<String, Value> {
    Map::from_iter([("tool_calls".to_owned(), json!(fragments))])
}

fn set(object: &mut Value, key: &str, value: Value) {
    if let Some(map) = object.as_object_mut() {
        map.insert(key.to_owned(), value);
    }
}

/// Splits a text into pieces of this many characters. An empty text has no pieces.
pub(crate) fn cut(text: &str, size: usize) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    characters.chunks(size.max(1)).map(|piece| piece.iter().collect()).collect()
}
