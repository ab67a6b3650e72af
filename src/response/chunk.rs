//! What a chunk says, whatever the host's way of saying it.

use super::usage;
use super::{ResponseStream, logprobs};
use crate::error::ApiError;
use crate::error::classify;
use crate::items::ContentKind;
use crate::json::JsonStr;
use crate::report::Dropped;
use crate::response::call_assembler::{CallFragment, number};
use crate::wire::chat::reply::{Choice, Completion, Function, Message, ToolCalls};
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

/// The reasons that hosts give, in small letters. Whatever is not here is an ordinary end (`eos`, `load`, ...).
const FINISH: &[(&str, Finish)] = &[
    ("tool_calls", Finish::ToolCalls),
    ("tool_use", Finish::ToolCalls),
    ("function_call", Finish::ToolCalls),
    ("length", Finish::Length),
    ("max_tokens", Finish::Length),
    ("max_output_tokens", Finish::Length),
    ("model_length", Finish::Length),
    ("content_filter", Finish::Filter),
    ("sensitive", Finish::Filter),
    ("safety", Finish::Filter),
    ("recitation", Finish::Filter),
    ("error", Finish::Error),
    ("network_error", Finish::Error),
    ("insufficient_system_resource", Finish::Error),
    ("malformed_function_call", Finish::Error),
    ("abort", Finish::Error),
];

/// What the deltas have said so far: a whole message that follows them says it again.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SeenInDeltas {
    text: bool,
    reasoning: bool,
    calls: bool,
}

impl ResponseStream {
    /// The next chunk, or the whole completion.
    pub(crate) fn chunk(&mut self, chunk: &Completion<'_>) {
        self.begin();
        self.alive_at = self.now;
        self.service_tier(chunk.service_tier);
        self.use_of(chunk.usage.or(chunk.x_groq.as_ref().and_then(|groq| groq.usage)));
        match &chunk.choices {
            Some(choices) => match ours(choices) {
                Some(choice) => self.choice(choice),
                // A last chunk without choices has the usage, and says that there is no more.
                None if choices.is_empty() && chunk.usage.is_some() && !self.is_blank() => {
                    self.finish.get_or_insert(Finish::Stop);
                }
                None => {}
            },
            None => self.native(chunk),
        }
        self.broken(chunk.error);
    }

    fn choice(&mut self, choice: &Choice<'_>) {
        self.use_of(choice.usage);
        if let Some(delta) = &choice.delta {
            self.message(delta, choice.logprobs, None);
            self.told = self.told.and(delta);
        }
        if let Some(message) = &choice.message {
            self.message(message, choice.logprobs, Some(self.told));
        }
        self.finished(choice.finish_reason);
        self.broken(choice.error);
    }

    /// The forms without choices: Ollama's own, and Cloudflare's.
    fn native(&mut self, chunk: &Completion<'_>) {
        if let Some(message) = chunk.message.and_then(|raw| serde_json::from_str(raw.get()).ok()) {
            self.message(&message, None, Some(SeenInDeltas::default()));
        }
        self.text(chunk.response, None);
        self.tool_calls(chunk.tool_calls.as_ref(), false, 0);
        self.finished(chunk.finish_reason.or(chunk.done_reason));
        if chunk.done.is_some_and(|done| done.get() == "true") {
            self.finish.get_or_insert(Finish::Stop);
            self.usage = usage::ollama(chunk.prompt_eval_count, chunk.eval_count).or(self.usage);
        }
    }

    /// The last one counts; but a host that has counted does not take it back.
    fn use_of(&mut self, raw: Option<&RawValue>) {
        let usage = raw.and_then(usage::usage);
        self.usage = usage.filter(|usage| usage.total_tokens > 0).or(self.usage).or(usage);
    }

