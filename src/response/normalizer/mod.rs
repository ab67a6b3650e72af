//! Normalizes the chunks of a reply: [`ChunkNormalizer`] reads chunks and emits [`Delta`]s.
//!
//! All differences between providers are handled here. Each known deviation is a row of the table in `tests.rs`. A JSON
//! reply is read as a single chunk that holds a complete message, so both kinds of reply take the same path.

mod attachments;
mod call_arguments;
mod call_assembler;
mod call_fragment;
mod calls_in_reasoning;
mod choices;
pub(super) mod chunk_template;
mod ending;
mod errors;
mod logprobs;
mod parts;
mod places;
mod reasoning;
mod repeated_calls;
mod seen;
#[cfg(test)]
mod tests;
mod text_input;
mod text_markup;
mod usage;
mod wanted;

use super::context::TextRules;
use super::delta::{Delta, DeltaSink};
use super::outcome::Failure;
use crate::items::ContentKind;
use crate::json::{JsonStr, RawJson};
use crate::report::Dropped;
use crate::tools::names::Names;
use crate::wire::chat::reply::{Choice, Completion, Message, ToolCalls};
use call_assembler::CallAssembler;
use call_fragment::CallFragment;
use choices::{AnswerChoices, Contribution};
use chunk_template::Piece;
pub(super) use ending::{Ending, FinishReason};
use errors::check_error;
use parts::Part;
use reasoning::{ReasoningField, ReasoningSource};
use seen::{Form, SeenInDeltas};
use serde_json::Value;
use serde_json::value::RawValue;
use std::rc::Rc;
use text_input::TextInputs;
pub(super) use text_markup::TextCalls;
use text_markup::{TextMarkup, TextPiece};
use wanted::Wanted;

/// Reads the chunks of one reply.
#[derive(Debug)]
pub(super) struct ChunkNormalizer {
    wanted: Wanted,
    inputs: TextInputs,
    choices: AnswerChoices,
    seen: SeenInDeltas,
    reasoning: ReasoningSource,
    markup: TextMarkup,
    calls: CallAssembler,
    ending: Ending,
}

impl ChunkNormalizer {
    /// `refusals`: how the client gets refusals. `tools`: those that may be called.
    pub(super) fn new(text: TextRules, refusals: ContentKind, tools: Rc<Names>) -> Self {
        Self {
            wanted: Wanted { logprobs: text.logprobs, refusals },
            inputs: TextInputs::default(),
            choices: AnswerChoices::default(),
            seen: SeenInDeltas::default(),
            reasoning: ReasoningSource::Unknown,
            markup: TextMarkup::new(text, Rc::clone(&tools)),
            calls: CallAssembler::new(tools),
            ending: Ending::default(),
        }
    }

    /// The finish reason and the usage in the chunks so far.
    pub(super) fn ending(&self) -> Ending {
        self.ending
    }

    /// The calls in the text so far that the client does not get as calls.
    pub(super) fn text_calls(&self) -> TextCalls {
        self.markup.calls()
    }

    /// Reads the next chunk, or a complete completion.
    pub(super) fn read(&mut self, chunk: &Completion<'_>, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        self.ending.add_usage(chunk.usage.or(chunk.x_groq.as_ref().and_then(|groq| groq.usage)));
        match chunk.choices.as_deref() {
            // A last chunk has the usage and no choices.
            Some([]) => {
                if chunk.usage.is_some() && !sink.is_blank() {
                    self.ending.stop_with_usage();
                }
            }
            Some([choice]) => self.choice(choices::index(choice), choice, sink)?,
            Some(several) => choices::in_order(several)
                .into_iter()
                .try_for_each(|(number, choice)| self.choice(number, choice, sink))?,
            None => self.ollama_or_cloudflare(chunk, sink)?,
        }
        self.tool_calls(places::in_chunk(chunk), Form::Delta, sink)?;
        attachments::of_chunk(chunk, sink)?;
        check_error(chunk.error)
    }

    /// No chunk follows: emits what was held back.
    pub(super) fn finish(&mut self, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        self.inputs.reasoning.finish().map_or(Ok(()), |text| self.visible_reasoning(text, sink))?;
        self.inputs.text.finish().map_or(Ok(()), |text| self.text(text, &[], sink))?;
        self.flush(sink)?;
        if self.calls.len() == 0 && self.ending.is_ordinary() {
            let calls = self.markup.take_calls_in_reasoning();
            self.text_pieces(calls, sink)?;
        }
        while let Some(delta) = self.calls.release() {
            self.markup.repeated_calls().pass(delta, &CallFragment::default(), sink)?;
        }
        self.markup.repeated_calls().finish(sink)?;
        self.inputs.refusal.finish().map_or(Ok(()), |text| self.refusal(text, sink))?;
        self.markup.check_lost()?;
        errors::check_calls(&self.calls, &self.choices)
    }

