//! The request's body: collected until it is complete, then translated.

use super::headers::Edit;
use super::incoming::{Incoming, Rest};
use super::passthrough;
use super::phase::{Awaiting, HeaderMode, Phase};
use super::request_headers::{self, Endpoint};
use super::restoring::Restoring;
use super::session::Session;
use super::shared::Context;
use super::verdict::{BodyVerdict, LocalReply};
use crate::config::Config;
use crate::request::{self, Stored, Translated};

/// The request is not complete yet.
#[derive(Debug)]
pub(super) struct Collecting {
    pub(super) endpoint: Endpoint,
    pub(super) incoming: Incoming,
    /// The conversation, as far as the headers tell.
    pub(super) session: Option<Session>,
    /// The edits that restore the client's headers for a native upstream.
    pub(super) restoring: Vec<Edit>,
}

impl Collecting {
    pub(super) fn on_body(
        mut self,
        chunk: &[u8],
        end: bool,
        context: &mut Context<'_>,
    ) -> (Phase, BodyVerdict) {
        match self.incoming.take(chunk, end, context.config.limits.request_bytes) {
            Ok(Some(verdict)) => (Phase::Collecting(self), verdict),
            Ok(None) => self.send(end, context),
            Err(error) => Phase::rejected(&error, context),
        }
    }

    /// The body is complete. `end`: this is its last chunk.
    fn send(self, end: bool, context: &mut Context<'_>) -> (Phase, BodyVerdict) {
        if self.incoming.headers == HeaderMode::Held
            && let Some(passed) =
                passthrough::pass(&context.config, self.endpoint, &self.restoring, &self.incoming.body)
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
        match translate(&self.incoming.body, &context.translation(), stored) {
            Ok(Translated { answer: Some(answer), reply, asked_model, .. }) => {
                context.observer.answered(&asked_model);
                (Phase::Answered, LocalReply::response(answer, reply.wants_stream()).into())
            }
            Ok(mut translated) => {
                context.conversation = translated.conversation.take();
                context.dropped = translated.report.all_dropped().to_vec();
                let now = context.now;
                context.observer.request_sent(&translated, self.incoming.body.len(), now);
                self.sent(translated, end, &context.config)
            }
            Err(error) => Phase::rejected(&error, context),
        }
    }

    fn sent(self, translated: Translated, end: bool, config: &Config) -> (Phase, BodyVerdict) {
        let edits = (self.incoming.headers == HeaderMode::Held).then(|| {
            let in_body =
                translated.prompt_cache_key.as_deref().filter(|_| !config.session_headers.is_empty());
            let session = self.session.or_else(|| in_body.map(Session::of));
            request_headers::after_body(&translated, session.as_ref())
        });
        let Translated { body, reply, .. } = translated;
        let (rest, verdict) = Rest::of(edits, body, end);
        (Phase::Awaiting(Awaiting { rest, reply, headers: self.incoming.headers }), verdict)
    }
}
