//! Shared by the adapters: what a plugin configuration means for them, and what a callback does. An adapter gives
//! access to the message of a callback, and tells Envoy what comes next.

use crate::config::{Config, ConfigErrors, Store};
use crate::exchange::{BodyVerdict, Edit, Exchange, Headers, HeadersVerdict, LocalReply, TrailersVerdict};
use crate::metrics::{Configured, Metric, Series};
use crate::store::{Answer, HttpStore, MemoryStore, Question, SharedData};
use std::cell::RefCell;
use std::time::Duration;

/// Logs the errors and warnings of a plugin configuration. `None`: Envoy is to reject it.
pub(crate) fn accept(parsed: Result<Config, ConfigErrors>) -> Option<Config> {
    match parsed {
        Ok(config) => {
            config.warnings().iter().for_each(|warning| log::warn!("{warning}"));
            Some(config)
        }
        Err(errors) => {
            errors.iter().for_each(|error| log::error!("invalid plugin configuration: {error}"));
            None
        }
    }
}

/// Defines every series of the metrics. `define` receives a metric and its encoded name, and returns Envoy's id.
pub(crate) fn define_series(
    config: &Config,
    define: impl FnMut(&'static Metric, &str) -> Option<u32>,
) -> Series {
    let configured = Configured {
        presets: &config.presets(),
        models: &config.priced(),
        teams: &config.teams.iter().map(String::as_str).collect::<Vec<_>>(),
    };
    Series::define(configured, define)
}

/// The store of responses that the configuration chooses.
#[derive(Debug, Default)]
pub(crate) enum ResponseStore<M> {
    #[default]
    Off,
    /// In the memory that an adapter has for it.
    Memory(MemoryStore, M),
    /// Reached over HTTP, as an adapter can.
    Http(HttpStore),
}

impl<M: SharedData> ResponseStore<M> {
    pub(crate) fn new(config: &Config, memory: M) -> Self {
        match &config.store {
            Store::Off => Self::Off,
            Store::Memory(chosen) => {
                MemoryStore::prepare(&memory);
                Self::Memory(chosen.store(), memory)
            }
            Store::Http(chosen) => Self::Http(chosen.store()),
        }
    }

    /// The answer of a store that has it at once; otherwise the store that is to be asked.
    pub(crate) fn answer(&self, question: &Question, now: Duration) -> Result<Answer, &HttpStore> {
        match self {
            Self::Off => Ok(Answer::Failed),
            Self::Memory(store, memory) => Ok(store.answer(question, memory, now)),
            Self::Http(store) => Err(store),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Request,
    Response,
}

/// A request or a reply in one of Envoy's callbacks.
pub(crate) trait Message {
    fn direction(&self) -> Direction;

    /// Time since the Unix epoch.
    fn now(&self) -> Duration;

    fn headers(&self) -> Headers;

    /// The callback's part of the body.
    fn chunk(&self) -> Vec<u8>;

    /// Gives a header this value and no other, or removes it.
    fn set_header(&self, name: &str, value: Option<&str>);

    /// Puts a body in place of the callback's chunk.
    fn replace_chunk(&self, body: &[u8]);

    /// Asks the store of responses. `None`: it answers later, and then [`on_answer`] is called.
    fn ask(&self, question: &Question) -> Option<Answer>;

    /// Sends a local reply to the client.
    fn respond(&self, reply: &LocalReply);
}

/// What Envoy is told at the end of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Send the message on.
    Continue,
    /// Stop here. Of a body, Envoy must keep nothing in its own buffer.
    Hold,
    /// Stop here until the store has answered. Then a body is written into Envoy's own buffer.
    Wait,
    /// Stop here: the client was answered.
    Answered,
}

/// The headers of a message came. `end`: it has no body.
pub(crate) fn on_headers(exchange: &RefCell<Exchange>, message: &impl Message, end: bool) -> Next {
    let verdict = match message.direction() {
        Direction::Request => {
            let headers = message.headers();
            exchange.borrow_mut().on_request_headers(&headers, end, message.now())
        }
        Direction::Response if exchange.borrow().passes_through() => return Next::Continue,
        Direction::Response => {
            let headers = message.headers();
            exchange.borrow_mut().on_response_headers(&headers, end, message.now())
        }
    };
    after_headers(exchange, message, verdict)
}

fn after_headers(exchange: &RefCell<Exchange>, message: &impl Message, verdict: HeadersVerdict) -> Next {
    match verdict {
        HeadersVerdict::Ask(question) => ask(exchange, message, &question),
        HeadersVerdict::Continue(edits) => {
            edit(message, &edits);
            Next::Continue
        }
        HeadersVerdict::Hold(edits) => {
            edit(message, &edits);
            Next::Hold
        }
        HeadersVerdict::Respond(reply) => respond(message, &reply),
    }
}

/// A part of a message's body came. `end`: the last one.
pub(crate) fn on_body(exchange: &RefCell<Exchange>, message: &impl Message, end: bool) -> Next {
    if exchange.borrow().passes_through() {
        return Next::Continue;
    }
    let chunk = message.chunk();
    let verdict = match message.direction() {
        Direction::Request => exchange.borrow_mut().on_request_body(&chunk, end, message.now()),
        Direction::Response => exchange.borrow_mut().on_response_body(&chunk, end, message.now()),
    };
    write_unawaited(exchange, message);
    after_chunk(exchange, message, verdict)
}

fn after_chunk(exchange: &RefCell<Exchange>, message: &impl Message, verdict: BodyVerdict) -> Next {
    match verdict {
        BodyVerdict::Ask(question) => ask(exchange, message, &question),
        BodyVerdict::Wait => wait(message),
        BodyVerdict::Pass => Next::Continue,
        BodyVerdict::Hold => {
            message.replace_chunk(&[]);
            Next::Hold
        }
        BodyVerdict::Replace(body) => {
            message.replace_chunk(&body);
            Next::Continue
        }
        BodyVerdict::Release(edits, body) => {
            edit(message, &edits);
            message.replace_chunk(&body);
            Next::Continue
        }
        BodyVerdict::Respond(reply) => respond(message, &reply),
    }
}

/// The trailers of a message came: its body ended with the chunk before.
pub(crate) fn on_trailers(exchange: &RefCell<Exchange>, message: &impl Message) -> Next {
    let verdict = match message.direction() {
        Direction::Request => exchange.borrow_mut().on_request_trailers(message.now()),
        Direction::Response => exchange.borrow_mut().on_response_trailers(message.now()),
    };
    match verdict {
        TrailersVerdict::Ask(question) => ask(exchange, message, &question),
        TrailersVerdict::Pass => Next::Continue,
        TrailersVerdict::Hold => Next::Hold,
        TrailersVerdict::Respond(reply) => respond(message, &reply),
    }
}

/// Asks the store. If it answers later, nothing of the callback's chunk goes on before.
fn ask(exchange: &RefCell<Exchange>, message: &impl Message, question: &Question) -> Next {
    match message.ask(question) {
        Some(answer) => on_answer(exchange, message, answer),
        None => wait(message),
    }
}

fn wait(message: &impl Message) -> Next {
    message.replace_chunk(&[]);
    Next::Wait
}

/// The store has answered, at once or later. `message`: the one that waits for it.
pub(crate) fn on_answer(exchange: &RefCell<Exchange>, message: &impl Message, answer: Answer) -> Next {
    let verdict = exchange.borrow_mut().on_answer(answer, message.now());
    after_chunk(exchange, message, verdict)
}

/// Writes the record of a reply that does not wait for it.
fn write_unawaited(exchange: &RefCell<Exchange>, message: &impl Message) {
    let question = exchange.borrow_mut().take_record();
    if let Some(answer) = question.and_then(|question| message.ask(&question)) {
        exchange.borrow_mut().on_answer(answer, message.now());
    }
}

fn edit(message: &impl Message, edits: &[Edit]) {
    for edit in edits {
        match edit {
            Edit::Set(name, value) => message.set_header(name, Some(value)),
            Edit::Remove(name) => message.set_header(name, None),
        }
    }
}

fn respond(message: &impl Message, reply: &LocalReply) -> Next {
    message.respond(reply);
    Next::Answered
}
