//! The adapter for Envoy's dynamic modules: the filter as native code in the process of Envoy. Like the one for
//! proxy-wasm it gives the exchange the messages of Envoy, through [`crate::adapter`], and decides nothing.
//!
//! * Envoy makes a plugin on its main thread, and its streams on the threads of its workers. The configuration is shared;
//!   all hooks of one stream run on one thread.
//! * A call to Envoy may call back. To answer runs the filter chain, and can destroy the stream before the call returns.
//!   So nothing is borrowed while Envoy answers, and the hook that is running owns its stream too ([`abi`]).
//! * There is no VM whose end could contain a bug. So no panic leaves a hook: it ends one exchange ([`Stream::hook`]).
//! * The headers of a request can always be held for its body, and are: routes by model need no setting of Envoy.

mod abi;
mod panics;
mod store;
mod telemetry;

use crate::adapter::{self, Direction, Message, Next, ResponseStore};
use crate::config::Config;
use crate::exchange::{Exchange, Headers, LocalReply};
use crate::metrics::Series;
use crate::store::{Answer, HttpStore, Operation, Question};
use abi::{EnvoyPlugin, EnvoyStream, callouts};
use panics::caught;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use store::ProcessMemory;
use telemetry::{EnvoyLog, EnvoyTelemetry};

/// Called when Envoy has loaded the module, on its main thread. Another call changes nothing.
fn start() {
    if log::set_logger(&EnvoyLog).is_ok() {
        log::set_max_level(log::LevelFilter::Trace);
        panics::log_places();
        log::info!(concat!("transponder ", env!("CARGO_PKG_VERSION")));
    }
}

/// One plugin configuration, used by all threads.
#[derive(Debug)]
struct Plugin {
    config: Arc<Config>,
    series: Arc<Series>,
    store: Arc<ResponseStore<ProcessMemory>>,
}

const fn assert_shared_by_threads<T: Send + Sync>() {}
const _: () = assert_shared_by_threads::<Plugin>();

impl Plugin {
    /// `None`: Envoy is to reject the configuration.
    fn new(envoy: &EnvoyPlugin, json: &[u8]) -> Option<Self> {
        caught(|| {
            let config = adapter::accept(Config::parse_held(json))?;
            let series =
                adapter::define_series(&config, |metric, name| envoy.define_metric(metric.kind, name));
            let series = Arc::new(series);
            let store = Arc::new(ResponseStore::new(&config, ProcessMemory));
            Some(Self { config: Arc::new(config), series, store })
        })?
    }
}

/// One HTTP exchange.
#[derive(Debug)]
struct Stream {
    envoy: Rc<EnvoyStream>,
    exchange: RefCell<Exchange>,
    store: Arc<ResponseStore<ProcessMemory>>,
    asked: RefCell<Asked>,
}

/// What a stream has asked a store over HTTP. It asks the next question when it has the answer.
#[derive(Debug, Default)]
enum Asked {
    #[default]
    Nothing,
    /// Envoy is sending the question, and may answer before it has done so.
    Sending(Operation),
    /// It has.
    Answered(Answer),
    /// A message waits for the answer.
    Waiting(Operation, Direction),
}

impl Stream {
    /// `None` if that fails: then its client is told so.
    fn new(plugin: &Plugin, envoy: Rc<EnvoyStream>) -> Option<Self> {
        caught(|| {
            let telemetry = EnvoyTelemetry::new(Arc::clone(&plugin.series), Rc::clone(&envoy));
            let exchange = Exchange::new(Arc::clone(&plugin.config), Rc::new(telemetry), seed()?);
            let (exchange, store) = (RefCell::new(exchange), Arc::clone(&plugin.store));
            Some(Self { envoy, exchange, store, asked: RefCell::default() })
        })?
    }

    fn headers(&self, direction: Direction, end: bool) -> Next {
        self.hook(direction, |message| adapter::on_headers(&self.exchange, message, end))
    }

    fn body(&self, direction: Direction, end: bool) -> Next {
        self.hook(direction, |message| adapter::on_body(&self.exchange, message, end))
    }

    fn trailers(&self, direction: Direction) -> Next {
        self.hook(direction, |message| adapter::on_trailers(&self.exchange, message))
    }

