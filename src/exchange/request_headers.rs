//! The request's headers: whether the request is the filter's, whether it can be served, and what is sent upstream.

use super::headers::{Edit, FROM_CLIENT, Header, Headers, MODEL, SESSION, UPSTREAM};
use super::incoming::{no_body, too_large};
use super::query;
use super::retrieving::Retrieval;
use super::sanitize::{MODEL_CAP, visible};
use super::session::Session;
use crate::config::{Config, Search};
use crate::error::{ApiError, Code};
use crate::request::{Endpoint, Translated, cannot_count};
use std::sync::Arc;

/// What to do with a request of the filter's own.
#[derive(Debug)]
pub(super) enum Disposition {
    /// Translate it.
    Translate(Endpoint),
    /// Answer it from the store.
    Retrieve(Retrieval),
    /// Reply with the error, and with a header that shows what is possible instead.
    Reject(ApiError, Option<Header>),
    /// Send the commands of a web search to this engine.
    Search(Arc<Search>),
    /// Reply with the list of models. `for_codex`: in Codex's form too.
    List { for_codex: bool },
    /// Reply with the error: Envoy made this request when it followed an upstream's redirect.
    Fail(ApiError),
}

/// How a path relates to the configured ones.
enum PathMatch<'a> {
    None,
    Exact,
    Subpath(&'a str),
}

/// Decides by the headers alone. `end`: the request has no body. `None`: it passes unmodified.
pub(super) fn disposition(config: &Config, headers: &Headers, end: bool) -> Option<Disposition> {
    let method = headers.text(":method");
    if method == "POST" && is_own_work(config, headers) {
        return Some(Disposition::Fail(ApiError::of(
            Code::UpstreamUnexpectedStatus,
            "The upstream answered with a redirect, and Envoy followed it (`internal_redirect_policy`). A translated request \
             cannot be redirected. Configure the upstream's final address",
        )));
    }
    let (path, query) = query::split(headers.text(":path"));
    Some(match match_path(config, path) {
        PathMatch::None if method == "GET" && asks_for_models(config, path) => {
            Disposition::List { for_codex: has_client_version(query) }
        }
        PathMatch::None => match &config.search {
            Some(search) if method == "POST" && is_beside(config, path, "/alpha/search") => {
                with_body(config, headers, end, Disposition::Search(Arc::clone(search)))
            }
            _ => return None,
        },
        // A preflight is answered by the CORS filter or the upstream.
        PathMatch::Exact | PathMatch::Subpath(_) if method == "OPTIONS" => return None,
        PathMatch::Subpath("compact") if method == "POST" => post(config, headers, Endpoint::Compact, end),
        PathMatch::Subpath("input_tokens") if method == "POST" && !config.counts_tokens() => {
            Disposition::Reject(cannot_count(), None)
        }
        PathMatch::Subpath("input_tokens") if method == "POST" => {
            post(config, headers, Endpoint::InputTokens, end)
        }
        PathMatch::Subpath(rest) if config.store.is_on() && !NAMED.contains(&rest) => {
            Retrieval::disposition(method, rest, query)
        }
        PathMatch::Subpath(rest) => Disposition::Reject(below(rest), None),
        PathMatch::Exact if method == "POST" => post(config, headers, Endpoint::Create, end),
        PathMatch::Exact if method == "GET" && wants_websocket(headers) => Disposition::Reject(
            ApiError::of(
                Code::WebsocketNotSupported,
                "WebSockets are not supported; send a POST and read server-sent events",
            ),
            Some(("upgrade", "HTTP/1.1".to_owned())),
        ),
        PathMatch::Exact => Disposition::Reject(
            ApiError::of(Code::MethodNotAllowed, "Only POST is supported"),
            Some(("allow", "POST".to_owned())),
        ),
    })
}

/// Whether this is a translated request that Envoy sends to where the upstream redirected it. The filters run again then,
/// with no knowledge of the first run. Envoy takes `x-envoy-original-url` from clients.
fn is_own_work(config: &Config, headers: &Headers) -> bool {
    // A translated request has a length only if it was held, and then it names its model.
    let translated = headers.content_length().is_none() || !headers.text(MODEL).is_empty();
    let url = headers.text("x-envoy-original-url").split_once("://");
    let path = url.and_then(|(_, rest)| rest.find('/').and_then(|begin| rest.get(begin..)));
    translated && path.is_some_and(|path| config.translates_to(path))
}

fn match_path<'a>(config: &Config, path: &'a str) -> PathMatch<'a> {
    let rests = config.paths.iter().filter_map(|configured| path.strip_prefix(configured.as_str()));
    let matches = rests.filter_map(|rest| match rest {
        "" => Some(PathMatch::Exact),
        _ => rest.strip_prefix('/').map(PathMatch::Subpath),
    });
    // One configured path may be below another. An exact match is preferred.
    matches.min_by_key(|path| matches!(path, PathMatch::Subpath(_))).unwrap_or(PathMatch::None)
}

/// Whether this is `/models` beside a configured path, and there are models to list.
fn asks_for_models(config: &Config, path: &str) -> bool {
    is_beside(config, path, "/models") && config.described().next().is_some()
}

