//! How a reply begins, whether its headers wait for it, and what becomes of them.

use super::retry_after::{self, RetryAfter};
use super::verdict::{BodyVerdict, Edit, Header, Headers, HeadersVerdict, LocalReply, visible};
use super::{Exchange, Phase};
use crate::error::{ApiError, Code};
use crate::request;
use crate::response::Reply;
use std::mem;

/// A reply on its way through: the translator, and how much is still to come.
#[derive(Debug)]
pub(super) struct UpstreamBody {
    pub(super) reply: Reply,
    /// The upstream's own status.
    pub(super) status: u16,
    /// What is left of the announced length. With it the end is known when the last byte is there,
    /// which matters where trailers follow: the host says "end of stream" only after them.
    left: Option<usize>,
    /// Whether a body callback came.
    pub(super) began: bool,
    /// How many bytes came.
    taken: usize,
}

impl UpstreamBody {
    /// The upstream's headers are there.
    fn begin(mut reply: Reply, headers: &Headers) -> Self {
        let status = headers.status();
        reply.begin(status);
        Self { reply, status, left: headers.content_length(), began: false, taken: 0 }
    }

    /// Whether more of it came than so many bytes.
    pub(super) fn is_longer_than(&self, bytes: usize) -> bool {
        self.taken > bytes
    }

    /// Takes a chunk, appends what the client gets for it; says whether that was the last.
    pub(super) fn take(&mut self, chunk: &[u8], end: bool, out: &mut Vec<u8>) -> bool {
        self.began = true;
        self.taken += chunk.len();
        self.left = self.left.map(|left| left.saturating_sub(chunk.len()));
        self.reply.push(chunk, out);
        if end || self.left == Some(0) {
            self.reply.end(out);
            return true;
        }
        self.reply.is_done()
    }
}

impl Exchange {
    /// The reply begins.
    pub(super) fn begin(&mut self, reply: Reply, held: bool, headers: &Headers, end: bool) -> HeadersVerdict {
        if let Some(error) = unreadable(headers, end) {
            let retry_after = retry_after::anew(error.status, headers, self.account.now().as_secs());
            return HeadersVerdict::Respond(self.fail(&error).with(retry_after));
        }
        let mut edits = edits(headers, &reply, self.account.dropped());
        let holds = held && !streams(headers, &reply) && end_will_be_seen(headers);
        let upstream = UpstreamBody::begin(reply, headers);
        if end {
            return self.bodiless(upstream, headers);
        }
        let retry_after = retry_after::after(headers, self.account.now().as_secs());
        if holds {
            self.phase = Phase::Assembling { upstream, body: Vec::new(), retry_after };
            return HeadersVerdict::Hold(edits);
        }
        edits.extend(
            retry_after.filter(|_| upstream.status == 429).map(|delay| Edit::from(delay.header(None))),
        );
        self.phase = Phase::Streaming(upstream);
        HeadersVerdict::Continue(edits)
    }

    /// The reply begins although the request is not whole. Upstreams that do not let a client in answer
    /// by the headers alone, and so does Envoy where it finds no route or no healthy host.
    pub(super) fn begin_early(&mut self, headers: &Headers, end: bool) -> HeadersVerdict {
        let status = headers.status();
        if (200..300).contains(&status) {
            return HeadersVerdict::Respond(self.fail(&too_early(status)));
        }
        // An error is told the same way whatever was asked.
        match request::translate(br#"{"model":"none","input":"none"}"#, &self.context()) {
            Ok(translated) => self.begin(translated.reply, false, headers, end),
            Err(error) => HeadersVerdict::Respond(self.fail(&error.status(status))),
        }
    }

    /// An error without a body becomes one with a body, which only a reply of our own can have.
    fn bodiless(&mut self, mut upstream: UpstreamBody, headers: &Headers) -> HeadersVerdict {
        let mut body = Vec::new();
        upstream.take(&[], true, &mut body);
        self.report(&upstream);
        let status = upstream.reply.status();
        let retry_after = retry_after::anew(status, headers, self.account.now().as_secs());
        HeadersVerdict::Respond(LocalReply::json(status, body).with(retry_after))
    }

    /// The reply is too long to be an error: its headers go as they are, its body follows as it comes.
    pub(super) fn let_go(&mut self) -> BodyVerdict {
        let phase = mem::replace(&mut self.phase, Phase::Done);
        let Phase::Assembling { upstream, body, retry_after } = phase else {
            return BodyVerdict::Pass;
        };
        let edits = retry_after
            .filter(|_| upstream.status == 429)
            .map(|delay| Edit::from(delay.header(None)))
            .into_iter()
            .collect();
        self.phase = Phase::Streaming(upstream);
        BodyVerdict::Release(edits, body)
    }

