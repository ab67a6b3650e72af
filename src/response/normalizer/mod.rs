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
mod message_reader;
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
use super::delta::DeltaSink;
use super::outcome::Failure;
use crate::items::ContentKind;
use crate::tools::names::Names;
use crate::wire::chat::reply::{Choice, Completion};
use choices::{AnswerChoices, Contribution};
use chunk_template::Piece;
pub(super) use ending::{Ending, FinishReason};
use errors::check_error;
use message_reader::MessageReader;
use seen::Form;
use std::rc::Rc;
pub(super) use text_markup::TextCalls;

/// Reads the chunks of one reply.
#[derive(Debug)]
pub(super) struct ChunkNormalizer {
    choices: AnswerChoices,
    messages: MessageReader,
    ending: Ending,
}

impl ChunkNormalizer {
    /// `refusals`: how the client gets refusals. `tools`: those that may be called.
    pub(super) fn new(text: TextRules, refusals: ContentKind, tools: Rc<Names>) -> Self {
        Self {
            choices: AnswerChoices::default(),
            messages: MessageReader::new(text, refusals, tools),
            ending: Ending::default(),
        }
    }

    /// The finish reason and the usage in the chunks so far.
    pub(super) fn ending(&self) -> Ending {
        self.ending
    }

    /// The calls in the text so far that the client does not get as calls.
    pub(super) fn text_calls(&self) -> TextCalls {
        self.messages.text_calls()
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
        if let Some(calls) = places::in_chunk(chunk) {
            self.ending.resume();
            self.messages.tool_calls(Some(calls), Form::Delta, sink)?;
        }
        attachments::of_chunk(chunk, sink)?;
        check_error(chunk.error)
    }

    /// No chunk follows: emits what was held back.
    pub(super) fn finish(&mut self, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        self.messages.finish(self.ending, sink)?;
        errors::check_calls(self.messages.calls(), &self.choices)
    }

    /// The only value of a chunk, which [`read`](Self::read) would find in the delta of the first choice.
    pub(super) fn piece(&mut self, piece: &Piece<'_>, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        if !self.admit(piece.contribution(), sink)? {
            self.choices.ignore(piece.called());
            return Ok(());
        }
        self.messages.piece(piece, sink)
    }

    /// One of the choices, which are all parts of one answer.
    fn choice(&mut self, number: u64, choice: &Choice<'_>, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        if !self.admit(Contribution::of(choice, number), sink)? {
            self.choices.ignore(choices::called(choice));
            return Ok(());
        }
        self.ending.add_usage(choice.usage);
        if let Some(delta) = &choice.delta {
            self.messages.message(delta, choice.logprobs, Form::Delta, sink)?;
        }
        if let Some(message) = &choice.message {
            self.messages.message(message, choice.logprobs, Form::Complete, sink)?;
        }
        self.messages.tool_calls(places::in_choice(choice), Form::Delta, sink)?;
        self.ending.add_finish_reason(choice.finish_reason);
        places::messages(choice).map(|message| message.error).chain([choice.error]).try_for_each(check_error)
    }

    /// Whether a choice is a part of the answer, to which the next deltas then belong.
    fn admit(&mut self, new: Contribution, sink: &mut impl DeltaSink) -> Result<bool, Failure> {
        let is_part = self.choices.admit(new, sink)?;
        if is_part {
            self.messages.continue_choice(new.choice);
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
            self.messages.message(&message, None, Form::Complete, sink)?;
        }
        self.messages.content(chunk.response, None, sink)?;
        self.ending.add_ollama_or_cloudflare(chunk);
        Ok(())
    }
}
