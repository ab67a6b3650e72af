//! Reads messages and deltas of them.

use super::attachments;
use super::call_assembler::CallAssembler;
use super::call_fragment::{self, CallFragment};
use super::chunk_template::Piece;
use super::ending::Ending;
use super::errors;
use super::logprobs;
use super::parts::Part;
use super::places;
use super::reasoning::{self, ReasoningField, ReasoningSource};
use super::seen::{Form, SeenInDeltas};
use super::text_input::TextInputs;
use super::text_markup::{TextCalls, TextMarkup, TextPiece};
use super::wanted::Wanted;
use crate::items::ContentKind;
use crate::json::{self, JsonStr, RawJson};
use crate::report::Dropped;
use crate::response::context::TextRules;
use crate::response::delta::{Delta, DeltaSink};
use crate::response::outcome::Failure;
use crate::tools::names::Names;
use crate::wire::chat::reply::{Message, ToolCalls};
use serde_json::Value;
use serde_json::value::RawValue;
use std::rc::Rc;

/// Reads the messages of one reply, whole or in deltas.
#[derive(Debug)]
pub(super) struct MessageReader {
    wanted: Wanted,
    inputs: TextInputs,
    seen: SeenInDeltas,
    reasoning: ReasoningSource,
    markup: TextMarkup,
    calls: CallAssembler,
}

impl MessageReader {
    pub(super) fn new(text: TextRules, refusals: ContentKind, tools: Rc<Names>) -> Self {
        Self {
            wanted: Wanted { logprobs: text.logprobs, refusals },
            inputs: TextInputs::default(),
            seen: SeenInDeltas::default(),
            reasoning: ReasoningSource::Unknown,
            markup: TextMarkup::new(text, Rc::clone(&tools)),
            calls: CallAssembler::new(tools),
        }
    }

    /// The calls in the text so far that the client does not get as calls.
    pub(super) fn text_calls(&self) -> TextCalls {
        self.markup.calls()
    }

    /// The calls so far.
    pub(super) fn calls(&self) -> &CallAssembler {
        &self.calls
    }

    /// The next messages are of this choice.
    pub(super) fn continue_choice(&mut self, choice: u64) {
        self.calls.continue_choice(choice);
    }

    /// No message follows: emits what was held back.
    pub(super) fn finish(&mut self, ending: Ending, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        self.inputs.reasoning.finish().map_or(Ok(()), |text| self.visible_reasoning(text, sink))?;
        self.inputs.text.finish().map_or(Ok(()), |text| self.text(text, &[], sink))?;
        self.flush(sink)?;
        if self.calls.len() == 0 && ending.is_ordinary() {
            let calls = self.markup.take_calls_in_reasoning();
            self.text_pieces(calls, sink)?;
        }
        while let Some(delta) = self.calls.release() {
            self.markup.repeated_calls().pass(delta, &CallFragment::default(), sink)?;
        }
        self.markup.repeated_calls().finish(sink)?;
        self.inputs.refusal.finish().map_or(Ok(()), |text| self.refusal(text, sink))?;
        Ok(self.markup.check_lost()?)
    }

