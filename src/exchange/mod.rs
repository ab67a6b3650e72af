//! One HTTP exchange, without Envoy: headers, body chunks and ends in, verdicts out.
//!
//! Each of Envoy's callbacks has one method here, which returns what to do in that callback. Envoy allows little: a
//! header that is set too late ends the VM, and a body that overfills Envoy's buffer ends the process. So each verdict
//! is one that is allowed where it is returned:
//!
//! * Headers are edited in their own callback, or in a body callback while they are held.
//! * A request is translated when it is complete. A reply goes out as it is translated, unless its headers are held
//!   for it too ([`Config::hold_request_headers`], and not for streams).
//! * Where only trailers show the end of a reply, and its headers have gone on, nothing can be written any more.
//!   Therefore a reply ends as soon as the body itself shows its end (`[DONE]`, the document's last brace), and its
//!   announced length counts as its end. What is left is a body with neither and with trailers, such as a cut stream
//!   or a plain-text error that went through a decompressor. It gets no last event; to wait for one would hang.
//!
//! # What is written while something is held
//!
//! Nothing is written into a held body outside its own callback, and inside it only into the callback's own chunk:
//! what a verdict holds never enters Envoy's buffer (`src/filter/apply.rs`), so no limit of the listener bounds it.
//!
//! | where | what is written | bound | test |
//! |---|---|---|---|
//! | request, headers held, more to come | nothing | `limits.request_bytes` | `buffer_limits::*` |
//! | request, headers held, complete with its last chunk | the translated body, into that chunk | none | `buffer_limits::*` |
//! | request, headers held, complete by its announced length | nothing; the body goes with the next chunk | none | `an_announced_body_goes_with_its_end` |
//! | request, trailers instead of that chunk | nothing: 400 | | `an_announced_body_with_trailers_is_refused_and_does_not_hang` |
//! | reply, headers held, more to come | nothing | `limits.held_reply_bytes` | `buffer_limits::*` |
//! | reply, headers held, complete | the translated body or the error, into that chunk | none | `buffer_limits::*` |
//! | reply, headers held, longer than its limit | what is translated so far, into that chunk | none | `a_reply_that_outgrows_the_limit_is_no_longer_held` |
//! | reply, headers held, trailers | nothing: a local reply | | `a_held_reply_has_its_exact_length_and_status` |
//! | reply of a search engine, headers held, more to come | nothing | `limits.reply_bytes` | `buffer_limits::*` |
//! | reply of a search engine, complete | the answer, into that chunk | none | `fleet::search::*` |
//! | reply of a search engine, trailers | nothing: a local reply | | `fleet::search::*` |
//! | a local reply in any callback | sent by Envoy after the callback | | `refusals::*` |
//! | request resumed by the watchdog | nothing | | `requests::held_headers_without_the_envoy_setting_are_delayed_but_never_hang` |
//! | request that waited for a store over HTTP | the translated body, into Envoy's empty buffer | the buffer's limit, which Envoy keeps: 413 | `state::limits::*` |
//! | end of a reply that waited for such a store | that end, into Envoy's empty buffer | `hold_bytes` of the store | `state::limits::*` |
//! | local reply of such a request or reply | sent by Envoy after the callback | | `state::faults::*` |
//!
//! HTTP/1.1 and HTTP/2 differ in none of this. What has waited for a store is the exception from the rule: it is not written in
//! its own callback, but in that of the timer, where nothing of the module is borrowed (`src/filter/callouts.rs`).

mod budget;
mod collecting;
mod disposition;
mod ending;
mod error_class;
mod headers;
mod incoming;
mod observer;
mod page;
mod passthrough;
mod phase;
mod query;
mod read_fields;
mod recording;
mod request_headers;
mod response_headers;
mod restoring;
mod retrieving;
mod retry_after;
mod sanitize;
mod search;
mod session;
mod shared;
mod spending;
mod translating;
mod upstream_body;
mod verdict;
pub mod watchdog;

use crate::config::Config;
use crate::error::ApiError;
use crate::metrics::Telemetry;
use crate::store::{Answer, Question};
use collecting::Collecting;
pub use headers::{Edit, Header, Headers};
use observer::Observer;
use phase::Phase;
use shared::{Context, Shared};
use std::mem;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
pub use verdict::{BodyVerdict, HeadersVerdict, LocalReply, TrailersVerdict};

/// One HTTP exchange. `now` is the time since the Unix epoch in every callback.
#[derive(Debug)]
pub struct Exchange {
    shared: Shared,
    phase: Phase,
}

