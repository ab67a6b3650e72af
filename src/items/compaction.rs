//! `compaction`: a summary that replaces the conversation so far.
//!
//! <https://developers.openai.com/api/docs/guides/compaction>
//!
//! ```json
//! {"type": "compaction", "id": "cmp_1", "encrypted_content": "transponder.1.…"}
//! ```
//!
//! Upstreams have no such feature, so the model is asked for the summary in words. The client gets it in one
//! `compaction` item and returns that at the beginning of the next request.

use super::{Conversation, Entry, EventWriter, ReplayState, ids};
use crate::error::ApiError;
use crate::json::{JsonStr, JsonStrBuilder};
use crate::report::{Dropped, Report};
use crate::wire::chat::request::Content;
use crate::wire::responses::{CompactionItem, Event, OutputItem};
use crate::wire::typed::Object;
use std::borrow::Cow;

/// Asks the model for the summary, at the end of the conversation.
pub const INSTRUCTION: &str = "\
The conversation is about to be replaced by a summary of it. Write that summary now, for an assistant who will \
continue the work and will see nothing else. State the task and the user's wishes; what was done and decided, and why; \
facts, file names, commands and values that are still needed; what remains to be done, and the next step. \
Answer with the summary alone.";

/// Precedes the summary in the next request.
const HEADING: &str = "The conversation up to here was replaced by this summary:\n\n";

/// Replaces a summary that another server encrypted, so that the model knows that something is missing.
const UNREADABLE: &str = "\
(The conversation up to here was replaced by a summary that cannot be read here. Ask for what is missing.)";

/// Reads a `compaction` or a `context_compaction`.
pub(super) fn read<'a>(item: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    let item = CompactionItem::of(item)?;
    let sealed = item.encrypted_content.as_ref().map(JsonStr::decode).unwrap_or_default();
    let text = JsonStr::new(&words(&sealed, &mut conversation.report));
    conversation.entries.push(Entry::User(Content::Text(text)));
    Ok(())
}

/// The text for the model that replaces the item.
pub(super) fn words(sealed: &str, report: &mut Report) -> Cow<'static, str> {
    match ReplayState::open(sealed) {
        Some(ReplayState { text: summary, .. }) => format!("{HEADING}{summary}").into(),
        None => {
            report.dropped(Dropped::Item, "compaction");
            UNREADABLE.into()
        }
    }
}

/// Reads a `compaction_trigger`, which asks for a summary.
pub(super) fn read_trigger<'a>(
    item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    item.note_all_but(&[]);
    conversation.compact = true;
    Ok(())
}

/// A summary that is being received.
#[derive(Debug)]
pub struct OpenCompaction {
    id: String,
    summary: JsonStrBuilder,
}

impl OpenCompaction {
    /// Starts the item with the first piece. The pieces are not sent: only the complete summary can replace the
    /// conversation.
    pub fn open(out: &mut EventWriter) -> Self {
        let id = out.id(ids::COMPACTION);
        let output_index = out.begin(&OutputItem::Compaction { id: &id, encrypted_content: "" });
        out.send(|sequence_number| Event::CompactionCompacting {
            sequence_number,
            item_id: &id,
            output_index,
        });
        Self { id, summary: JsonStrBuilder::default() }
    }

    /// Adds the next piece.
    pub fn push(&mut self, piece: &JsonStr<'_>) {
        self.summary.push(piece);
    }

    /// Sends the complete summary.
    pub fn close(self, out: &mut EventWriter) {
        let sealed = ReplayState::of_text(&self.summary.finish().decode()).seal();
        out.finish(&OutputItem::Compaction { id: &self.id, encrypted_content: &sealed });
    }
}
