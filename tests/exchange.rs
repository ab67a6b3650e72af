//! One exchange, driven as the host drives it: what goes in, which verdict comes out.

// clippy.toml excuses test functions, not the helpers beside them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use serde_json::Value;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use transponder::config::Config;
use transponder::exchange::watchdog::Watchdog;
use transponder::exchange::{BodyVerdict, Edit, Exchange, Headers, HeadersVerdict, LocalReply};
use transponder::metrics::{Kind, METRICS, Metric, Telemetry};

const HELD: &str = r#"{"hold_request_headers": true}"#;
const ASKED: &[u8] = br#"{"model":"m","input":"hello"}"#;
const ASKED_STREAM: &[u8] = br#"{"model":"m","input":"hello","stream":true}"#;
const ANSWER: &[u8] = br#"{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}"#;

/// Remembers what left the exchange besides its bytes.
#[derive(Debug, Default)]
struct Told {
    /// Metrics, without what all their names have in common: `exchanges completed generic`.
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

struct Driven {
    exchange: Exchange,
    told: Rc<Told>,
}

impl Driven {
    fn new(config: &str) -> Self {
        let told = Rc::new(Told::default());
        let config = Rc::new(Config::parse(config.as_bytes()).unwrap());
        let now = Duration::from_secs(1_700_000_000);
        Self { exchange: Exchange::new(config, Rc::clone(&told) as _, 1, now), told }
    }

    /// With the request's headers in.
    fn posted(config: &str) -> Self {
        let mut driven = Self::new(config);
        let verdict = driven.exchange.on_request_headers(&request(&[]), false);
        assert!(!matches!(verdict, HeadersVerdict::Respond(_)), "{verdict:?}");
        driven
    }

