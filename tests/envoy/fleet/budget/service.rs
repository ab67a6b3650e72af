//! A rate limit service: Envoy's gRPC API, with one budget for each value of the descriptor `team`.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use axum::routing::post;
use http_body_util::{BodyExt, Full};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

type Used = Arc<Mutex<BTreeMap<String, u64>>>;

pub struct Service {
    pub address: SocketAddr,
    used: Used,
}

impl Service {
    pub async fn start(budget: u64) -> Self {
        let used = Used::default();
        let state = Arc::clone(&used);
        let handle = async move |body: Bytes| grpc(&decide(&body, budget, &state));
        let app =
            Router::new().route("/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit", post(handle));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, used }
    }

    /// What a team has used.
    pub fn used(&self, team: &str) -> u64 {
        self.used.lock().unwrap().get(team).copied().unwrap_or_default()
    }
}

/// A RateLimitResponse for the RateLimitRequest in a gRPC message.
fn decide(message: &[u8], budget: u64, used: &Used) -> Vec<u8> {
    let mut used = used.lock().unwrap();
    let (mut over, mut left) = (false, budget);
    for (_, descriptor) in parts(&message[5..]).into_iter().filter(|(number, _)| *number == 2) {
        let fields = parts(descriptor.bytes());
        let entry = parts(fields.iter().find(|(number, _)| *number == 1).unwrap().1.bytes());
        let team =
            String::from_utf8(entry.iter().find(|(number, _)| *number == 2).unwrap().1.bytes().to_vec())
                .unwrap();
        // A UInt64Value; without its field it is 0.
        let addend = fields.iter().find(|(number, _)| *number == 3).map(|(_, value)| parts(value.bytes()));
        let hits = addend.map_or(1, |value| value.first().map_or(0, |(_, hits)| hits.number()));
        let used = used.entry(team).or_default();
        over |= *used >= budget;
        *used += hits;
        left = budget.saturating_sub(*used);
    }
    let code = if over { 2 } else { 1 }; // OVER_LIMIT or OK
    // The code, the limit (requests_per_unit and DAY), what remains, and the time until then.
    let limit = [number(1, budget), number(2, 4)].concat();
    let reset = number(1, 3600);
    let status = [number(1, code), bytes(2, &limit), number(3, left), bytes(4, &reset)].concat();
    [number(1, code), bytes(2, &status)].concat()
}

fn number(field: u8, mut value: u64) -> Vec<u8> {
    let mut written = vec![field << 3];
    while value >= 0x80 {
        written.push(value as u8 | 0x80);
        value >>= 7;
    }
    written.push(value as u8);
    written
}

fn bytes(field: u8, value: &[u8]) -> Vec<u8> {
    [&[field << 3 | 2, u8::try_from(value.len()).unwrap()], value].concat()
}

fn grpc(message: &[u8]) -> Response {
    let mut framed = vec![0];
    framed.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    framed.extend(message);
    let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static("0"))]);
    let body = Full::new(Bytes::from(framed)).with_trailers(async move { Some(Ok(trailers)) });
    Response::builder().header("content-type", "application/grpc").body(Body::new(body)).unwrap()
}

/// A field's value in the wire format of protocol buffers.
enum Part<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Part<'a> {
    fn bytes(&self) -> &'a [u8] {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Number(number) => panic!("{number} is a number"),
        }
    }

    fn number(&self) -> u64 {
        match self {
            Self::Number(number) => *number,
            Self::Bytes(bytes) => panic!("{bytes:?} are bytes"),
        }
    }
}

fn parts(mut message: &[u8]) -> Vec<(u64, Part<'_>)> {
    let mut parts = Vec::new();
    while !message.is_empty() {
        let key = varint(&mut message);
        let part = match key & 7 {
            0 => Part::Number(varint(&mut message)),
            2 => {
                let length = usize::try_from(varint(&mut message)).unwrap();
                let (bytes, rest) = message.split_at(length);
                message = rest;
                Part::Bytes(bytes)
            }
            other => panic!("wire type {other}"),
        };
        parts.push((key >> 3, part));
    }
    parts
}

fn varint(message: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..).step_by(7) {
        let (byte, rest) = message.split_first().unwrap();
        *message = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            break;
        }
    }
    number
}
