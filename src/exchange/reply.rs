//! Which replies can be translated, and what becomes of their headers.

use super::verdict::{Edit, Headers};
use crate::translate::{ApiError, Reply};

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
}

impl Inflow {
    /// The upstream's headers are there.
    pub(super) fn begin(mut reply: Reply, headers: &Headers) -> Self {
        let status = headers.status();
        reply.begin(status);
        Self { reply, status, left: headers.content_length(), began: false }
    }

    /// Takes a chunk, appends what the client gets for it; says whether that was the last.
    pub(super) fn take(&mut self, chunk: &[u8], end: bool, out: &mut Vec<u8>) -> bool {
        self.began = true;
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
        return Some(failure(
            502,
            "upstream_unexpected_status",
            format!(
                "The upstream answered with status {status}; if it redirects, its real address must be configured"
            ),
        ));
    }
    if headers.is_encoded() && !end {
        let status = if good { 502 } else { status };
        return Some(failure(
            status,
            "upstream_encoding_unsupported",
            format!(
                "The upstream sent a compressed body (with status {}) although none was asked for",
                headers.status()
            ),
        ));
    }
    (end && good).then(|| {
        failure(
            502,
            "upstream_empty_reply",
            format!("The upstream answered with status {status} and no body"),
        )
    })
}

/// A 2xx before the request was whole: it answers something else.
pub(super) fn too_early(status: u16) -> ApiError {
    failure(
        502,
        "upstream_early_reply",
        format!("The upstream answered with status {status} before it had the request"),
    )
}

/// The upstream's reply has no byte in it.
pub(super) fn empty() -> ApiError {
    failure(502, "upstream_empty_reply", "The upstream answered without a body".to_owned())
}

/// An error that is the upstream's, or the way's to it.
fn failure(status: u16, code: &'static str, message: String) -> ApiError {
    let kind = if status < 500 { "invalid_request_error" } else { "server_error" };
    ApiError { status, kind: kind.into(), code: Some(code.into()), message, param: None }
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
const DROPPED_THINGS_CAP: usize = 1024;

/// The headers for the client, as far as the upstream's headers decide them.
pub(super) fn headers(headers: &Headers, reply: &Reply, dropped: &[String]) -> Vec<Edit> {
    let mut edits = super::request::removed(headers, |name| {
        DROPPED.contains(&name) || DROPPED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    });
    if streams(headers, reply) {
        edits.push(Edit::Set("content-type", "text/event-stream".to_owned()));
        edits.push(Edit::Set("cache-control", "no-cache".to_owned()));
    } else {
        edits.push(Edit::Set("content-type", "application/json".to_owned()));
    }
    if !dropped.is_empty() {
        edits.push(Edit::Set(DROPPED_THINGS, super::visible(&dropped.join(","), DROPPED_THINGS_CAP)));
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

/// What a client should wait after a 429 that does not say it usably. Codex gives up at once without
/// this header, and tries five times with it.
const RETRY_SECONDS: u64 = 5;

/// The retry-after for a 429, unless a usable one stands there: whole seconds or a date.
pub(super) fn retry_after(headers: &Headers) -> Option<(&'static str, String)> {
    let given = headers.text("retry-after");
    if given.parse::<u64>().is_ok() || given.ends_with("GMT") {
        return None;
    }
    let milliseconds = headers.text("retry-after-ms").parse::<f64>().map(|value| value / 1000.0);
    let seconds =
        given.parse::<f64>().or(milliseconds).ok().filter(|value| *value >= 0.0 && value.is_finite());
    // The cast saturates.
    let seconds = seconds.map_or(RETRY_SECONDS, |seconds| seconds.ceil() as u64);
    Some(("retry-after", seconds.to_string()))
}

/// The retry-after of a local reply, which takes over none of the upstream's headers.
pub(super) fn retry_after_anew(status: u16, headers: &Headers) -> Option<(&'static str, String)> {
    let given = || ("retry-after", headers.text("retry-after").to_owned());
    (status == 429).then(|| retry_after(headers).unwrap_or_else(given))
}
