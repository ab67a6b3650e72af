//! What lives on OpenAI's servers: hosted tools, and items that are only referred to.
//!
//! Hosted tools and the items that they leave in a history are in no table of [`super`]: they are dropped and reported.

use super::{Conversation, Entry, event_writer};
use crate::config::History;
use crate::error::ApiError;
use crate::report::Dropped;
use crate::wire::responses::ItemReference;
use crate::wire::typed::Object;

/// In the history: `item_reference`. Nothing is stored, so what it stands for is lost, and reported. The
/// Vercel AI SDK sends references for all that a response brought with an id, so a refusal would end its
/// tool loops after the first step. With `store: false` it sends the items.
pub(super) fn read_reference<'a>(
    item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let ItemReference { id } = ItemReference::of(item)?;
    // The ids of another server, which the client used before: its reasoning could not be read anyway.
    let may_be_lost =
        event_writer::is_minted(&id) || id.starts_with("rs_") || conversation.history == History::Repair;
    if !may_be_lost {
        return Err(ApiError::invalid(format!(
            "Item with id '{id}' not found. Items are not persisted here; send the item itself in `input`."
        ))
        .at(item.path_to("id")));
    }
    conversation.report.dropped(Dropped::Item, "item_reference");
    if event_writer::is_call(&id) {
        conversation.entries.push(Entry::LostCall);
    }
    Ok(())
}
