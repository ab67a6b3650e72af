//! How an exchange ended, for telemetry.

use crate::error::ApiError;

/// The outcome of an exchange whose request was sent upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending<'a> {
    /// The client has the reply, complete or cut by the token limit.
    Delivered,
    /// The upstream, or Envoy in its place, answered with an error.
    UpstreamError(&'a ApiError),
    /// The reply began with a good status and ended in an error.
    Failed(&'a ApiError),
    /// The client or the upstream disconnected before the end.
    Cut,
}

impl Ending<'_> {
    /// The label of the metrics.
    pub(super) fn outcome(self, incomplete: bool) -> &'static str {
        match self {
            Self::Delivered if incomplete => "incomplete",
            Self::Delivered => "completed",
            Self::UpstreamError(_) => "upstream_error",
            Self::Failed(_) => "failed",
            Self::Cut => "cut",
        }
    }
}
