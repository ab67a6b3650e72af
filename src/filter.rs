//! The proxy-wasm adapter: it gives the exchange the messages of Envoy, through [`crate::adapter`]. It decides nothing.
//!
//! The SDK panics on most errors of a host call, and a panic ends every stream of the worker. So Envoy is only asked
//! for what the callback at hand is known to allow; [`crate::exchange`] describes which callback allows what.
//!
//! The SDK borrows its dispatcher during a callback. A host call that called the module back would find it borrowed,
//! and that panic ends the Envoy process. [`apply`] makes the calls that could, and shows why none of them does. They
//! are the last thing that a callback does, when nothing of the filter's own is borrowed.

mod apply;
mod callouts;
mod random;
mod store;
mod telemetry;

use crate::adapter::{self, Direction, Next};
use crate::config::Config;
use crate::exchange::Exchange;
use crate::exchange::watchdog::{self, Watchdog};
use apply::{Stream, now};
use callouts::Callouts;
use core::arch::wasm32::memory_size;
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, ContextType, LogLevel};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use store::{EnvoyMemory, EnvoyStore};
use telemetry::EnvoyTelemetry;

type SharedExchange = Rc<RefCell<Exchange>>;
type SharedWatchdog = Rc<RefCell<Watchdog<SharedExchange>>>;

/// Called once, when Envoy has loaded the module.
pub(crate) fn start() {
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|id| Box::new(Root { id, ..Root::default() }));
}

/// One plugin configuration in one VM.
#[derive(Default)]
struct Root {
    id: u32,
    config: Arc<Config>,
    telemetry: Rc<EnvoyTelemetry>,
    watchdog: SharedWatchdog,
    callouts: Rc<Callouts>,
    exchanges: Cell<u64>,
    /// When Envoy was last asked for its log level.
    level_read: Cell<Duration>,
}

impl Root {
    /// Whether nobody can guess the id of a stored response.
    fn has_secret_ids(&self) -> bool {
        !self.config.store.is_on() || random::bits().is_some()
    }

    /// The ids of an exchange derive from its seed. They must differ, and those of stored responses must be secret too.
    fn seed(&self, id: u32, now: Duration) -> u128 {
        let secret = if self.config.store.is_on() { random::bits() } else { None };
        secret.unwrap_or_else(|| seed(now, id, self.exchanges.get()))
    }

    /// Envoy's log level may change while it runs. Messages below it are not formatted.
    fn follow_log_level(&self, now: Duration) {
        if now >= self.level_read.get() + LEVEL_PERIOD {
            self.level_read.set(now);
            follow_log_level();
        }
    }

    fn record_memory(&self) {
        self.telemetry.set_memory(memory_size::<0>() * PAGE);
    }
}

/// The page size of WebAssembly's memory, in bytes.
const PAGE: usize = 64 * 1024;

impl Context for Root {
    /// The plugin is removed, and its VM too, unless another plugin shares it: that one records the memory again.
    fn on_done(&mut self) -> bool {
        self.telemetry.set_memory(0);
        true
    }

    fn on_http_call_response(&mut self, number: u32, headers: usize, body: usize, _: usize) {
        // Without headers there was no reply, and Envoy has none to be read.
        let reply = (headers > 0).then(|| apply::reply(body)).flatten();
        self.callouts.on_reply(number, reply);
    }
}

impl RootContext for Root {
    fn on_configure(&mut self, size: usize) -> bool {
        follow_log_level();
        let bytes = if size == 0 { None } else { self.get_plugin_configuration() };
        let parsed = Config::parse(&bytes.unwrap_or_default());
        let Some(config) = adapter::accept(parsed) else { return false };
        let period = if config.hold_request_headers { watchdog::PERIOD } else { Duration::ZERO };
        apply::set_timer(period);
        self.telemetry = Rc::new(EnvoyTelemetry::new(&config));
        self.record_memory();
        let store = EnvoyStore::new(&config, EnvoyMemory);
        self.callouts = Rc::new(Callouts::new(store, self.id, period));
        self.config = Arc::new(config);
        let may_serve = self.has_secret_ids();
        if !may_serve {
            log::error!(
                "store needs random_get in allowed_capabilities of Envoy's configuration: ids of stored responses must be random"
            );
        }
        may_serve
    }

