//! The proxy-wasm adapter: copies bytes in, asks the exchange, does what it says. Decides nothing.
//!
//! The SDK panics on most errors of the host, and a panic ends every stream of the worker. So the host
//! is only asked for what the callback at hand is known to allow; which callback allows what is
//! written in [`crate::exchange`], whose verdicts are followed here to the letter.

use crate::config::Config;
use crate::exchange::watchdog::{self, Watchdog};
use crate::exchange::{BodyVerdict, Edit, Exchange, Headers, HeadersVerdict, LocalReply};
use crate::metrics::{self, Kind, Metric, Series, Telemetry};
use core::arch::wasm32::memory_size;
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel, MetricType};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, UNIX_EPOCH};

type SharedExchange = Rc<RefCell<Exchange>>;
type SharedWatchdog = Rc<RefCell<Watchdog<SharedExchange>>>;

/// Called once, when the host has loaded the module.
pub(crate) fn start() {
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| Box::<Root>::default());
}

/// One plugin configuration in one VM.
#[derive(Default)]
struct Root {
    config: Rc<Config>,
    telemetry: Rc<HostTelemetry>,
    watchdog: SharedWatchdog,
    exchanges: Cell<u64>,
}

impl Root {
    /// Says how much memory the VM has now, if that has changed.
    fn count_memory(&self) {
        self.telemetry.set_memory(memory_size::<0>() * PAGE);
    }
}

/// Of WebAssembly's memory, in bytes.
const PAGE: usize = 64 * 1024;

impl Context for Root {
    /// The configuration is gone, and the VM with it, unless another plugin shares it: that will count again.
    fn on_done(&mut self) -> bool {
        self.telemetry.set_memory(0);
        true
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        follow_log_level();
        let bytes = if size == 0 { None } else { self.get_plugin_configuration() };
        match Config::parse(&bytes.unwrap_or_default()) {
            Ok(config) => {
                if config.hold_request_headers {
                    self.set_tick_period(watchdog::PERIOD);
                }
                config.warnings().iter().for_each(|warning| log::warn!("{warning}"));
                self.telemetry = Rc::new(HostTelemetry::new(&config.presets()));
                self.count_memory();
                self.config = Rc::new(config);
                true
            }
            Err(error) => {
                log::error!("the plugin configuration is refused: {error}");
                false
            }
        }
    }

    fn on_tick(&mut self) {
        let overdue = self.watchdog.borrow_mut().overdue(now());
        for (id, exchange) in overdue {
            if exchange.borrow_mut().on_watchdog()
                && hostcalls::set_effective_context(id).is_ok()
                && hostcalls::resume_http_request().is_err()
            {
                log::error!("held headers could not be resumed");
            }
        }
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        follow_log_level();
        self.count_memory();
        self.exchanges.set(self.exchanges.get().wrapping_add(1));
        let now = now();
        let seed = seed(now, id, self.exchanges.get());
        let exchange = Exchange::new(Rc::clone(&self.config), Rc::clone(&self.telemetry) as _, seed, now);
        let exchange = Rc::new(RefCell::new(exchange));
        Some(Box::new(Filter { id, exchange, watchdog: Rc::clone(&self.watchdog) }))
    }
}

/// One HTTP exchange at the host.
struct Filter {
    id: u32,
    exchange: SharedExchange,
    watchdog: SharedWatchdog,
}

impl Context for Filter {
    fn on_done(&mut self) -> bool {
        // From here on the host's side of the exchange is gone.
        self.watchdog.borrow_mut().forget(self.id);
        true
    }
}

impl HttpContext for Filter {
    fn on_http_request_headers(&mut self, _: usize, end: bool) -> Action {
        let headers = Headers::from(self.get_http_request_headers_bytes());
        #[cfg(feature = "trap")]
        trap_if_asked(&headers);
        let verdict = self.exchange.borrow_mut().on_request_headers(&headers, end);
        if matches!(verdict, HeadersVerdict::Hold(_)) {
            self.watchdog.borrow_mut().watch(self.id, Rc::clone(&self.exchange), now());
        }
        self.follow(verdict, &Self::edit_request)
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        if self.exchange.borrow().is_foreign() {
            return Action::Continue;
        }
        self.watchdog.borrow_mut().body_came(self.id);
        self.exchange.borrow_mut().set_time(now());
        let chunk = if size == 0 { None } else { self.get_http_request_body(0, size) };
        let verdict = self.exchange.borrow_mut().on_request_body(&chunk.unwrap_or_default(), end);
        let replace = |body: &[u8]| self.set_http_request_body(0, size, body);
        self.follow_body(verdict, size, &Self::edit_request, &replace)
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        self.exchange.borrow_mut().set_time(now());
        let verdict = self.exchange.borrow_mut().on_request_trailers();
        let append = |body: &[u8]| self.set_http_request_body(0, 0, body);
        self.follow_body(verdict, 0, &Self::edit_request, &append)
    }

    fn on_http_response_headers(&mut self, _: usize, end: bool) -> Action {
        if self.exchange.borrow().is_foreign() {
            return Action::Continue;
        }
        self.exchange.borrow_mut().set_time(now());
        let headers = Headers::from(self.get_http_response_headers_bytes());
        let verdict = self.exchange.borrow_mut().on_response_headers(&headers, end);
        self.follow(verdict, &Self::edit_response)
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        if self.exchange.borrow().is_foreign() {
            return Action::Continue;
        }
        self.exchange.borrow_mut().set_time(now());
        let chunk = if size == 0 { None } else { self.get_http_response_body(0, size) };
        let verdict = self.exchange.borrow_mut().on_response_body(&chunk.unwrap_or_default(), end);
        let replace = |body: &[u8]| self.set_http_response_body(0, size, body);
        self.follow_body(verdict, size, &Self::edit_response, &replace)
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        self.exchange.borrow_mut().set_time(now());
        let verdict = self.exchange.borrow_mut().on_response_trailers();
        let append = |body: &[u8]| self.set_http_response_body(0, 0, body);
        self.follow_body(verdict, 0, &Self::edit_response, &append)
    }

