//! What is counted: the names and meanings. Few, because Envoy's counters have no labels.

use std::fmt;

/// Something that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Requests that are not ours and passed untouched.
    RequestsPassed,
    /// Requests that were translated and sent up.
    RequestsTranslated,
    /// Requests that were answered with an error before anything went up.
    RequestsRefused,
    /// Tools, items and fields that the upstream cannot express and that were left out, and tool calls
    /// beyond the one that the client asked for.
    ThingsDropped,
    /// Calls, outputs and arguments that were broken and could be mended.
    ThingsRepaired,
    /// Replies of the upstream (or of Envoy in its stead) with an error status, or unreadable.
    UpstreamErrors,
    /// Replies that began well and ended in an error.
    RepliesFailed,
    /// Replies that broke off: the upstream or the client was gone before the end.
    RepliesCut,
    /// Requests whose held headers had to be let go because no body came.
    WatchdogResumes,
}

impl Metric {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 9] = [
        Self::RequestsPassed,
        Self::RequestsTranslated,
        Self::RequestsRefused,
        Self::ThingsDropped,
        Self::ThingsRepaired,
        Self::UpstreamErrors,
        Self::RepliesFailed,
        Self::RepliesCut,
        Self::WatchdogResumes,
    ];

    /// The name; Envoy shows it as `wasmcustom.<name>`.
    pub fn name(self) -> &'static str {
        match self {
            Self::RequestsPassed => "transponder_requests_passed",
            Self::RequestsTranslated => "transponder_requests_translated",
            Self::RequestsRefused => "transponder_requests_refused",
            Self::ThingsDropped => "transponder_things_dropped",
            Self::ThingsRepaired => "transponder_things_repaired",
            Self::UpstreamErrors => "transponder_upstream_errors",
            Self::RepliesFailed => "transponder_replies_failed",
            Self::RepliesCut => "transponder_replies_cut",
            Self::WatchdogResumes => "transponder_watchdog_resumes",
        }
    }
}

/// Where counts go.
pub trait Metrics: fmt::Debug {
    /// Adds to a counter.
    fn count(&self, metric: Metric, by: u64);
}
