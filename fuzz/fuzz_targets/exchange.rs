//! Complete exchanges under the rules of Envoy's callbacks: requests, replies, ends of all kinds, both header modes.
//!
//! The body is the client's request, a line of one NUL byte, and the upstream's reply.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use std::sync::LazyLock;
use transponder::config::Config;
use transponder::exchange::Headers;
use transponder_fuzz::Head;
use transponder_fuzz::envoy::{Envoy, Outcome};
use transponder_fuzz::grammar::Transcript;
use transponder_fuzz::memory::bounded;

const BETWEEN: &[u8] = b"\n\0\n";

static CONFIGS: LazyLock<[Config; 2]> = LazyLock::new(|| {
    ["false", "true"].map(|held| {
        let limits = r#"{"request_bytes": 65536, "reply_bytes": 16384, "event_bytes": 4096}"#;
        let config = format!(r#"{{"hold_request_headers": {held}, "limits": {limits}}}"#);
        Config::parse(config.as_bytes()).expect("a configuration")
    })
});

/// The response headers that an upstream, or Envoy on its behalf, may send.
const RESPONSES: &[(&str, &str)] = &[
    ("200", "text/event-stream"),
    ("200", "application/json"),
    ("200", ""),
    ("204", ""),
    ("302", "text/html"),
    ("400", "application/json"),
    ("429", "text/plain"),
    ("503", "text/plain"),
];

fn headers(pairs: &[(&str, &str)]) -> Headers {
    let given = pairs.iter().filter(|(_, value)| !value.is_empty());
    given.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect::<Vec<_>>().into()
}

fn run(head: Head, request: &[u8], reply: &[u8]) {
    let mut envoy = Envoy::new(&CONFIGS[usize::from(head.flag(0))]);
    let length = if head.flag(1) { request.len().to_string() } else { String::new() };
    let asked = headers(&[
        (":method", "POST"),
        (":path", "/v1/responses"),
        ("content-length", &length),
        ("originator", if head.flag(2) { "codex_exec" } else { "" }),
    ]);
    match envoy.request(&asked, &head.cut(request), head.flag(3)) {
        Err(refused) => return assert_error(refused.status, &refused.body),
        Ok(sent) => assert!(serde_json::from_slice::<Value>(sent).is_ok(), "what goes up is JSON"),
    }
    let (status, content_type) = *head.choose(RESPONSES);
    let length = if head.flag(4) { reply.len().to_string() } else { String::new() };
    let begun = headers(&[(":status", status), ("content-type", content_type), ("content-length", &length)]);
    match envoy.reply(&begun, &head.cut(reply), head.flag(5)) {
        Outcome::Local(reply) => assert_error(reply.status, &reply.body),
        Outcome::Reply { cut: true, .. } => {}
        // serde_json cannot tell whether the client wants a stream, because it rejects requests that the filter
        // repairs.
        Outcome::Reply { body, .. } if body.starts_with(b"event: ") => {
            Transcript::of(&body);
        }
        Outcome::Reply { body, status: held, .. } => {
            let said: Value = serde_json::from_slice(&body).expect("a document is JSON");
            let good = held.unwrap_or(status.parse().expect("a status")) < 300;
            assert!(if good { said["output"].is_array() } else { said["error"]["message"].is_string() });
        }
    }
}

fn assert_error(status: u16, body: &[u8]) {
    let said: Value = serde_json::from_slice(body).expect("an error is JSON");
    assert!(status >= 400 && said["error"]["message"].is_string(), "{status} {said}");
}

fuzz_target!(|input: &[u8]| {
    let Some((head, body)) = transponder_fuzz::read(input) else { return };
    let at = body.windows(BETWEEN.len()).position(|window| window == BETWEEN);
    let (request, reply) = at.map_or((body, &b""[..]), |at| (&body[..at], &body[at + BETWEEN.len()..]));
    bounded(body.len(), 400, || run(head, request, reply));
});
