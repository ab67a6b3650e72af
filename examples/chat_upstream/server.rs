//! The HTTP server: its routes, the record of each request, and bodies made of single writes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use futures_util::stream::{self, StreamExt};
use serde::Serialize;
use serde_json::{Value, json};

use crate::answer::{Facts, completion};
use crate::improvise;
use crate::script::{Failure, Reply, Script};
use crate::stream::{Out, split, writes};
use crate::strict::{self, Refusal, Strictness};

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Keeping>>);

#[derive(Default)]
struct Keeping {
    replies: VecDeque<Reply>,
    strict: Strictness,
    seen: Vec<Seen>,
    /// Never reset, so that generated ids stay unique.
    turns: usize,
}

/// A recorded request.
#[derive(Clone, Serialize)]
struct Seen {
    method: String,
    path: String,
    /// The values of a repeated header are joined with commas.
    headers: BTreeMap<String, String>,
    /// The body: its JSON, or a string if it is not JSON.
    body: Value,
    outcome: String,
}

impl Shared {
    /// Ignores the poison of a panicked handler: no handler leaves the state half changed.
    fn lock(&self) -> MutexGuard<'_, Keeping> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn router() -> Router {
    Router::new()
        .route("/_/script", post(set_script).get(left))
        .route("/_/requests", get(requests).delete(forget))
        .route("/_/rules", get(rules))
        .fallback(api)
        .layer(DefaultBodyLimit::disable())
        .with_state(Shared::default())
}

async fn set_script(State(shared): State<Shared>, body: Bytes) -> Response {
    let script: Script = match serde_json::from_slice(&body) {
        Ok(script) => script,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    if let Some(fault) = script.replies.iter().find_map(Reply::fault) {
        return (StatusCode::BAD_REQUEST, fault).into_response();
    }
    let mut keeping = shared.lock();
    keeping.replies = script.replies.into();
    keeping.strict = script.strict;
    StatusCode::NO_CONTENT.into_response()
}

async fn left(State(shared): State<Shared>) -> Json<Value> {
    Json(json!({"left": shared.lock().replies.len()}))
}

async fn requests(State(shared): State<Shared>) -> Json<Vec<Seen>> {
    Json(shared.lock().seen.clone())
}

async fn forget(State(shared): State<Shared>) -> StatusCode {
    shared.lock().seen.clear();
    StatusCode::NO_CONTENT
}

async fn rules() -> Json<Vec<&'static str>> {
    Json(strict::RULES.iter().map(|rule| rule.because).collect())
}

async fn api(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let parsed = serde_json::from_slice::<Value>(&body);
    let verdict = verdict(&method, uri.path(), &headers, &parsed, &shared);
    let seen = Seen {
        method: method.to_string(),
        path: uri.to_string(),
        headers: readable(&headers),
        body: parsed.unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&body))),
        outcome: match &verdict {
            Verdict::Refuse(_, refusal) => format!("refused: {}", refusal.message),
            _ => "ok".to_owned(),
        },
    };
    let request = seen.body.clone();
    let (turn, scripted, signs) = {
        let mut keeping = shared.lock();
        keeping.seen.push(seen);
        keeping.turns += 1;
        // A rejected request does not consume a scripted reply.
        let wanted = matches!(verdict, Verdict::Complete);
        let scripted = wanted.then(|| keeping.replies.pop_front()).flatten();
        (keeping.turns, scripted, keeping.strict.signs())
    };
    match verdict {
        Verdict::Refuse(status, refusal) => (status, Json(refusal.body())).into_response(),
        Verdict::Models => Json(models()).into_response(),
        Verdict::Complete => {
            let facts = Facts::of(&request, turn, body.len());
            let reply = scripted.unwrap_or_else(|| improvise::reply(&request, signs));
            tokio::time::sleep(Duration::from_millis(reply.headers_delay_ms)).await;
            if reply.hang_up {
                // A panic is the only way to end a handler without an answer. It ends the task of this connection only.
                std::panic::resume_unwind(Box::new("hang up"));
            }
            respond(&reply, &facts)
        }
    }
}

/// The kinds of requests to the API.
enum Verdict {
    Complete,
    Models,
    Refuse(StatusCode, Refusal),
}