    fn on_tick(&mut self) {
        let now = now();
        let overdue = self.watchdog.borrow_mut().overdue(now);
        for (id, exchange) in overdue {
            let resumes = exchange.borrow_mut().on_watchdog();
            if resumes {
                apply::resume_request(id);
            }
        }
        self.callouts.run();
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, id: u32) -> Option<Box<dyn HttpContext>> {
        let now = now();
        self.follow_log_level(now);
        self.record_memory();
        self.exchanges.set(self.exchanges.get().wrapping_add(1));
        let seed = self.seed(id, now);
        let exchange = Exchange::new(Arc::clone(&self.config), Rc::clone(&self.telemetry) as _, seed);
        let exchange = Rc::new(RefCell::new(exchange));
        let (watchdog, callouts) = (Rc::clone(&self.watchdog), Rc::clone(&self.callouts));
        Some(Box::new(Filter { id, root: self.id, began: now, exchange, watchdog, callouts }))
    }
}

/// One HTTP exchange.
struct Filter {
    id: u32,
    root: u32,
    /// When its request headers came: Envoy creates the context just before.
    began: Duration,
    exchange: SharedExchange,
    watchdog: SharedWatchdog,
    callouts: Rc<Callouts>,
}

impl Context for Filter {
    /// From here on Envoy has no stream for the exchange.
    fn on_done(&mut self) -> bool {
        self.watchdog.borrow_mut().forget(self.id);
        self.callouts.forget(self.id);
        true
    }
}

impl HttpContext for Filter {
    fn on_http_request_headers(&mut self, _: usize, end: bool) -> Action {
        let stream = self.stream(Direction::Request, 0, Some(self.began));
        #[cfg(feature = "trap")]
        trap_if_asked(stream);
        let next = adapter::on_headers(&self.exchange, &stream, end);
        if next == Next::Hold {
            self.watchdog.borrow_mut().watch(self.id, Rc::clone(&self.exchange), self.began);
        }
        Stream::end(next)
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        self.watchdog.borrow_mut().body_came(self.id);
        // Nothing is measured before the request is complete.
        let stream = self.stream(Direction::Request, size, (!end).then_some(self.began));
        stream.end_of_chunk(adapter::on_body(&self.exchange, &stream, end))
    }

    fn on_http_request_trailers(&mut self, _: usize) -> Action {
        Stream::end(adapter::on_trailers(&self.exchange, &self.stream(Direction::Request, 0, None)))
    }

    fn on_http_response_headers(&mut self, _: usize, end: bool) -> Action {
        Stream::end(adapter::on_headers(&self.exchange, &self.stream(Direction::Response, 0, None), end))
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        // What follows a complete reply is discarded, so its time does not matter.
        let now = self.exchange.borrow().is_over().then_some(self.began);
        let stream = self.stream(Direction::Response, size, now);
        stream.end_of_chunk(adapter::on_body(&self.exchange, &stream, end))
    }

    fn on_http_response_trailers(&mut self, _: usize) -> Action {
        Stream::end(adapter::on_trailers(&self.exchange, &self.stream(Direction::Response, 0, None)))
    }

    /// The last callback that is in time for Envoy's access log.
    fn on_log(&mut self) {
        if !self.exchange.borrow().is_over() {
            let now = now();
            self.exchange.borrow_mut().on_close(now);
        }
    }
}

impl Filter {
    /// `now`: the time of the callback, if Envoy need not be asked for it.
    fn stream(&self, direction: Direction, chunk: usize, now: Option<Duration>) -> Stream<'_> {
        let (exchange, callouts) = (&self.exchange, &*self.callouts);
        Stream { id: self.id, root: self.root, direction, chunk, now, exchange, callouts }
    }
}

/// Crashes the VM, and with it every stream of the worker, as a bug would.
#[cfg(feature = "trap")]
fn trap_if_asked(stream: Stream<'_>) {
    use crate::adapter::Message as _;
    if stream.headers().names().any(|name| name == "x-transponder-trap") {
        std::process::abort();
    }
}

/// How often Envoy is asked for its log level.
const LEVEL_PERIOD: Duration = Duration::from_secs(1);

fn follow_log_level() {
    if let Ok(level) = hostcalls::get_log_level() {
        proxy_wasm::set_log_level(level);
    }
}

/// Differs between exchanges: in this VM by the counter, between VMs by the nanosecond. It is not secret and need not
/// be: ids derived from it only have to be unique.
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