    /// The exchange is over, well or not. What is left here is still in time for Envoy's access log.
    fn on_log(&mut self) {
        let mut exchange = self.exchange.borrow_mut();
        exchange.set_time(now());
        exchange.on_close();
    }
}

impl Filter {
    fn follow(&self, verdict: HeadersVerdict, edit: &dyn Fn(&Self, &Edit)) -> Action {
        let (edits, action) = match verdict {
            HeadersVerdict::Continue(edits) => (edits, Action::Continue),
            HeadersVerdict::Hold(edits) => (edits, Action::Pause),
            HeadersVerdict::Respond(reply) => return self.respond(&reply),
        };
        edits.iter().for_each(|one| edit(self, one));
        action
    }

    /// `size` is how much the host holds, `replace` puts other bytes in its place.
    fn follow_body(
        &self,
        verdict: BodyVerdict,
        size: usize,
        edit: &dyn Fn(&Self, &Edit),
        replace: &dyn Fn(&[u8]),
    ) -> Action {
        // Nothing in place of nothing needs no call, and in trailers there is no such call.
        let replace = |body: &[u8]| {
            if size > 0 || !body.is_empty() {
                replace(body);
            }
        };
        match verdict {
            BodyVerdict::Pass => Action::Continue,
            BodyVerdict::Hold => {
                replace(&[]);
                Action::Pause
            }
            BodyVerdict::Replace(body) => {
                replace(&body);
                Action::Continue
            }
            BodyVerdict::Release(edits, body) => {
                edits.iter().for_each(|one| edit(self, one));
                replace(&body);
                Action::Continue
            }
            BodyVerdict::Respond(reply) => self.respond(&reply),
        }
    }

    fn edit_request(&self, edit: &Edit) {
        match edit {
            Edit::Set(name, value) => self.set_http_request_header(name, Some(value)),
            Edit::Restore(name, value) => self.set_http_request_header(name, Some(value)),
            Edit::Remove(name) => self.remove_http_request_header(name),
        }
    }

    fn edit_response(&self, edit: &Edit) {
        match edit {
            Edit::Set(name, value) => self.set_http_response_header(name, Some(value)),
            Edit::Restore(name, value) => self.set_http_response_header(name, Some(value)),
            Edit::Remove(name) => self.remove_http_response_header(name),
        }
    }

    fn respond(&self, reply: &LocalReply) -> Action {
        let headers = reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.send_http_response(reply.status.into(), headers, Some(&reply.body));
        Action::Pause
    }
}

/// Ends the VM, and with it every stream of the worker, as a bug would.
#[cfg(feature = "trap")]
fn trap_if_asked(headers: &Headers) {
    if headers.names().any(|name| name == "x-transponder-trap") {
        std::process::abort();
    }
}

/// The host's metrics and filter state.
#[derive(Debug, Default)]
struct HostTelemetry(Series);

impl HostTelemetry {
    /// Makes every series known to the host, so that each begins at zero.
    fn new(presets: &[&'static str]) -> Self {
        Self(Series::define(presets, |metric, series| {
            let kind = match metric.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
                Kind::Histogram => MetricType::Histogram,
            };
            hostcalls::define_metric(kind, series).ok()
        }))
    }

    /// The memory of this VM, which all its plugins share.
    fn set_memory(&self, bytes: usize) {
        thread_local!(static COUNTED: Cell<usize> = const { Cell::new(0) });
        let counted = COUNTED.replace(bytes);
        if bytes != counted {
            self.record(&metrics::VM_MEMORY, &[], bytes as i64 - counted as i64);
        }
    }
}

impl Telemetry for HostTelemetry {
    fn record(&self, metric: &'static Metric, labels: &[&str], value: i64) {
        let Some(number) = self.0.number(metric, labels) else { return };
        let recorded = match metric.kind {
            Kind::Counter | Kind::Gauge => hostcalls::increment_metric(number, value),
            Kind::Histogram => hostcalls::record_metric(number, value.unsigned_abs()),
        };
        if recorded.is_err() {
            log::debug!("not recorded: {}", metric.name);
        }
    }

    fn note(&self, field: &'static str, value: &str) {
        // One path segment: the host would join several with a zero byte.
        if hostcalls::set_property(vec![field], Some(value.as_bytes())).is_err() {
            log::debug!("not noted: {field}");
        }
    }
}

/// The host's level may change while it runs. Below it nothing needs to be formatted.
fn follow_log_level() {
    if let Ok(level) = hostcalls::get_log_level() {
        proxy_wasm::set_log_level(level);
    }
}

/// Time since the Unix epoch. The module has no clock of its own.
fn now() -> Duration {
    let time = hostcalls::get_current_time().unwrap_or(UNIX_EPOCH);
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Differs from exchange to exchange, in this VM by the counter and between VMs by the nanosecond.
/// It is not secret and need not be: ids derived from it only have to be unique.
fn seed(now: Duration, id: u32, exchange: u64) -> u128 {
    let nanoseconds = now.as_nanos() as u64;
    let high = splitmix64(nanoseconds);
    let low = splitmix64(high ^ exchange ^ (u64::from(id) << 32));
    (u128::from(high) << 64) | u128::from(low)
}

/// Spreads a number over all bits (the finalizer of the generator of that name).
fn splitmix64(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}
