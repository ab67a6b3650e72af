//! What is left of a reply that has ended.

use super::stats::ReplyStats;
use super::stream::StoredResponse;
use crate::error::ApiError;
use crate::report::Report;

/// The result of a reply that has ended.
#[derive(Debug, Default)]
pub(super) struct Finished {
    pub(super) error: Option<ApiError>,
    pub(super) report: Report,
    pub(super) stats: ReplyStats,
    pub(super) has_output: bool,
    pub(super) stored: StoredResponse,
}
