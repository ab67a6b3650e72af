//! What a chunk says, whatever the host's way of saying it.

use super::Machine;
use crate::chat::reply::{Completion, Function, Logprobs, Message, ToolCall};
use crate::items::Said;
use crate::json::Text;
use crate::responses::ApiError;
use crate::translate::calls::{Piece, number};
use crate::translate::{error, usage};
use serde_json::Value;
use serde_json::value::RawValue;

/// What a `finish_reason` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finish {
    Stop,
    ToolCalls,
    Length,
    Filter,
    Error,
}

/// The reasons that hosts give. Whatever is not here is an ordinary end (`eos`, `load`, ...).
const FINISH: &[(&str, Finish)] = &[
    ("tool_calls", Finish::ToolCalls),
    ("function_call", Finish::ToolCalls),
    ("length", Finish::Length),
    ("max_tokens", Finish::Length),
    ("model_length", Finish::Length),
    ("content_filter", Finish::Filter),
    ("sensitive", Finish::Filter),
    ("error", Finish::Error),
    ("network_error", Finish::Error),
    ("insufficient_system_resource", Finish::Error),
    ("abort", Finish::Error),
];

impl Machine {
    /// The next chunk, or the whole completion.
    pub(in crate::translate) fn chunk(&mut self, chunk: &Completion<'_>) {
        self.begin();
        self.usage = chunk.usage.and_then(usage::usage).or(self.usage);
        let choice =
            chunk.choices.iter().flatten().find(|choice| choice.index.and_then(number).unwrap_or(0) == 0);
        if let Some(choice) = choice {
            self.usage = choice.usage.and_then(usage::usage).or(self.usage);
            for message in [&choice.delta, &choice.message].into_iter().flatten() {
                self.message(message, choice.logprobs);
            }
            self.finished(choice.finish_reason);
        } else if chunk.choices.is_none() {
            self.native(chunk);
        }
        if let Some(raw) = chunk.error.filter(|_| !self.is_over()) {
            self.fail(of_raw(raw));
        }
    }

    /// Cloudflare's own form has no choices.
    fn native(&mut self, chunk: &Completion<'_>) {
        self.text(Said::Text, chunk.response, &[]);
        self.tool_calls(chunk.tool_calls);
        self.finished(chunk.finish_reason);
    }

    fn finished(&mut self, reason: Option<&RawValue>) {
        if let Some(reason) = reason.and_then(Text::of).filter(|reason| !reason.is_empty()) {
            let known = FINISH.iter().find(|(name, _)| *name == reason.decode());
            self.finish = Some(known.map_or(Finish::Stop, |(_, finish)| *finish));
        }
    }

    fn message(&mut self, message: &Message<'_>, logprobs: Option<&RawValue>) {
        // Some hosts send the same reasoning under two names: one of them is enough.
        let reasoning = [message.reasoning_content, message.reasoning, message.reasoning_text];
        let reasoning =
            reasoning.into_iter().flatten().find(|raw| Text::of(raw).is_some_and(|text| !text.is_empty()));
        self.reasoning(reasoning);
        let logprobs: Option<Logprobs<'_>> = logprobs.and_then(|raw| serde_json::from_str(raw.get()).ok());
        let logprobs = logprobs.and_then(|logprobs| logprobs.content).unwrap_or_default();
        self.text(Said::Text, message.content, &logprobs);
        self.text(if self.plan.codex { Said::Text } else { Said::Refusal }, message.refusal, &[]);
        self.tool_calls(message.tool_calls);
        if let Some(Function { name, arguments }) = &message.function_call {
            self.piece(&Piece::legacy(name.as_deref(), *arguments));
        }
    }

    fn reasoning(&mut self, raw: Option<&RawValue>) {
        let Some(piece) = raw.and_then(|raw| self.seams.reasoning.push(raw)) else { return };
        self.think(&piece);
    }

    /// A string; with some hosts a number, or an array of parts.
    fn text(&mut self, said: Said, raw: Option<&RawValue>, logprobs: &[&RawValue]) {
        let Some(raw) = raw else { return };
        let seam = match said {
            Said::Text => &mut self.seams.text,
            Said::Refusal => &mut self.seams.refusal,
        };
        match raw.get().as_bytes().first() {
            Some(b'"') => {
                if let Some(piece) = seam.push(raw) {
                    self.say(said, &piece, logprobs);
                }
            }
            Some(b'[') => self.parts(raw),
            Some(b'0'..=b'9' | b'-') => self.say(said, &Text::new(raw.get()), logprobs),
            _ => {}
        }
    }

    /// Mistral sends `[{"type": "thinking", "thinking": [...]}, {"type": "text", "text": "..."}]`.
    fn parts(&mut self, raw: &RawValue) {
        let parts: Vec<Value> = serde_json::from_str(raw.get()).unwrap_or_default();
        for part in &parts {
            match (part.get("thinking"), part.get("text").and_then(Value::as_str)) {
                (Some(Value::String(thought)), _) => self.think(&Text::new(thought)),
                (Some(Value::Array(thoughts)), _) => {
                    for thought in thoughts.iter().filter_map(|thought| thought.get("text")?.as_str()) {
                        self.think(&Text::new(thought));
                    }
                }
                (_, Some(text)) => self.say(Said::Text, &Text::new(text), &[]),
                _ => {}
            }
        }
    }

    /// An array; with some hosts a single object.
    fn tool_calls(&mut self, raw: Option<&RawValue>) {
        let Some(raw) = raw else { return };
        let calls = serde_json::from_str::<Vec<ToolCall<'_>>>(raw.get())
            .or_else(|_| serde_json::from_str(raw.get()).map(|one| vec![one]));
        let Ok(calls) = calls else {
            return self.fail(ApiError::upstream("The upstream sent a tool call that cannot be read."));
        };
        let numbered = calls.len() > 1 && calls.iter().all(|call| call.index.is_none());
        for (index, call) in (0u64..).zip(&calls) {
            let piece = Piece::of(call);
            self.piece(&if numbered { piece.at(index) } else { piece });
        }
    }
}

fn of_raw(raw: &RawValue) -> ApiError {
    let value = serde_json::from_str(raw.get()).unwrap_or(Value::Null);
    error::of_value(ApiError::UPSTREAM_STATUS, &serde_json::json!({ "error": value }))
}
