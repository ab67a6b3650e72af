//! The translation of a complete request.

use super::headers::Edit;
use super::incoming::{Incoming, Rest};
use super::passthrough;
use super::phase::{Awaiting, HeaderMode, Phase};
use super::request_headers;
use super::restoring::Restoring;
use super::session::Session;
use super::shared::Context;
use super::verdict::{BodyVerdict, LocalReply};
use crate::config::Config;
use crate::request::{self, Endpoint, StoredRecords, Translated};

/// What the translation needs of the headers.
#[derive(Debug)]
pub(super) struct Translating {
    pub(super) endpoint: Endpoint,
    /// The conversation, as far as the headers tell.
    pub(super) session: Option<Session>,
    /// The edits that restore the client's headers for a native upstream.
    pub(super) restoring: Vec<Edit>,
}

impl Translating {
    /// The body is complete. `end`: this is its last chunk.
    pub(super) fn send(
        self,
        incoming: Incoming,
        end: bool,
        context: &mut Context<'_>,
    ) -> (Phase, BodyVerdict) {
        if incoming.headers == HeaderMode::Held
            && let Some(passed) = passthrough::pass(&context.config, &self, &incoming.body)
        {
            return Phase::passed(passed, end, context);
        }
        match context.owner {
            Some(owner) => Restoring::begin(self, incoming, owner, context),
            None => self.translate(&incoming, None, end, context),
        }
    }

    /// `stored`: what the store has for the request, if responses are stored.
    pub(super) fn translate(
        self,
        incoming: &Incoming,
        stored: Option<&StoredRecords>,
        end: bool,
        context: &mut Context<'_>,
    ) -> (Phase, BodyVerdict) {
        match request::translate_for(self.endpoint, &incoming.body, &context.translation(), stored) {
            Ok(Translated { answer: Some(answer), reply, asked_model, .. }) => {
                context.observer.answered(&asked_model);
                (Phase::Answered, LocalReply::response(answer, reply.wants_stream()).into())
            }
            Ok(mut translated) => {
                context.conversation = translated.conversation.take();
                context.dropped = translated.report.all_dropped().to_vec();
                let now = context.now;
                context.observer.request_sent(&translated, incoming.body.len(), now);
                self.sent(translated, incoming.headers, end, &context.config)
            }
            Err(error) => incoming.rejected(&error, context),
        }
    }

    fn sent(
        self,
        translated: Translated,
        headers: HeaderMode,
        end: bool,
        config: &Config,
    ) -> (Phase, BodyVerdict) {
        let edits = (headers == HeaderMode::Held).then(|| {
            let in_body = || Session::of_body(config, translated.prompt_cache_key.as_deref());
            let session = self.session.or_else(in_body);
            request_headers::after_body(&translated, session.as_ref())
        });
        let Translated { body, reply, .. } = translated;
        let (rest, verdict) = Rest::of(edits, body, end);
        (Phase::Awaiting(Awaiting { rest, reply, headers }), verdict)
    }
}
