//! A request's body while it arrives, and the rest of one while it leaves.

use super::headers::Edit;
use super::phase::{HeaderMode, Phase};
use super::read_fields::ReadFields;
use super::shared::Context;
use super::verdict::BodyVerdict;
use crate::error::{ApiError, Code};

/// A request's body, as far as it has come.
#[derive(Debug)]
pub(super) struct Incoming {
    pub(super) headers: HeaderMode,
    /// The body's length, if the client announced it.
    announced: Option<usize>,
    pub(super) body: Vec<u8>,
}

/// The factor by which the room for a body grows at most.
const GROWTH: usize = 4;

impl Incoming {
    pub(super) fn new(headers: HeaderMode, announced: Option<usize>) -> Self {
        Self { headers, announced, body: Vec::new() }
    }

    /// Takes the next bytes. Returns what to do until there are more, or `None` if the body is complete.
    pub(super) fn take(
        &mut self,
        chunk: &[u8],
        end: bool,
        limit: usize,
    ) -> Result<Option<BodyVerdict>, ApiError> {
        if self.body.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        self.make_room(chunk.len());
        self.body.extend_from_slice(chunk);
        let is_complete = self.headers == HeaderMode::Held && self.announced == Some(self.body.len());
        match self.headers {
            _ if end && self.body.is_empty() => Err(no_body()),
            _ if end || is_complete => Ok(None),
            mode => Ok(Some(mode.take_chunk())),
        }
    }

    /// Makes room up to the announced end, so that the body is copied less often and gets no more than it needs. It stays in
    /// proportion to what has come: a client can announce a length that it never sends.
    fn make_room(&mut self, bytes: usize) {
        let needed = self.body.len() + bytes;
        let Some(announced) = self.announced.filter(|length| *length >= needed) else { return };
        if self.body.capacity() < needed {
            self.body.reserve_exact(announced.min(GROWTH * needed) - self.body.len());
        }
    }

    /// Refuses the complete request. Its model can be known although it was not translated, or the name is what is wrong.
    pub(super) fn rejected(&self, error: &ApiError, context: &mut Context<'_>) -> (Phase, BodyVerdict) {
        let fields = ReadFields::of(&self.body);
        if let Some(model) = fields.and_then(|fields| fields.model_name()) {
            context.observer.asked_for(&model.decode());
        }
        Phase::rejected(error, context)
    }

    /// Lets the headers go without the body. Returns whether they were held, and nothing of the body was there.
    pub(super) fn give_up_headers(&mut self) -> bool {
        let waits = self.headers == HeaderMode::Held && self.body.is_empty();
        if waits {
            self.headers = HeaderMode::Sent;
        }
        waits
    }
}

/// A body that is sent with the next chunk. If a body is complete before its last chunk, because its length was
/// announced, it waits for that chunk: nothing may follow it.
#[derive(Debug, Default)]
pub(super) struct Rest(pub(super) Vec<u8>);

impl Rest {
    /// Sends a complete body, now or with the last chunk. `edits`: those of held headers.
    pub(super) fn of(edits: Option<Vec<Edit>>, body: Vec<u8>, end: bool) -> (Self, BodyVerdict) {
        let (body, rest) = if end { (body, Vec::new()) } else { (Vec::new(), body) };
        (Self(rest), BodyVerdict::send(edits, body))
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
