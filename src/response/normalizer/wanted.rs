//! How the client gets the text of a message.

use crate::items::ContentKind;

#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) logprobs: bool,
    pub(super) refusals: ContentKind,
}