    /// The last hook that is in time for Envoy's access log.
    fn complete(&self) {
        caught(|| {
            if !self.exchange.borrow().is_over() {
                self.exchange.borrow_mut().on_close(now());
            }
        });
    }

    /// Runs a hook. If it panics, the client gets an error; if its reply has begun, Envoy ends the stream instead.
    fn hook(&self, direction: Direction, run: impl FnOnce(&Callback<'_>) -> Next) -> Next {
        self.carry_out(Callback { stream: self, direction, waited: false }, run)
    }

    fn carry_out<'s>(&'s self, message: Callback<'s>, run: impl FnOnce(&Callback<'s>) -> Next) -> Next {
        caught(|| run(&message)).unwrap_or_else(|| {
            caught(|| {
                let reply = self.exchange.borrow_mut().on_panic();
                message.respond(&reply);
            });
            Next::Answered
        })
    }

    /// Asks a store for a message. `None`: the answer comes later.
    fn ask(&self, store: &HttpStore, question: &Question, direction: Direction) -> Option<Answer> {
        let (operation, _) = question.operation();
        self.asked.replace(Asked::Sending(operation));
        let sent = callouts::send(&self.envoy, &store.cluster, &store.request(question), store.timeout);
        match self.asked.take() {
            Asked::Answered(answer) => Some(answer),
            _ if sent => {
                self.asked.replace(Asked::Waiting(operation, direction));
                None
            }
            _ => Some(Answer::Failed),
        }
    }

    /// The store has replied, with a status and a body; `None`: it has not, and will not.
    fn replied(&self, reply: Option<(u16, Vec<u8>)>) {
        let asked = self.asked.take();
        let (Asked::Sending(operation) | Asked::Waiting(operation, _)) = asked else { return };
        let answer = match (&*self.store, reply) {
            (ResponseStore::Http(store), Some((status, body))) => store.answer(operation, status, body),
            _ => Answer::Failed,
        };
        let Asked::Waiting(_, direction) = asked else {
            self.asked.replace(Asked::Answered(answer));
            return;
        };
        let message = Callback { stream: self, direction, waited: true };
        let next = self.carry_out(message, |message| adapter::on_answer(&self.exchange, message, answer));
        if next == Next::Continue {
            callouts::resume(&self.envoy, direction);
        }
    }
}

/// The message of a callback, or the one that waits for the store.
#[derive(Debug)]
struct Callback<'a> {
    stream: &'a Stream,
    direction: Direction,
    /// It has no chunk: what is written goes into Envoy's own buffer, which is empty.
    waited: bool,
}

impl Message for Callback<'_> {
    fn direction(&self) -> Direction {
        self.direction
    }

    fn now(&self) -> Duration {
        now()
    }

    fn headers(&self) -> Headers {
        #[cfg(feature = "trap")]
        panics::trap_if_asked("headers", self);
        Headers::from(self.stream.envoy.headers(self.direction))
    }

    fn chunk(&self) -> Vec<u8> {
        #[cfg(feature = "trap")]
        panics::trap_if_asked("body", self);
        self.stream.envoy.chunk(self.direction)
    }

    fn set_header(&self, name: &str, value: Option<&str>) {
        self.stream.envoy.set_header(self.direction, name, value);
        if self.direction == Direction::Request {
            self.stream.envoy.clear_route_cache();
        }
    }

    fn replace_chunk(&self, body: &[u8]) {
        if self.waited {
            callouts::append_to_buffer(&self.stream.envoy, self.direction, body);
        } else {
            self.stream.envoy.replace_chunk(self.direction, body);
        }
    }

    fn ask(&self, question: &Question) -> Option<Answer> {
        match self.stream.store.answer(question, now()) {
            Ok(answer) => Some(answer),
            Err(store) => self.stream.ask(store, question, self.direction),
        }
    }

    fn respond(&self, reply: &LocalReply) {
        self.stream.envoy.respond(reply);
    }
}

/// Time since the Unix epoch.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// What the ids of an exchange are derived from. `None`: the system gives no random numbers.
fn seed() -> Option<u128> {
    let mut seed = [0; 16];
    let filled = getrandom::fill(&mut seed).inspect_err(|error| log::error!("no random numbers: {error}"));
    filled.ok().map(|()| u128::from_ne_bytes(seed))
}
