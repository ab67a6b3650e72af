//! Text of a message that cannot begin yet.

use crate::json::{JsonStr, JsonStrBuilder, RawJson};

/// Text that waits, with its log probabilities: one for each token, or none.
#[derive(Debug, Default)]
pub(super) struct WaitingText {
    text: JsonStrBuilder,
    logprobs: Vec<RawJson<'static>>,
}

impl WaitingText {
    pub(super) fn push(&mut self, text: &JsonStr<'_>, logprobs: &[RawJson<'static>]) {
        self.text.push(text);
        self.logprobs.extend_from_slice(logprobs);
    }

    pub(super) fn finish(self) -> (JsonStr<'static>, Vec<RawJson<'static>>) {
        (self.text.finish(), self.logprobs)
    }
}
