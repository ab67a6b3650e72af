//! What this filter sealed, for an upstream that cannot read it.

use super::{compaction, encrypted_content};
use crate::report::{Dropped, Report};
use std::borrow::Cow;

/// What is left of an item.
#[derive(Debug)]
pub enum Unsealed {
    /// This filter did not seal it.
    NotOurs,
    /// Nothing: only the upstream that reasoned could use it.
    Nothing,
    /// The text of a user message.
    UserMessage(Cow<'static, str>),
}

/// Looks into the `encrypted_content` of an item. A summary is readable text for every model, so it stays.
pub fn unseal(item_type: &str, encrypted_content: &str, report: &mut Report) -> Unsealed {
    match item_type {
        _ if !encrypted_content.starts_with(encrypted_content::SEAL) => Unsealed::NotOurs,
        "compaction" | "context_compaction" => {
            Unsealed::UserMessage(compaction::words(encrypted_content, report))
        }
        other => {
            report.dropped(Dropped::Item, other);
            Unsealed::Nothing
        }
    }
}
