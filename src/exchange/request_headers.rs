//! Which requests are ours, which of those cannot be served, and what becomes of the headers.

use super::verdict::{Edit, Header, Headers, visible};
use crate::config::Config;
use crate::error::{ApiError, Code};
use crate::request::Translated;

/// Says which route the held headers should take; never taken from a client.
pub(super) const UPSTREAM: &str = "x-transponder-upstream";
/// Says which model was asked of the upstream; never taken from a client.
pub(super) const MODEL: &str = "x-transponder-model";

/// What a request is to us.
#[derive(Debug)]
pub(super) enum Disposition {
    /// It passes untouched.
    PassThrough,
    /// It is translated.
    Translate(Endpoint),
    /// It is addressed to us and cannot be served: the error, and a header that says what could be.
    Reject(ApiError, Option<Header>),
}

/// What the client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// `POST /responses`.
    Create,
    /// `POST /responses/compact`.
    Compact,
}

impl Endpoint {
    /// Its path at a host whose path of Responses is this.
    pub(super) fn below(self, path: &str) -> String {
        match self {
            Self::Create => path.to_owned(),
            Self::Compact => format!("{path}/compact"),
        }
    }
}

/// Where a path leads.
enum PathMatch<'a> {
    None,
    Exact,
    Subpath(&'a str),
}

/// Decides by the headers alone.
pub(super) fn claim(config: &Config, headers: &Headers, end: bool) -> Disposition {
    let method = headers.text(":method");
    match place(config, headers.text(":path")) {
        PathMatch::None => Disposition::PassThrough,
        // A preflight is for whoever answers CORS.
        PathMatch::Exact | PathMatch::Subpath(_) if method == "OPTIONS" => Disposition::PassThrough,
        PathMatch::Subpath("compact") if method == "POST" => post(config, headers, Endpoint::Compact, end),
        PathMatch::Subpath(rest) => Disposition::Reject(below(rest), None),
        PathMatch::Exact if method == "POST" => post(config, headers, Endpoint::Create, end),
        PathMatch::Exact if method == "GET" && wants_websocket(headers) => Disposition::Reject(
            ApiError::of(
                Code::WebsocketNotSupported,
                "WebSockets are not supported here; send a POST and read server-sent events",
            ),
            Some(("upgrade", "HTTP/1.1".to_owned())),
        ),
        PathMatch::Exact => Disposition::Reject(
            ApiError::of(Code::MethodNotAllowed, "Only POST is supported here"),
            Some(("allow", "POST".to_owned())),
        ),
    }
}

fn place<'a>(config: &Config, path: &'a str) -> PathMatch<'a> {
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let rests = config.paths.iter().filter_map(|ours| path.strip_prefix(ours.as_str()));
    let places = rests.filter_map(|rest| match rest {
        "" => Some(PathMatch::Exact),
        _ => rest.strip_prefix('/').map(PathMatch::Subpath),
    });
    // One configured path may lie below another; to be there counts more than to be below.
    places.min_by_key(|place| matches!(place, PathMatch::Subpath(_))).unwrap_or(PathMatch::None)
}

/// The endpoints below `/responses`, all of which need what this filter does not have.
fn below(rest: &str) -> ApiError {
    let (status, message) = match rest {
        "" => (404, "There is nothing behind the final `/`; leave it out"),
        "compact" => (405, "Only POST is supported here"),
        "input_tokens" => (
            501,
            "Counting tokens is not supported here, because only the upstream's tokenizer could do it: \
             it reports `usage` with each response",
        ),
        _ => (
            404,
            "No responses are stored here, so none can be retrieved, listed, cancelled or deleted: \
             each request is translated by itself. Send the whole conversation in `input`",
        ),
    };
    ApiError::of(Code::EndpointNotSupported, message).status(status)
}

fn wants_websocket(headers: &Headers) -> bool {
    let mut wanted = headers.texts("upgrade").flat_map(|value| value.split(','));
    wanted.any(|protocol| protocol.trim().eq_ignore_ascii_case("websocket"))
}

