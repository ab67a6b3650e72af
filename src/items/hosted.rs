//! What lives on OpenAI's servers: hosted tools, and items that are only referred to.
//!
//! Hosted tools and the items that they leave in a history are in no table of [`super`]: they are dropped and reported.

use super::{Conversation, Site, outbox};
use crate::responses::{ApiError, ItemReference};

/// In the history: `item_reference`. One of our own items was never stored; the client sends what
/// matters of it beside the reference or not at all.
pub(super) fn read_reference<'a>(
    site: &Site<'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let reference: ItemReference = site.read()?;
    if outbox::is_minted(&reference.id) {
        conversation.report.dropped("item", "item_reference");
        return Ok(());
    }
    Err(ApiError::invalid(format!(
        "Item with id '{}' not found. Items are not persisted here; send the item itself in `input`.",
        reference.id
    ))
    .at(site.path_to("id")))
}
