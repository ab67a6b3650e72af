//! Reads the body of an upstream's HTTP error and turns it into the API's error.

use super::body_reader::Finished;
use crate::error::classify;

/// Bytes of an error body that are read. Error messages are short; the rest of a long HTML page adds nothing.
const MAX_BODY: usize = 64 * 1024;

/// The body of a response with status 400 or above.
#[derive(Debug)]
pub(super) struct ErrorReader {
    status: u16,
    body: Vec<u8>,
}

impl ErrorReader {
    /// `status`: the upstream's HTTP status.
    pub(super) fn new(status: u16) -> Self {
        Self { status, body: Vec::new() }
    }

    /// Takes the next bytes of the body.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let room = MAX_BODY.saturating_sub(self.body.len()).min(bytes.len());
        self.body.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }

    /// The body ended: appends the error as the client gets it.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Finished {
        let error = classify::of_body(self.status, &self.body);
        out.extend_from_slice(&error.to_json());
        Finished { error: Some(error), ..Finished::default() }
    }
}
