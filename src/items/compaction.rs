//! Compaction: a summary that takes the place of the conversation so far.
//!
//! Chat hosts know nothing of it, so the model is asked for the summary in plain words. The client
//! gets it in one `compaction` item, and brings it back at the head of the next request.

use super::{Conversation, Entry, EventWriter, ReplayState};
use crate::error::ApiError;
use crate::json::{JsonStr, JsonStrBuilder};
use crate::report::Dropped;
use crate::wire::chat::request::Part;
use crate::wire::responses::{CompactionItem, OutputItem};
use crate::wire::typed::Object;

/// What the model is asked at the end of the conversation.
pub const INSTRUCTION: &str = "\
The conversation is about to be replaced by a summary of it. Write that summary now, for an assistant who will \
continue the work and will see nothing else. State the task and the user's wishes; what was done and decided, and why; \
facts, file names, commands and values that are still needed; what remains to be done, and the next step. \
Answer with the summary alone.";

/// What stands before the summary when it comes back.
const HEADING: &str = "The conversation up to here was replaced by this summary:\n\n";

/// Stands for a summary that another server sealed: the model should know that it does not know.
const UNREADABLE: &str = "\
(The conversation up to here was replaced by a summary that cannot be read here. Ask for what is missing.)";

/// In the history: `compaction` and `context_compaction`.
pub(super) fn read<'a>(item: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    let item = CompactionItem::of(item)?;
    let memory = item.encrypted_content.and_then(|content| ReplayState::open(&content.decode()));
    let text = match memory {
        Some(ReplayState { text: summary, .. }) => JsonStr::new(&format!("{HEADING}{summary}")),
        None => {
            conversation.report.dropped(Dropped::Item, "compaction");
            JsonStr::new(UNREADABLE)
        }
    };
    conversation.entries.push(Entry::User(vec![Part::Text { text }]));
    Ok(())
}

/// In the history: `compaction_trigger`, the request for a summary.
pub(super) fn read_trigger<'a>(
    _item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    conversation.compact = true;
    Ok(())
}

/// Coming back: the summary, until it is whole.
#[derive(Debug, Default)]
pub struct OpenCompaction {
    summary: JsonStrBuilder,
}

impl OpenCompaction {
    /// The next piece.
    pub fn say(&mut self, piece: &JsonStr<'_>) {
        self.summary.push(piece);
    }

    /// Whether there is no summary: handing that over would erase the conversation.
    pub fn is_empty(&self) -> bool {
        self.summary.is_empty()
    }

    /// The summary is whole: one item, begun and closed.
    pub fn close(self, out: &mut EventWriter) {
        let id = out.id("cmp");
        let sealed = ReplayState::of_text(&self.summary.finish().decode()).seal();
        let item = OutputItem::Compaction { id: &id, encrypted_content: &sealed };
        out.begin(&item);
        out.finish(&item);
    }
}