/// Whether a path is that of another endpoint of the API whose `/responses` is configured.
fn is_beside(config: &Config, path: &str, endpoint: &str) -> bool {
    let Some(base) = path.strip_suffix(endpoint) else { return false };
    let mut bases = config.paths.iter().filter_map(|path| path.rsplit_once('/'));
    bases.any(|(known, _)| known == base)
}

/// Codex names its version when it asks for models, and no other client does.
fn has_client_version(query: &str) -> bool {
    query::parameters(query).any(|(name, _)| name == "client_version")
}

/// What below `/responses` is no id.
const NAMED: &[&str] = &["", "compact", "input_tokens"];

/// The error for an endpoint below `/responses`. Most of them need stored responses.
fn below(rest: &str) -> ApiError {
    let (status, message) = match rest {
        "" => (404, "The path has nothing after its final `/`; omit the `/`"),
        "compact" | "input_tokens" => (405, "Only POST is supported"),
        _ => (
            404,
            "Responses are not stored, so they cannot be retrieved, listed, cancelled or deleted. Send the \
             complete conversation in `input`",
        ),
    };
    ApiError::of(Code::EndpointNotSupported, message).status(status)
}

fn wants_websocket(headers: &Headers) -> bool {
    let mut wanted = headers.texts("upgrade").flat_map(|value| value.split(','));
    wanted.any(|protocol| protocol.trim().eq_ignore_ascii_case("websocket"))
}

fn post(config: &Config, headers: &Headers, endpoint: Endpoint, end: bool) -> Disposition {
    with_body(config, headers, end, Disposition::Translate(endpoint))
}

/// The disposition, unless the body cannot be read.
fn with_body(config: &Config, headers: &Headers, end: bool, disposition: Disposition) -> Disposition {
    let limit = config.limits.request_bytes;
    if headers.is_encoded() {
        return Disposition::Reject(
            ApiError::of(
                Code::UnsupportedContentEncoding,
                "The request body is compressed. Send it uncompressed, or let Envoy decompress it in a listener \
                 before the filter's",
            ),
            Some(("accept-encoding", "identity".to_owned())),
        );
    }
    if end {
        return Disposition::Reject(no_body(), None);
    }
    match headers.content_length() {
        Some(length) if length > limit => Disposition::Reject(too_large(limit), None),
        _ => disposition,
    }
}

/// Whether the client sends its body only after the upstream's `100 Continue`, which the upstream sends only after the
/// headers. (Without `proxy_100_continue`, Envoy answers the client itself, and no filter sees the header.)
pub(super) fn awaits_upstream(headers: &Headers) -> bool {
    headers.text("expect").eq_ignore_ascii_case("100-continue")
}

/// Whether the client is Codex, which interprets some things differently.
pub(super) fn is_codex(headers: &Headers) -> bool {
    headers.text("originator").starts_with("codex")
}

/// Removes the headers that only this filter may set. Usually there is none: then nothing is edited, and Envoy keeps
/// the route that it has chosen.
pub(super) fn without_own_headers(headers: &Headers) -> Vec<Edit> {
    headers.removals(|name| [UPSTREAM, MODEL, SESSION].contains(&name))
}

/// The `:path` of the translated request until its model is known.
fn path_before_body(endpoint: Endpoint, config: &Config) -> Option<&str> {
    match endpoint {
        Endpoint::Create | Endpoint::Compact => config.path_before_body(),
        Endpoint::InputTokens => config.input_tokens_path_before_body(),
    }
}

/// The edits that need no body.
pub(super) fn before_body(
    config: &Config,
    endpoint: Endpoint,
    headers: &Headers,
    session: Option<&Session>,
) -> Vec<Edit> {
    let mut edits = headers.removals(|name| FROM_CLIENT.contains(name));
    // With its query, because some providers need `?api-version=`. The client's query is meant for a different API.
    edits.extend(path_before_body(endpoint, config).map(|path| Edit::set(":path", path)));
    // Whether the reply is a stream is only known from the body. curl sends this value, and every provider accepts it.
    edits.extend(headers.set("accept", "*/*"));
    edits.extend(headers.set("content-type", "application/json"));
    // If the headers are held, the upstream is not known yet.
    let upstreams = config.session_header_before_body().filter(|_| !config.hold_request_headers);
    edits.extend(session.into_iter().flat_map(|session| session.edits(upstreams)));
    edits
}

/// The edits that follow from the translated body, if the headers were held for it.
pub(super) fn after_body(translated: &Translated, session: Option<&Session>) -> Vec<Edit> {
    let accept = if translated.reply.wants_stream() { "text/event-stream" } else { "application/json" };
    let mut edits = vec![
        Edit::set(":path", translated.path.clone()),
        Edit::set("accept", accept),
        Edit::set("content-length", translated.body.len().to_string()),
        Edit::set(MODEL, visible(&translated.model, MODEL_CAP)),
    ];
    edits.extend(translated.route.clone().map(|route| Edit::set(UPSTREAM, route)));
    edits.extend(session.into_iter().flat_map(|session| session.edits(translated.session_header.as_deref())));
    edits
}
