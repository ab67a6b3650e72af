//! The phases of an exchange, and which callback leads from one to another.

use super::collecting::Collecting;
use super::headers::{Edit, Headers};
use super::incoming::Rest;
use super::passthrough::Passed;
use super::recording::Recording;
use super::restoring::Restoring;
use super::retrieving::Retrieving;
use super::search::{Finding, Searching};
use super::shared::Context;
use super::upstream_body::{Buffering, Streaming};
use super::verdict::{BodyVerdict, HeadersVerdict, LocalReply, TrailersVerdict};
use super::{incoming, response_headers};
use crate::error::ApiError;
use crate::response::Reply;

/// How far the exchange has come.
///
/// ```text
///                other paths
///  PassThrough ◀─────────────┐
///      ▲ end                 │      rejected
///  Forwarding ◀──────────┐ (start) ───────────────▶ Answered
///          native        │   │ POST to a path             ▲
///          upstream      │   ▼           rejected         │
///                        Collecting ──────────────────────┤
///                            │ translated and sent        │
///                            ▼        not translatable    │
///                        Awaiting ────────────────────────┤
///              headers held │  │ headers sent             │
///                           ▼  │                          │
///                     Buffering│── trailers ──────────────┘
///              complete │  │ too long
///                       │  ▼   ▼
///                       │  Streaming
///                       ▼      │ complete
///                      Done ◀──┘
/// ```
///
/// If responses are stored, a complete request is `Restoring` before it is translated, and one for a stored response is
/// `Retrieving` before it is `Answered`. A complete reply is `Recording` before it is `Done`.
///
/// A web search goes from Collecting to Searching, to Finding, to Done.
#[derive(Debug, Default)]
pub(super) enum Phase {
    /// Everything passes unmodified: the exchange is not the filter's, or nothing is known about it yet.
    #[default]
    PassThrough,
    /// The filter has answered. What the client still sends is discarded, and the answer passes.
    Answered,
    /// The request is the filter's and not complete yet.
    Collecting(Collecting),
    /// The request is complete, and waits for what the store has for it.
    Restoring(Box<Restoring>),
    /// The request is answered from the store.
    Retrieving(Retrieving),
    /// The request passes. Its body is sent with the next chunk, or the reply's headers will list what was removed from
    /// it.
    Forwarding(Rest),
    /// The search engine is asked.
    Searching(Searching),
    /// The search engine answers.
    Finding(Finding),
    /// The request was translated, and its headers are sent.
    Awaiting(Awaiting),
    /// The reply's headers are sent, and its body follows as it arrives.
    Streaming(Streaming),
    /// The reply's headers wait for its body.
    Buffering(Buffering),
    /// The reply is complete, and its end waits until its record is written.
    Recording(Recording),
    /// The client has the complete reply. What the upstream still sends is discarded.
    Done,
}

/// When a message's headers are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HeaderMode {
    /// At once, before the body is known.
    Sent,
    /// With the body, so that they can depend on it.
    Held,
}

impl HeaderMode {
    /// Sends or holds the headers, after these edits.
    pub(super) fn verdict(self, edits: Vec<Edit>) -> HeadersVerdict {
        match self {
            Self::Held => HeadersVerdict::Hold(edits),
            Self::Sent => HeadersVerdict::Continue(edits),
        }
    }

    /// Takes a chunk of a body that goes on. If it were held although the headers are sent, Envoy would buffer the complete
    /// body, and fail a long one.
    pub(super) fn take_chunk(self) -> BodyVerdict {
        match self {
            Self::Held => BodyVerdict::Hold,
            Self::Sent => BodyVerdict::Replace(Vec::new()),
        }
    }
}

/// The request was translated; its reply has not begun.
#[derive(Debug)]
pub(super) struct Awaiting {
    /// The rest of the request's body.
    pub(super) rest: Rest,
    pub(super) reply: Reply,
    pub(super) headers: HeaderMode,
}

impl Phase {
    pub(super) fn on_request_body(
        self,
        chunk: &[u8],
        end: bool,
        context: &mut Context<'_>,
    ) -> (Self, BodyVerdict) {
        match self {
            Self::PassThrough => (self, BodyVerdict::Pass),
            Self::Collecting(collecting) => collecting.on_body(chunk, end, context),
            Self::Searching(searching) => searching.on_request_body(),
            Self::Forwarding(rest) if end => (Self::forwarded(context), BodyVerdict::Replace(rest.0)),
            Self::Forwarding(rest) => (Self::Forwarding(Rest::default()), BodyVerdict::Replace(rest.0)),
            Self::Awaiting(Awaiting { rest, reply, headers }) => {
                let rest = BodyVerdict::Replace(rest.0);
                (Self::Awaiting(Awaiting { rest: Rest::default(), reply, headers }), rest)
            }
            // The client was answered before its request was complete.
            Self::Answered
            | Self::Streaming(_)
            | Self::Buffering(_)
            | Self::Recording(_)
            | Self::Finding(_)
            | Self::Done => (self, BodyVerdict::Hold),
            Self::Restoring(_) | Self::Retrieving(_) => (self, BodyVerdict::Wait),
        }
    }

