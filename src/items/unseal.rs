//! What this filter made, for an upstream that implements the Responses API itself and knows nothing of it.

use super::encrypted_content::SEAL;
use super::{compaction, event_writer};
use crate::report::{Dropped, Report};
use serde::Deserialize;
use std::borrow::Cow;

/// The keys of an item by which this filter recognizes what it made.
#[derive(Debug, Deserialize)]
pub struct Marks<'a> {
    /// The item's type.
    #[serde(borrow)]
    pub r#type: Cow<'a, str>,
    /// The item's id.
    #[serde(borrow, default)]
    pub id: Option<Cow<'a, str>>,
    /// What only its server can read.
    #[serde(borrow, default)]
    pub encrypted_content: Option<Cow<'a, str>>,
}

/// What is left of an item.
#[derive(Debug)]
pub enum Unsealed {
    /// The item itself: the upstream can read it.
    Unchanged,
    /// Nothing: only the upstream that it came from could use it.
    Nothing,
    /// The text of a user message.
    UserMessage(Cow<'static, str>),
}

/// What an upstream that does not know this filter gets of an item. A summary is readable text for every model, so it
/// stays.
pub fn unseal(item: &Marks<'_>, report: &mut Report) -> Unsealed {
    let sealed = item.encrypted_content.as_deref().filter(|sealed| !sealed.is_empty());
    match (&*item.r#type, sealed) {
        ("compaction" | "context_compaction", Some(sealed)) if sealed.starts_with(SEAL) => {
            Unsealed::UserMessage(compaction::words(sealed, report))
        }
        (other, Some(sealed)) if sealed.starts_with(SEAL) => {
            report.dropped(Dropped::Item, other);
            Unsealed::Nothing
        }
        // The upstream would look them up among the items that it stores.
        (kind @ ("reasoning" | "item_reference"), None) if item.is_minted() => {
            report.dropped(Dropped::Item, kind);
            Unsealed::Nothing
        }
        _ => Unsealed::Unchanged,
    }
}

impl Marks<'_> {
    /// Whether this filter made the id, and not for a call: an output without its call would be refused as well.
    fn is_minted(&self) -> bool {
        self.id.as_deref().is_some_and(|id| event_writer::is_minted(id) && !event_writer::is_call(id))
    }
}