    /// With the whole request in.
    fn asked(config: &str, body: &[u8]) -> Self {
        let mut driven = Self::posted(config);
        let verdict = driven.exchange.on_request_body(body, true);
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

/// A POST to us, with more headers.
fn request(more: &[(&str, &str)]) -> Headers {
    headers(&[&[(":method", "POST"), (":path", "/v1/responses")], more].concat())
}

fn response(status: &str, more: &[(&str, &str)]) -> Headers {
    headers(&[&[(":status", status)], more].concat())
}

fn set(name: &'static str, value: &str) -> Edit {
    Edit::Set(name, value.to_owned())
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

fn local_body(verdict: BodyVerdict) -> LocalReply {
    match verdict {
        BodyVerdict::Respond(reply) => reply,
        other => panic!("{other:?}"),
    }
}

/// The error's status and code, once its shape is checked.
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
fn what_is_not_ours_passes_untouched() {
    let table = [
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/responsesX"),
        ("POST", "/v1/"),
        ("POST", "/"),
        ("GET", "/v1/models"),
        ("OPTIONS", "/v1/responses"),
        ("OPTIONS", "/v1/responses/x"),
        ("POST", "/V1/responses"),
    ];
    for (method, path) in table {
        let mut driven = Driven::new("{}");
        let headers = headers(&[(":method", method), (":path", path), ("accept-encoding", "gzip")]);
        let exchange = &mut driven.exchange;
        let untouched = HeadersVerdict::Continue(vec![]);
        assert_eq!(exchange.on_request_headers(&headers, false), untouched, "{method} {path}");
        assert!(exchange.is_foreign());
        assert_eq!(exchange.on_request_body(b"x", true), BodyVerdict::Pass);
        assert_eq!(exchange.on_response_headers(&response("500", &[]), false), untouched);
        assert_eq!(exchange.on_response_body(b"x", true), BodyVerdict::Pass);
        assert_eq!(exchange.on_response_trailers(), BodyVerdict::Pass);
        exchange.on_close();
        assert_eq!(driven.counted(), ["passed"]);
    }
}

#[test]
fn headers_that_only_we_may_set_are_taken_from_every_client() {
    let ours = [("x-transponder-upstream", "evil"), ("x-transponder-model", "evil")];
    let removed = [remove("x-transponder-upstream"), remove("x-transponder-model")];
    let foreign = headers(&[&[(":method", "GET"), (":path", "/")], &ours[..]].concat());
    for headers in [foreign, request(&ours)] {
        for config in ["{}", HELD] {
            let verdict = Driven::new(config).exchange.on_request_headers(&headers, false);
            let (HeadersVerdict::Continue(edits) | HeadersVerdict::Hold(edits)) = verdict else { panic!() };
            assert!(removed.iter().all(|edit| edits.contains(edit)), "{edits:?}");
        }
    }
}

#[test]
fn what_cannot_be_served_is_refused_by_the_headers_alone() {
    type Case<'a> =
        (&'a str, &'a str, &'a [(&'a str, &'a str)], bool, (u16, &'a str), Option<(&'static str, &'a str)>);
    let table: &[Case<'_>] = &[
        ("GET", "/v1/responses", &[], true, (405, "method_not_allowed"), Some(("allow", "POST"))),
        ("HEAD", "/v1/responses", &[], true, (405, "method_not_allowed"), Some(("allow", "POST"))),
        ("PUT", "/responses?x=1", &[], false, (405, "method_not_allowed"), Some(("allow", "POST"))),
        (
            "GET",
            "/v1/responses",
            &[("upgrade", "h2c")],
            true,
            (405, "method_not_allowed"),
            Some(("allow", "POST")),
        ),
        (
            "GET",
            "/v1/responses",
            &[("upgrade", "WebSocket")],
            false,
            (426, "websocket_not_supported"),
            Some(("upgrade", "HTTP/1.1")),
        ),
        ("GET", "/v1/responses/resp_1", &[], true, (404, "endpoint_not_supported"), None),
        ("DELETE", "/v1/responses/resp_1?a=b", &[], true, (404, "endpoint_not_supported"), None),
        ("POST", "/v1/responses/resp_1/cancel", &[], true, (404, "endpoint_not_supported"), None),
        ("GET", "/v1/responses/resp_1/input_items", &[], true, (404, "endpoint_not_supported"), None),
        ("GET", "/v1/responses/compact", &[], true, (405, "endpoint_not_supported"), None),
        ("POST", "/responses/input_tokens", &[], false, (501, "endpoint_not_supported"), None),
        ("POST", "/v1/responses/", &[], false, (404, "endpoint_not_supported"), None),
        ("POST", "/v1/responses", &[], true, (400, "missing_body"), None),
        (
            "POST",
            "/v1/responses",
            &[("content-encoding", "zstd")],
            false,
            (415, "unsupported_content_encoding"),
            Some(("accept-encoding", "identity")),
        ),
        (
            "POST",
            "/v1/responses",
            &[("content-encoding", "identity, gzip")],
            false,
            (415, "unsupported_content_encoding"),
            Some(("accept-encoding", "identity")),
        ),
        ("POST", "/v1/responses", &[("content-length", "11")], false, (413, "request_too_large"), None),
    ];
    for (method, path, more, end, expected, header) in table {
        for mode in ["false", "true"] {
            let config = format!(r#"{{"hold_request_headers": {mode}, "limits": {{"request_bytes": 10}}}}"#);
            let mut driven = Driven::new(&config);
            let headers = headers(&[&[(":method", *method), (":path", *path)], *more].concat());
            let reply = local(driven.exchange.on_request_headers(&headers, *end));
            let (status, code) = error(&reply);
            assert_eq!((status, code.as_str()), *expected, "{method} {path}");
            let others: Vec<_> = reply.headers.iter().filter(|(name, _)| *name != "content-type").collect();
            let others: Vec<_> = others.into_iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(others, header.iter().copied().collect::<Vec<_>>(), "{method} {path}");
            assert_eq!(driven.counted(), [format!("refusals {code}")]);
        }
    }
}

#[test]
fn the_refusals_say_what_to_do() {
    let table = [
        (request(&[("content-encoding", "gzip")]), "envoy.filters.http.decompressor"),
        (headers(&[(":method", "GET"), (":path", "/v1/responses/r")]), "`input`"),
        (headers(&[(":method", "POST"), (":path", "/v1/responses/input_tokens")]), "tokenizer"),
    ];
    for (headers, words) in table {
        let reply = local(Driven::new("{}").exchange.on_request_headers(&headers, false));
        let body = String::from_utf8(reply.body).unwrap();
        assert!(body.contains(words), "{body}");
    }
}

#[test]
fn one_configured_path_may_lie_below_another() {
    for paths in [r#"["/a", "/a/b"]"#, r#"["/a/b", "/a"]"#] {
        let mut driven = Driven::new(&format!(r#"{{"paths": {paths}}}"#));
        let headers = headers(&[(":method", "POST"), (":path", "/a/b?x")]);
        let verdict = driven.exchange.on_request_headers(&headers, false);
        assert!(matches!(verdict, HeadersVerdict::Continue(_)), "{verdict:?}");
        assert!(!driven.exchange.is_foreign());
    }
}

#[test]
fn headers_go_up_in_the_clothes_of_the_other_api() {
    let config = r#"{"upstream": {"path": "/openai/chat/completions?api-version=7"}}"#;
    let kept = [
        ("authorization", "Bearer x"),
        ("user-agent", "codex"),
        ("x-request-id", "r"),
        ("accept", "text/event-stream"),
    ];
    let gone = [
        ("content-length", "29"),
        ("accept-encoding", "gzip"),
        ("x-codex-turn-metadata", "{}"),
        ("x-codex-window-id", "1"),
        ("session-id", "s"),
        ("thread-id", "t"),
        ("originator", "codex_exec"),
        ("x-openai-internal-codex-responses-lite", "true"),
        ("x-client-request-id", "t"),
        ("openai-beta", "x"),
        ("expect", "100-continue"),
        ("digest", "x"),
    ];
    let headers =
        headers(&[&[(":method", "POST"), (":path", "/responses?v=1")], &kept[..], &gone[..]].concat());
    let mut expected: Vec<_> = gone.iter().map(|(name, _)| remove(name)).collect();
    expected.push(set(":path", "/openai/chat/completions?api-version=7"));
    expected.push(set("accept", "*/*"));
    expected.push(set("content-type", "application/json"));
    assert_eq!(
        Driven::new(config).exchange.on_request_headers(&headers, false),
        HeadersVerdict::Continue(expected.clone())
    );
    let held = config.replace("}}", r#"}, "hold_request_headers": true}"#);
    assert_eq!(
        Driven::new(&held).exchange.on_request_headers(&headers, false),
        HeadersVerdict::Hold(expected)
    );
}

#[test]
fn values_that_are_not_text_do_no_harm() {
    let mut pairs =
        vec![(":method".to_owned(), b"POST".to_vec()), (":path".to_owned(), b"/v1/responses".to_vec())];
    for name in ["originator", "x-request-id", "content-encoding", "content-length", "upgrade"] {
        pairs.push((name.to_owned(), vec![0xff, 0xfe]));
    }
    let verdict = Driven::new("{}").exchange.on_request_headers(&pairs.into(), false);
    assert!(matches!(verdict, HeadersVerdict::Continue(_)), "{verdict:?}");
    let path = vec![(":method".to_owned(), b"POST".to_vec()), (":path".to_owned(), vec![0xff])];
    let mut driven = Driven::new("{}");
    assert_eq!(driven.exchange.on_request_headers(&path.into(), false), HeadersVerdict::Continue(vec![]));
    assert!(driven.exchange.is_foreign());
}

#[test]
fn one_byte_over_the_limit_is_refused_and_the_rest_swallowed() {
    let config = r#"{"limits": {"request_bytes": 10}}"#;
    for chunks in [&[&b"01234567890"[..]][..], &[b"0123456789", b"", b"0"], &[b"01234", b"56789", b"0"]] {
        let mut driven = Driven::posted(config);
        let (last, before) = chunks.split_last().unwrap();
        for chunk in before {
            assert_eq!(driven.exchange.on_request_body(chunk, false), BodyVerdict::Replace(vec![]));
        }
        let reply = local_body(driven.exchange.on_request_body(last, false));
        assert_eq!(error(&reply), (413, "request_too_large".to_owned()));
        assert_eq!(driven.exchange.on_request_body(b"more", false), BodyVerdict::Hold);
        assert_eq!(driven.exchange.on_request_body(b"", true), BodyVerdict::Hold);
        assert_eq!(driven.exchange.on_request_trailers(), BodyVerdict::Hold);
        // Our own answer comes back through our own callbacks.
        let answer = driven.exchange.on_response_headers(&response("413", &[]), false);
        assert_eq!(answer, HeadersVerdict::Continue(vec![]));
        assert_eq!(driven.exchange.on_response_body(&reply.body, true), BodyVerdict::Pass);
        driven.exchange.on_close();
        assert_eq!(driven.counted(), ["refusals request_too_large"]);
    }
}

#[test]
fn a_body_that_turns_out_empty_is_refused() {
    for config in ["{}", HELD] {
        let reply = local_body(Driven::posted(config).exchange.on_request_body(b"", true));
        assert_eq!(error(&reply), (400, "missing_body".to_owned()));
        let reply = local_body(Driven::posted(config).exchange.on_request_trailers());
        let code = if config == HELD { "missing_body" } else { "unsupported_trailers" };
        assert_eq!(error(&reply), (400, code.to_owned()));
    }
}

#[test]
fn what_cannot_be_translated_is_refused_whole() {
    for config in ["{}", HELD] {
        let mut driven = Driven::posted(config);
        driven.exchange.on_request_body(b"{\"mod", false);
        let reply = local_body(driven.exchange.on_request_body(b"", true));
        assert_eq!(error(&reply).0, 400);
        assert_eq!(driven.counted(), ["refusals invalid_json"]);
    }
}

#[test]
fn the_watchdog_lets_held_headers_go_once_and_only_while_nothing_came() {
    let mut driven = Driven::posted(HELD);
    assert!(driven.exchange.on_watchdog());
    assert!(!driven.exchange.on_watchdog());
    assert_eq!(driven.counted(), ["watchdog_resumes"]);

    let mut driven = Driven::posted(HELD);
    driven.exchange.on_request_body(b"x", false);
    assert!(!driven.exchange.on_watchdog());
    assert!(!Driven::posted("{}").exchange.on_watchdog());
    assert!(!Driven::new(HELD).exchange.on_watchdog());
}

#[test]
fn the_watchdog_finds_the_overdue_until_a_body_proves_the_setting() {
    let at = Duration::from_millis;
    let mut watchdog = Watchdog::default();
    watchdog.watch(1, "one", at(0));
    watchdog.watch(2, "two", at(1000));
    watchdog.watch(3, "three", at(0));
    watchdog.forget(3);
    assert_eq!(watchdog.overdue(at(1999)), []);
    assert_eq!(watchdog.overdue(at(2000)), [(1, "one")]);
    assert_eq!(watchdog.overdue(at(2000)), []);
    // It was let go before its body came: that proves nothing.
    watchdog.body_came(1);
    assert_eq!(watchdog.overdue(at(3000)), [(2, "two")]);
    watchdog.watch(4, "four", at(3000));
    watchdog.watch(5, "five", at(3000));
    watchdog.body_came(4);
    watchdog.watch(6, "six", at(3000));
    assert_eq!(watchdog.overdue(at(9000)), []);
}

#[test]
fn a_success_before_the_request_is_whole_is_none() {
    let mut driven = Driven::posted("{}");
    let reply = local(driven.exchange.on_response_headers(&response("200", &[]), false));
    assert_eq!(error(&reply), (502, "upstream_early_reply".to_owned()));
    assert_eq!(driven.exchange.on_request_body(b"late", true), BodyVerdict::Hold);
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

#[test]
fn the_request_goes_up_whole_when_it_is_whole() {
    let mut driven = Driven::posted("{}");
    let (head, tail) = ASKED.split_at(9);
    assert_eq!(driven.exchange.on_request_body(head, false), BodyVerdict::Replace(vec![]));
    let BodyVerdict::Replace(body) = driven.exchange.on_request_body(tail, true) else { panic!() };
    assert!(serde_json::from_slice::<Value>(&body).is_ok());
    assert_eq!(driven.counted(), [""; 0]);

    // The chunks before have gone on, so nothing can be written in trailers.
    let mut driven = Driven::posted("{}");
    assert_eq!(driven.exchange.on_request_body(ASKED, false), BodyVerdict::Replace(vec![]));
    let reply = local_body(driven.exchange.on_request_trailers());
    assert_eq!(error(&reply), (400, "unsupported_trailers".to_owned()));

    // Held chunks have not.
    let mut driven = Driven::posted(HELD);
    assert_eq!(driven.exchange.on_request_body(ASKED, false), BodyVerdict::Hold);
    let BodyVerdict::Release(_, by_trailers) = driven.exchange.on_request_trailers() else { panic!() };
    assert_eq!(by_trailers, body);
}

/// Envoy bounds what is written while it holds chunks; a body whose length was announced goes past that.
#[test]
fn an_announced_body_goes_with_its_end_past_envoys_buffer() {
    let mut driven = Driven::new(HELD);
    let length = ASKED.len().to_string();
    driven.exchange.on_request_headers(&request(&[("content-length", &length)]), false);
    let (head, tail) = ASKED.split_at(9);
    assert_eq!(driven.exchange.on_request_body(head, false), BodyVerdict::Hold);
    let BodyVerdict::Release(edits, now) = driven.exchange.on_request_body(tail, false) else { panic!() };
    assert!(edits.iter().any(|edit| matches!(edit, Edit::Set("content-length", _))), "{edits:?}");
    assert!(now.is_empty());
    let BodyVerdict::Replace(body) = driven.exchange.on_request_body(b"", true) else { panic!() };
    assert!(serde_json::from_slice::<Value>(&body).is_ok());
}

/// HTTP/2 allows both a length and trailers.
#[test]
fn an_announced_body_with_trailers_is_refused_and_does_not_hang() {
    let mut driven = Driven::new(HELD);
    let length = ASKED.len().to_string();
    driven.exchange.on_request_headers(&request(&[("content-length", &length)]), false);
    assert!(matches!(driven.exchange.on_request_body(ASKED, false), BodyVerdict::Release(..)));
    let reply = local_body(driven.exchange.on_request_trailers());
    assert_eq!(error(&reply), (400, "unsupported_trailers".to_owned()));
}

#[test]
fn held_headers_follow_from_the_body() {
    let config = r#"{
        "hold_request_headers": true,
        "models": [{"match": "m", "model": "qwen 3\u00e9", "upstream": {"path": "/m"}, "route": "there"}]
    }"#;
    for (body, accept) in [(ASKED, "application/json"), (ASKED_STREAM, "text/event-stream")] {
        let mut driven = Driven::posted(config);
        let BodyVerdict::Release(edits, body) = driven.exchange.on_request_body(body, true) else { panic!() };
        assert_eq!(
            edits,
            [
                set(":path", "/m"),
                set("accept", accept),
                set("content-length", &body.len().to_string()),
                set("x-transponder-model", "qwen?3?"),
                set("x-transponder-upstream", "there"),
            ]
        );
    }
    // After the watchdog the headers are gone.
    let mut driven = Driven::posted(config);
    driven.exchange.on_watchdog();
    assert!(matches!(driven.exchange.on_request_body(ASKED, true), BodyVerdict::Replace(_)));
}

#[test]
fn headers_come_back_in_the_clothes_of_this_api() {
    let gone = [
        ("content-length", "5"),
        ("etag", "x"),
        ("openai-model", "other"),
        ("x-codex-primary-used-percent", "1"),
        ("x-models-etag", "x"),
        ("x-reasoning-included", "1"),
        ("x-transponder-dropped", "a lie"),
    ];
    let kept = [("x-request-id", "r"), ("retry-after", "0.5"), ("content-type", "text/plain")];
    let headers = response("200", &[&gone[..], &kept[..]].concat());
    let json = [set("content-type", "application/json")];
    let events = [set("content-type", "text/event-stream"), set("cache-control", "no-cache")];
    for (body, last) in [(ASKED, &json[..]), (ASKED_STREAM, &events[..])] {
        let mut driven = Driven::asked("{}", body);
        let mut expected: Vec<_> = gone.iter().map(|(name, _)| remove(name)).collect();
        expected.extend_from_slice(last);
        let verdict = driven.exchange.on_response_headers(&headers, false);
        assert_eq!(verdict, HeadersVerdict::Continue(expected));
    }
}

#[test]
fn what_was_dropped_is_named() {
    let asked = br#"{"model":"m","input":"hello","tools":[{"type":"web_search"}]}"#;
    let mut driven = Driven::asked("{}", asked);
    assert_eq!(driven.counted(), ["dropped tool"]);
    let verdict = driven.exchange.on_response_headers(&response("200", &[]), false);
    let HeadersVerdict::Continue(edits) = verdict else { panic!() };
    assert!(edits.contains(&set("x-transponder-dropped", "tool:web_search")), "{edits:?}");
}

#[test]
fn a_429_says_when_to_come_back() {
    type Case<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);
    let table: &[Case<'_>] = &[
        (&[], Some("5")),
        (&[("retry-after", "7")], None),
        (&[("retry-after", "0")], None),
        (&[("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT")], Some("0")),
        (&[("retry-after", "Tue, 14 Nov 2023 22:14:50 GMT")], Some("90")),
        (&[("retry-after", "Tuesday, 14-Nov-23 22:14:50 GMT")], Some("90")),
        (&[("retry-after", "Tue Nov 14 22:14:50 2023")], Some("90")),
        (&[("retry-after", "Tue, 14 Nov 2023")], Some("5")),
        (&[("retry-after", "0.5")], Some("1")),
        (&[("retry-after", "2.01")], Some("3")),
        (&[("retry-after", "soon")], Some("5")),
        (&[("retry-after", "-1")], Some("5")),
        (&[("retry-after", "inf")], Some("5")),
        (&[("retry-after-ms", "1200")], Some("2")),
    ];
    for (more, expected) in table {
        for status in ["429", "503"] {
            let mut driven = Driven::asked("{}", ASKED);
            let verdict = driven.exchange.on_response_headers(&response(status, more), false);
            let HeadersVerdict::Continue(edits) = verdict else { panic!() };
            let found = edits.iter().find_map(|edit| match edit {
                Edit::Set("retry-after", value) => Some(value.as_str()),
                _ => None,
            });
            assert_eq!(found, expected.filter(|_| status == "429"), "{status} {more:?}");
        }
    }
}

#[test]
fn a_reply_that_cannot_be_translated_is_replaced() {
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], bool, (u16, &'a str));
    let table: &[Case<'_>] = &[
        ("200", &[("content-encoding", "gzip")], false, (502, "upstream_encoding_unsupported")),
        ("401", &[("content-encoding", "br")], false, (401, "upstream_encoding_unsupported")),
        ("200", &[], true, (502, "upstream_empty_reply")),
        ("204", &[], true, (502, "upstream_empty_reply")),
        ("307", &[("location", "/x")], true, (502, "upstream_unexpected_status")),
        ("302", &[], false, (502, "upstream_unexpected_status")),
    ];
    for (status, more, end, expected) in table {
        let mut driven = Driven::asked("{}", ASKED);
        let reply = local(driven.exchange.on_response_headers(&response(status, more), *end));
        let (status, code) = error(&reply);
        assert_eq!((status, code.as_str()), *expected);
        assert!(driven.counted().contains(&"exchanges upstream_error generic".to_owned()));
    }
}

#[test]
fn an_error_without_a_body_gets_one() {
    for status in ["401", "404", "429", "503"] {
        for whole in [true, false] {
            let mut driven = if whole { Driven::asked("{}", ASKED) } else { Driven::posted("{}") };
            let reply = local(driven.exchange.on_response_headers(&response(status, &[]), true));
            assert_eq!(error(&reply).0.to_string(), status);
            let waits = reply.headers.contains(&("retry-after", "5".to_owned()));
            assert_eq!(waits, status == "429");
        }
    }
}

#[test]
fn an_error_of_envoy_or_upstream_becomes_one_of_the_api_even_before_the_request_is_whole() {
    for whole in [true, false] {
        let mut driven = if whole { Driven::asked("{}", ASKED) } else { Driven::posted("{}") };
        let headers = response("503", &[("content-type", "text/plain"), ("content-length", "19")]);
        let HeadersVerdict::Continue(edits) = driven.exchange.on_response_headers(&headers, false) else {
            panic!()
        };
        assert!(edits.contains(&set("content-type", "application/json")));
        // The announced length ends it, whatever the host says.
        let BodyVerdict::Replace(body) = driven.exchange.on_response_body(b"no healthy upstream", false)
        else {
            panic!()
        };
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert!(body["error"]["message"].is_string());
        assert_eq!(driven.exchange.on_response_body(b"", true), BodyVerdict::Replace(vec![]));
        assert!(driven.counted().contains(&"exchanges upstream_error generic".to_owned()));
        assert_eq!(driven.exchange.on_request_body(b"late", true), BodyVerdict::Hold);
    }
}

#[test]
fn a_document_goes_out_as_soon_as_it_is_whole() {
    let mut driven = Driven::asked("{}", ASKED);
    driven.exchange.on_response_headers(&response("200", &[]), false);
    let (head, tail) = ANSWER.split_at(50);
    assert_eq!(driven.exchange.on_response_body(head, false), BodyVerdict::Replace(vec![]));
    let BodyVerdict::Replace(body) = driven.exchange.on_response_body(tail, false) else { panic!() };
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["object"], "response");
    assert_eq!(driven.exchange.on_response_body(b"\n", false), BodyVerdict::Replace(vec![]));
    assert_eq!(driven.exchange.on_response_trailers(), BodyVerdict::Pass);
    driven.exchange.on_close();
    assert_eq!(driven.counted(), ["exchanges completed generic"]);
}

#[test]
fn a_held_reply_has_its_exact_length_and_status() {
    let length = ANSWER.len().to_string();
    for (more, end) in
        [(("content-length", length.as_str()), false), (("content-type", "application/json"), true)]
    {
        let mut driven = Driven::asked(HELD, ASKED);
        let verdict = driven.exchange.on_response_headers(&response("200", &[more]), false);
        assert!(matches!(verdict, HeadersVerdict::Hold(_)), "{verdict:?}");
        let (head, tail) = ANSWER.split_at(50);
        assert_eq!(driven.exchange.on_response_body(head, false), BodyVerdict::Hold);
        let BodyVerdict::Release(edits, body) = driven.exchange.on_response_body(tail, end) else { panic!() };
        assert_eq!(edits, [set(":status", "200"), set("content-length", &body.len().to_string())]);
        assert_eq!(driven.exchange.on_response_body(b"", true), BodyVerdict::Replace(vec![]));
    }
    // A 200 that holds an error; ended by trailers.
    let mut driven = Driven::asked(HELD, ASKED);
    let json = response("200", &[("content-type", "application/json")]);
    driven.exchange.on_response_headers(&json, false);
    let failure = br#"{"error":{"message":"slow down","code":429,"type":"rate_limit_error"}"#;
    assert_eq!(driven.exchange.on_response_body(failure, false), BodyVerdict::Hold);
    let BodyVerdict::Release(edits, _) = driven.exchange.on_response_trailers() else { panic!() };
    assert!(
        edits.iter().any(|edit| matches!(edit, Edit::Set(":status", status) if status != "200")),
        "{edits:?}"
    );
    // Trailers at once.
    let mut driven = Driven::asked(HELD, ASKED);
    driven.exchange.on_response_headers(&json, false);
    let reply = local_body(driven.exchange.on_response_trailers());
    assert_eq!(error(&reply), (502, "upstream_empty_reply".to_owned()));
}

#[test]
fn a_held_429_for_an_exhausted_quota_does_not_ask_to_wait() {
    for (code, waits) in [("insufficient_quota", false), ("rate_limit_exceeded", true)] {
        let mut driven = Driven::asked(HELD, ASKED);
        let json = response("429", &[("content-type", "application/json")]);
        driven.exchange.on_response_headers(&json, false);
        let failure = format!(r#"{{"error":{{"message":"m","type":"{code}","code":"{code}"}}}}"#);
        let verdict = driven.exchange.on_response_body(failure.as_bytes(), true);
        let BodyVerdict::Release(edits, _) = verdict else { panic!("{verdict:?}") };
        assert_eq!(edits.contains(&set("retry-after", "5")), waits, "{edits:?}");
    }
}

#[test]
fn headers_of_a_reply_are_held_only_if_its_end_will_be_seen() {
    let plain: &[(&str, &str)] = &[("content-type", "text/plain")];
    let json: &[(&str, &str)] = &[("content-type", "application/json")];
    let table = [
        (HELD, ASKED, "200", json, true),
        (HELD, ASKED, "500", json, true),
        (HELD, ASKED_STREAM, "500", json, true),
        (HELD, ASKED_STREAM, "200", json, false),
        (HELD, ASKED, "500", plain, false),
        ("{}", ASKED, "200", json, false),
    ];
    for (config, body, status, more, holds) in table {
        let mut driven = Driven::asked(config, body);
        let verdict = driven.exchange.on_response_headers(&response(status, more), false);
        assert_eq!(matches!(verdict, HeadersVerdict::Hold(_)), holds, "{config} {status} {more:?}");
    }
}

#[test]
fn a_stream_goes_out_as_it_comes_in_and_ends_by_itself() {
    let mut driven = Driven::asked(HELD, ASKED_STREAM);
    driven.exchange.on_response_headers(&response("200", &[("content-type", "text/event-stream")]), false);
    let delta = b"data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n";
    let BodyVerdict::Replace(out) = driven.exchange.on_response_body(delta, false) else { panic!() };
    assert!(!out.is_empty());
    let end = b"data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let BodyVerdict::Replace(out) = driven.exchange.on_response_body(end, false) else { panic!() };
    assert!(out.ends_with(b"data: [DONE]\n\n"));
    assert_eq!(driven.exchange.on_response_body(delta, false), BodyVerdict::Replace(vec![]));
    assert_eq!(driven.exchange.on_response_trailers(), BodyVerdict::Pass);
    driven.exchange.on_close();
    assert_eq!(driven.counted(), ["exchanges completed generic"]);
}

#[test]
fn a_reply_that_breaks_off_is_counted_once() {
    for by_trailers in [true, false] {
        let mut driven = Driven::asked("{}", ASKED_STREAM);
        driven.exchange.on_response_headers(&response("200", &[]), false);
        driven.exchange.on_response_body(b"data: {", false);
        if by_trailers {
            assert_eq!(driven.exchange.on_response_trailers(), BodyVerdict::Pass);
        }
        driven.exchange.on_close();
        assert_eq!(driven.counted(), ["exchanges cut generic"]);
    }
}
