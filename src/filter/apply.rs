//! Carries out verdicts: the only place that writes headers and bodies, answers, or resumes a request.
//!
//! A call that makes Envoy call the module back would find the SDK's dispatcher borrowed, and that panic ends the
//! Envoy process. None of the calls here does that:
//!
//! * Envoy runs `proxy_send_local_response` and `proxy_continue_stream` after the callback has returned.
//! * `proxy_set_buffer_bytes` would, if it overfilled Envoy's own buffer: Envoy then answers at once, and ends the
//!   stream within the call. But nothing of a body is ever in that buffer ([`Stream::hold`]). A body is only written
//!   into the chunk of its own callback, which has no limit.

#![expect(clippy::disallowed_methods, reason = "they are disallowed everywhere else")]

use crate::adapter::{self, Message, Next};
use crate::exchange::{BodyVerdict, HeadersVerdict, LocalReply, TrailersVerdict};
use proxy_wasm::hostcalls;
use proxy_wasm::types::{Action, BufferType, MapType, Status};

/// A request or a response of one HTTP stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stream {
    /// Envoy's number for the stream.
    pub(super) id: u32,
    /// Envoy's number for the plugin's root context.
    pub(super) root: u32,
    pub(super) direction: Direction,
    /// The bytes of the callback's chunk.
    pub(super) chunk: usize,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Direction {
    Request,
    Response,
}

impl Stream {
    pub(super) fn headers(self, verdict: HeadersVerdict) -> Action {
        action(adapter::apply_to_headers(&self, verdict))
    }

    pub(super) fn body(self, verdict: BodyVerdict) -> Action {
        match adapter::apply_to_body(&self, verdict) {
            Next::Hold => self.hold(),
            next => action(next),
        }
    }

    pub(super) fn trailers(self, verdict: TrailersVerdict) -> Action {
        action(adapter::apply_to_trailers(&self, verdict))
    }

    /// Stops the filter chain, and keeps the callback's chunk out of Envoy's own buffer.
    ///
    /// Envoy has two ways to stop at a chunk: with the chunk buffered, and without. The SDK's [`Action`] has the first
    /// alone, and then what follows goes through that buffer, whose limit no filter can see
    /// (`per_connection_buffer_limit_bytes`): a longer chunk is an error of Envoy's own, and a longer body that the
    /// filter writes is the end of the process. Envoy stops without buffering whenever the module has sent a local
    /// response in the callback. On behalf of the root context, which has no stream, such a response goes nowhere.
    fn hold(self) -> Action {
        if hostcalls::set_effective_context(self.root).is_ok() {
            done(hostcalls::send_http_response(200, Vec::new(), None));
            done(hostcalls::set_effective_context(self.id));
        }
        Action::Pause
    }
}

impl Message for Stream {
    fn set_header(&self, name: &str, value: Option<&str>) {
        let map = match self.direction {
            Direction::Request => MapType::HttpRequestHeaders,
            Direction::Response => MapType::HttpResponseHeaders,
        };
        done(hostcalls::set_map_value(map, name, value));
    }

    fn replace_chunk(&self, body: &[u8]) {
        let buffer = match self.direction {
            Direction::Request => BufferType::HttpRequestBody,
            Direction::Response => BufferType::HttpResponseBody,
        };
        // Replacing an empty chunk by an empty body needs no call.
        if self.chunk > 0 || !body.is_empty() {
            done(hostcalls::set_buffer(buffer, 0, self.chunk, body));
        }
    }

    fn respond(&self, reply: &LocalReply) {
        let headers = reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        done(hostcalls::send_http_response(reply.status.into(), headers, Some(&reply.body)));
    }
}

fn action(next: Next) -> Action {
    match next {
        Next::Continue => Action::Continue,
        Next::Hold | Next::Answered => Action::Pause,
    }
}

/// Releases the held headers of a request.
pub(super) fn resume_request(id: u32) {
    if hostcalls::set_effective_context(id).and_then(|()| hostcalls::resume_http_request()).is_err() {
        log::error!("cannot resume held headers");
    }
}

/// Envoy accepts these calls in the callbacks that make them. For most, the SDK would panic otherwise.
fn done(_: Result<(), Status>) {}