    /// The only value of a chunk, which [`read`](Self::read) would find in the delta of the first choice.
    pub(super) fn piece(&mut self, piece: &Piece<'_>, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        if !self.admit(piece.contribution(), sink)? {
            self.choices.ignore(piece.called());
            return Ok(());
        }
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
            Piece::Call(fragment) => {
                self.begin_calls(Form::Delta, sink)?;
                self.call(fragment, sink)
            }
        }
    }

    /// One of the choices, which are all parts of one answer.
    fn choice(&mut self, number: u64, choice: &Choice<'_>, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        if !self.admit(Contribution::of(choice, number), sink)? {
            self.choices.ignore(choices::called(choice));
            return Ok(());
        }
        self.ending.add_usage(choice.usage);
        if let Some(delta) = &choice.delta {
            self.message(delta, choice.logprobs, Form::Delta, sink)?;
            self.seen.add(delta);
        }
        if let Some(message) = &choice.message {
            self.message(message, choice.logprobs, Form::Complete, sink)?;
        }
        self.tool_calls(places::in_choice(choice), Form::Delta, sink)?;
        self.ending.add_finish_reason(choice.finish_reason);
        places::messages(choice).map(|message| message.error).chain([choice.error]).try_for_each(check_error)
    }

    /// Whether a choice is a part of the answer, to which the next deltas then belong.
    fn admit(&mut self, new: Contribution, sink: &mut impl DeltaSink) -> Result<bool, Failure> {
        let is_part = self.choices.admit(new, sink)?;
        if is_part {
            self.calls.continue_choice(new.choice);
            if new.has_any() {
                self.ending.resume();
            }
        }
        Ok(is_part)
    }

    /// The forms without `choices`: those of Ollama's and Cloudflare's own APIs.
    fn ollama_or_cloudflare(
        &mut self,
        chunk: &Completion<'_>,
        sink: &mut impl DeltaSink,
    ) -> Result<(), Failure> {
        if let Some(message) = chunk.message.and_then(|raw| serde_json::from_str(raw.get()).ok()) {
            self.message(&message, None, Form::Complete, sink)?;
        }
        self.content(chunk.response, None, sink)?;
        self.ending.add_ollama_or_cloudflare(chunk);
        Ok(())
    }

    fn message(
        &mut self,
        message: &Message<'_>,
        logprobs: Option<&RawValue>,
        form: Form,
        sink: &mut impl DeltaSink,
    ) -> Result<(), Failure> {
        let repeated = if form == Form::Complete { self.seen } else { SeenInDeltas::default() };
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
        if let Some(raw) = message.reasoning_details {
            let visible = self.reasoning == ReasoningSource::Unknown;
            sink.delta(Delta::ReasoningDetails { raw, visible })?;
        }
        match field {
            Some(ReasoningField::Text(raw)) => self.reasoning_text(raw, sink),
            Some(ReasoningField::Nested(value)) => reasoning::emit(&value, "reasoning", sink),
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
    fn content(
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
            Some(b'0'..=b'9' | b'-' | b'{') => self.text(JsonStr::new(raw.get()), &[], sink),
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

    /// Something else than text follows.
    fn release_text(&mut self, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        self.inputs.text.interrupt().map_or(Ok(()), |text| self.text(text, &[], sink))
    }

    /// Something else than reasoning follows.
    fn release_reasoning(&mut self, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        self.inputs.reasoning.interrupt().map_or(Ok(()), |text| self.visible_reasoning(text, sink))
    }

    /// A call follows, or nothing.
    fn flush(&mut self, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        self.release_reasoning(sink)?;
        self.release_text(sink)?;
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
        self.markup.in_reasoning().notice_text(&text);
        sink.delta(Delta::Content { kind: self.wanted.refusals, text, logprobs: &[] })
    }

    fn parts(&mut self, raw: &RawValue, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        let parts: Vec<Value> = serde_json::from_str(raw.get()).unwrap_or_default();
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

    fn tool_calls(
        &mut self,
        calls: Option<&ToolCalls<'_>>,
        form: Form,
        sink: &mut impl DeltaSink,
    ) -> Result<(), Failure> {
        let Some(calls) = calls else { return Ok(()) };
        let calls = errors::readable(calls)?;
        if !calls.is_empty() {
            self.begin_calls(form, sink)?;
        }
        // A complete message repeats the calls of the deltas in their order, and may have more of them.
        let repeated = if form == Form::Complete && self.seen.calls { self.calls.len() } else { 0 };
        let fragments = call_fragment::of_list(calls, form, |id| self.calls.knows(id));
        fragments.iter().skip(repeated).try_for_each(|fragment| self.call(fragment, sink))
    }

    /// Fragments of calls follow.
    fn begin_calls(&mut self, form: Form, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        self.ending.resume();
        self.calls.begin_tool_calls();
        self.seen.calls |= form == Form::Delta;
        self.flush(sink)
    }

    fn call(&mut self, fragment: &CallFragment<'_>, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        match self.calls.add(fragment) {
            Some(delta) => self.markup.repeated_calls().pass(delta, fragment, sink),
            None => Ok(()),
        }
    }
}
