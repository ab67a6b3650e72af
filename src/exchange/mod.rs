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
//! | a local reply in any callback | sent by Envoy after the callback | | `refusals::*` |
//! | request resumed by the watchdog | nothing | | `requests::held_headers_without_envoys_knob_cost_a_delay_and_no_hang` |
//!
//! HTTP/1.1 and HTTP/2 differ in none of this. The filter makes no callouts, so no body is written after one.

mod observer;
mod passthrough;
mod reply;
mod request_headers;
mod retry_after;
mod verdict;
pub mod watchdog;

use crate::config::Config;
use crate::error::ApiError;
use crate::metrics::Telemetry;
use crate::request::{self, Context, Translated};
use crate::response::Reply;
use observer::{Ending, ExchangeObserver};
use reply::UpstreamBody;
use request_headers::{Disposition, Endpoint};
use retry_after::RetryAfter;
use std::mem;
use std::rc::Rc;
use std::time::Duration;
pub use verdict::{BodyVerdict, Edit, Header, Headers, HeadersVerdict, LocalReply, TrailersVerdict};

/// One HTTP exchange.
#[derive(Debug)]
pub struct Exchange {
    config: Rc<Config>,
    account: ExchangeObserver,
    seed: u128,
    codex: bool,
    phase: Phase,
}

/// How far the exchange has come.
#[derive(Debug)]
enum Phase {
    /// It is not ours, or nothing is known of it yet: everything passes.
    Foreign,
    /// We have answered: what the client still sends is swallowed, and our answer passes.
    Answered,
    /// The request is ours and not yet whole.
    Collecting {
        endpoint: Endpoint,
        body: Vec<u8>,
        announced: Option<usize>,
        held: bool,
        original: passthrough::Original,
    },
    /// The request passes; what is `unsent` goes with the next chunk.
    Passing { unsent: Vec<u8> },
    /// The request went up, but for what is `unsent`: that goes with the next chunk.
    Awaiting { unsent: Vec<u8>, reply: Reply, held: bool },
    /// The reply's headers went on; its body follows as it comes.
    Streaming(UpstreamBody),
    /// The reply's headers wait for its body.
    Assembling { upstream: UpstreamBody, body: Vec<u8>, retry_after: Option<RetryAfter> },
    /// The client has the whole reply; what the upstream still sends is swallowed.
    Done,
}

impl Exchange {
    /// An exchange of which nothing is known. The seed differs from that of every other exchange
    /// (the reply's ids derive from it); `now` is the time since the Unix epoch.
    pub fn new(config: Rc<Config>, telemetry: Rc<dyn Telemetry>, seed: u128, now: Duration) -> Self {
        let account = ExchangeObserver::new(telemetry, config.upstream.name(), now);
        Self { config, account, seed, codex: false, phase: Phase::Foreign }
    }

    /// The time of what comes next, since the Unix epoch.
    pub fn set_time(&mut self, now: Duration) {
        self.account.set_time(now);
    }

    /// Everything that still comes passes untouched, so that bytes need not even be looked at.
    pub fn is_foreign(&self) -> bool {
        matches!(self.phase, Phase::Foreign)
    }

    /// The request's headers. `end`: there is no body.
    pub fn on_request_headers(&mut self, headers: &Headers, end: bool) -> HeadersVerdict {
        match request_headers::claim(&self.config, headers, end) {
            Disposition::PassThrough => {
                self.account.passed();
                HeadersVerdict::Continue(request_headers::without_ours(headers))
            }
            Disposition::Reject(error, header) => {
                self.account.identify(headers.text("x-request-id"));
                HeadersVerdict::Respond(self.refuse(&error).with(header))
            }
            Disposition::Translate(endpoint) => {
                self.account.identify(headers.text("x-request-id"));
                self.codex = request_headers::is_codex(headers);
                let held = self.config.hold_request_headers;
                self.phase = Phase::Collecting {
                    endpoint,
                    body: Vec::new(),
                    announced: headers.content_length(),
                    held,
                    original: passthrough::original(&self.config, headers),
                };
                // The same edits in both modes: should the held headers have to be let go,
                // nothing is left to be done to them.
                let edits = request_headers::before_body(&self.config, headers);
                if held { HeadersVerdict::Hold(edits) } else { HeadersVerdict::Continue(edits) }
            }
        }
    }