fn post(config: &Config, headers: &Headers, endpoint: Endpoint, end: bool) -> Disposition {
    let limit = config.limits.request_bytes;
    if headers.is_encoded() {
        return Disposition::Reject(
            ApiError::of(
                Code::UnsupportedContentEncoding,
                "The request body is compressed and cannot be read here. Send it uncompressed, or put \
                 Envoy's filter `envoy.filters.http.decompressor` (request direction) before this one",
            ),
            Some(("accept-encoding", "identity".to_owned())),
        );
    }
    if end {
        return Disposition::Reject(no_body(), None);
    }
    match headers.content_length() {
        Some(length) if length > limit => Disposition::Reject(too_large(limit), None),
        _ => Disposition::Translate(endpoint),
    }
}

/// There is nothing to translate.
pub(super) fn no_body() -> ApiError {
    ApiError::of(Code::MissingBody, "The request has no body; a JSON object is expected")
}

/// The body's end came too late to write another one.
pub(super) fn trailers() -> ApiError {
    ApiError::of(
        Code::UnsupportedTrailers,
        "Trailers after the request's body are not supported here; send none",
    )
}

/// The body is larger than may be held in memory.
pub(super) fn too_large(limit: usize) -> ApiError {
    ApiError::of(
        Code::RequestTooLarge,
        format!("The request body is larger than the {limit} bytes allowed here"),
    )
}

/// The client is Codex, which needs a few things said differently.
pub(super) fn is_codex(headers: &Headers) -> bool {
    headers.text("originator").starts_with("codex")
}

/// Removes the headers that only this filter may set. None is there as a rule: then nothing is
/// edited, and Envoy keeps the route that it has chosen.
pub(super) fn without_ours(headers: &Headers) -> Vec<Edit> {
    headers.removals(|name| [UPSTREAM, MODEL].contains(&name))
}

/// Headers that do not go up.
const DROPPED: &[&str] = &[
    // They describe the body as it was.
    "content-length",
    "content-md5",
    "content-digest",
    "digest",
    "repr-digest",
    // A compressed reply could not be read.
    "accept-encoding",
    // The body is held back, so nobody upstream has to be asked first.
    "expect",
    // They are about OpenAI's own service, or say who and where the user is: session and thread ids,
    // the working directory, the commit. Codex's request id is its thread id.
    "openai-beta",
    "originator",
    "session-id",
    "session_id",
    "thread-id",
    "x-client-request-id",
    UPSTREAM,
    MODEL,
];

/// The same, by how the name begins.
const DROPPED_PREFIXES: &[&str] = &["x-codex-", "x-openai-", "x-oai-", "chatgpt-"];

/// Whether a header does not go up.
pub(super) fn is_dropped(name: &str) -> bool {
    DROPPED.contains(&name) || DROPPED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// What can be said about the headers before the body is known.
pub(super) fn before_body(config: &Config, headers: &Headers) -> Vec<Edit> {
    let mut edits = headers.removals(is_dropped);
    // With its query: some hosts want `?api-version=`. The client's query was meant for another API.
    edits.extend(config.path_before_body().map(|path| Edit::Set(":path", path.to_owned())));
    // The reply may be a stream or a document, which only the body says. What every host's
    // documentation shows is curl, and this is what curl sends.
    edits.extend(headers.set("accept", "*/*"));
    edits.extend(headers.set("content-type", "application/json"));
    edits
}

/// What can be said once the body is translated, if the headers were held for it.
pub(super) fn after_body(translated: &Translated) -> Vec<Edit> {
    let accept = if translated.reply.wants_stream() { "text/event-stream" } else { "application/json" };
    let mut edits = vec![
        Edit::Set(":path", translated.path.clone()),
        Edit::Set("accept", accept.to_owned()),
        Edit::Set("content-length", translated.body.len().to_string()),
        Edit::Set(MODEL, visible(&translated.model, MODEL_CAP)),
    ];
    edits.extend(translated.route.clone().map(|route| Edit::Set(UPSTREAM, route)));
    edits
}

/// Longer than any model's name; the name comes from the client.
pub(super) const MODEL_CAP: usize = 256;
