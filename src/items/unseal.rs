//! Replaces items of this filter, for an upstream that implements the Responses API itself and cannot read them.

use super::encrypted_content::SEAL;
use super::{compaction, ids};
use crate::report::{Dropped, Report};
use serde::Deserialize;
use std::borrow::Cow;

/// The keys by which the filter recognizes its own items.
#[derive(Debug, Deserialize)]
pub struct Marks<'a> {
    /// The item's type.
    #[serde(borrow)]
    pub r#type: Cow<'a, str>,
    /// The item's id.
    #[serde(borrow, default)]
    pub id: Option<Cow<'a, str>>,
    /// Content that only the item's server can read.
    #[serde(borrow, default)]
    pub encrypted_content: Option<Cow<'a, str>>,
}

/// The replacement for an item.
#[derive(Debug)]
pub enum Unsealed {
    /// The item itself: the upstream can read it.
    Unchanged,
    /// Nothing: only the upstream that it came from can use it.
    Nothing,
    /// The text of a user message.
    UserMessage(Cow<'static, str>),
}

/// Replaces an item for an upstream with its own Responses API. Every model can read a summary, so that stays.
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
    /// Whether this filter made the id, and not for a call: an output without its call would be rejected as well.
    fn is_minted(&self) -> bool {
        self.id.as_deref().is_some_and(|id| ids::is_minted(id) && !ids::is_call(id))
    }
}
