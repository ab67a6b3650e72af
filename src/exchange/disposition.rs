//! What to do with a request, by its headers alone: whether it is the filter's, and whether it can be served.

use super::headers::{Header, Headers, MODEL};
use super::incoming::{no_body, too_large};
use super::query;
use super::retrieving::Retrieval;
use crate::config::{Config, Search};
use crate::error::{ApiError, Code};
use crate::request::{Endpoint, cannot_count};
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
pub(super) fn of(config: &Config, headers: &Headers, end: bool) -> Option<Disposition> {
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
/// with no knowledge of the first run. Envoy removes `x-envoy-original-url` from external requests.
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