    /// What the host says that it was goes before what the client asked for.
    fn service_tier(&mut self, raw: Option<&RawValue>) {
        let known = &mut self.plan.echo.service_tier;
        if let Some(tier) = raw.and_then(JsonStr::of).filter(|tier| tier.as_json() != known.get()) {
            *known = tier.into_raw().into_owned();
        }
    }

    fn broken(&mut self, error: Option<&RawValue>) {
        if let Some(raw) = error.filter(|raw| !["{}", "\"\"", "false", "0"].contains(&raw.get())) {
            self.fail(of_raw(raw));
        }
    }

    fn finished(&mut self, reason: Option<&RawValue>) {
        if let Some(reason) = reason.and_then(JsonStr::of).filter(|reason| !reason.is_empty()) {
            let reason = reason.decode().to_lowercase();
            let known = FINISH.iter().find(|(name, _)| *name == reason);
            self.finish = Some(known.map_or(Finish::Stop, |(_, finish)| *finish));
        }
    }

    /// A delta, or a whole message and what deltas have told of it.
    fn message(&mut self, message: &Message<'_>, logprobs: Option<&RawValue>, whole: Option<SeenInDeltas>) {
        let told = whole.unwrap_or_default();
        if !told.reasoning {
            self.reasoning(message);
        }
        if !told.text {
            self.text(message.content, logprobs);
            self.refusal(message.refusal);
        }
        self.annotations(message.annotations);
        // It repeats the calls in their order, and may have more of them than the deltas had.
        let repeated = if told.calls { self.calls.len() } else { 0 };
        self.tool_calls(message.tool_calls.as_ref(), whole.is_some(), repeated);
        if let Some(Function { name, arguments }) = message.function_call.as_ref().filter(|_| !told.calls) {
            self.piece(&CallFragment::legacy(name.as_deref(), *arguments));
        }
    }

    /// Some hosts send the same thought in two fields at once, and again in `reasoning_details`: one is enough.
    fn reasoning(&mut self, message: &Message<'_>) {
        let fields = [message.reasoning_content, message.reasoning, message.reasoning_text, message.thinking];
        let said = fields.into_iter().flatten().find(|raw| is_said(raw));
        let details = message.reasoning_details.filter(|raw| self.keep_bytes(raw.get().len()));
        let detailed = details.map(|raw| self.details.add(raw));
        if let Some(piece) = said.and_then(|raw| self.seams.reasoning.push(raw)) {
            self.thinks_in_fields = true;
            self.think(&piece);
        } else if let Some(text) = detailed.filter(|_| !self.thinks_in_fields) {
            self.think(&JsonStr::new(&text));
        }
    }

    /// A string; with some hosts a number, or an array of parts.
    fn text(&mut self, raw: Option<&RawValue>, logprobs: Option<&RawValue>) {
        let Some(raw) = raw else { return };
        match raw.get().as_bytes().first() {
            Some(b'"') => {
                let logprobs = logprobs.filter(|_| self.plan.logprobs).map(logprobs::logprobs);
                if let Some(piece) = self.seams.text.push(raw) {
                    self.hear(&piece, &logprobs.unwrap_or_default());
                }
            }
            Some(b'[') => self.parts(raw),
            // Cloudflare sends the object when it was asked for one.
            Some(b'0'..=b'9' | b'-' | b'{') => self.hear(&JsonStr::new(raw.get()), &[]),
            _ => {}
        }
    }

    fn refusal(&mut self, raw: Option<&RawValue>) {
        if let Some(piece) = raw.and_then(|raw| self.seams.refusal.push(raw)) {
            self.refuse(&piece);
        }
    }

    /// The next piece of a refusal. Codex loses any message that holds one, so it gets the words as text.
    pub(super) fn refuse(&mut self, piece: &JsonStr<'_>) {
        let said = if self.plan.codex { ContentKind::Text } else { ContentKind::Refusal };
        self.say(said, piece, &[]);
    }

