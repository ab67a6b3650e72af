//! Which replies can be translated, and what becomes of their headers.

use super::verdict::{Edit, Headers, visible};
use crate::responses::{ApiError, Code};
use crate::translate::Reply;

/// A reply on its way through: the translator, and how much is still to come.
#[derive(Debug)]
pub(super) struct Inflow {
    pub(super) reply: Reply,
    /// The upstream's own status.
    pub(super) status: u16,
    /// What is left of the announced length. With it the end is known when the last byte is there,
    /// which matters where trailers follow: the host says "end of stream" only after them.
    left: Option<usize>,
    /// Whether a body callback came.
    pub(super) began: bool,
    /// How many bytes came.
    pub(super) taken: usize,
}

impl Inflow {
    /// The upstream's headers are there.
    pub(super) fn begin(mut reply: Reply, headers: &Headers) -> Self {
        let status = headers.status();
        reply.begin(status);
        Self { reply, status, left: headers.content_length(), began: false, taken: 0 }
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

/// Why a response cannot be translated at all, as far as the headers show.
pub(super) fn unreadable(headers: &Headers, end: bool) -> Option<ApiError> {
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
pub(super) fn too_early(status: u16) -> ApiError {
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
pub(super) fn headers(headers: &Headers, reply: &Reply, dropped: &[String]) -> Vec<Edit> {
    let mut edits = headers.removals(|name| {
        DROPPED.contains(&name) || DROPPED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    });
    if streams(headers, reply) {
        edits.push(Edit::Set("content-type", "text/event-stream".to_owned()));
        edits.push(Edit::Set("cache-control", "no-cache".to_owned()));
    } else {
        edits.push(Edit::Set("content-type", "application/json".to_owned()));
    }
    if !dropped.is_empty() {
        edits.push(Edit::Set(DROPPED_THINGS, visible(&dropped.join(","), DROPPED_THINGS_CAP)));
    }
    edits
}

/// Whether the client gets server-sent events. Errors are always one document.
pub(super) fn streams(headers: &Headers, reply: &Reply) -> bool {
    (200..300).contains(&headers.status()) && reply.wants_stream()
}

/// Whether the end of the body is sure to be seen before any trailers: its length is announced, or
/// it ends itself. Only then may the headers wait for it. (Where a decompressor adds trailers, the
/// host does not show them while a filter holds the body, and a wait for them would never end.)
pub(super) fn end_will_be_seen(headers: &Headers) -> bool {
    headers.content_length().is_some() || headers.text("content-type").contains("json")
}
