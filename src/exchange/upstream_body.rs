//! The reply's body: translated as it arrives, or collected while its headers are held.

use super::headers::{Edit, Header, Headers};
use super::phase::Phase;
use super::recording::{self, Document, End};
use super::retry_after::RetryAfter;
use super::shared::Context;
use super::verdict::{BodyVerdict, TrailersVerdict};
use crate::error::{ApiError, Code};
use crate::response::Reply;
use std::time::Duration;

/// The upstream's body and its translator.
#[derive(Debug)]
pub(super) struct UpstreamBody {
    pub(super) reply: Reply,
    /// The upstream's own status.
    pub(super) status: u16,
    /// What is left of the announced length. It shows the end at the last byte, which matters where trailers follow:
    /// Envoy marks the end of the stream only after them.
    left: Option<usize>,
    /// Whether a body callback came.
    began: bool,
    /// Bytes so far.
    taken: usize,
}

impl UpstreamBody {
    pub(super) fn new(mut reply: Reply, headers: &Headers) -> Self {
        let status = headers.status();
        reply.begin(status);
        Self { reply, status, left: headers.content_length(), began: false, taken: 0 }
    }

    /// Takes a chunk, and appends what the client gets for it.
    pub(super) fn take(&mut self, chunk: &[u8], end: bool, now: Duration, out: &mut Vec<u8>) -> Progress {
        self.began = true;
        self.taken += chunk.len();
        self.left = self.left.map(|left| left.saturating_sub(chunk.len()));
        self.reply.set_time(now.as_secs());
        self.reply.push(chunk, out);
        if end || self.left == Some(0) {
            self.reply.end(out);
        }
        if self.reply.is_done() { Progress::Complete } else { Progress::More }
    }
}

/// The state of a reply after a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    /// More may follow.
    More,
    /// The reply is complete: nothing more is appended for the client.
    Complete,
}

/// The reply's headers are sent.
#[derive(Debug)]
pub(super) struct Streaming {
    pub(super) upstream: UpstreamBody,
}

impl Streaming {
    /// The chunk is replaced even if the result is empty, because holding it would hold the trailers too.
    pub(super) fn on_body(
        mut self,
        chunk: &[u8],
        end: bool,
        context: &mut Context<'_>,
    ) -> (Phase, BodyVerdict) {
        let mut out = Vec::new();
        let progress = self.upstream.take(chunk, end, context.now, &mut out);
        if self.upstream.reply.wants_stream() && self.upstream.reply.has_output() {
            let now = context.now;
            context.observer.output_seen(now);
        }
        if progress == Progress::Complete {
            context.completed(&mut self.upstream);
            return recording::end(End::Chunk(out), context);
        }
        (Phase::Streaming(self), BodyVerdict::Replace(out))
    }
}

/// The reply's headers wait for its body, so that an error which came with status 200 gets an error status.
#[derive(Debug)]
pub(super) struct Buffering {
    pub(super) upstream: UpstreamBody,
    /// What the client gets so far.
    pub(super) body: Vec<u8>,
    /// For a 429 whose `retry-after` header is missing or unusable.
    pub(super) retry_after: Option<RetryAfter>,
    /// Headers of this filter, for a local reply. The upstream's have them already.
    pub(super) own: Vec<Header>,
}

impl Buffering {
    pub(super) fn on_body(
        mut self,
        chunk: &[u8],
        end: bool,
        context: &mut Context<'_>,
    ) -> (Phase, BodyVerdict) {
        if self.upstream.take(chunk, end, context.now, &mut self.body) == Progress::Complete {
            context.completed(&mut self.upstream);
            return recording::end(End::Document(self.complete()), context);
        }
        if self.upstream.taken > context.config.limits.held_reply_bytes {
            return self.stop();
        }
        (Phase::Buffering(self), BodyVerdict::Hold)
    }

    /// The body ended with the chunk before, so there is no chunk in which the result could be written.
    pub(super) fn on_trailers(mut self, context: &mut Context<'_>) -> (Phase, TrailersVerdict) {
        if !self.upstream.began {
            return (Phase::Answered, TrailersVerdict::Respond(context.failed(&empty()).with(self.own)));
        }
        self.upstream.reply.set_time(context.now.as_secs());
        self.upstream.reply.end(&mut self.body);
        context.completed(&mut self.upstream);
        recording::end_at_trailers(self.complete(), context)
    }

    /// The reply is too long to be an error: its headers are sent as they are, and its body as it arrives.
    fn stop(self) -> (Phase, BodyVerdict) {
        let Self { upstream, body, retry_after, own: _ } = self;
        let delay = retry_after.filter(|_| upstream.status == 429);
        let edits = delay.map(|delay| Edit::from(delay.header(None))).into_iter().collect();
        (Phase::Streaming(Streaming { upstream }), BodyVerdict::Release(edits, body))
    }

    fn complete(self) -> Document {
        let Self { upstream, body, retry_after, own } = self;
        let (error, status) = (upstream.reply.error(), upstream.reply.status());
        // To wait a moment does not refill an exhausted quota. A delay that a header states is when it is refilled.
        let quota = error.and_then(|error| error.code.as_deref()) == Some(Code::InsufficientQuota.name());
        let is_known = |delay: &RetryAfter| !quota || matches!(delay, RetryAfter::Seconds(_));
        let in_body = error.and_then(|error| error.retry_after);
        let delay = retry_after.filter(|delay| status == 429 && is_known(delay));
        let retry_after = delay.map(|delay| delay.header(in_body));
        Document { status, body: error.map_or(body, ApiError::to_json), retry_after, own }
    }
}

/// The upstream's reply has no body.
fn empty() -> ApiError {
    ApiError::of(Code::UpstreamEmptyReply, "The upstream answered without a body")
}
