//! What a block of calls reads, and what it turned out to be, step by step.

use super::OfferedTools;

/// What a block reads.
#[derive(Clone, Copy)]
pub(super) struct Input<'i> {
    /// The text of the block, from its beginning.
    pub(super) text: &'i str,
    pub(super) tools: &'i OfferedTools,
    /// Nothing follows the text.
    pub(super) ended: bool,
}

/// The result of reading.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    /// More text is needed.
    Undecided,
    /// The next call. The block continues after it.
    Call { name: String, arguments: String },
    /// The block is not a call. Up to this position it is text.
    Text(usize),
    /// The block ends at this position, after at least one call.
    End(usize),
    /// A call of this tool whose arguments cannot be read. It is the text between these positions.
    Lost { name: String, from: usize, to: usize },
}
