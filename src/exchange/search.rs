//! A web search of Codex: its commands go to the search engine, and the engine's answer comes back in Codex's form.

use super::headers::{Edit, FROM_CLIENT, FROM_UPSTREAM, Headers, UPSTREAM, is_success};
use super::incoming::{Incoming, Rest};
use super::phase::{HeaderMode, Phase};
use super::shared::Context;
use super::verdict::{BodyVerdict, HeadersVerdict, LocalReply, TrailersVerdict};
use crate::config::{Config, Search};
use crate::json::DepthScanner;
use crate::search::{self, Dispatch, EngineRequest, Pending};

/// A client's credentials and identity, which the engine must not get.
const CLIENT_HEADERS: [&str; 10] = [
    "api-key",
    "authorization",
    "cookie",
    "openai-organization",
    "openai-project",
    "proxy-authorization",
    "referer",
    "x-api-key",
    "x-goog-api-key",
    "x-subscription-token",
];

/// The engine was asked; its reply has not begun.
#[derive(Debug)]
pub(super) struct Searching {
    /// What is left of the request's body.
    pub(super) rest: Rest,
    pending: Pending,
    headers: HeaderMode,
}

/// The engine's reply, as far as it has come. If headers are held, they wait for the whole document, so that every failure can be told.
#[derive(Debug)]
pub(super) struct Finding {
    pending: Pending,
    headers: HeaderMode,
    status: u16,
    document: Vec<u8>,
    /// The document shows its own end. A decompressor's trailers would never come while the body is held.
    scanner: DepthScanner,
}

/// The edits that need no body.
pub(super) fn before_body(config: &Config, search: &Search, headers: &Headers) -> Vec<Edit> {
    let is_configured = |name: &str| {
        name == config.owner_header || config.session_headers.iter().any(|header| header == name)
    };
    let mut edits = headers
        .removals(|name| FROM_CLIENT.contains(name) || CLIENT_HEADERS.contains(&name) || is_configured(name));
    edits.push(Edit::set(":path", search::path(search)));
    edits.extend(headers.set("accept", "application/json"));
    edits.extend(headers.set("content-type", search::content_type(search)));
    edits
}

/// The edits that follow from the commands, if the headers were held for them.
fn after_body(search: &Search, request: &EngineRequest) -> Vec<Edit> {
    let mut edits = vec![
        Edit::set(":method", request.method),
        Edit::set(":path", request.path.as_str()),
        Edit::set("content-length", request.body.len().to_string()),
    ];
    edits.extend(search.route.as_deref().map(|route| Edit::set(UPSTREAM, route)));
    edits
}

/// The commands are complete. `end`: `incoming` has the last chunk of the request.
pub(super) fn send(
    search: &Search,
    incoming: Incoming,
    end: bool,
    context: &mut Context<'_>,
) -> (Phase, BodyVerdict) {
    let headers = incoming.headers;
    // The watchdog has released headers that cannot be right.
    if headers == HeaderMode::Sent && context.config.hold_request_headers {
        return unavailable(503, context);
    }
    let path_is_open = headers == HeaderMode::Held;
    let request = match search::ask(search, &incoming.body, path_is_open) {
        Ok(Dispatch::ToEngine(request)) => request,
        Ok(Dispatch::Answer(answer)) => return (Phase::Answered, LocalReply::json(200, answer).into()),
        Err(error) => return Phase::rejected(&error, context),
    };
    let edits = path_is_open.then(|| after_body(search, &request));
    let EngineRequest { body, pending, .. } = request;
    let (rest, verdict) = Rest::of(edits, body, end);
    (Phase::Searching(Searching { rest, pending, headers }), verdict)
}

/// The engine cannot be asked, or Envoy answers in its place before the request is complete.
pub(super) fn unavailable<V: From<LocalReply>>(status: u16, context: &mut Context<'_>) -> (Phase, V) {
    context.observer.search_failed(status);
    (Phase::Answered, LocalReply::json(200, search::unavailable(status)).into())
}

impl Searching {
    /// The last bytes of the request, which are none of its commands.
    pub(super) fn on_request_body(self) -> (Phase, BodyVerdict) {
        let rest = self.rest;
        (Phase::Searching(Self { rest: Rest::default(), ..self }), BodyVerdict::Replace(rest.0))
    }

    /// The engine's reply begins. `end`: it has no body.
    pub(super) fn begin(
        self,
        headers: &Headers,
        end: bool,
        context: &mut Context<'_>,
    ) -> (Phase, HeadersVerdict) {
        let status = headers.status();
        if !is_success(status) || headers.is_encoded() || end {
            context.observer.search_failed(status);
            let answer = LocalReply::json(200, self.pending.failed(status));
            return (Phase::Answered, answer.into());
        }
        let mut edits = headers.removals(|name| FROM_UPSTREAM.contains(name) || name == "set-cookie");
        // Codex reads the answer of a 200 only.
        edits.extend(headers.set(":status", "200"));
        edits.extend(headers.set("content-type", "application/json"));
        context.observer.search_answered(self.pending.engine);
        let verdict = self.headers.verdict(edits);
        let Self { pending, headers, .. } = self;
        let finding =
            Finding { pending, headers, status, document: Vec::new(), scanner: DepthScanner::default() };
        (Phase::Finding(finding), verdict)
    }
}

impl Finding {
    /// The next bytes of the engine's document.
    pub(super) fn on_body(
        mut self,
        chunk: &[u8],
        end: bool,
        context: &mut Context<'_>,
    ) -> (Phase, BodyVerdict) {
        if self.document.len() + chunk.len() > context.config.limits.reply_bytes {
            context.observer.search_failed(self.status);
            return (Phase::Done, release(self.headers, self.pending.too_long()));
        }
        self.document.extend_from_slice(chunk);
        let ends = self.scanner.push(chunk) || !self.may_be_object();
        if !ends && !end {
            let verdict = self.headers.take_chunk();
            return (Phase::Finding(self), verdict);
        }
        let answer = self.answer(context);
        (Phase::Done, release(self.headers, answer))
    }

    /// The document ended with the chunk before, so there is none in which the answer could go.
    pub(super) fn on_trailers(self, context: &mut Context<'_>) -> (Phase, TrailersVerdict) {
        match self.headers {
            HeaderMode::Held => (Phase::Answered, LocalReply::json(200, self.answer(context)).into()),
            HeaderMode::Sent => {
                context.observer.search_cut();
                (Phase::Done, TrailersVerdict::Pass)
            }
        }
    }

    /// What does not begin as an object has an end that it does not show.
    fn may_be_object(&self) -> bool {
        self.document.trim_ascii_start().first().is_none_or(|first| *first == b'{')
    }

    fn answer(&self, context: &mut Context<'_>) -> Vec<u8> {
        match self.pending.answer(&self.document) {
            Ok(answer) => {
                context.observer.searched();
                answer
            }
            Err(answer) => {
                context.observer.search_failed(self.status);
                answer
            }
        }
    }
}

/// Sends the answer, with the engine's headers if they were held.
fn release(headers: HeaderMode, answer: Vec<u8>) -> BodyVerdict {
    let length = || vec![Edit::set("content-length", answer.len().to_string())];
    let edits = (headers == HeaderMode::Held).then(length);
    BodyVerdict::send(edits, answer)
}