    /// The next bytes of the request's body. `end`: the last ones.
    pub fn on_request_body(&mut self, chunk: &[u8], end: bool) -> BodyVerdict {
        let limit = self.config.limits.request_bytes;
        match &mut self.phase {
            Phase::Foreign => BodyVerdict::Pass,
            Phase::Collecting { body, announced, held, .. } if body.len() + chunk.len() <= limit => {
                body.extend_from_slice(chunk);
                let whole = *announced == Some(body.len()) && *held;
                match (end || whole, held) {
                    (true, _) => self.send(end),
                    (false, true) => BodyVerdict::Hold,
                    // Were the chunk held, Envoy would take the whole body into its own buffer in the end,
                    // and answer 413 to one that is larger than that.
                    (false, false) => BodyVerdict::Replace(Vec::new()),
                }
            }
            Phase::Collecting { .. } => BodyVerdict::Respond(self.refuse(&request_headers::too_large(limit))),
            Phase::Awaiting { unsent, .. } | Phase::Passing { unsent } => {
                BodyVerdict::Replace(mem::take(unsent))
            }
            // It was answered before it was whole.
            _ => BodyVerdict::Hold,
        }
    }

    /// The request's trailers: its body ended with the chunk before. What was to go with its end cannot go any more.
    pub fn on_request_trailers(&mut self) -> TrailersVerdict {
        match &self.phase {
            Phase::Foreign => TrailersVerdict::Pass,
            Phase::Collecting { .. } => TrailersVerdict::Respond(self.refuse(&request_headers::trailers())),
            Phase::Awaiting { unsent, .. } | Phase::Passing { unsent } if !unsent.is_empty() => {
                TrailersVerdict::Respond(self.refuse(&request_headers::trailers()))
            }
            _ => TrailersVerdict::Hold,
        }
    }

    /// The request's headers are held, and no body comes. Lets them go as they are: from now on this is
    /// an exchange like those of the other mode. False if there is nothing (any more) to let go.
    pub fn on_watchdog(&mut self) -> bool {
        let Phase::Collecting { body, held: held @ true, .. } = &mut self.phase else {
            return false;
        };
        if !body.is_empty() {
            return false;
        }
        *held = false;
        self.account.resumed();
        true
    }

    /// The response's headers, the upstream's or Envoy's own. `end`: there is no body.
    pub fn on_response_headers(&mut self, headers: &Headers, end: bool) -> HeadersVerdict {
        match mem::replace(&mut self.phase, Phase::Answered) {
            Phase::Awaiting { reply, held, .. } => {
                self.account.answered();
                self.begin(reply, held, headers, end)
            }
            Phase::Collecting { .. } => self.begin_early(headers, end),
            other => {
                self.phase = other;
                HeadersVerdict::Continue(Vec::new())
            }
        }
    }

    /// The next bytes of the response's body. `end`: the last ones.
    pub fn on_response_body(&mut self, chunk: &[u8], end: bool) -> BodyVerdict {
        let now = self.account.now().as_secs();
        if let Phase::Streaming(upstream) | Phase::Assembling { upstream, .. } = &mut self.phase {
            upstream.reply.set_time(now);
        }
        match &mut self.phase {
            Phase::Streaming(upstream) => {
                let mut out = Vec::new();
                let over = upstream.take(chunk, end, &mut out);
                if upstream.reply.wants_stream() && upstream.reply.has_output() {
                    self.account.speaks();
                }
                if over {
                    self.finish();
                }
                // Also when nothing comes out: to hold the chunk would be to hold the trailers (see above).
                BodyVerdict::Replace(out)
            }
            Phase::Assembling { upstream, body, .. } => {
                if upstream.take(chunk, end, body) {
                    self.release()
                } else if upstream.is_longer_than(self.config.limits.held_reply_bytes) {
                    self.let_go()
                } else {
                    BodyVerdict::Hold
                }
            }
            Phase::Done => BodyVerdict::Replace(Vec::new()),
            Phase::Foreign
            | Phase::Answered
            | Phase::Collecting { .. }
            | Phase::Passing { .. }
            | Phase::Awaiting { .. } => BodyVerdict::Pass,
        }
    }