impl Exchange {
    /// The seed differs from that of every other exchange: the ids in the reply are derived from it.
    pub fn new(config: Arc<Config>, telemetry: Rc<dyn Telemetry>, seed: u128) -> Self {
        let observer = Observer::new(telemetry, config.upstream.name());
        let shared = Shared::new(config, observer, seed);
        Self { shared, phase: Phase::default() }
    }

    /// Whether everything that still comes passes unmodified, so that its bytes need not be copied.
    pub fn passes_through(&self) -> bool {
        matches!(self.phase, Phase::PassThrough)
    }

    /// Whether the close of the stream means nothing any more.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::PassThrough | Phase::Answered | Phase::Done)
    }

    /// The request's headers. `end`: there is no body.
    pub fn on_request_headers(&mut self, headers: &Headers, end: bool, now: Duration) -> HeadersVerdict {
        self.advance(now, |_, context| request_headers::begin(headers, end, context))
    }

    /// The next bytes of the request's body. `end`: the last ones.
    pub fn on_request_body(&mut self, chunk: &[u8], end: bool, now: Duration) -> BodyVerdict {
        self.advance(now, |phase, context| phase.on_request_body(chunk, end, context))
    }

    /// The request's trailers: its body ended with the chunk before.
    pub fn on_request_trailers(&mut self, now: Duration) -> TrailersVerdict {
        self.advance(now, Phase::on_request_trailers)
    }

    /// The store has answered a question, in the callback that asked it or later. The verdict is about the message of that
    /// callback; if the exchange does not wait any more, it changes nothing.
    pub fn on_answer(&mut self, answer: Answer, now: Duration) -> BodyVerdict {
        self.advance(now, |phase, context| match phase {
            Phase::Retrieving(retrieving) => retrieving.on_answer(answer, context),
            Phase::Restoring(restoring) => restoring.on_answer(answer, context),
            Phase::Recording(recording) => recording.on_answer(&answer, context),
            other => {
                context.recorded(&answer);
                (other, BodyVerdict::Wait)
            }
        })
    }

    /// The record of a reply whose end is too long to wait for it. It is written while that is sent, and
    /// [`on_answer`](Self::on_answer) gets the answer.
    pub fn take_record(&mut self) -> Option<Question> {
        self.shared.record.take()
    }

    /// The request's headers are held, and no body arrives. Returns whether to release the headers: from then on this
    /// is an exchange like those of the default mode.
    pub fn on_watchdog(&mut self) -> bool {
        let resumes = match &mut self.phase {
            Phase::Collecting(Collecting { incoming, .. }) => incoming.give_up_headers(),
            _ => false,
        };
        if resumes {
            self.shared.observer.resumed();
        }
        resumes
    }

    /// The response's headers, from the upstream or from Envoy itself. `end`: there is no body.
    pub fn on_response_headers(&mut self, headers: &Headers, end: bool, now: Duration) -> HeadersVerdict {
        self.advance(now, |phase, context| phase.on_response_headers(headers, end, context))
    }

    /// The next bytes of the response's body. `end`: the last ones.
    pub fn on_response_body(&mut self, chunk: &[u8], end: bool, now: Duration) -> BodyVerdict {
        self.advance(now, |phase, context| phase.on_response_body(chunk, end, context))
    }

    /// The response's trailers: its body ended with the chunk before.
    pub fn on_response_trailers(&mut self, now: Duration) -> TrailersVerdict {
        self.advance(now, Phase::on_response_trailers)
    }

    /// The adapter caught a panic in one of the other methods. What the exchange had come to is lost, and the client
    /// gets an error if its reply has not begun.
    pub fn on_panic(&mut self) -> LocalReply {
        self.phase = Phase::Answered;
        let error = ApiError::internal();
        self.shared.observer.panicked(&error);
        LocalReply::from(&error)
    }

    /// The exchange is over, in whatever way.
    pub fn on_close(&mut self, now: Duration) {
        self.advance(now, |phase, context| (phase.on_close(context), ()));
    }

    /// Every callback consumes the phase and returns the next one.
    fn advance<V>(&mut self, now: Duration, step: impl FnOnce(Phase, &mut Context<'_>) -> (Phase, V)) -> V {
        let mut context = Context { shared: &mut self.shared, now };
        let (phase, verdict) = step(mem::take(&mut self.phase), &mut context);
        self.phase = phase;
        verdict
    }
}
