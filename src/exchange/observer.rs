//! Metrics, access log fields, and a log line if the exchange failed. Nearly all of it is written once, at the end,
//! because each value costs a call to Envoy. The observer only observes: nothing depends on it.
//!
//! From bodies it only shows the names of models, tools and fields, and those are sanitized.

use super::ending::Ending;
use super::error_class::class;
use super::headers::Headers;
use super::sanitize::{DROPPED_CAP, NAME_CAP, REQUEST_ID_CAP, loggable, visible};
use super::spending::Spending;
use crate::config::Config;
use crate::error::ApiError;
use crate::metrics::{self, Metric, Telemetry, saturated};
use crate::report::Report;
use crate::request::Translated;
use crate::response::{Reply, ReplyStats};
use crate::store::{Answer, Record};
use std::rc::Rc;
use std::time::Duration;

/// Observes one exchange.
#[derive(Debug)]
pub(super) struct Observer {
    telemetry: Rc<dyn Telemetry>,
    request_id: String,
    preset: &'static str,
    spending: Spending,
    /// When the request was sent upstream.
    sent_at: Option<Duration>,
    /// Whether a stream has produced output.
    output_seen: bool,
}

impl Observer {
    pub(super) fn new(telemetry: Rc<dyn Telemetry>, preset: &'static str) -> Self {
        Self {
            telemetry,
            request_id: String::new(),
            preset,
            spending: Spending::default(),
            sent_at: None,
            output_seen: false,
        }
    }

    /// The request's id, as in other logs.
    pub(super) fn identify(&mut self, request_id: &str) {
        self.request_id = visible(request_id, REQUEST_ID_CAP);
    }

    /// The request's team, as far as it is one of the configured ones.
    pub(super) fn attribute(&mut self, config: &Config, headers: &Headers) {
        let Some(header) = &config.team_header else { return };
        let named = config.teams.iter().find(|team| *team == headers.text(header));
        let team = named.map_or(metrics::OTHER, String::as_str);
        self.note("transponder.team", team);
        self.spending.team = Some(team.to_owned());
    }

    /// The request's team, if teams are told apart.
    pub(super) fn team(&self) -> Option<&str> {
        self.spending.team.as_deref()
    }

    /// The request passes unmodified.
    pub(super) fn passed_through(&self) {
        self.telemetry.record(&metrics::PASSED, &[], 1);
    }

    /// The request passes to a native upstream, without what the report lists.
    pub(super) fn passed_on(&self, report: &Report, asked_model: &str, model: &str) {
        self.passed_through();
        self.count_report(report);
        self.note_list("transponder.dropped", report.all_dropped());
        self.note_models(asked_model, model);
    }

    /// The headers cannot wait for the body, because the client waits for the upstream.
    pub(super) fn not_held(&self) {
        log::warn!(
            "headers are not held: the client waits for `100 Continue` from the upstream, so no routing headers are set. request_id={}",
            self.request_id
        );
    }

    /// The watchdog released held headers.
    pub(super) fn resumed(&self) {
        self.telemetry.record(&metrics::WATCHDOG_RESUMES, &[], 1);
        log::error!(
            "hold_request_headers is set, but no request body arrived while headers were held: set \
             `allow_on_headers_stop_iteration: true` in Envoy's plugin configuration, unless the client is slow. \
             The request continues without routing headers. request_id={}",
            self.request_id
        );
    }

    /// The client got an error, and nothing was sent upstream.
    pub(super) fn rejected(&self, error: &ApiError) {
        let code = error.code.as_deref().unwrap_or_default();
        self.telemetry.record(&metrics::REFUSALS, &[code], 1);
        self.note_outcome("refused");
        self.note_error(error);
        log::info!("request rejected: {}", self.line(error));
    }

    /// The client got a reply without the upstream, because it requested no output.
    pub(super) fn answered(&self, model: &str) {
        self.answered_here();
        self.asked_for(model);
    }

    /// The model that the client wants. Only a request that is not sent upstream needs this.
    pub(super) fn asked_for(&self, model: &str) {
        self.note_name("transponder.request_model", model);
    }

    /// The request was answered without an upstream.
    pub(super) fn answered_here(&self) {
        self.note_outcome("answered");
    }

