//! One exchange with the callbacks of Envoy, and the verdict that each returns.

mod budget;
mod catalog;
mod input_tokens;
mod moving;
mod panic;
mod prewarm;
mod privacy;
mod reply;
mod request;
mod search;
mod session;
mod stored;
mod telemetry;
mod watchdog;

use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use transponder::config::Config;
use transponder::exchange::watchdog::Watchdog;
use transponder::exchange::{
    BodyVerdict, Edit, Exchange, Headers, HeadersVerdict, LocalReply, TrailersVerdict,
};
use transponder::metrics::{Kind, METRICS, Metric, Telemetry};

const HELD: &str = r#"{"hold_request_headers": true}"#;
const ASKED: &[u8] = br#"{"model":"m","input":"hello"}"#;
const ASKED_STREAM: &[u8] = br#"{"model":"m","input":"hello","stream":true}"#;
const ANSWER: &[u8] = br#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}"#;

/// Records the metrics and access log fields of an exchange.
#[derive(Debug, Default)]
struct Told {
    /// Metrics, without the common prefix of their names: `exchanges completed generic`.
    counters: RefCell<Vec<String>>,
    others: RefCell<Vec<(&'static str, i64)>>,
    fields: RefCell<Vec<(&'static str, String)>>,
}

impl Telemetry for Told {
    fn record(&self, metric: &'static Metric, labels: &[&str], value: i64) {
        assert_eq!(labels.len(), metric.labels.len(), "{}", metric.name);
        assert!(value > 0 || metric.kind != Kind::Counter, "{}: {value}", metric.name);
        if metric.kind != Kind::Counter {
            return self.others.borrow_mut().push((metric.name, value));
        }
        let name = metric.name.strip_prefix("transponder_").unwrap().strip_suffix("_total").unwrap();
        let line = [&[name], labels].concat().join(" ");
        self.counters.borrow_mut().extend((0..value).map(|_| line.clone()));
    }

    fn note(&self, field: &'static str, value: &str) {
        self.fields.borrow_mut().push((field, value.to_owned()));
    }
}

/// The time of every callback: 14 November 2023, 22:13:20 GMT.
const NOW: Duration = Duration::from_secs(1_700_000_000);

struct Driven {
    exchange: Exchange,
    told: Rc<Told>,
}

impl Driven {
    fn new(config: &str) -> Self {
        let told = Rc::new(Told::default());
        let config = Arc::new(Config::parse(config.as_bytes()).unwrap());
        Self { exchange: Exchange::new(config, Rc::clone(&told) as _, 1), told }
    }

    /// The exchange after the request's headers.
    fn posted(config: &str) -> Self {
        let mut driven = Self::new(config);
        let verdict = driven.exchange.on_request_headers(&request(&[]), false, NOW);
        assert!(!matches!(verdict, HeadersVerdict::Respond(_)), "{verdict:?}");
        driven
    }

    /// The exchange after the complete request.
    fn asked(config: &str, body: &[u8]) -> Self {
        let mut driven = Self::posted(config);
        let verdict = driven.exchange.on_request_body(body, true, NOW);
        assert!(!matches!(verdict, BodyVerdict::Respond(_)), "{verdict:?}");
        driven
    }

    fn counted(&self) -> Vec<String> {
        self.told.counters.borrow().clone()
    }
}

fn headers(pairs: &[(&str, &str)]) -> Headers {
    let pair = |(name, value): &(&str, &str)| (name.to_string(), value.as_bytes().to_vec());
    pairs.iter().map(pair).collect::<Vec<_>>().into()
}

/// A POST to the Responses API, with more headers.
fn request(more: &[(&str, &str)]) -> Headers {
    headers(&[&[(":method", "POST"), (":path", "/v1/responses")], more].concat())
}

fn response(status: &str, more: &[(&str, &str)]) -> Headers {
    headers(&[&[(":status", status)], more].concat())
}

fn set(name: &'static str, value: &str) -> Edit {
    Edit::set(name, value)
}

fn remove(name: &str) -> Edit {
    Edit::Remove(name.to_owned())
}

fn local(verdict: HeadersVerdict) -> LocalReply {
    match verdict {
        HeadersVerdict::Respond(reply) => reply,
        other => panic!("{other:?}"),
    }
}

fn local_trailers(verdict: TrailersVerdict) -> LocalReply {
    match verdict {
        TrailersVerdict::Respond(reply) => reply,
        other => panic!("{other:?}"),
    }
}

fn local_body(verdict: BodyVerdict) -> LocalReply {
    match verdict {
        BodyVerdict::Respond(reply) => reply,
        other => panic!("{other:?}"),
    }
}

/// Checks the form of an error. Returns its status and code.
fn error(reply: &LocalReply) -> (u16, String) {
    assert!(reply.headers.contains(&("content-type", "application/json".to_owned())));
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    let error = body["error"].as_object().unwrap();
    let keys: Vec<_> = error.keys().collect();
    assert_eq!(keys.len(), 4, "{keys:?}");
    assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()));
    assert!(error["type"].is_string());
    assert!(error.contains_key("param"));
    (reply.status, error["code"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn metrics_have_names_of_their_own_by_the_rules_of_prometheus() {
    let mut names: Vec<_> = METRICS.iter().map(|metric| metric.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), METRICS.len());
    for metric in METRICS {
        assert!(metric.name.starts_with("transponder_"));
        assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
    }
}
