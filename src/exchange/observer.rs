//! What an exchange leaves behind for those who run the filter: numbers, the fields of the access log,
//! and a line of the log if it did not go well. Nearly all of it is written once, at the end, because
//! each number is a call of the host.
//!
//! Nothing in it comes from a body but names of models, of tools and of fields, and those are cleaned:
//! a client must not be able to write a line of its own into somebody's log.

use super::reply::DROPPED_THINGS_CAP;
use super::verdict::visible;
use crate::error::ApiError;
use crate::metrics::{self, Metric, Telemetry};
use crate::report::Report;
use crate::request::Translated;
use crate::response::ReplyStats;
use std::rc::Rc;
use std::time::Duration;

/// The account of one exchange.
#[derive(Debug)]
pub(super) struct ExchangeObserver {
    telemetry: Rc<dyn Telemetry>,
    now: Duration,
    request_id: String,
    preset: &'static str,
    /// When the request went up.
    went_up: Option<Duration>,
    /// The first delta of a stream was seen.
    spoke: bool,
    /// What was dropped, on either way.
    dropped: Vec<String>,
}

/// How an exchange ended that went up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending<'a> {
    /// The client has the reply, whole or cut by the token limit.
    Delivered,
    /// The upstream, or Envoy in its stead, answered with an error.
    UpstreamError(&'a ApiError),
    /// The reply began well and ended in an error.
    Failed(&'a ApiError),
    /// Client or upstream were gone before the end.
    Cut,
}

/// A JSON path holds keys that the client chose, a model's name is what it likes.
const NAME_CAP: usize = 128;

/// A UUID has 36 characters; the header may come from the client.
const REQUEST_ID_CAP: usize = 64;

impl ExchangeObserver {
    pub(super) fn new(telemetry: Rc<dyn Telemetry>, preset: &'static str, now: Duration) -> Self {
        Self {
            telemetry,
            now,
            request_id: String::new(),
            preset,
            went_up: None,
            spoke: false,
            dropped: Vec::new(),
        }
    }

    /// The time of what comes next.
    pub(super) fn set_time(&mut self, now: Duration) {
        self.now = now;
    }

    pub(super) fn now(&self) -> Duration {
        self.now
    }

    /// What was dropped so far, e.g. `tool:web_search`.
    pub(super) fn dropped(&self) -> &[String] {
        &self.dropped
    }

    /// The id by which other logs know the request.
    pub(super) fn identify(&mut self, request_id: &str) {
        self.request_id = visible(request_id, REQUEST_ID_CAP);
    }

    /// The request is none of ours.
    pub(super) fn passed(&self) {
        self.telemetry.record(&metrics::PASSED, &[], 1);
    }

    /// Held headers had to be let go.
    pub(super) fn resumed(&self) {
        self.telemetry.record(&metrics::WATCHDOG_RESUMES, &[], 1);
        log::error!(
            "hold_request_headers is set, but no request body came while the headers were held: either \
             Envoy's PluginConfig lacks `allow_on_headers_stop_iteration: true`, or the client is slow. \
             This request goes on without the routing headers. request_id={}",
            self.request_id
        );
    }

    /// The request was answered with an error before anything went up.
    pub(super) fn refused(&self, error: &ApiError) {
        let code = error.code.as_deref().unwrap_or_default();
        self.telemetry.record(&metrics::REFUSALS, &[code], 1);
        self.note("transponder.outcome", "refused");
        self.note_error(error);
        log::info!("request refused: {}", self.line(error));
    }

    /// The request goes up.
    pub(super) fn goes_up(&mut self, translated: &Translated, request_bytes: usize) {
        self.preset = translated.preset;
        self.went_up = Some(self.now);
        self.dropped = translated.report.all_dropped().to_vec();
        self.count_report(&translated.report);
        self.record(&metrics::OPEN, 1);
        self.telemetry.record(&metrics::REQUEST_BYTES, &[], whole(request_bytes));
        self.note("transponder.preset", translated.preset);
        self.note_name("transponder.request_model", &translated.asked_model);
        self.note_name("transponder.response_model", &translated.model);
        log::debug!(
            "translated: bytes={request_bytes} becomes={} request_id={}",
            translated.body.len(),
            self.request_id
        );
    }

    /// The response's headers came.
    pub(super) fn answered(&self) {
        self.record_time(&metrics::FIRST_BYTE);
    }

    /// The model says something, for the first time or again.
    pub(super) fn speaks(&mut self) {
        if !self.spoke {
            self.spoke = true;
            self.record_time(&metrics::FIRST_DELTA);
        }
    }

    /// The exchange is over. A reply that never began is no reply.
    pub(super) fn ended(&mut self, ending: Ending<'_>, reply: Option<(&ReplyStats, &Report)>) {
        let incomplete = reply.is_some_and(|(stats, _)| stats.incomplete);
        let outcome = ending.outcome(incomplete);
        self.telemetry.record(&metrics::EXCHANGES, &[outcome, self.preset], 1);
        self.note("transponder.outcome", outcome);
        if self.went_up.is_some() {
            self.record(&metrics::OPEN, -1);
        }
        if let Some((stats, report)) = reply {
            self.count_tally(stats, outcome);
            self.count_report(report);
            self.dropped.extend_from_slice(report.all_dropped());
        }
        self.note_list("transponder.dropped", &self.dropped);
        match ending {
            Ending::Delivered => {}
            Ending::UpstreamError(error) | Ending::Failed(error) => {
                let class = class(error, outcome == "failed");
                self.telemetry.record(&metrics::UPSTREAM_ERRORS, &[class, self.preset], 1);
                self.note_error(error);
                log::warn!("reply failed: class={class} {}", self.line(error));
            }
            Ending::Cut => log::info!("reply cut: request_id={}", self.request_id),
        }
    }

    fn count_tally(&self, stats: &ReplyStats, outcome: &str) {
        for item in &stats.calls {
            self.telemetry.record(&metrics::TOOL_CALLS, &[item, self.preset], 1);
        }
        if stats.lost_calls > 0 {
            let lost = whole(stats.lost_calls);
            self.telemetry.record(&metrics::TOOL_CALLS_LOST, &[outcome, self.preset], lost);
        }
        self.note("transponder.tool_calls", &stats.calls.len().to_string());
        self.telemetry.record(&metrics::REPLY_BYTES, &[], whole(stats.held_bytes));
        if stats.largest_event > 0 {
            self.record_time(&metrics::STREAM);
            self.telemetry.record(&metrics::EVENT_BYTES, &[], whole(stats.largest_event));
        }
        let Some(usage) = stats.usage else { return };
        for (kind, field, tokens) in [
            ("input", "transponder.input_tokens", usage.input_tokens),
            ("cached", "transponder.cached_tokens", usage.input_tokens_details.cached_tokens),
            ("output", "transponder.output_tokens", usage.output_tokens),
            ("reasoning", "transponder.reasoning_tokens", usage.output_tokens_details.reasoning_tokens),
        ] {
            // The host refuses to add nothing.
            if tokens > 0 {
                self.telemetry.record(&metrics::TOKENS, &[kind, self.preset], whole(tokens));
            }
            self.note(field, &tokens.to_string());
        }
    }

    fn count_report(&self, report: &Report) {
        for (metric, things) in [
            (&metrics::THINGS_DROPPED, report.all_dropped()),
            (&metrics::THINGS_REPAIRED, report.all_repaired()),
        ] {
            for thing in things {
                let kind = thing.split_once(':').map_or(thing.as_str(), |(kind, _)| kind);
                self.telemetry.record(metric, &[kind], 1);
            }
        }
    }

    fn record(&self, metric: &'static Metric, value: i64) {
        self.telemetry.record(metric, &[self.preset], value);
    }

    fn record_time(&self, metric: &'static Metric) {
        if let Some(went_up) = self.went_up {
            let milliseconds = self.now.saturating_sub(went_up).as_millis();
            self.record(metric, whole(milliseconds));
        }
    }

    /// A word of ours, or a number.
    fn note(&self, field: &'static str, value: &str) {
        self.telemetry.note(field, value);
    }

    /// A name that somebody else gave.
    fn note_name(&self, field: &'static str, name: &str) {
        self.telemetry.note(field, &loggable(name, NAME_CAP));
    }

    fn note_list(&self, field: &'static str, things: &[String]) {
        if !things.is_empty() {
            self.telemetry.note(field, &loggable(&things.join(","), DROPPED_THINGS_CAP));
        }
    }

    fn note_error(&self, error: &ApiError) {
        self.note_name("transponder.error", error.code.as_deref().unwrap_or(&error.kind));
    }

    /// Where, not what: an error's message may quote the conversation.
    fn line(&self, error: &ApiError) -> String {
        format!(
            "status={} code={} param={} request_id={}",
            error.status,
            visible(error.code.as_deref().unwrap_or("-"), NAME_CAP),
            visible(error.param.as_deref().unwrap_or("-"), NAME_CAP),
            self.request_id
        )
    }
}

impl Ending<'_> {
    fn outcome(self, incomplete: bool) -> &'static str {
        match self {
            Self::Delivered if incomplete => "incomplete",
            Self::Delivered => "completed",
            Self::UpstreamError(_) => "upstream_error",
            Self::Failed(_) => "failed",
            Self::Cut => "cut",
        }
    }
}

/// What an error comes down to: the code says it best, then the status. An error that came after a good
/// status has none of its own.
fn class(error: &ApiError, late: bool) -> &'static str {
    match (error.code.as_deref().unwrap_or_default(), error.status) {
        ("context_length_exceeded", _) => "context_length",
        ("insufficient_quota", _) => "quota",
        ("model_not_found", _) => "model_not_found",
        ("rate_limit_exceeded", _) | (_, 429) => "rate_limit",
        (code, _) if late || code.starts_with("upstream_") => "broken",
        (_, 401 | 403) => "auth",
        (_, 408 | 504) => "timeout",
        (_, 500..) => "unavailable",
        _ => "rejected",
    }
}

/// What may stand in anybody's log format: visible ASCII, and nothing that ends a quoted string.
fn loggable(text: &str, cap: usize) -> String {
    visible(text, cap).replace(['"', '\\', '\''], "?")
}

/// A number as the host takes it.
fn whole(number: impl TryInto<i64>) -> i64 {
    number.try_into().unwrap_or(i64::MAX)
}