    /// Mistral sends `[{"type": "thinking", "thinking": [...]}, {"type": "text", "text": "..."}]`.
    fn parts(&mut self, raw: &RawValue) {
        let parts: Vec<Value> = serde_json::from_str(raw.get()).unwrap_or_default();
        for part in &parts {
            let kind = part.get("type").and_then(Value::as_str).unwrap_or_default();
            let thoughts = part.get("thinking").or_else(|| part.get("reasoning"));
            match (thoughts, part.get("text").and_then(Value::as_str)) {
                (Some(Value::String(thought)), _) => self.think(&JsonStr::new(thought)),
                (Some(Value::Array(thoughts)), _) => {
                    for thought in thoughts.iter().filter_map(|thought| thought.get("text")?.as_str()) {
                        self.think(&JsonStr::new(thought));
                    }
                }
                (_, Some(thought)) if kind.starts_with("reasoning") => self.think(&JsonStr::new(thought)),
                (_, Some(text)) => self.hear(&JsonStr::new(text), &[]),
                _ if part.get("refusal").is_some_and(Value::is_string) => {
                    let text = part.get("refusal").and_then(Value::as_str).unwrap_or_default();
                    self.refuse(&JsonStr::new(text));
                }
                _ => self.out.report_mut().dropped(Dropped::Part, kind),
            }
        }
    }

    fn annotations(&mut self, raw: Option<&RawValue>) {
        let raw = raw.filter(|raw| self.keep_bytes(raw.get().len()));
        let annotations: Vec<Value> =
            raw.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
        for annotation in &annotations {
            self.annotate(annotation);
        }
    }

    /// `whole`: each element is a call of its own, and the first `repeated` of them are known.
    fn tool_calls(&mut self, calls: Option<&ToolCalls<'_>>, whole: bool, repeated: usize) {
        let calls = match calls {
            None => return,
            Some(ToolCalls::Read(calls)) => calls,
            Some(ToolCalls::Unreadable) => {
                return self.fail(ApiError::upstream("The upstream sent a tool call that cannot be read."));
            }
        };
        if !calls.is_empty() {
            self.flush_markup();
        }
        let numbered = whole || calls.len() > 1 && calls.iter().all(|call| call.index.is_none());
        for (index, call) in (0u64..).zip(calls).skip(repeated) {
            let piece = CallFragment::of(call);
            self.piece(&if numbered { piece.at(index) } else { piece });
        }
    }
}

/// The first answer. The others, which nobody asked for, are not read.
fn ours<'c, 'a>(choices: &'c [Choice<'a>]) -> Option<&'c Choice<'a>> {
    let number = |choice: &Choice<'_>| choice.index.and_then(number).unwrap_or(0);
    let first = choices.iter().min_by_key(|choice| number(choice))?;
    (number(first) == 0 || first.message.is_some()).then_some(first)
}

/// Whether it is a string with something in it.
fn is_said(raw: &RawValue) -> bool {
    raw.get().starts_with('"') && raw.get() != "\"\""
}

impl SeenInDeltas {
    fn and(self, delta: &Message<'_>) -> Self {
        let is_there = |raw: Option<&RawValue>| raw.is_some_and(|raw| !["\"\"", "[]"].contains(&raw.get()));
        let has_calls = match &delta.tool_calls {
            None => false,
            Some(ToolCalls::Read(calls)) => !calls.is_empty(),
            Some(ToolCalls::Unreadable) => true,
        };
        Self {
            text: self.text || is_there(delta.content) || is_there(delta.refusal),
            reasoning: self.reasoning
                || is_there(delta.reasoning_content)
                || is_there(delta.reasoning)
                || is_there(delta.reasoning_text)
                || is_there(delta.reasoning_details),
            calls: self.calls || has_calls || delta.function_call.is_some(),
        }
    }
}

fn of_raw(raw: &RawValue) -> ApiError {
    let value = serde_json::from_str(raw.get()).unwrap_or(Value::Null);
    classify::in_reply(&serde_json::json!({ "error": value }))
}