    /// A record was read.
    pub(super) fn store_read<E>(&self, record: &Result<Option<Record>, E>) {
        self.count_store(
            "read",
            match record {
                Ok(Some(_)) => "done",
                Ok(None) => "missing",
                Err(_) => "failed",
            },
        );
    }

    /// A record was written or deleted.
    pub(super) fn store_changed(&self, operation: &str, answer: &Answer) {
        self.count_store(
            operation,
            match answer {
                Answer::Done | Answer::Found(_) => "done",
                Answer::Missing => "missing",
                Answer::Failed => "failed",
            },
        );
    }

    /// A record is larger than the store takes.
    pub(super) fn record_too_large(&self) {
        self.count_store("write", "too_large");
    }

    fn count_store(&self, operation: &str, result: &str) {
        self.telemetry.record(&metrics::STORE, &[operation, result], 1);
        if matches!(result, "failed" | "too_large") {
            log::warn!("store: operation={operation} result={result} request_id={}", self.request_id);
        }
    }

    /// The search engine's answer went to the client.
    pub(super) fn searched(&self) {
        self.note_outcome("searched");
    }

    /// The search engine's answer has begun. If it breaks off, Envoy answers in its place, and sees by this that it was a search.
    pub(super) fn search_answered(&self, engine: &str) {
        self.note("transponder.search", engine);
    }

    /// The client or the search engine disconnected before the end.
    pub(super) fn search_cut(&self) {
        self.note_outcome("search_failed");
        log::warn!("web search cut: request_id={}", self.request_id);
    }

    /// The client was told that its search failed.
    pub(super) fn search_failed(&self, status: u16) {
        self.note_outcome("search_failed");
        log::warn!("web search failed: status={status} request_id={}", self.request_id);
    }

    /// The request is sent upstream. `request_bytes`: its size before the translation.
    pub(super) fn request_sent(&mut self, translated: &Translated, request_bytes: usize, now: Duration) {
        self.preset = translated.preset;
        self.spending.price = translated.price.clone();
        self.sent_at = Some(now);
        self.count_report(&translated.report);
        self.record(&metrics::OPEN, 1);
        self.telemetry.record(&metrics::REQUEST_BYTES, &[], saturated(request_bytes));
        self.note("transponder.preset", translated.preset);
        self.note_models(&translated.asked_model, &translated.model);
        log::debug!(
            "request translated: bytes_in={request_bytes} bytes_out={} request_id={}",
            translated.body.len(),
            self.request_id
        );
    }

    pub(super) fn response_headers(&self, now: Duration) {
        self.record_time(&metrics::FIRST_BYTE, now);
    }

    /// A stream has produced output, for the first time or again.
    pub(super) fn output_seen(&mut self, now: Duration) {
        if !self.output_seen {
            self.output_seen = true;
            self.record_time(&metrics::FIRST_DELTA, now);
        }
    }

    /// The exchange is over. `reply`: the reply so far. `dropped`: what could not be translated, in both directions.
    pub(super) fn ended(
        &mut self,
        ending: Ending<'_>,
        reply: Option<&Reply>,
        dropped: &[String],
        now: Duration,
    ) {
        let stats = reply.map(Reply::stats);
        let incomplete = stats.as_ref().is_some_and(|stats| stats.incomplete);
        let outcome = ending.outcome(incomplete);
        self.telemetry.record(&metrics::EXCHANGES, &[outcome, self.preset], 1);
        self.note_outcome(outcome);
        if let Some((reply, stats)) = reply.zip(stats) {
            self.count_stats(&stats, outcome, now);
            self.count_report(reply.report());
        }
        self.close();
        self.note_list("transponder.dropped", dropped);
        match ending {
            Ending::Delivered => {}
            Ending::UpstreamError(error) => self.upstream_error(error, false),
            Ending::Failed(error) => self.upstream_error(error, true),
            Ending::Cut => log::info!("reply cut: request_id={}", self.request_id),
        }
    }

    /// Envoy followed a redirect, and sent the translated request through the filters again. The exchange was counted
    /// when its first run ended.
    pub(super) fn redirected(&self, error: &ApiError) {
        self.note_outcome(Ending::UpstreamError(error).outcome(false));
        self.upstream_error(error, false);
    }

