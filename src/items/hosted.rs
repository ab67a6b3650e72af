//! What lives on OpenAI's servers: hosted tools, and items that are only referred to.
//!
//! Hosted tools and the items that they leave in a history are in no table of [`super`]: they are dropped and reported.

use super::{Conversation, outbox};
use crate::responses::{ApiError, ItemReference, Object};

/// In the history: `item_reference`. One of our own items was never stored; the client sends what
/// matters of it beside the reference or not at all.
pub(super) fn read_reference<'a>(
    item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let ItemReference { id } = ItemReference::of(item)?;
    if outbox::is_minted(&id) {
        conversation.report.dropped("item", "item_reference");
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "Item with id '{id}' not found. Items are not persisted here; send the item itself in `input`."
    ))
    .at(item.path_to("id")))
}
