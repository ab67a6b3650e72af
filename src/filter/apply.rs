//! The message of a callback: the only place that writes headers and bodies, answers, or resumes a request.
//!
//! A call that makes Envoy call the module back would find the SDK's dispatcher borrowed, and that panic ends the
//! Envoy process. None of the calls here does that:
//!
//! * Envoy runs `proxy_send_local_response` and `proxy_continue_stream` after the callback has returned, and calls back for
//!   `proxy_http_call` after it at the earliest.
//! * `proxy_set_buffer_bytes` would, if it overfilled Envoy's own buffer: Envoy then answers at once, and ends the
//!   stream within the call. But nothing of a body is ever in that buffer ([`Stream::hold`]). A body is only written
//!   into the chunk of its own callback, which has no limit.
//!
//! The exception is a body that has waited for a store over HTTP: it is written into Envoy's own buffer, and may overfill it.
//! That is done in the callback of the timer, in which the SDK has nothing borrowed but the root context, and Envoy calls back
//! for other contexts only ([`super::callouts`]).

#![expect(clippy::disallowed_methods, reason = "they are disallowed everywhere else")]

use super::SharedExchange;
use super::callouts::Callouts;
use crate::adapter::{Direction, Message, Next};
use crate::exchange::{Headers, LocalReply};
use crate::store::{Answer, HttpRequest, Question};
use proxy_wasm::hostcalls;
use proxy_wasm::types::{Action, BufferType, MapType, Status};
use std::time::{Duration, UNIX_EPOCH};

/// A request or a response of one HTTP stream.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stream<'a> {
    /// Envoy's number for the stream.
    pub(super) id: u32,
    /// Envoy's number for the plugin's root context.
    pub(super) root: u32,
    pub(super) direction: Direction,
    /// The bytes of the callback's chunk.
    pub(super) chunk: usize,
    /// The time of the callback, if Envoy need not be asked for it.
    pub(super) now: Option<Duration>,
    pub(super) exchange: &'a SharedExchange,
    pub(super) callouts: &'a Callouts,
}

impl Stream<'_> {
    /// How a callback for headers or trailers ends.
    pub(super) fn end(next: Next) -> Action {
        match next {
            Next::Continue => Action::Continue,
            Next::Hold | Next::Wait | Next::Answered => Action::Pause,
        }
    }

    /// How a callback for a chunk ends.
    pub(super) fn end_of_chunk(self, next: Next) -> Action {
        if next == Next::Hold { self.hold() } else { Self::end(next) }
    }

    fn map(self) -> MapType {
        match self.direction {
            Direction::Request => MapType::HttpRequestHeaders,
            Direction::Response => MapType::HttpResponseHeaders,
        }
    }

    fn buffer(self) -> BufferType {
        match self.direction {
            Direction::Request => BufferType::HttpRequestBody,
            Direction::Response => BufferType::HttpResponseBody,
        }
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

impl Message for Stream<'_> {
    fn direction(&self) -> Direction {
        self.direction
    }

    fn now(&self) -> Duration {
        self.now.unwrap_or_else(now)
    }

    fn headers(&self) -> Headers {
        Headers::from(hostcalls::get_map_bytes(self.map()).unwrap_or_default())
    }

    fn chunk(&self) -> Vec<u8> {
        let chunk = (self.chunk > 0).then(|| hostcalls::get_buffer(self.buffer(), 0, self.chunk));
        chunk.and_then(Result::ok).flatten().unwrap_or_default()
    }

    fn set_header(&self, name: &str, value: Option<&str>) {
        done(hostcalls::set_map_value(self.map(), name, value));
    }

    fn replace_chunk(&self, body: &[u8]) {
        // Replacing an empty chunk by an empty body needs no call.
        if self.chunk > 0 || !body.is_empty() {
            done(hostcalls::set_buffer(self.buffer(), 0, self.chunk, body));
        }
    }

    fn ask(&self, question: &Question) -> Option<Answer> {
        self.callouts.ask(*self, question)
    }

    fn respond(&self, reply: &LocalReply) {
        let headers = reply.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        done(hostcalls::send_http_response(reply.status.into(), headers, Some(&reply.body)));
    }
}

/// Time since the Unix epoch. The module has no clock.
pub(super) fn now() -> Duration {
    let time = hostcalls::get_current_time().unwrap_or(UNIX_EPOCH);
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Releases the held headers of a request.
pub(super) fn resume_request(id: u32) {
    if !enter(id) || hostcalls::resume_http_request().is_err() {
        log::error!("cannot resume held headers");
    }
}

/// Makes the calls that follow concern this context. Returns whether Envoy still has it.
pub(super) fn enter(id: u32) -> bool {
    hostcalls::set_effective_context(id).is_ok()
}

/// Lets a message that waited go on. Its context must be entered.
pub(super) fn resume(direction: Direction) {
    done(match direction {
        Direction::Request => hostcalls::resume_http_request(),
        Direction::Response => hostcalls::resume_http_response(),
    });
}

/// Sends a request to a cluster. The answer comes in the callback of the context that is running, with the number that is
/// returned. `None`: there is no such cluster, or none of its endpoints can be reached.
pub(super) fn send(cluster: &str, request: &HttpRequest, timeout: Duration) -> Option<u32> {
    let headers = request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    hostcalls::dispatch_http_call(cluster, headers, request.body.as_deref(), Vec::new(), timeout).ok()
}

/// The reply to such a request: its status and body.
pub(super) fn reply(bytes: usize) -> Option<(u16, Vec<u8>)> {
    let headers = Headers::from(hostcalls::get_map_bytes(MapType::HttpCallResponseHeaders).ok()?);
    let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, bytes).ok()?;
    Some((headers.status(), body.unwrap_or_default()))
}

/// Sets the timer of the context that is entered.
pub(super) fn set_timer(period: Duration) {
    done(hostcalls::set_tick_period(period));
}

/// Envoy accepts these calls in the callbacks that make them. For most, the SDK would panic otherwise.
fn done(_: Result<(), Status>) {}
