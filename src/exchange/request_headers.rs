//! The request's headers: what begins with them, and what is sent upstream.

use super::collecting::{Collecting, Purpose};
use super::disposition::{self, Disposition};
use super::headers::{Edit, FROM_CLIENT, Headers, MODEL, SESSION, UPSTREAM};
use super::incoming::Incoming;
use super::passthrough;
use super::phase::{HeaderMode, Phase};
use super::sanitize::{MODEL_CAP, visible};
use super::search;
use super::session::Session;
use super::shared::{Context, Shared};
use super::translating::Translating;
use super::verdict::{HeadersVerdict, LocalReply};
use crate::catalog;
use crate::config::Config;
use crate::request::{Endpoint, Translated};
use crate::store::Owner;

/// The request begins. `end`: it has no body.
pub(super) fn begin(headers: &Headers, end: bool, context: &mut Context<'_>) -> (Phase, HeadersVerdict) {
    let Some(disposition) = disposition::of(&context.config, headers, end) else {
        context.observer.passed_through();
        return (Phase::PassThrough, HeadersVerdict::Continue(without_own_headers(headers)));
    };
    context.observer.identify(headers.text("x-request-id"));
    match disposition {
        Disposition::Translate(endpoint) => begin_translation(endpoint, headers, context),
        Disposition::Retrieve(retrieval) => retrieval.begin(owner(&context.config, headers), context),
        Disposition::Search(engine) => {
            let incoming = incoming(&context.config, headers);
            let edits = search::before_body(&context.config, &engine, headers);
            let verdict = incoming.headers.verdict(edits);
            (Phase::Collecting(Collecting { incoming, purpose: Purpose::Search(engine) }), verdict)
        }
        Disposition::List { for_codex } => {
            context.observer.answered_here();
            let list = catalog::list(&context.config, for_codex);
            (Phase::Answered, LocalReply::json(200, list).into())
        }
        Disposition::Reject(error, header) => {
            let (phase, reply) = Phase::rejected::<LocalReply>(&error, context);
            (phase, reply.with(header).into())
        }
        Disposition::Fail(error) => {
            context.observer.redirected(&error);
            (Phase::Answered, LocalReply::from(&error).into())
        }
    }
}

fn begin_translation(
    endpoint: Endpoint,
    headers: &Headers,
    context: &mut Context<'_>,
) -> (Phase, HeadersVerdict) {
    let Shared { config, observer, owner, codex, .. } = &mut *context.shared;
    let incoming = incoming(config, headers);
    if config.hold_request_headers && incoming.headers == HeaderMode::Sent {
        observer.not_held();
    }
    observer.attribute(config, headers);
    *codex = is_codex(headers);
    *owner = config.store.is_on().then(|| self::owner(config, headers));
    let session = Session::of_headers(config, headers);
    let restoring = passthrough::restoring(config, headers);
    // The same edits in both modes: if the watchdog releases the headers, nothing is left to edit.
    let verdict = incoming.headers.verdict(before_body(config, endpoint, headers, session.as_ref()));
    let purpose = Purpose::Translation(Translating { endpoint, session, restoring });
    (Phase::Collecting(Collecting { incoming, purpose }), verdict)
}

/// The body of a request with these headers, before its first byte.
fn incoming(config: &Config, headers: &Headers) -> Incoming {
    let can_wait = config.hold_request_headers && !awaits_upstream(headers);
    let mode = if can_wait { HeaderMode::Held } else { HeaderMode::Sent };
    // What the store answers is written into the last chunk. So with a store, an announced end is not enough.
    let announced = headers.content_length().filter(|_| !config.store.is_on());
    Incoming::new(mode, announced)
}

/// Whose responses the request can refer to.
fn owner(config: &Config, headers: &Headers) -> Owner {
    Owner::of(headers.values(&config.owner_header))
}

/// Whether the client sends its body only after the upstream's `100 Continue`, which the upstream sends only after the
/// headers. (Without `proxy_100_continue`, Envoy answers the client itself, and no filter sees the header.)
fn awaits_upstream(headers: &Headers) -> bool {
    headers.text("expect").eq_ignore_ascii_case("100-continue")
}

/// Whether the client is Codex, which interprets some things differently.
fn is_codex(headers: &Headers) -> bool {
    headers.text("originator").starts_with("codex")
}

/// Removes the headers that only this filter may set. Usually there is none: then nothing is edited, and Envoy keeps
/// the route that it has chosen.
fn without_own_headers(headers: &Headers) -> Vec<Edit> {
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
fn before_body(
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
