//! The reply's headers: whether the reply can be translated, whether they wait for its body, and what the client gets.

use super::budget;
use super::headers::{DROPPED, Edit, FROM_UPSTREAM, Header, Headers, STREAM, is_success};
use super::phase::{HeaderMode, Phase};
use super::retry_after;
use super::sanitize::{DROPPED_CAP, visible};
use super::shared::Context;
use super::upstream_body::{Buffering, Streaming, UpstreamBody};
use super::verdict::{HeadersVerdict, LocalReply};
use crate::error::{ApiError, Code};
use crate::response::Reply;

/// The reply begins. `end`: it has no body.
pub(super) fn begin(
    reply: Reply,
    mode: HeaderMode,
    headers: &Headers,
    end: bool,
    context: &mut Context<'_>,
) -> (Phase, HeadersVerdict) {
    if let Some(error) = unreadable(headers, end) {
        let retry_after = retry_after::anew(error.status, headers, context.now);
        let own = own(headers, context);
        let answer = context.failed(&error).with(retry_after).with(own);
        return (Phase::Answered, HeadersVerdict::Respond(answer));
    }
    let own = own(headers, context);
    let mut edits = edits(headers, &reply);
    edits.extend(own.iter().cloned().map(Edit::from));
    let holds = mode == HeaderMode::Held && !streams(headers, &reply) && shows_its_end(headers);
    let upstream = UpstreamBody::new(reply, headers);
    if end {
        return (
            Phase::Answered,
            HeadersVerdict::Respond(without_body(upstream, headers, context).with(own)),
        );
    }
    let retry_after = retry_after::after(headers, context.now);
    if holds {
        let buffering = Buffering { upstream, body: Vec::new(), retry_after, own };
        return (Phase::Buffering(buffering), HeadersVerdict::Hold(edits));
    }
    let delay = retry_after.filter(|_| upstream.status == 429);
    edits.extend(delay.map(|delay| Edit::from(delay.header(None))));
    (Phase::Streaming(Streaming { upstream }), HeadersVerdict::Continue(edits))
}

/// The reply begins before the request is complete. An upstream rejects some requests after their headers, and so does
/// Envoy if it finds no route or no healthy endpoint.
pub(super) fn begin_early(
    headers: &Headers,
    end: bool,
    context: &mut Context<'_>,
) -> (Phase, HeadersVerdict) {
    let status = headers.status();
    if is_success(status) {
        return (Phase::Answered, HeadersVerdict::Respond(context.failed(&too_early(status))));
    }
    begin(Reply::error_only(status), HeaderMode::Sent, headers, end, context)
}

/// An error without a body gets one, which only a local reply can have.
fn without_body(mut upstream: UpstreamBody, headers: &Headers, context: &mut Context<'_>) -> LocalReply {
    let mut body = Vec::new();
    upstream.take(&[], true, context.now, &mut body);
    context.completed(&mut upstream);
    let status = upstream.reply.status();
    LocalReply::json(status, body).with(retry_after::anew(status, headers, context.now))
}

/// The reason why a response cannot be translated, if its headers show one.
fn unreadable(headers: &Headers, end: bool) -> Option<ApiError> {
    let status = headers.status();
    let good = is_success(status);
    if status < 400 && !good {
        // The client must not follow a redirect: it would send its Responses request there.
        return Some(ApiError::of(
            Code::UpstreamUnexpectedStatus,
            format!(
                "The upstream answered with status {status}. If it redirects, configure its final address"
            ),
        ));
    }
    if headers.is_encoded() && !end {
        let error = ApiError::of(
            Code::UpstreamEncodingUnsupported,
            format!(
                "The upstream sent a compressed body (status {status}) although the request did not allow compression"
            ),
        );
        return Some(if good { error } else { error.status(status) });
    }
    (end && good).then(|| {
        let message = format!("The upstream answered with status {status} and no body");
        ApiError::of(Code::UpstreamEmptyReply, message)
    })
}

/// A 2xx before the request is complete cannot be a reply to it.
fn too_early(status: u16) -> ApiError {
    let message = format!("The upstream answered with status {status} before it had the complete request");
    ApiError::of(Code::UpstreamEarlyReply, message)
}

/// The edits that give the client its headers, as far as the upstream's headers decide them.
fn edits(headers: &Headers, reply: &Reply) -> Vec<Edit> {
    let mut edits = headers.removals(|name| FROM_UPSTREAM.contains(name));
    if streams(headers, reply) {
        edits.extend(STREAM.iter().filter_map(|(name, value)| headers.set(name, value)));
    } else {
        edits.extend(headers.set("content-type", "application/json"));
    }
    edits
}

/// The headers that this filter adds to a reply. A local reply in its place needs them too.
fn own(headers: &Headers, context: &Context<'_>) -> Vec<Header> {
    let left = context.observer.team().and_then(|team| budget::left(team, headers, context.now));
    dropped(&context.dropped).into_iter().chain(left.into_iter().flatten()).collect()
}

/// The header that lists what could not be translated, if there is anything.
pub(super) fn dropped(dropped: &[String]) -> Option<Header> {
    (!dropped.is_empty()).then(|| (DROPPED, visible(&dropped.join(","), DROPPED_CAP)))
}

/// Whether the client gets server-sent events. An error is always a document.
fn streams(headers: &Headers, reply: &Reply) -> bool {
    is_success(headers.status()) && reply.wants_stream()
}

/// Whether the body shows its own end: its length is announced, or it is JSON. Only then may the headers wait for it.
/// (If a decompressor adds trailers, Envoy delivers none while a filter holds the body, and the wait would never end.)
fn shows_its_end(headers: &Headers) -> bool {
    headers.content_length().is_some() || headers.text("content-type").contains("json")
}
