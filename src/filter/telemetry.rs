//! Metrics and filter state of Envoy. Its calls never call the module back.

use crate::adapter;
use crate::config::Config;
use crate::metrics::{self, Kind, Metric, Series, Telemetry};
use proxy_wasm::hostcalls;
use proxy_wasm::types::MetricType;
use std::cell::Cell;

/// The metrics and the filter state of one plugin.
#[derive(Debug, Default)]
pub(super) struct EnvoyTelemetry(Series);

impl EnvoyTelemetry {
    /// Defines every series, so that each begins at zero.
    pub(super) fn new(config: &Config) -> Self {
        Self(adapter::define_series(config, |metric, series| {
            let kind = match metric.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
            };
            hostcalls::define_metric(kind, series).ok()
        }))
    }

    /// Records the memory of this VM, which all its plugins share.
    pub(super) fn set_memory(&self, bytes: usize) {
        thread_local!(static COUNTED: Cell<usize> = const { Cell::new(0) });
        let counted = COUNTED.replace(bytes);
        if bytes != counted {
            self.record(&metrics::VM_MEMORY, &[], bytes as i64 - counted as i64);
        }
    }
}

impl Telemetry for EnvoyTelemetry {
    fn record(&self, metric: &'static Metric, labels: &[&str], value: i64) {
        let Some(number) = self.0.number(metric, labels) else { return };
        let recorded = match metric.kind {
            Kind::Counter | Kind::Gauge => hostcalls::increment_metric(number, value),
            Kind::Histogram => hostcalls::record_metric(number, value.unsigned_abs()),
        };
        if recorded.is_err() {
            log::debug!("cannot record metric {}", metric.name);
        }
    }

    fn note(&self, field: &'static str, value: &str) {
        // One path segment: Envoy joins several with a zero byte.
        if hostcalls::set_property(vec![field], Some(value.as_bytes())).is_err() {
            log::debug!("cannot set filter state {field}");
        }
    }
}
