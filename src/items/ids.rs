//! The ids of items: a prefix for the type, an underscore, and hexadecimal digits.

use super::KINDS;
use super::kind::is_call_prefix;
use std::borrow::Cow;

/// The prefix of messages.
pub(super) const MESSAGE: &str = "msg";
/// The prefix of reasoning.
pub(super) const REASONING: &str = "rs";
/// The prefix of compaction items.
pub(super) const COMPACTION: &str = "cmp";

/// The digits of an id that was made here: those of the response, then those of the item.
const DIGITS: usize = 36;

/// What the id of an item begins with, before the underscore.
pub fn id_prefix(item_type: &str) -> Cow<'static, str> {
    let kind = KINDS.iter().find(|kind| [kind.call_item, kind.output_item].contains(&item_type));
    match (item_type, kind) {
        ("message", _) => MESSAGE.into(),
        ("reasoning", _) => REASONING.into(),
        ("compaction" | "context_compaction", _) => COMPACTION.into(),
        (_, Some(kind)) if kind.call_item == item_type => kind.id_prefix.into(),
        (_, Some(kind)) => format!("{}o", kind.id_prefix).into(),
        (_, None) => "item".into(),
    }
}

/// Whether an id looks like one of [`EventWriter::id`](super::EventWriter::id).
pub(super) fn is_minted(id: &str) -> bool {
    id.split_once('_').is_some_and(|(prefix, digits)| {
        ([MESSAGE, REASONING, COMPACTION].contains(&prefix) || is_call_prefix(prefix))
            && digits.len() == DIGITS
            && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    })
}

/// Whether an id is that of a call item, by its prefix.
pub(super) fn is_call(id: &str) -> bool {
    id.split_once('_').is_some_and(|(prefix, _)| is_call_prefix(prefix))
}
