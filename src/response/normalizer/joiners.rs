//! Surrogate pairs that are split over two deltas.

use crate::json::SurrogateJoiner;

/// Each string of a message is joined separately.
#[derive(Debug, Default)]
pub(super) struct SurrogateJoiners {
    pub(super) reasoning: SurrogateJoiner,
    pub(super) text: SurrogateJoiner,
    pub(super) refusal: SurrogateJoiner,
}
