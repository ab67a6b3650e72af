//! Reasoning: what the model says to itself.
//!
//! It goes out as a summary, the one spelling that every client shows, and, for clients that include
//! `reasoning.encrypted_content`, once more in there: that is what comes back unchanged on the next turn.

use super::{Conversation, Entry, Outbox, sealed};
use crate::json::{Text, TextBuilder};
use crate::responses::{ApiError, Event, Object, OutputItem, ReasoningItem, SummaryPart, TextPart};
use crate::sse::encode::Deltas;

/// In the history: `reasoning`.
pub(super) fn read<'a>(item: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    let item = ReasoningItem::of(item)?;
    let sealed = item.encrypted_content.and_then(|text| sealed::open(&text.decode()));
    // Another server's seal cannot be opened, but what it showed can be read.
    let text = match sealed {
        Some(text) => Some(Text::new(&text)),
        None => joined(item.content).or_else(|| joined(item.summary)),
    };
    match text {
        Some(text) => conversation.entries.push(Entry::Reasoning(text)),
        None => conversation.report.dropped("item", "reasoning"),
    }
    Ok(())
}

fn joined<'a>(parts: Option<Vec<TextPart<'a>>>) -> Option<Text<'a>> {
    let mut texts = parts?.into_iter().map(|part| part.text).filter(|text| !text.is_empty());
    let first = texts.next()?;
    let mut builder = TextBuilder::default();
    builder.push(&first);
    let mut alone = true;
    for text in texts {
        builder.push(&Text::new("\n\n"));
        builder.push(&text);
        alone = false;
    }
    Some(if alone { first } else { builder.finish() })
}

/// Coming back: a `reasoning` item that has begun.
#[derive(Debug)]
pub struct OpenReasoning {
    id: String,
    output_index: usize,
    text: TextBuilder,
    deltas: Deltas,
}

/// All of the reasoning is one part.
const SUMMARY_INDEX: usize = 0;

impl OpenReasoning {
    /// Begins the item.
    pub fn open(out: &mut Outbox) -> Self {
        let id = out.id("rs");
        let output_index =
            out.begin(&OutputItem::Reasoning { id: &id, summary: &[], encrypted_content: None });
        let part = SummaryPart::SummaryText { text: Text::new("") };
        out.send(|sequence_number| Event::SummaryPartAdded {
            sequence_number,
            item_id: &id,
            output_index,
            summary_index: SUMMARY_INDEX,
            part: &part,
        });
        let deltas = Outbox::deltas(&Event::SummaryTextDelta {
            sequence_number: 0,
            item_id: &id,
            output_index,
            summary_index: SUMMARY_INDEX,
            delta: &Text::new(""),
        });
        Self { id, output_index, text: TextBuilder::default(), deltas }
    }

    /// The next piece.
    pub fn think(&mut self, piece: &Text<'_>, out: &mut Outbox) {
        self.text.push(piece);
        out.send_delta(&self.deltas, piece);
    }

    /// The thought has ended.
    pub fn close(self, seal: bool, out: &mut Outbox) {
        let text = self.text.finish();
        let encrypted_content = seal.then(|| sealed::seal(&text.decode()));
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
}
