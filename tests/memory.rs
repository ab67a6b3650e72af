//! The memory of one exchange, counted by the allocator. It is a separate program, because the tests of one program
//! share the allocator.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // A failing test panics.

use peak_alloc::PeakAlloc;
use serde_json::{Value, json};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use transponder::config::Config;
use transponder::exchange::Exchange;
use transponder::metrics::{Metric, Telemetry};
use transponder::request::{self, Context, Translated};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

fn translated(body: &str) -> Translated {
    let config = Config::default();
    request::translate(body.as_bytes(), &Context { config: &config, seed: 1, now: 100, codex: false })
        .unwrap()
}

/// Takes a body in pieces, as Envoy gives them, and waits for its end.
fn collect(body: &[u8]) {
    #[derive(Debug)]
    struct Nobody;
    impl Telemetry for Nobody {
        fn record(&self, _: &'static Metric, _: &[&str], _: i64) {}
        fn note(&self, _: &'static str, _: &str) {}
    }
    let headers = [
        (":method", "POST".to_owned()),
        (":path", "/v1/responses".to_owned()),
        ("content-type", "application/json".to_owned()),
        ("content-length", body.len().to_string()),
    ];
    let headers: Vec<_> =
        headers.into_iter().map(|(name, value)| (name.to_owned(), value.into_bytes())).collect();
    let mut exchange = Exchange::new(Arc::new(Config::default()), Rc::new(Nobody), 1);
    exchange.on_request_headers(&headers.into(), false, Duration::ZERO);
    for piece in body.chunks(16 << 10) {
        exchange.on_request_body(piece, false, Duration::ZERO);
    }
}

fn chunk(delta: &Value) -> String {
    format!("data: {}\n\n", json!({"choices": [{"index": 0, "delta": delta}]}))
}

const END: &str =
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

/// The bounds in SECURITY.md: a request takes up to five times its size, and a stream up to ten times the text that it
/// keeps.
#[test]
fn memory_is_a_small_multiple_of_what_came() {
    let peak = |what: &mut dyn FnMut()| {
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        what();
        ALLOCATOR.peak_usage() - before
    };
    let text = "x".repeat(4 << 20);
    let request = json!({"model": "m", "input": text, "stream": true}).to_string();
    let used = peak(&mut || drop(translated(&request)));
    assert!(used < 5 * request.len(), "a request of {} bytes took {used}", request.len());

    let items: Vec<Value> = (0..160_000).map(|_| json!({"role": "user", "content": ""})).collect();
    let request = json!({"model": "m", "input": items}).to_string();
    let used = peak(&mut || drop(translated(&request)));
    assert!(used < 200 << 20, "a request of the most items took {used}");

    let pieces: Vec<String> = (0..4096).map(|_| chunk(&json!({"content": "x".repeat(1024)}))).collect();
    let used = peak(&mut || {
        let mut reply = translated(r#"{"model":"m","input":"hi","stream":true}"#).reply;
        reply.begin(200);
        let mut out = Vec::new();
        for piece in &pieces {
            reply.push(piece.as_bytes(), &mut out);
            out.clear();
        }
        reply.push(END.as_bytes(), &mut out);
    });
    assert!(used < 10 * (4 << 20), "4 MiB of streamed text took {used}");

    let body = vec![b' '; 9 << 19];
    let used = peak(&mut || collect(&body));
    assert!(used < 2 * body.len(), "a body of {} bytes took {used} while it came", body.len());

    // Streams that have begun and sent nothing else.
    let request = r#"{"model":"m","input":"hi","stream":true}"#;
    let mut replies = Vec::new();
    let used = peak(&mut || {
        for _ in 0..1000 {
            let mut reply = translated(request).reply;
            reply.begin(200);
            reply.push(chunk(&json!({"content": "hi"})).as_bytes(), &mut Vec::new());
            replies.push(reply);
        }
    });
    assert!(used / 1000 < 8 << 10, "a stream that has only begun takes {} bytes", used / 1000);
}
