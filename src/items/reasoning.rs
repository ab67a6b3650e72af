//! Reasoning: what the model says to itself.
//!
//! It goes out as a summary, the one spelling that every client shows, and, for clients that include
//! `reasoning.encrypted_content`, once more in there: that is what comes back unchanged on the next turn.

use super::{Conversation, Entry, EventWriter, Reasoning, ReplayState};
use crate::error::ApiError;
use crate::json::{JsonStr, JsonStrBuilder};
use crate::report::Dropped;
use crate::wire::responses::DeltaTemplate;
use crate::wire::responses::{Event, OutputItem, ReasoningItem, SummaryPart, TextPart};
use crate::wire::typed::Object;

/// In the history: `reasoning`.
pub(super) fn read<'a>(item: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    let item = ReasoningItem::of(item)?;
    let sealed = item.encrypted_content.as_ref();
    let memory = sealed.and_then(|sealed| ReplayState::open(&sealed.decode()));
    let is_foreign = sealed.is_some() && memory.is_none();
    let ReplayState { text, details, calls } = memory.unwrap_or_default();
    let text = match text.is_empty() {
        false => Some(JsonStr::new(&text)),
        true => joined(item.content).or_else(|| joined(item.summary)),
    };
    if text.is_none() && details.is_empty() && calls.is_empty() {
        conversation.report.dropped(Dropped::Item, "reasoning");
        return Ok(());
    }
    if is_foreign {
        // Another server's, or damaged. It cannot be opened, but what was shown can be read.
        conversation.report.dropped(Dropped::Field, "encrypted_content");
    }
    conversation.entries.push(Entry::Reasoning(Reasoning { text, details, calls }));
    Ok(())
}

/// The text of parts, if there is any.
fn joined(parts: Option<Vec<TextPart<'_>>>) -> Option<JsonStr<'_>> {
    let texts = parts?.into_iter().map(|part| part.text).filter(|text| !text.is_empty());
    Some(JsonStr::joined(texts, "\n\n")).filter(|text| !text.is_empty())
}

/// Coming back: a `reasoning` item that has begun.
#[derive(Debug)]
pub struct OpenReasoning {
    id: String,
    output_index: usize,
    text: JsonStrBuilder,
    deltas: DeltaTemplate,
}

/// All of the reasoning is one part.
const SUMMARY_INDEX: usize = 0;

impl OpenReasoning {
    /// Begins the item.
    pub fn open(out: &mut EventWriter) -> Self {
        let id = out.id("rs");
        let output_index =
            out.begin(&OutputItem::Reasoning { id: &id, summary: &[], encrypted_content: None });
        let part = SummaryPart::SummaryText { text: JsonStr::new("") };
        out.send(|sequence_number| Event::SummaryPartAdded {
            sequence_number,
            item_id: &id,
            output_index,
            summary_index: SUMMARY_INDEX,
            part: &part,
        });
        let deltas = out.deltas(&Event::SummaryTextDelta {
            sequence_number: 0,
            item_id: &id,
            output_index,
            summary_index: SUMMARY_INDEX,
            delta: &JsonStr::new(""),
        });
        Self { id, output_index, text: JsonStrBuilder::default(), deltas }
    }

    /// The next piece.
    pub fn think(&mut self, piece: &JsonStr<'_>, out: &mut EventWriter) {
        self.text.push(piece);
        out.send_delta(&self.deltas, piece);
    }

    /// The thought has ended. `memory`: what has to come back with it; its text goes along if the client
    /// includes `encrypted_content`, and in any case where no other field can hold the rest.
    pub fn close(self, include: bool, mut memory: ReplayState, out: &mut EventWriter) {
        let text = self.text.finish();
        let encrypted_content = (include || memory.has_extras()).then(|| {
            memory.text = text.decode().into_owned();
            memory.seal()
        });
        out.send(|sequence_number| Event::SummaryTextDone {
            sequence_number,
            item_id: &self.id,
            output_index: self.output_index,
            summary_index: SUMMARY_INDEX,
            text: &text,
        });
        let part = SummaryPart::SummaryText { text };
        out.send(|sequence_number| Event::SummaryPartDone {
            sequence_number,
            item_id: &self.id,
            output_index: self.output_index,
            summary_index: SUMMARY_INDEX,
            part: &part,
        });
        let encrypted_content = encrypted_content.as_deref();
        out.finish(&OutputItem::Reasoning { id: &self.id, summary: &[part], encrypted_content });
    }

    /// An item that shows nothing, for what has to come back and belongs to no thought that was shown.
    pub fn carry(memory: &ReplayState, out: &mut EventWriter) {
        let id = out.id("rs");
        out.begin(&OutputItem::Reasoning { id: &id, summary: &[], encrypted_content: None });
        let sealed = memory.seal();
        out.finish(&OutputItem::Reasoning { id: &id, summary: &[], encrypted_content: Some(&sealed) });
    }
}
