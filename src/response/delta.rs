//! The content of a reply, in one form for all providers.

use super::outcome::Failure;
use crate::items::ContentKind;
use crate::json::{JsonStr, RawJson};
use crate::report::Dropped;
use serde_json::value::RawValue;

/// The next piece of a reply.
#[derive(Debug)]
pub(super) enum Delta<'a> {
    /// Readable reasoning.
    Reasoning(JsonStr<'a>),
    /// `reasoning_details`: an array of objects that the provider needs back with the next request.
    ReasoningDetails {
        raw: &'a RawValue,
        /// Whether their text is shown, because no other field of the reply repeats it.
        visible: bool,
    },
    /// Text or a refusal. `logprobs` has one object for each token of `text`, or is empty.
    Content { kind: ContentKind, text: JsonStr<'a>, logprobs: &'a [RawJson<'static>] },
    /// A fragment of a tool call.
    Call(&'a CallDelta<'a>),
    /// A citation of the current text or of the next one, in the form of the Responses API.
    Citation(RawJson<'static>),
    /// The current message is complete, although text may follow: it belongs to another message.
    EndOfMessage,
    /// Something that the Responses API cannot express.
    Unsupported { kind: Dropped, name: &'a str },
}

/// A fragment of a tool call, and the state of the call so far.
#[derive(Debug)]
pub(super) struct CallDelta<'a> {
    /// The position of the call among the calls of the reply, from 0.
    pub(super) call: usize,
    /// The provider's id. Empty if it has not sent one.
    pub(super) id: &'a str,
    /// The name as far as it arrived.
    pub(super) name: &'a str,
    /// Bytes of the id and the name in this fragment.
    pub(super) label_bytes: usize,
    /// The fragment of the arguments, possibly empty.
    pub(super) arguments: JsonStr<'a>,
    /// The form of the arguments, including this fragment.
    pub(super) format: CallFormat,
    /// `extra_content`, which the provider needs back with the call.
    pub(super) extra: Option<&'a RawValue>,
}

/// The form of a call's arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CallFormat {
    /// JSON. `complete`: its last bracket has closed.
    Json { complete: bool },
    /// `{}` so far, which is not among the fragments: it counts unless other arguments follow.
    Placeholder,
    /// The text of a tool that the upstream declares as `custom`. Nothing in it marks its end.
    Text,
}

/// Takes the deltas of a reply in their order.
pub(super) trait DeltaSink {
    /// Takes the next delta. An error ends the reply.
    fn delta(&mut self, delta: Delta<'_>) -> Result<(), Failure>;

    /// Whether nothing in the deltas so far would be shown to the client.
    fn is_blank(&self) -> bool;
}
