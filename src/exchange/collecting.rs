//! The request's body: collected until it is complete, then translated.

use super::headers::Edit;
use super::passthrough;
use super::phase::{Awaiting, HeaderMode, Phase};
use super::request_headers::{self, Endpoint};
use super::restoring::Restoring;
use super::session::Session;
use super::shared::Context;
use super::verdict::{BodyVerdict, LocalReply};
use crate::config::Config;
use crate::error::{ApiError, Code};
use crate::request::{self, Stored, Translated};

/// The request is not complete yet.
#[derive(Debug)]
pub(super) struct Collecting {
    pub(super) endpoint: Endpoint,
    pub(super) headers: HeaderMode,
    /// The conversation, as far as the headers tell.
    pub(super) session: Option<Session>,
    /// The body's length, if the client announced it.
    pub(super) announced: Option<usize>,
    pub(super) body: Vec<u8>,
    /// The edits that restore the client's headers for a native upstream.
    pub(super) restoring: Vec<Edit>,
}

/// A body that is sent with the next chunk. If a body is complete before its last chunk, because its length was
/// announced, it waits for that chunk: nothing may follow it.
#[derive(Debug, Default)]
pub(super) struct Rest(pub(super) Vec<u8>);

impl Collecting {
    pub(super) fn on_body(
        mut self,
        chunk: &[u8],
        end: bool,
        context: &mut Context<'_>,
    ) -> (Phase, BodyVerdict) {
        let limit = context.config.limits.request_bytes;
        if self.body.len() + chunk.len() > limit {
            return Phase::rejected(&too_large(limit), context);
        }
        self.body.extend_from_slice(chunk);
        match self.headers {
            _ if end => self.send(end, context),
            // What the store answers is written into the last chunk.
            HeaderMode::Held if self.announced == Some(self.body.len()) && context.owner.is_none() => {
                self.send(end, context)
            }
            HeaderMode::Held => (Phase::Collecting(self), BodyVerdict::Hold),
            // If the chunk were held, Envoy would buffer the complete body, and answer 413 to a long one.
            HeaderMode::Sent => (Phase::Collecting(self), BodyVerdict::Replace(Vec::new())),
        }
    }

    /// The body is complete. `end`: this is its last chunk.
    fn send(self, end: bool, context: &mut Context<'_>) -> (Phase, BodyVerdict) {
        if self.body.is_empty() {
            return Phase::rejected(&no_body(), context);
        }
        if self.headers == HeaderMode::Held
            && let Some(passed) =
                passthrough::pass(&context.config, self.endpoint, &self.restoring, &self.body)
        {
            return Phase::passed(passed, end, context);
        }
        match context.owner {
            Some(owner) => Restoring::begin(self, owner, context),
            None => self.translate(None, end, context),
        }
    }

    /// `stored`: what the store has for the request, if responses are stored.
    pub(super) fn translate(
        self,
        stored: Option<&Stored>,
        end: bool,
        context: &mut Context<'_>,
    ) -> (Phase, BodyVerdict) {
        let translate = match self.endpoint {
            Endpoint::Create => request::translate_stored,
            Endpoint::Compact => request::translate_compact_stored,
            Endpoint::InputTokens => request::translate_count_stored,
        };
        match translate(&self.body, &context.translation(), stored) {
            Ok(Translated { answer: Some(answer), reply, asked_model, .. }) => {
                context.observer.answered(&asked_model);
                (Phase::Answered, LocalReply::response(answer, reply.wants_stream()).into())
            }
            Ok(mut translated) => {
                context.conversation = translated.conversation.take();
                context.dropped = translated.report.all_dropped().to_vec();
                let now = context.now;
                context.observer.request_sent(&translated, self.body.len(), now);
                self.sent(translated, end, &context.config)
            }
            Err(error) => Phase::rejected(&error, context),
        }
    }

    fn sent(self, translated: Translated, end: bool, config: &Config) -> (Phase, BodyVerdict) {
        let edits = (self.headers == HeaderMode::Held).then(|| {
            let in_body =
                translated.prompt_cache_key.as_deref().filter(|_| !config.session_headers.is_empty());
            let session = self.session.or_else(|| in_body.map(Session::of));
            request_headers::after_body(&translated, session.as_ref())
        });
        let Translated { body, reply, .. } = translated;
        let (body, rest) = if end { (body, Vec::new()) } else { (Vec::new(), body) };
        let verdict = match edits {
            Some(edits) => BodyVerdict::Release(edits, body),
            None => BodyVerdict::Replace(body),
        };
        (Phase::Awaiting(Awaiting { rest: Rest(rest), reply, headers: self.headers }), verdict)
    }
}

/// The request has no body.
pub(super) fn no_body() -> ApiError {
    ApiError::of(Code::MissingBody, "The request has no body; a JSON object is expected")
}

/// The end of the body came too late to send a different one.
pub(super) fn trailers() -> ApiError {
    ApiError::of(Code::UnsupportedTrailers, "Trailers after the request's body are not supported; send none")
}

/// The body is larger than may be held in memory.
pub(super) fn too_large(limit: usize) -> ApiError {
    ApiError::of(Code::RequestTooLarge, format!("The request body is larger than the limit of {limit} bytes"))
}
