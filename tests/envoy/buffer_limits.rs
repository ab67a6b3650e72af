//! Bodies around the buffer limits of their listeners: no body may end the Envoy process, and each request gets its reply.
//!
//! Envoy bounds what a filter buffers by the listener's `per_connection_buffer_limit_bytes`. A filter that writes more
//! than that into the buffer makes Envoy answer in the middle of the filter's own call, and Envoy does not survive
//! that. `make test` runs a part of the matrix, `make soak` all of it.

use crate::config;
use axum::body::Body;
use axum::response::Response;
use futures_util::stream::{self, Stream, StreamExt};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;
use support::grammar::Transcript;
use support::own_upstream::{OwnUpstream, Seen};
use support::{Envoy, Headers, bootstrap, clusters, manager_of, set_http_options};

/// The listeners' limits, in bytes. Envoy's default is the last, its guide for edge proxies recommends 32 KiB.
const LIMITS: [usize; 7] = [1 << 10, 4 << 10, 16 << 10, 32 << 10, 64 << 10, 256 << 10, 1 << 20];

/// The number of concurrent requests.
const CLIENTS: usize = 8;

/// The largest delta of a stream.
const WORD: usize = 64 << 10;

/// The limit for one reply.
const PATIENCE: Duration = Duration::from_secs(60);

/// The form of the upstream's reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Stream,
    Document,
    /// An error with status 200.
    Failure,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    Http1,
    Http2,
}

/// A body: its size in bytes, and whether a `content-length` announces it.
#[derive(Clone, Copy, Debug)]
struct Size {
    bytes: usize,
    announced: bool,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    limit: usize,
    headers: Headers,
    protocol: Protocol,
    kind: Kind,
    request: Size,
    reply: Size,
}

impl Case {
    fn listener(&self) -> String {
        format!("{:?} {}", self.headers, self.limit)
    }

    /// The request. The response repeats its instructions, so it is larger than the upstream's reply.
    fn body(&self) -> String {
        let model = format!("{:?} {} {}", self.kind, self.reply.bytes, self.reply.announced);
        let instructions = "y".repeat(self.request.bytes);
        let stream = self.kind == Kind::Stream;
        json!({"model": model, "input": "hi", "instructions": instructions, "stream": stream}).to_string()
    }
}

/// Sizes of request and reply around a limit.
fn sizes(limit: usize, all: bool) -> Vec<(usize, usize)> {
    let (below, above, many) = (limit - limit / 8, limit + limit / 8, 8 * limit);
    if all {
        let each = [100, below, above, many];
        each.iter().flat_map(|request| each.iter().map(|reply| (*request, *reply))).collect()
    } else {
        vec![(below, below), (above, above), (100, many), (many, 100)]
    }
}

fn cases(all: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    let lengths: &[_] = if all {
        &[(true, true), (false, false), (true, false), (false, true)]
    } else {
        &[(true, true), (false, false)]
    };
    for limit in LIMITS {
        for headers in Headers::all() {
            for protocol in [Protocol::Http1, Protocol::Http2] {
                for kind in [Kind::Stream, Kind::Document, Kind::Failure] {
                    for (request, reply) in sizes(limit, all) {
                        cases.extend(lengths.iter().map(|(request_announced, reply_announced)| Case {
                            limit,
                            headers,
                            protocol,
                            kind,
                            request: Size { bytes: request, announced: *request_announced },
                            reply: Size { bytes: reply, announced: *reply_announced },
                        }));
                    }
                }
            }
        }
    }
    cases
}

/// Sends the body in several writes: its first bytes, then two halves.
fn pieces(body: &str) -> impl Stream<Item = Result<Vec<u8>, Infallible>> + Send + use<> {
    let (head, tail) = body.split_at(body.len().min(40));
    let (middle, tail) = tail.split_at(tail.len() / 2);
    let pieces = [head, middle, tail].map(|piece| piece.as_bytes().to_vec());
    stream::iter(pieces).then(async |piece| {
        tokio::time::sleep(Duration::from_millis(2)).await;
        Ok(piece)
    })
}