    /// `late`: the reply began with a good status.
    fn upstream_error(&self, error: &ApiError, late: bool) {
        let class = class(error, late);
        self.telemetry.record(&metrics::UPSTREAM_ERRORS, &[class, self.preset], 1);
        self.note_error(error);
        log::warn!("reply failed: class={class} {}", self.line(error));
    }

    /// The adapter caught a panic, which has ended the exchange.
    pub(super) fn panicked(&mut self, error: &ApiError) {
        self.telemetry.record(&metrics::PANICS, &[], 1);
        if self.sent_at.is_some() {
            self.telemetry.record(&metrics::EXCHANGES, &["failed", self.preset], 1);
        }
        self.close();
        self.note_outcome("failed");
        self.note_error(error);
        log::error!("a bug ended the exchange: {}", self.line(error));
    }

    /// Nothing more comes of the request that was sent upstream, if one was.
    fn close(&mut self) {
        if self.sent_at.take().is_some() {
            self.record(&metrics::OPEN, -1);
        }
    }

    fn count_stats(&self, stats: &ReplyStats, outcome: &str, now: Duration) {
        for item in &stats.calls {
            self.telemetry.record(&metrics::TOOL_CALLS, &[item, self.preset], 1);
        }
        if stats.lost_calls > 0 {
            self.count_lost_calls(stats.lost_calls, outcome);
        }
        if !stats.calls.is_empty() {
            self.note("transponder.tool_calls", &stats.calls.len().to_string());
        }
        if stats.text_calls > 0 {
            self.count_text_calls(stats.text_calls);
        }
        self.telemetry.record(&metrics::REPLY_BYTES, &[], saturated(stats.held_bytes));
        if stats.largest_event > 0 {
            self.record_time(&metrics::STREAM, now);
            self.telemetry.record(&metrics::EVENT_BYTES, &[], saturated(stats.largest_event));
        }
        self.spending.count(stats, self.preset, &*self.telemetry);
    }

    /// A reply that failed or was cut has a line in the log anyway.
    fn count_lost_calls(&self, calls: usize, outcome: &str) {
        self.telemetry.record(&metrics::TOOL_CALLS_LOST, &[outcome, self.preset], saturated(calls));
        if outcome == "incomplete" {
            log::warn!(
                "tool calls cut in an incomplete reply: calls={calls} preset={} request_id={}",
                self.preset,
                self.request_id
            );
        }
    }

    /// The client cannot act on such calls, and nothing else shows why.
    fn count_text_calls(&self, calls: usize) {
        self.record(&metrics::TOOL_CALLS_IN_TEXT, saturated(calls));
        self.note("transponder.tool_calls_in_text", &calls.to_string());
        log::warn!(
            "tool calls left in the text, which text_tool_calls would read: calls={calls} preset={} request_id={}",
            self.preset,
            self.request_id
        );
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

    /// The time since the request was sent upstream.
    fn record_time(&self, metric: &'static Metric, now: Duration) {
        if let Some(sent_at) = self.sent_at {
            let milliseconds = now.saturating_sub(sent_at).as_millis();
            self.record(metric, saturated(milliseconds));
        }
    }

    /// A fixed word, or a number.
    fn note(&self, field: &'static str, value: &str) {
        self.telemetry.note(field, value);
    }

    fn note_outcome(&self, outcome: &str) {
        self.note("transponder.outcome", outcome);
    }

    /// A name that a client or an upstream chose.
    fn note_name(&self, field: &'static str, name: &str) {
        self.telemetry.note(field, &loggable(name, NAME_CAP));
    }

    fn note_models(&self, asked: &str, sent: &str) {
        self.asked_for(asked);
        self.note_name("transponder.response_model", sent);
    }

    fn note_list(&self, field: &'static str, things: &[String]) {
        if !things.is_empty() {
            self.telemetry.note(field, &loggable(&things.join(","), DROPPED_CAP));
        }
    }

    fn note_error(&self, error: &ApiError) {
        self.note_name("transponder.error", error.code.as_deref().unwrap_or(&error.kind));
    }

    /// Without the message, which may quote the conversation.
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