fn verdict(
    method: &Method,
    path: &str,
    headers: &HeaderMap,
    body: &Result<Value, serde_json::Error>,
    shared: &Shared,
) -> Verdict {
    let refuse = |status, param: &str, message: String| {
        Verdict::Refuse(status, Refusal { message, param: param.to_owned(), code: "invalid_request" })
    };
    if path.ends_with("/models") && method == Method::GET {
        return Verdict::Models;
    }
    if !path.ends_with("/chat/completions") {
        let message = format!("Unknown request URL: {method} {path}");
        return refuse(StatusCode::NOT_FOUND, "", message);
    }
    if method != Method::POST {
        let message = format!("Method {method} is not allowed here");
        return refuse(StatusCode::METHOD_NOT_ALLOWED, "", message);
    }
    let kind = headers.get(header::CONTENT_TYPE);
    if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json")) {
        let message = "content-type must be application/json".to_owned();
        return refuse(StatusCode::UNSUPPORTED_MEDIA_TYPE, "", message);
    }
    match body {
        Err(error) => {
            let message = format!("the body is not JSON: {error}");
            refuse(StatusCode::BAD_REQUEST, "body", message)
        }
        Ok(body) => match strict::check_request(body, &shared.lock().strict) {
            Ok(()) => Verdict::Complete,
            Err(refusal) => Verdict::Refuse(StatusCode::BAD_REQUEST, refusal),
        },
    }
}

fn readable(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut all = BTreeMap::<String, String>::new();
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        all.entry(name.to_string())
            .and_modify(|before| *before = format!("{before}, {value}"))
            .or_insert_with(|| value.into_owned());
    }
    all
}

fn models() -> Value {
    json!({"object": "list", "data": [
        {"id": "scripted", "object": "model", "created": Facts::CREATED, "owned_by": "chat_upstream"}
    ]})
}

const JSON: &str = "application/json";
const SSE: &str = "text/event-stream";

fn respond(reply: &Reply, facts: &Facts) -> Response {
    let (status, kind, outs) = match reply {
        Reply { error: Some(failure), .. } => {
            let (kind, body) = failure_body(failure);
            (failure.status, kind, split(&body, reply.split))
        }
        Reply { json: Some(body), .. } => {
            let body = body.to_string();
            (200, JSON, split(body.as_bytes(), reply.split))
        }
        Reply { raw_sse: Some(raw), .. } => (200, SSE, split(raw.as_bytes(), reply.split)),
        _ if facts.stream => (200, SSE, resplit(writes(reply, facts), reply.split)),
        _ => {
            let body = completion(reply, facts).to_string();
            (200, JSON, split(body.as_bytes(), reply.split))
        }
    };
    let mut response = Response::new(paced(outs, reply));
    *response.status_mut() =
        StatusCode::from_u16(reply.status.unwrap_or(status)).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    let failure_headers = reply.error.iter().flat_map(|failure| &failure.headers);
    for (name, value) in reply.headers.iter().chain(failure_headers) {
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse::<HeaderValue>()) {
            headers.insert(name, value);
        }
    }
    response
}

fn failure_body(failure: &Failure) -> (&'static str, Vec<u8>) {
    match &failure.body {
        Value::String(text) => ("text/plain; charset=utf-8", text.clone().into_bytes()),
        other => (JSON, other.to_string().into_bytes()),
    }
}

/// Splits a stream into pieces of a fixed size, regardless of its events.
fn resplit(outs: Vec<Out>, size: Option<usize>) -> Vec<Out> {
    if size.is_none() {
        return outs;
    }
    let mut cut = Vec::new();
    let mut pending = Vec::new();
    for out in outs {
        match out {
            Out::Write(bytes) => pending.extend(bytes),
            Out::WaitMs(_) => {
                cut.extend(split(&pending, size));
                pending.clear();
                cut.push(out);
            }
        }
    }
    cut.extend(split(&pending, size));
    cut
}

/// A body that sends each write separately and aborts where the reply asks for it.
fn paced(outs: Vec<Out>, reply: &Reply) -> Body {
    let delay = Duration::from_millis(reply.delay_ms);
    let outs = cut_off(outs, reply.abort_after);
    let frames = stream::iter(outs.into_iter().enumerate()).filter_map(move |(at, out)| async move {
        match out {
            Some(Out::Write(bytes)) => {
                if at > 0 && !delay.is_zero() {
                    tokio::time::sleep(delay).await;
                } else {
                    // Lets the connection flush, so that each write is one packet.
                    tokio::task::yield_now().await;
                }
                Some(Ok(Bytes::from(bytes)))
            }
            Some(Out::WaitMs(time)) => {
                tokio::time::sleep(Duration::from_millis(time)).await;
                None
            }
            None => {
                tokio::task::yield_now().await;
                Some(Err(std::io::Error::other("the script cuts the connection here")))
            }
        }
    });
    Body::from_stream(frames)
}

/// `None` aborts the connection.
fn cut_off(outs: Vec<Out>, abort_after: Option<usize>) -> Vec<Option<Out>> {
    let Some(writes) = abort_after else {
        return outs.into_iter().map(Some).collect();
    };
    let mut left = writes;
    let mut kept = Vec::new();
    for out in outs {
        if matches!(out, Out::Write(_)) {
            if left == 0 {
                break;
            }
            left -= 1;
        }
        kept.push(Some(out));
    }
    kept.push(None);
    kept
}
