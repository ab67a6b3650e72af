//! `item_reference`: the id of an item that an earlier response returned, instead of the item.
//!
//! <https://developers.openai.com/api/docs/guides/conversation-state>
//!
//! ```json
//! {"type": "item_reference", "id": "rs_0123"}
//! ```
//!
//! If responses are stored, it was replaced by the item before the items are read. Otherwise the history lacks the item,
//! and whether the request can still be served is decided with the history.

use super::{Conversation, Entry, ids};
use crate::error::ApiError;
use crate::report::Dropped;
use crate::wire::responses::ItemReference;
use crate::wire::typed::Object;
use std::borrow::Cow;

/// An item of which only the id was sent.
#[derive(Debug)]
pub struct Referenced<'a> {
    id: Cow<'a, str>,
    /// The JSON path of the id.
    path: String,
}

/// Reads an `item_reference`.
pub(super) fn read<'a>(item: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    let ItemReference { id } = ItemReference::of(item)?;
    conversation.report.dropped(Dropped::Item, "item_reference");
    let path = item.path_to("id").to_string();
    conversation.entries.push(Entry::Reference(Referenced { id, path }));
    Ok(())
}

impl Referenced<'_> {
    /// Whether the history can do without the item: it came from here, or it is the reasoning of another
    /// server, which could not be read anyway.
    ///
    /// The Vercel AI SDK sends references for all items that had an id, so to refuse them would end its tool
    /// loops after the first step. With `store: false` it sends the items.
    pub(crate) fn is_dispensable(&self) -> bool {
        ids::is_minted(&self.id) || self.id.starts_with("rs_")
    }

    /// Whether the item is a tool call. Its output then has no call.
    pub(crate) fn is_call(&self) -> bool {
        ids::is_call(&self.id)
    }

    /// The error for an item that the history needs.
    pub(crate) fn not_found(&self) -> ApiError {
        let id = &self.id;
        ApiError::invalid(format!(
            "Item with id '{id}' not found. Items are not persisted here; send the item itself in `input`."
        ))
        .at(&self.path)
    }
}
