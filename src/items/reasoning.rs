//! `reasoning`: the reasoning of the model.
//!
//! <https://developers.openai.com/api/docs/guides/reasoning>
//!
//! ```json
//! {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm."}], "encrypted_content": "transponder.1.…"}
//! ```
//!
//! It is sent as a summary, because every client shows that. Clients that include
//! `reasoning.encrypted_content` get it there too, and return it unchanged with the next request.

use super::{Conversation, Entry, EventWriter, Origin, Reasoning, ReplayState, ids};
use crate::error::ApiError;
use crate::json::{JsonStr, JsonStrBuilder};
use crate::report::Dropped;
use crate::wire::responses::{DeltaTemplate, Event, OutputItem, Paragraphs, ReasoningItem, SummaryPart};
use crate::wire::typed::Object;

/// Reads a `reasoning` item.
pub(super) fn read<'a>(item: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    let item = ReasoningItem::of(item)?;
    let origin = Origin { position: conversation.entries.len(), id: item.id };
    let sealed = item.encrypted_content.as_ref();
    let state = sealed.and_then(|sealed| ReplayState::open(&sealed.decode()));
    let is_foreign = sealed.is_some() && state.is_none();
    let ReplayState { text, details, calls } = state.unwrap_or_default();
    let text = if text.is_empty() {
        let texts = [item.content, item.summary].into_iter().flatten();
        texts.map(|Paragraphs(text)| text).find(|text| !text.is_empty())
    } else {
        Some(JsonStr::new(&text))
    };
    if text.is_none() && details.is_empty() && calls.is_empty() {
        conversation.report.dropped(Dropped::Item, "reasoning");
        conversation.withheld.push(origin);
        return Ok(());
    }
    if is_foreign {
        // It is from another server or damaged. The summary can still be read.
        conversation.report.dropped(Dropped::Field, "encrypted_content");
        conversation.withheld.push(origin.clone());
    }
    conversation.entries.push(Entry::Reasoning(Reasoning { origin, text, details, calls }));
    Ok(())
}

/// A `reasoning` item that has started.
#[derive(Debug)]
pub struct OpenReasoning {
    id: String,
    output_index: usize,
    text: JsonStrBuilder,
    deltas: DeltaTemplate,
}

/// All reasoning is sent as one summary part.
const SUMMARY_INDEX: usize = 0;

impl OpenReasoning {
    /// Starts the item.
    pub fn open(out: &mut EventWriter) -> Self {
        let id = out.id(ids::REASONING);
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

    /// Adds the next piece.
    pub fn push(&mut self, piece: &JsonStr<'_>, out: &mut EventWriter) {
        self.text.push(piece);
        out.send_delta(&self.deltas, piece);
    }

    /// Closes the item. `state` is what the client must return with it. `encrypted_content` is sent if the
    /// client includes it, or if the state has extras, which no other field can hold.
    pub fn close(self, include: bool, mut state: ReplayState, out: &mut EventWriter) {
        let text = self.text.finish();
        let encrypted_content = (include || state.has_extras()).then(|| {
            state.text = text.decode().into_owned();
            state.seal()
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

    /// Sends an item without a summary, for state that does not belong to any visible reasoning.
    pub fn send_state(state: &ReplayState, out: &mut EventWriter) {
        let id = out.id(ids::REASONING);
        out.begin(&OutputItem::Reasoning { id: &id, summary: &[], encrypted_content: None });
        let sealed = state.seal();
        out.finish(&OutputItem::Reasoning { id: &id, summary: &[], encrypted_content: Some(&sealed) });
    }
}
