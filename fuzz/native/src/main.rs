//! Drives the native module's hooks as Envoy does, with headers and bodies of every shape: no bytes, null pointers, many
//! small pieces, invalid text; streams that end in any hook, and inside of an answer; panics in any hook. What Envoy lends is
//! freed as soon as it may be, so that AddressSanitizer sees a use that comes too late.
//!
//! `fuzz/native/run.sh` builds it with AddressSanitizer where a nightly compiler is, and runs so many cases:
//! `run.sh 20000 [FIRST]`. A case is its number: the same number does the same.

mod envoy;

use envoy::{Envoy, Metrics};
use fastrand::Rng;
use transponder as _; // its hooks are linked by their names

const CONFIGS: [&[u8]; 6] = [
    b"",
    b"{}",
    br#"{"upstream": "vllm", "limits": {"request_bytes": 4096, "held_reply_bytes": 64}}"#,
    br#"{"models": [{"match": "n*", "upstream": "native", "route": "r"}]}"#,
    br#"{"upstream": "no such preset"}"#,
    br#"{"store": {"http": {"cluster": "c", "path": "/{owner}/{id}"}}}"#,
];

const REQUESTS: [&[u8]; 7] = [
    br#"{"model":"m","input":"hi","previous_response_id":"resp_00000000000000000000000000000abc"}"#,
    br#"{"model":"m","input":"hi","stream":true,"tools":[{"type":"function","name":"f"}]}"#,
    br#"{"model":"m","input":"hi"}"#,
    br#"{"model":"native","input":"hi"}"#,
    br#"{"model":"m","input":7}"#,
    b"{",
    b"\xff\x00\xfe",
];

const REPLIES: [&[u8]; 6] = [
    b"data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\ndata: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n",
    br#"{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}"#,
    br#"{"error":{"message":"no","code":500}}"#,
    b"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"argum",
    b"",
    b"\x00\xff",
];

const PANICS: [&[u8]; 4] = [b"request headers", b"request body", b"response headers", b"response body"];

fn choose<'a>(rng: &mut Rng, from: &[&'a [u8]]) -> &'a [u8] {
    from[rng.usize(..from.len())]
}

fn request_headers(rng: &mut Rng) -> Vec<(Vec<u8>, Vec<u8>)> {
    let path: &[u8] =
        choose(rng, &[b"/v1/responses", b"/v1/responses", b"/v1/responses", b"/v1/models", b"", b"/\xff"]);
    let mut headers = vec![
        (b":method".to_vec(), choose(rng, &[b"POST", b"POST", b"POST", b"GET", b""]).to_vec()),
        (b":path".to_vec(), path.to_vec()),
    ];
    let others: [(&[u8], &[u8]); 6] = [
        (b"content-length", b"20"),
        (b"x-transponder-model", b""),
        (b"", b""),
        (b"expect", b"100-continue"),
        (b"x-codex-\xff", b"\xff\x00"),
        (b"content-encoding", b"br"),
    ];
    let others =
        others.iter().filter(|_| rng.u8(..6) == 0).map(|(name, value)| (name.to_vec(), value.to_vec()));
    headers.extend(others.collect::<Vec<_>>());
    if rng.u8(..5) == 0 {
        headers.push((b"x-transponder-trap".to_vec(), choose(rng, &PANICS).to_vec()));
    }
    headers
}

fn response_headers(rng: &mut Rng) -> Vec<(Vec<u8>, Vec<u8>)> {
    let status: &[u8] = choose(rng, &[b"200", b"200", b"200", b"503", b"302", b"", b"x"]);
    let kind: &[u8] = choose(rng, &[b"application/json", b"text/event-stream", b"", b"\xff"]);
    vec![(b":status".to_vec(), status.to_vec()), (b"content-type".to_vec(), kind.to_vec())]
}

/// The pieces in which a body comes. Some are empty, and some have slices that are.
fn pieces(rng: &mut Rng, mut body: &[u8]) -> Vec<Vec<Vec<u8>>> {
    let mut pieces = Vec::new();
    while !body.is_empty() {
        let mut piece = Vec::new();
        for _ in 0..rng.usize(..4) {
            let (slice, rest) = body.split_at(rng.usize(..=body.len()));
            piece.push(slice.to_vec());
            body = rest;
        }
        pieces.push(piece);
    }
    if rng.bool() {
        pieces.push(Vec::new());
    }
    pieces
}

fn case(number: u64) {
    let mut rng = Rng::with_seed(number);
    let metrics = Metrics::default();
    let config = choose(&mut rng, &CONFIGS);
    let Some(plugin) = envoy::Plugin::new(&metrics, config) else {
        assert!(config.starts_with(br#"{"upstream": "no"#), "{config:?} is refused");
        return;
    };
    for _ in 0..rng.usize(1..4) {
        let mut envoy = Envoy::new(&plugin, rng.fork());
        let request = choose(&mut rng, &REQUESTS);
        let reply = choose(&mut rng, &REPLIES);
        let headers = request_headers(&mut rng);
        let asked = pieces(&mut rng, request);
        envoy.request(headers, asked, rng.u8(..8) == 0);
        if rng.u8(..8) > 0 {
            let headers = response_headers(&mut rng);
            let answered = pieces(&mut rng, reply);
            envoy.response(headers, answered, rng.u8(..8) == 0);
        }
        envoy.end();
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().expect("a number"));
    let count = arguments.next().unwrap_or(20_000);
    let first = arguments.next().unwrap_or(0);
    // What panics on purpose is silent; what does not is found by its case.
    for number in first..first + count {
        envoy::set_case(number);
        case(number);
    }
    println!("{count} cases, nothing found");
}
