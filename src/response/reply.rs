//! The translator of one reply, as the exchange drives it.

use super::body_reader::BodyReader;
use super::context::ReplyContext;
use super::count_reader::CountReader;
use super::error_reader::ErrorReader;
use super::finished::Finished;
use super::stats::ReplyStats;
use super::stream::StoredResponse;
use crate::error::ApiError;
use crate::report::Report;

/// Translates one reply: bytes of the upstream's body go in as they arrive, bytes for the client come out.
///
/// The upstream's status and its first byte decide whether the body is an error, a JSON document or a stream of
/// server-sent events. It does no I/O and has no clock.
#[derive(Debug)]
pub struct Reply {
    body: Body,
    /// Empty until the reply is complete. Boxed, because a reply is moved with each chunk.
    finished: Box<Finished>,
    wants_stream: bool,
    /// Unix seconds.
    now: u64,
}

/// The form of the upstream's body, and its reader.
#[derive(Debug)]
enum Body {
    /// Chat completions or chunks of one.
    Completion(Box<BodyReader>),
    /// The number of tokens in the request.
    Count(CountReader),
    /// The body of an HTTP error.
    Error(ErrorReader),
    /// Nothing more: the reply is complete.
    Done,
}

impl Reply {
    pub(crate) fn new(context: ReplyContext, seed: u128, now: u64) -> Self {
        let wants_stream = context.stream;
        let reader = BodyReader::new(context, seed, now);
        Self { body: Body::Completion(Box::new(reader)), finished: Box::default(), wants_stream, now }
    }

    /// A reply that only turns the upstream's HTTP error into an error of the API. It needs no request.
    ///
    /// `status`: the upstream's HTTP status, 400 or above.
    ///
    /// ```
    /// use transponder::response::Reply;
    ///
    /// let mut reply = Reply::error_only(401);
    /// let mut out = Vec::new();
    /// reply.push(br#"{"detail": "No API key"}"#, &mut out);
    /// reply.end(&mut out);
    /// assert_eq!(reply.status(), 401);
    /// assert!(String::from_utf8(out)?.contains("No API key"));
    /// # Ok::<(), std::string::FromUtf8Error>(())
    /// ```
    pub fn error_only(status: u16) -> Self {
        let body = Body::Error(ErrorReader::new(status));
        Self { body, finished: Box::default(), wants_stream: false, now: 0 }
    }

    /// A reply with the number of tokens in the request. `limit`: the most bytes of it that are kept.
    pub(crate) fn count(limit: usize) -> Self {
        let body = Body::Count(CountReader::new(limit));
        Self { body, finished: Box::default(), wants_stream: false, now: 0 }
    }

    /// Whether the client requested a stream of events.
    pub fn wants_stream(&self) -> bool {
        self.wants_stream
    }

    /// Sets the time, in Unix seconds, at which the next bytes arrive. It is used for `completed_at` and keep-alives.
    pub fn set_time(&mut self, now: u64) {
        self.now = now;
    }

    /// The upstream's HTTP status is known. Call it once, before the first byte of the body.
    pub fn begin(&mut self, status: u16) {
        if status >= 400 {
            self.body = Body::Error(ErrorReader::new(status));
        }
    }

    /// Takes the next bytes of the upstream's body and appends the bytes that the client gets now.
    /// A frame is appended complete or not at all.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let finished = match &mut self.body {
            Body::Completion(reader) => reader.push(bytes, self.now, out),
            Body::Count(reader) => reader.push(bytes, out),
            Body::Error(reader) => reader.push(bytes, out),
            Body::Done => None,
        };
        if let Some(finished) = finished {
            self.finish(finished);
        }
    }

    /// The upstream's body ended: appends what is left for the client.
    pub fn end(&mut self, out: &mut Vec<u8>) {
        let finished = match &mut self.body {
            Body::Completion(reader) => reader.end(self.now, out),
            Body::Count(reader) => reader.end(out),
            Body::Error(reader) => reader.end(out),
            Body::Done => return,
        };
        self.finish(finished);
    }

    fn finish(&mut self, finished: Finished) {
        *self.finished = finished;
        self.body = Body::Done;
    }

    /// Whether the reply is complete: nothing more will be appended, whatever is pushed. A JSON reply may be complete
    /// before the upstream's body ends.
    pub fn is_done(&self) -> bool {
        matches!(self.body, Body::Done)
    }

    /// What was dropped or repaired so far.
    pub fn report(&self) -> &Report {
        match &self.body {
            Body::Completion(reader) => reader.report(),
            Body::Count(_) | Body::Error(_) | Body::Done => &self.finished.report,
        }
    }

    /// Whether the model has produced text, reasoning or a call.
    pub fn has_output(&self) -> bool {
        match &self.body {
            Body::Completion(reader) => reader.has_output(),
            Body::Count(_) | Body::Error(_) | Body::Done => self.finished.has_output,
        }
    }

    /// Counts for metrics and the access log.
    pub fn stats(&self) -> ReplyStats {
        match &self.body {
            Body::Completion(reader) => reader.stats(),
            Body::Count(_) | Body::Error(_) | Body::Done => self.finished.stats.clone(),
        }
    }

    /// Moves the response that is to be stored, once the reply is complete.
    pub(crate) fn take_stored(&mut self) -> StoredResponse {
        std::mem::take(&mut self.finished.stored)
    }

    /// The HTTP status for the client, once the reply is complete. It differs from the upstream's if a 200 had an error
    /// in its body, and can only be sent while the headers are held.
    pub fn status(&self) -> u16 {
        self.error().map_or(200, |error| error.status)
    }

    /// The error that ended the reply, once it is complete. While the headers are held, the client gets it instead of
    /// what was appended.
    pub fn error(&self) -> Option<&ApiError> {
        self.finished.error.as_ref()
    }
}