    /// What was to be sent with the last chunk of the body cannot be sent any more.
    pub(super) fn on_request_trailers(self, context: &mut Context<'_>) -> (Self, TrailersVerdict) {
        match self {
            Self::PassThrough => (self, TrailersVerdict::Pass),
            Self::Collecting(_) => Self::rejected(&incoming::trailers(), context),
            Self::Forwarding(rest)
            | Self::Awaiting(Awaiting { rest, .. })
            | Self::Searching(Searching { rest, .. })
                if !rest.0.is_empty() =>
            {
                Self::rejected(&incoming::trailers(), context)
            }
            _ => (self, TrailersVerdict::Hold),
        }
    }

    pub(super) fn on_response_headers(
        self,
        headers: &Headers,
        end: bool,
        context: &mut Context<'_>,
    ) -> (Self, HeadersVerdict) {
        match self {
            Self::Awaiting(Awaiting { reply, headers: mode, .. }) => {
                context.observer.response_headers(context.now);
                response_headers::begin(reply, mode, headers, end, context)
            }
            Self::Collecting(collecting) => collecting.begin_early(headers, end, context),
            Self::Searching(searching) => searching.begin(headers, end, context),
            // What the store answers comes too late.
            Self::Restoring(_) => response_headers::begin_early(headers, end, context),
            Self::Retrieving(_) => (Self::Answered, HeadersVerdict::Continue(Vec::new())),
            Self::Forwarding(_) => {
                let dropped = response_headers::dropped(&context.dropped);
                (self, HeadersVerdict::Continue(dropped.map(Edit::from).into_iter().collect()))
            }
            _ => (self, HeadersVerdict::Continue(Vec::new())),
        }
    }

    pub(super) fn on_response_body(
        self,
        chunk: &[u8],
        end: bool,
        context: &mut Context<'_>,
    ) -> (Self, BodyVerdict) {
        match self {
            Self::Streaming(streaming) => streaming.on_body(chunk, end, context),
            Self::Buffering(buffering) => buffering.on_body(chunk, end, context),
            Self::Finding(finding) => finding.on_body(chunk, end, context),
            Self::Recording(_) => (self, BodyVerdict::Wait),
            Self::Done => (self, BodyVerdict::Replace(Vec::new())),
            Self::PassThrough
            | Self::Answered
            | Self::Restoring(_)
            | Self::Retrieving(_)
            | Self::Collecting(_)
            | Self::Searching(_)
            | Self::Forwarding(_)
            | Self::Awaiting(_) => (self, BodyVerdict::Pass),
        }
    }

    pub(super) fn on_response_trailers(self, context: &mut Context<'_>) -> (Self, TrailersVerdict) {
        match self {
            Self::Buffering(buffering) => buffering.on_trailers(context),
            Self::Finding(finding) => finding.on_trailers(context),
            Self::Recording(_) => (self, TrailersVerdict::Hold),
            Self::Streaming(Streaming { upstream }) => {
                context.cut(&upstream.reply);
                (Self::Done, TrailersVerdict::Pass)
            }
            _ => (self, TrailersVerdict::Pass),
        }
    }

    /// The exchange is over, in whatever way.
    pub(super) fn on_close(self, context: &mut Context<'_>) -> Self {
        match self {
            Self::Awaiting(Awaiting { reply, .. }) => context.cut(&reply),
            Self::Streaming(Streaming { upstream }) | Self::Buffering(Buffering { upstream, .. }) => {
                context.cut(&upstream.reply);
            }
            Self::Searching(_) | Self::Finding(_) => context.observer.search_cut(),
            Self::Restoring(_) | Self::Retrieving(_) | Self::Recording(_) => {}
            _ => return self,
        }
        Self::Done
    }

    /// The request passes. `end`: its last chunk is here.
    pub(super) fn passed(passed: Passed, end: bool, context: &mut Context<'_>) -> (Self, BodyVerdict) {
        let Passed { edits, body, asked_model, model, report } = passed;
        context.dropped = report.all_dropped().to_vec();
        context.observer.passed_on(&report, &asked_model, &model);
        if end {
            (Self::forwarded(context), BodyVerdict::Release(edits, body))
        } else {
            (Self::Forwarding(Rest(body)), BodyVerdict::Release(edits, Vec::new()))
        }
    }

    /// The request has passed. Its reply only matters if its headers must list what was dropped.
    fn forwarded(context: &Context<'_>) -> Self {
        if context.dropped.is_empty() { Self::PassThrough } else { Self::Forwarding(Rest::default()) }
    }

    /// The client gets an error, and nothing is sent upstream.
    pub(super) fn rejected<V: From<LocalReply>>(error: &ApiError, context: &mut Context<'_>) -> (Self, V) {
        context.observer.rejected(error);
        (Self::Answered, LocalReply::from(error).into())
    }
}
