//! The counts of a reply, for metrics and the access log.

use crate::wire::responses::Usage;

/// Counts of one reply. They have numbers and names of item types, and no output of the model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplyStats {
    /// The token limit or a content filter cut the reply.
    pub incomplete: bool,
    /// Tokens, as the upstream counts them.
    pub usage: Option<Usage>,
    /// The item type of each tool call that the client got complete, e.g. `function_call`.
    pub calls: Vec<&'static str>,
    /// Tool calls that the upstream began and the client did not get complete.
    pub lost_calls: usize,
    /// Complete tool calls that stayed in the text, because `text_tool_calls` is off.
    pub text_calls: usize,
    /// The most bytes that were held at once for the reply.
    pub held_bytes: usize,
    /// Bytes of the largest event's data.
    pub largest_event: usize,
}
