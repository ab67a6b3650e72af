//! Verdicts: what Envoy is to do in a callback.
//!
//! Headers, bodies and trailers have a type each, because Envoy allows different things in their callbacks. Every
//! verdict that the types allow can be carried out.

use super::headers::{Edit, Header, STREAM};
use crate::error::ApiError;
use crate::store::Question;

/// A reply of the filter instead of the upstream's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalReply {
    /// The HTTP status.
    pub status: u16,
    /// All headers except the length, which Envoy adds.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Vec<u8>,
}

impl LocalReply {
    pub(super) fn json(status: u16, body: Vec<u8>) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body }
    }

    /// A complete response, as a stream of events or as a document.
    pub(super) fn response(body: Vec<u8>, is_stream: bool) -> Self {
        if !is_stream {
            return Self::json(200, body);
        }
        Self { status: 200, headers: STREAM.map(|(name, value)| (name, value.to_owned())).into(), body }
    }

    /// Adds headers.
    pub(super) fn with(mut self, headers: impl IntoIterator<Item = Header>) -> Self {
        self.headers.extend(headers);
        self
    }
}

impl From<&ApiError> for LocalReply {
    fn from(error: &ApiError) -> Self {
        Self::json(error.status, error.to_json())
    }
}

/// What to do in a headers callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadersVerdict {
    /// Edit the headers, then send them on.
    Continue(Vec<Edit>),
    /// Edit the headers, then hold them until a body verdict releases them.
    Hold(Vec<Edit>),
    /// Answer the client; nothing is sent on.
    Respond(LocalReply),
    /// Stop here, ask the store, and give the answer to [`Exchange::on_answer`](super::Exchange::on_answer).
    Ask(Question),
}

/// What to do in a body callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyVerdict {
    /// Send the chunk on unmodified.
    Pass,
    /// Take the chunk: stop here, and let Envoy buffer none of it.
    Hold,
    /// Send these bytes on in place of the chunk.
    Replace(Vec<u8>),
    /// The same where the headers are held: edit them first.
    Release(Vec<Edit>, Vec<u8>),
    /// Answer the client; nothing is sent on.
    Respond(LocalReply),
    /// Take the chunk, stop here, ask the store, and give the answer to [`Exchange::on_answer`](super::Exchange::on_answer).
    Ask(Question),
    /// Take the chunk, and stop here until the store has answered.
    Wait,
}

impl BodyVerdict {
    /// Sends a body on in place of the chunk. `edits`: those of held headers.
    pub(super) fn send(edits: Option<Vec<Edit>>, body: Vec<u8>) -> Self {
        match edits {
            Some(edits) => Self::Release(edits, body),
            None => Self::Replace(body),
        }
    }
}

/// What to do in a trailers callback. There is no chunk in which a body could be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrailersVerdict {
    /// Send them on.
    Pass,
    /// Stop here.
    Hold,
    /// Answer the client; nothing is sent on.
    Respond(LocalReply),
    /// Stop here, ask the store, and give the answer to [`Exchange::on_answer`](super::Exchange::on_answer).
    Ask(Question),
}

impl From<LocalReply> for HeadersVerdict {
    fn from(reply: LocalReply) -> Self {
        Self::Respond(reply)
    }
}

impl From<LocalReply> for BodyVerdict {
    fn from(reply: LocalReply) -> Self {
        Self::Respond(reply)
    }
}

impl From<LocalReply> for TrailersVerdict {
    fn from(reply: LocalReply) -> Self {
        Self::Respond(reply)
    }
}
