//! Makes the calls to Envoy that Transponder makes for a request without events, and passes the bytes on unchanged.
//! What it costs more than the filter that does nothing is the cost of these calls.

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MetricType};
use std::mem;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Error);
    proxy_wasm::set_root_context(|_| Box::<Root>::default());
}}

/// The fields of the access log that are known when the request is sent upstream, and those that are known at the end.
const AT_FIRST: [&str; 3] = ["floor.preset", "floor.request_model", "floor.response_model"];
const AT_LAST: [&str; 4] = ["floor.outcome", "floor.dropped", "floor.input_tokens", "floor.output_tokens"];

#[derive(Default)]
struct Root {
    metrics: Metrics,
}

/// Envoy's ids of a counter and of a histogram.
#[derive(Clone, Copy, Default)]
struct Metrics {
    counter: u32,
    histogram: u32,
}

impl Metrics {
    fn define() -> Option<Self> {
        let define = |kind, name| hostcalls::define_metric(kind, name).ok();
        Some(Self {
            counter: define(MetricType::Counter, "floor_total")?,
            histogram: define(MetricType::Histogram, "floor_bytes")?,
        })
    }

    fn count(self, counters: usize, histograms: usize) {
        for _ in 0..counters {
            let _ = hostcalls::increment_metric(self.counter, 1);
        }
        for _ in 0..histograms {
            let _ = hostcalls::record_metric(self.histogram, 1);
        }
    }
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        self.metrics = Metrics::define().unwrap_or_default();
        true
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        tell_the_time();
        Some(Box::new(Exchange { metrics: self.metrics, request: Vec::new() }))
    }
}

struct Exchange {
    metrics: Metrics,
    request: Vec<u8>,
}

fn tell_the_time() {
    let _ = hostcalls::get_current_time();
}

fn note(fields: &[&str]) {
    for field in fields {
        let _ = hostcalls::set_property(vec![field], Some(b"0"));
    }
}

impl Context for Exchange {}

impl HttpContext for Exchange {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let _ = self.get_http_request_headers_bytes();
        self.remove_http_request_header("content-length");
        self.set_http_request_header(":path", Some("/v1/chat/completions"));
        self.set_http_request_header("accept", Some("*/*"));
        Action::Continue
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        if end {
            tell_the_time();
        }
        self.request.extend(self.get_http_request_body(0, size).unwrap_or_default());
        let now = if end { mem::take(&mut self.request) } else { Vec::new() };
        if size > 0 || !now.is_empty() {
            self.set_http_request_body(0, size, &now);
        }
        if end {
            self.metrics.count(2, 1);
            note(&AT_FIRST);
        }
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        tell_the_time();
        let _ = self.get_http_response_headers_bytes();
        self.remove_http_response_header("content-length");
        // Like `x-transponder-dropped`, which the measured requests get.
        self.set_http_response_header("x-floor-dropped", Some("0"));
        self.metrics.count(0, 1);
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        tell_the_time();
        if let Some(body) = self.get_http_response_body(0, size).filter(|body| !body.is_empty()) {
            self.set_http_response_body(0, size, &body);
        }
        if end {
            self.metrics.count(4, 1);
            note(&AT_LAST);
        }
        Action::Continue
    }
}