    /// The held headers and the complete reply go out.
    pub(super) fn release(&mut self) -> BodyVerdict {
        let phase = mem::replace(&mut self.phase, Phase::Done);
        let Phase::Assembling { upstream, body, retry_after } = phase else {
            return BodyVerdict::Pass;
        };
        self.report(&upstream);
        let Complete { status, body, retry_after } = Complete::of(&upstream, body, retry_after);
        let mut edits = vec![
            Edit::Set(":status", status.to_string()),
            Edit::Set("content-length", body.len().to_string()),
        ];
        edits.extend(retry_after.map(Edit::from));
        BodyVerdict::Release(edits, body)
    }

    /// The complete reply as an answer of our own, where its body cannot be written any more.
    pub(super) fn release_anew(&mut self) -> LocalReply {
        let phase = mem::replace(&mut self.phase, Phase::Answered);
        let Phase::Assembling { upstream, body, retry_after } = phase else {
            return self.fail(&empty());
        };
        self.report(&upstream);
        let Complete { status, body, retry_after } = Complete::of(&upstream, body, retry_after);
        LocalReply::json(status, body).with(retry_after)
    }
}

/// A reply that its headers have waited for, so that an error can still be one.
struct Complete {
    status: u16,
    body: Vec<u8>,
    retry_after: Option<Header>,
}

impl Complete {
    fn of(upstream: &UpstreamBody, body: Vec<u8>, retry_after: Option<RetryAfter>) -> Self {
        let error = upstream.reply.error();
        let status = upstream.reply.status();
        // Waiting does not fill an exhausted quota.
        let quota = error.and_then(|error| error.code.as_deref()) == Some("insufficient_quota");
        let in_body = error.and_then(|error| error.retry_after);
        let retry_after = retry_after.filter(|_| status == 429 && !quota).map(|delay| delay.header(in_body));
        Self { status, body: error.map_or(body, ApiError::to_json), retry_after }
    }
}

/// Why a response cannot be translated at all, as far as the headers show.
fn unreadable(headers: &Headers, end: bool) -> Option<ApiError> {
    let status = headers.status();
    let good = (200..300).contains(&status);
    if status < 400 && !good {
        // A redirect must not reach the client: it would repeat its request, in its own API, there.
        return Some(ApiError::of(
            Code::UpstreamUnexpectedStatus,
            format!(
                "The upstream answered with status {status}; if it redirects, its real address must be configured"
            ),
        ));
    }
    if headers.is_encoded() && !end {
        let error = ApiError::of(
            Code::UpstreamEncodingUnsupported,
            format!("The upstream sent a compressed body (with status {status}) although none was asked for"),
        );
        return Some(if good { error } else { error.status(status) });
    }
    (end && good).then(|| {
        let message = format!("The upstream answered with status {status} and no body");
        ApiError::of(Code::UpstreamEmptyReply, message)
    })
}

/// A 2xx before the request was whole: it answers something else.
fn too_early(status: u16) -> ApiError {
    let message = format!("The upstream answered with status {status} before it had the request");
    ApiError::of(Code::UpstreamEarlyReply, message)
}

/// The upstream's reply has no byte in it.
pub(super) fn empty() -> ApiError {
    ApiError::of(Code::UpstreamEmptyReply, "The upstream answered without a body")
}

/// Headers of the upstream that the client does not get.
const DROPPED: &[&str] = &[
    // They describe the body as it was.
    "content-length",
    "content-md5",
    "content-digest",
    "digest",
    "etag",
    "repr-digest",
    // Only this filter says what was dropped.
    DROPPED_THINGS,
    // Codex acts on these: it would tell its user of a rerouted model and a flagged account.
    "openai-model",
    "x-models-etag",
    "x-openai-model",
    "x-reasoning-included",
];

/// The same, by how the name begins.
const DROPPED_PREFIXES: &[&str] = &["x-codex-"];

/// Names what the upstream could not be told.
const DROPPED_THINGS: &str = "x-transponder-dropped";

/// Proxies limit a response's headers to some kilobytes in all.
pub(super) const DROPPED_THINGS_CAP: usize = 1024;

/// The headers for the client, as far as the upstream's headers decide them.
fn edits(headers: &Headers, reply: &Reply, dropped: &[String]) -> Vec<Edit> {
    let mut edits = headers.removals(|name| {
        DROPPED.contains(&name) || DROPPED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    });
    if streams(headers, reply) {
        edits.extend(headers.set("content-type", "text/event-stream"));
        edits.extend(headers.set("cache-control", "no-cache"));
    } else {
        edits.extend(headers.set("content-type", "application/json"));
    }
    if !dropped.is_empty() {
        edits.push(Edit::Set(DROPPED_THINGS, visible(&dropped.join(","), DROPPED_THINGS_CAP)));
    }
    edits
}

/// Whether the client gets server-sent events. Errors are always one document.
fn streams(headers: &Headers, reply: &Reply) -> bool {
    (200..300).contains(&headers.status()) && reply.wants_stream()
}

/// Whether the end of the body is sure to be seen before any trailers: its length is announced, or
/// it ends itself. Only then may the headers wait for it. (Where a decompressor adds trailers, the
/// host does not show them while a filter holds the body, and a wait for them would never end.)
fn end_will_be_seen(headers: &Headers) -> bool {
    headers.content_length().is_some() || headers.text("content-type").contains("json")
}