    /// A delta whose only value this is.
    pub(super) fn piece(&mut self, piece: &Piece<'_>, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        match piece {
            Piece::Text(raw) => {
                self.seen.text = true;
                self.content(Some(raw), None, sink)
            }
            Piece::Reasoning(raw) => {
                self.seen.reasoning = true;
                self.reasoning.found_in_field(&mut self.markup);
                self.reasoning_text(raw, sink)
            }
            Piece::Call(fragment) => self.fragments(std::slice::from_ref(fragment), Form::Delta, sink),
        }
    }

    /// A message, or a delta of one.
    pub(super) fn message(
        &mut self,
        message: &Message<'_>,
        logprobs: Option<&RawValue>,
        form: Form,
        sink: &mut impl DeltaSink,
    ) -> Result<(), Failure> {
        let repeated = match form {
            Form::Complete => self.seen,
            Form::Delta => {
                self.seen.add(message);
                SeenInDeltas::default()
            }
        };
        if !repeated.reasoning {
            self.reasoning(message, sink)?;
        }
        if !repeated.text {
            self.content(message.content, logprobs, sink)?;
            let refusal = message.refusal.and_then(|raw| self.inputs.refusal.push(raw));
            refusal.map_or(Ok(()), |text| self.refusal(text, sink))?;
        }
        attachments::of_message(message, repeated, sink)?;
        match places::in_message(message) {
            None => self.tool_calls(places::in_parts(message.content).as_ref(), form, sink)?,
            calls => self.tool_calls(calls, form, sink)?,
        }
        let Some(function) = &message.function_call else { return Ok(()) };
        let fragment = CallFragment::legacy(function);
        // Some providers send an empty one with every chunk.
        if fragment.is_empty() && self.calls.len() == 0 {
            return Ok(());
        }
        if !repeated.calls && !self.calls.has_tool_calls() {
            self.flush(sink)?;
            return self.call(&fragment, sink);
        }
        errors::check_legacy(&self.calls, fragment.name)
    }

    /// Some providers send the same reasoning in two fields at once, and again in `reasoning_details`.
    fn reasoning(&mut self, message: &Message<'_>, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        let field = ReasoningField::of(message);
        if let Some(ReasoningField::Text(_)) = field {
            self.reasoning.found_in_field(&mut self.markup);
        }
        if let Some(raw) = message.reasoning_details.filter(|raw| reasoning::is_nested(raw)) {
            let visible = self.reasoning == ReasoningSource::Unknown;
            if visible {
                self.release_text(sink)?;
            }
            sink.delta(Delta::ReasoningDetails { raw, visible })?;
        }
        match field {
            Some(ReasoningField::Text(raw)) => self.reasoning_text(raw, sink),
            Some(ReasoningField::Nested(value)) => {
                self.release(sink)?;
                reasoning::emit(&value, "reasoning", sink)
            }
            None => Ok(()),
        }
    }

    fn reasoning_text(&mut self, raw: &RawValue, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        self.release_text(sink)?;
        let Some(text) = self.inputs.reasoning.push(raw) else { return Ok(()) };
        if self.markup.finds_reasoning() {
            self.reasoning.add(&text);
        }
        self.visible_reasoning(text, sink)
    }

    /// `content`: a string. Some providers send a number or an array of parts.
    pub(super) fn content(
        &mut self,
        raw: Option<&RawValue>,
        logprobs: Option<&RawValue>,
        sink: &mut impl DeltaSink,
    ) -> Result<(), Failure> {
        let Some(raw) = raw else { return Ok(()) };
        match raw.get().as_bytes().first() {
            Some(b'"') => {
                if reasoning::is_text(raw) {
                    self.release_reasoning(sink)?;
                }
                let logprobs = logprobs.filter(|_| self.wanted.logprobs).map(logprobs::from_json);
                if logprobs.is_some() {
                    // They belong to this piece, so it cannot wait.
                    self.release_text(sink)?;
                }
                let Some(text) = self.inputs.text.push(raw) else { return Ok(()) };
                self.text(text, &logprobs.unwrap_or_default(), sink)
            }
            Some(b'[') => self.parts(raw, sink),
            // Cloudflare sends an object when the request asked for one.
            Some(b'0'..=b'9' | b'-' | b'{') => {
                self.release(sink)?;
                self.text(JsonStr::new(raw.get()), &[], sink)
            }
            _ => Ok(()),
        }
    }

    /// The next piece of the text, which may hold markup.
    fn text(
        &mut self,
        text: JsonStr<'_>,
        logprobs: &[RawJson<'static>],
        sink: &mut impl DeltaSink,
    ) -> Result<(), Failure> {
        match self.markup.push(&text) {
            None => self.visible_text(text, logprobs, sink),
            Some(pieces) => self.text_pieces(pieces, sink),
        }
    }

    fn visible_reasoning(&mut self, text: JsonStr<'_>, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        self.markup.in_reasoning().read(&text);
        sink.delta(Delta::Reasoning(text))
    }

    /// Text from which the configured markup has been removed.
    fn visible_text(
        &mut self,
        text: JsonStr<'_>,
        logprobs: &[RawJson<'static>],
        sink: &mut impl DeltaSink,
    ) -> Result<(), Failure> {
        self.markup.notice(&text);
        sink.delta(Delta::Content { kind: ContentKind::Text, text, logprobs })
    }

    /// Something other than text follows.
    fn release_text(&mut self, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        self.inputs.text.interrupt().map_or(Ok(()), |text| self.text(text, &[], sink))
    }

    /// Something other than reasoning follows.
    fn release_reasoning(&mut self, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        self.inputs.reasoning.interrupt().map_or(Ok(()), |text| self.visible_reasoning(text, sink))
    }

    /// Something other than reasoning and text in strings follows.
    fn release(&mut self, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        self.release_reasoning(sink)?;
        self.release_text(sink)
    }

    /// A call follows, or nothing.
    fn flush(&mut self, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        self.release(sink)?;
        let pieces = self.markup.flush();
        self.text_pieces(pieces, sink)
    }

    fn text_pieces(&mut self, pieces: Vec<TextPiece>, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        pieces.into_iter().try_for_each(|piece| match piece {
            TextPiece::Text(text) => self.visible_text(text, &[], sink),
            TextPiece::Reasoning(text) if self.reasoning.has_said(&text) => Ok(()),
            TextPiece::Reasoning(text) => {
                self.seen.reasoning = true;
                self.visible_reasoning(text, sink)
            }
            TextPiece::Unopened { text, tag } => self.text_pieces(self.reasoning.unopened(&text, &tag), sink),
            TextPiece::Call { number, name, arguments } => {
                self.call(&CallFragment::from_text(number, &name, &arguments), sink)
            }
            TextPiece::EndOfMessage => sink.delta(Delta::EndOfMessage),
        })
    }

    /// Codex discards any message that holds a refusal, so it gets refusals as text.
    fn refusal(&mut self, text: JsonStr<'_>, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        if !text.is_empty() {
            self.release(sink)?;
        }
        self.markup.in_reasoning().notice_text(&text);
        sink.delta(Delta::Content { kind: self.wanted.refusals, text, logprobs: &[] })
    }

    fn parts(&mut self, raw: &RawValue, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        let parts: Vec<Value> = json::from_text(raw.get()).unwrap_or_default();
        if !parts.is_empty() {
            self.release(sink)?;
        }
        parts.iter().try_for_each(|value| {
            let part = Part::of(value);
            self.seen.add_part(&part);
            match part {
                Part::Reasoning { name } => reasoning::emit(value, name, sink),
                Part::Text { text, annotations } => {
                    self.text(JsonStr::new(text), &[], sink)?;
                    attachments::annotations(annotations, sink)
                }
                Part::Refusal(text) => self.refusal(JsonStr::new(text), sink),
                Part::Call => Ok(()),
                Part::Unsupported { name } => sink.delta(Delta::Unsupported { kind: Dropped::Part, name }),
            }
        })
    }

    /// The calls in one of the places that have any.
    pub(super) fn tool_calls(
        &mut self,
        calls: Option<&ToolCalls<'_>>,
        form: Form,
        sink: &mut impl DeltaSink,
    ) -> Result<(), Failure> {
        let Some(calls) = calls else { return Ok(()) };
        let fragments = call_fragment::of_list(errors::readable(calls)?, form, |id| self.calls.knows(id));
        self.fragments(&fragments, form, sink)
    }

    /// Fragments of calls from `tool_calls`.
    fn fragments(
        &mut self,
        fragments: &[CallFragment<'_>],
        form: Form,
        sink: &mut impl DeltaSink,
    ) -> Result<(), Failure> {
        // Some providers send an empty one with every chunk.
        let none_begins = || self.calls.len() == 0 && fragments.iter().all(CallFragment::is_empty);
        if fragments.is_empty() || none_begins() {
            return Ok(());
        }
        self.calls.begin_tool_calls();
        self.seen.calls |= form == Form::Delta;
        self.flush(sink)?;
        // A complete message repeats the calls of the deltas in their order, and may have more of them.
        let repeated = if form == Form::Complete && self.seen.calls { self.calls.len() } else { 0 };
        fragments.iter().skip(repeated).try_for_each(|fragment| self.call(fragment, sink))
    }

    fn call(&mut self, fragment: &CallFragment<'_>, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        match self.calls.add(fragment) {
            Some(delta) => self.markup.repeated_calls().pass(delta, fragment, sink),
            None => Ok(()),
        }
    }
}
