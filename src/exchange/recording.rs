//! A reply that is complete, and whose record is being written. Its end waits for that: a client that has it may go on from
//! the response at once.

use super::headers::{Edit, Header};
use super::phase::Phase;
use super::shared::Context;
use super::verdict::{BodyVerdict, LocalReply, TrailersVerdict};
use crate::response;
use crate::store::Answer;

/// The end of a reply, and how it is sent.
#[derive(Debug)]
pub(super) enum End {
    /// In place of the chunk.
    Chunk(Vec<u8>),
    /// The whole document in place of the chunk, with the headers that were held for it.
    Document(Document),
    /// The whole document where there is no chunk: in the callback for trailers.
    Reply(Document),
}

/// A complete reply whose headers were held.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) retry_after: Option<Header>,
    /// Those of this filter. A reply that goes on has them.
    pub(super) own: Vec<Header>,
}

/// The end of a reply waits.
#[derive(Debug)]
pub(super) struct Recording {
    end: End,
}

impl End {
    fn body_mut(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Chunk(body) => body,
            Self::Document(document) | Self::Reply(document) => &mut document.body,
        }
    }

    fn verdict(self) -> BodyVerdict {
        match self {
            Self::Chunk(body) => BodyVerdict::Replace(body),
            Self::Document(document) => document.release(),
            Self::Reply(document) => BodyVerdict::Respond(document.into()),
        }
    }
}

impl Document {
    fn release(self) -> BodyVerdict {
        let Self { status, body, retry_after, own: _ } = self;
        let mut edits = vec![
            Edit::set(":status", status.to_string()),
            Edit::set("content-length", body.len().to_string()),
        ];
        edits.extend(retry_after.map(Edit::from));
        BodyVerdict::Release(edits, body)
    }
}

impl From<Document> for LocalReply {
    fn from(Document { status, body, retry_after, own }: Document) -> Self {
        Self::json(status, body).with(retry_after).with(own)
    }
}

/// The reply ends in a callback for its body. An end that is too long to wait goes on at once: the record is then written
/// without it, and the client's next request may come first.
pub(super) fn end(mut end: End, context: &mut Context<'_>) -> (Phase, BodyVerdict) {
    let fits = end.body_mut().len() <= context.config.store.hold_bytes();
    match context.record.take_if(|_| fits) {
        Some(question) => (Phase::Recording(Recording { end }), BodyVerdict::Ask(question)),
        None => (Phase::Done, end.verdict()),
    }
}

/// The same in the callback for its trailers. Its headers are held and nothing of it is in Envoy's buffer, so it can be of
/// any length.
pub(super) fn end_at_trailers(document: Document, context: &mut Context<'_>) -> (Phase, TrailersVerdict) {
    match context.record.take() {
        Some(question) => {
            (Phase::Recording(Recording { end: End::Reply(document) }), TrailersVerdict::Ask(question))
        }
        None => (Phase::Answered, TrailersVerdict::Respond(document.into())),
    }
}

impl Recording {
    /// The store has answered. Whatever it says, the client gets its reply.
    pub(super) fn on_answer(mut self, answer: &Answer, context: &mut Context<'_>) -> (Phase, BodyVerdict) {
        context.recorded(answer);
        if *answer != Answer::Done {
            response::mark_not_stored(self.end.body_mut());
        }
        let phase = if matches!(self.end, End::Reply(_)) { Phase::Answered } else { Phase::Done };
        (phase, self.end.verdict())
    }
}
