//! Metrics, filter state and log of Envoy. Their calls never call the module back.

use super::abi::{self, EnvoyStream};
use crate::metrics::{Metric, Series, Telemetry};
use log::{Level, Log, Metadata, Record};
use std::rc::Rc;
use std::sync::Arc;

/// The metrics and the filter state of one stream.
#[derive(Debug)]
pub(super) struct EnvoyTelemetry {
    series: Arc<Series>,
    envoy: Rc<EnvoyStream>,
}

impl EnvoyTelemetry {
    pub(super) fn new(series: Arc<Series>, envoy: Rc<EnvoyStream>) -> Self {
        Self { series, envoy }
    }
}

impl Telemetry for EnvoyTelemetry {
    fn record(&self, metric: &'static Metric, labels: &[&str], value: i64) {
        let Some(number) = self.series.number(metric, labels) else { return };
        if !self.envoy.record(metric.kind, number, value) {
            log::debug!("cannot record metric {}", metric.name);
        }
    }

    fn note(&self, field: &'static str, value: &str) {
        // The name under which Envoy shows what a wasm filter notes, so that one access log suits both adapters.
        self.envoy.set_filter_state(&format!("wasm.{field}"), value);
    }
}

/// Envoy's own log, whose level may change while it runs.
#[derive(Debug)]
pub(super) struct EnvoyLog;

impl Log for EnvoyLog {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        abi::logs(number(metadata.level()))
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            abi::log(number(record.level()), &record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// Envoy's number for a level.
fn number(level: Level) -> u32 {
    match level {
        Level::Trace => 0,
        Level::Debug => 1,
        Level::Info => 2,
        Level::Warn => 3,
        Level::Error => 4,
    }
}