    /// The response's trailers: its body ended with the chunk before.
    pub fn on_response_trailers(&mut self) -> TrailersVerdict {
        match &mut self.phase {
            Phase::Assembling { upstream, body, .. } if upstream.began => {
                upstream.reply.end(body);
                TrailersVerdict::Respond(self.release_anew())
            }
            Phase::Assembling { .. } => TrailersVerdict::Respond(self.fail(&reply::empty())),
            Phase::Streaming(_) => {
                self.cut();
                TrailersVerdict::Pass
            }
            _ => TrailersVerdict::Pass,
        }
    }

    /// The exchange is over, well or not.
    pub fn on_close(&mut self) {
        if matches!(self.phase, Phase::Awaiting { .. } | Phase::Streaming(_) | Phase::Assembling { .. }) {
            self.cut();
        }
    }

    /// Translates the whole request. `end`: this is the last callback of its body.
    fn send(&mut self, end: bool) -> BodyVerdict {
        let phase = mem::replace(&mut self.phase, Phase::Answered);
        let Phase::Collecting { endpoint, body, held, original, .. } = phase else {
            return BodyVerdict::Hold;
        };
        if body.is_empty() {
            return BodyVerdict::Respond(self.refuse(&request_headers::no_body()));
        }
        if held && let Some((edits, body)) = passthrough::pass(&self.config, endpoint, &original, &body) {
            self.account.passed();
            let (phase, now) =
                if end { (Phase::Foreign, body) } else { (Phase::Passing { unsent: body }, Vec::new()) };
            self.phase = phase;
            return BodyVerdict::Release(edits, now);
        }
        let translated = match endpoint {
            Endpoint::Create => request::translate(&body, &self.context()),
            Endpoint::Compact => request::translate_compact(&body, &self.context()),
        };
        match translated {
            Ok(translated) => {
                self.account.goes_up(&translated, body.len());
                self.sent(translated, held, end)
            }
            Err(error) => BodyVerdict::Respond(self.refuse(&error)),
        }
    }

    fn sent(&mut self, translated: Translated, held: bool, end: bool) -> BodyVerdict {
        let edits = held.then(|| request_headers::after_body(&translated));
        let Translated { body, reply, .. } = translated;
        // While chunks are held, a body is written into Envoy's own buffer and is bound by it. One that is
        // whole before its end (its length was announced) therefore goes with the end, past that buffer.
        let (now, unsent) = if end { (body, Vec::new()) } else { (Vec::new(), body) };
        self.phase = Phase::Awaiting { unsent, reply, held };
        match edits {
            Some(edits) => BodyVerdict::Release(edits, now),
            None => BodyVerdict::Replace(now),
        }
    }

    /// The whole reply went out, chunk by chunk.
    fn finish(&mut self) {
        if let Phase::Streaming(upstream) = mem::replace(&mut self.phase, Phase::Done) {
            self.report(&upstream);
        }
    }

    /// The reply ended before its end, and nobody can be told any more.
    fn cut(&mut self) {
        let reply = match mem::replace(&mut self.phase, Phase::Done) {
            Phase::Streaming(upstream) | Phase::Assembling { upstream, .. } => Some(upstream.reply),
            Phase::Awaiting { reply, .. } => Some(reply),
            _ => None,
        };
        let stats = reply.as_ref().map(|reply| (reply.stats(), reply.report()));
        self.account.ended(Ending::Cut, stats.as_ref().map(|(stats, report)| (stats, *report)));
    }

    /// Says how a reply ended.
    fn report(&mut self, upstream: &UpstreamBody) {
        let ending = match upstream.reply.error() {
            None => Ending::Delivered,
            Some(error) if (200..300).contains(&upstream.status) => Ending::Failed(error),
            Some(error) => Ending::UpstreamError(error),
        };
        self.account.ended(ending, Some((&upstream.reply.stats(), upstream.reply.report())));
    }

    /// Our answer to a request that cannot be served.
    fn refuse(&mut self, error: &ApiError) -> LocalReply {
        self.phase = Phase::Answered;
        self.account.refused(error);
        LocalReply::from(error)
    }

    /// Our answer in place of one that cannot be translated.
    fn fail(&mut self, error: &ApiError) -> LocalReply {
        self.phase = Phase::Answered;
        self.account.ended(Ending::UpstreamError(error), None);
        LocalReply::from(error)
    }

    fn context(&self) -> Context<'_> {
        let now = self.account.now().as_secs();
        Context { config: &self.config, seed: self.seed, now, codex: self.codex }
    }
}