/// The model's name selects the reply.
fn answer(seen: &Seen) -> Response {
    let asked = seen.json();
    let model = asked["model"].as_str().unwrap().to_owned();
    let words: Vec<&str> = model.split(' ').collect();
    let text = "x".repeat(words[1].parse().unwrap());
    let (content_type, body) = match words[0] {
        "Stream" => {
            let chunk = |choice: Value| format!("data: {}\n\n", json!({"choices": [choice]}));
            let delta = |text| json!({"index": 0, "delta": {"content": text}});
            let words = text.as_bytes().chunks(WORD).map(|word| chunk(delta(String::from_utf8_lossy(word))));
            let stop = chunk(json!({"index": 0, "delta": {}, "finish_reason": "stop"}));
            ("text/event-stream", words.chain([stop, "data: [DONE]\n\n".to_owned()]).collect())
        }
        "Document" => {
            let choice = json!({"index": 0, "message": {"content": text}, "finish_reason": "stop"});
            ("application/json", json!({"choices": [choice]}).to_string())
        }
        _ => (
            "application/json",
            json!({"error": {"message": "Overloaded", "code": 502, "pad": text}}).to_string(),
        ),
    };
    let mut response = Response::builder().header("content-type", content_type);
    if words[2] == "true" {
        response = response.header("content-length", body.len());
    }
    response.body(Body::from_stream(pieces(&body))).unwrap()
}

/// An Envoy with a listener for each limit and header mode.
async fn start(upstream: SocketAddr, workers: usize) -> Envoy {
    let mut listeners = Vec::new();
    for headers in Headers::all() {
        let mut plan = bootstrap(upstream, &config(headers, json!({})), headers);
        let listener = &mut plan["static_resources"]["listeners"][0];
        // Without this key, only the listener's limit applies.
        let host = &mut manager_of(listener)["route_config"]["virtual_hosts"][0];
        host.as_object_mut().unwrap().remove("request_body_buffer_limit");
        for limit in LIMITS {
            listener["name"] = json!(format!("{headers:?} {limit}"));
            listener["per_connection_buffer_limit_bytes"] = json!(limit);
            listeners.push(listener.clone());
        }
    }
    let mut plan = bootstrap(upstream, "{}", Headers::Flow);
    plan["static_resources"]["listeners"] = json!(listeners);
    let options = json!({"use_downstream_protocol_config": {"http2_protocol_options": {}}});
    set_http_options(&mut clusters(&mut plan)[0], options);
    Envoy::launch_workers(&plan, workers).await
}

async fn ask(
    case: Case,
    clients: &BTreeMap<&str, reqwest::Client>,
    listeners: &BTreeMap<String, SocketAddr>,
) {
    let client = &clients[if case.protocol == Protocol::Http1 { "1" } else { "2" }];
    let url = format!("http://{}/v1/responses", listeners[&case.listener()]);
    let body = case.body();
    let body = if case.request.announced {
        reqwest::Body::from(body)
    } else {
        reqwest::Body::wrap_stream(pieces(&body))
    };
    let request = client.post(url).header("content-type", "application/json").body(body);
    let answer = async {
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok::<_, reqwest::Error>((status, response.bytes().await?))
    };
    let answer =
        tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(|_| panic!("{case:?}: no answer"));
    let (status, body) = answer.unwrap_or_else(|error| panic!("{case:?}: {error:?}"));
    let told = || format!("{case:?}: {status} {}", String::from_utf8_lossy(&body[..body.len().min(400)]));
    let document = || serde_json::from_slice::<Value>(&body).unwrap_or_else(|_| panic!("{}", told()));
    let response = match case.kind {
        Kind::Failure => {
            let answer = document();
            assert_eq!(answer["error"]["message"], "Overloaded", "{}", told());
            assert!(status == 502 || answer["status"] == "failed", "{}", told());
            return;
        }
        _ if status != 200 => panic!("{}", told()),
        Kind::Stream => Transcript::of(&body).response().clone(),
        Kind::Document => document(),
    };
    assert_eq!(response["status"], "completed", "{}", told());
    assert_eq!(
        response["output"][0]["content"][0]["text"].as_str().map(str::len),
        Some(case.reply.bytes),
        "{}",
        told()
    );
}

#[tokio::test]
async fn bodies_of_any_size_pass_under_any_buffer_limit() {
    let all = std::env::var_os("SOAK_SECONDS").is_some();
    let upstream = OwnUpstream::start_asked(answer).await;
    let client = reqwest::Client::builder;
    let clients = BTreeMap::from([
        ("1", client().http1_only().build().unwrap()),
        ("2", client().http2_prior_knowledge().build().unwrap()),
    ]);
    for workers in [1, 2] {
        let mut envoy = start(upstream.address, workers).await;
        let listeners = envoy.listeners().await;
        let asked = cases(all).into_iter().map(|case| ask(case, &clients, &listeners));
        stream::iter(asked).buffer_unordered(CLIENTS).collect::<Vec<_>>().await;
        envoy.assert_healthy();
        envoy.finish();
    }
}
