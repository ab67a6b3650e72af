//! Reads the body of an upstream's HTTP error and turns it into the API's error.

use crate::error::{ApiError, classify};
use crate::report::Report;

/// Bytes of an error body that are read. Error messages are short; the rest of a long HTML page adds nothing.
const MAX_BODY: usize = 64 * 1024;

/// The body of a response with status 400 or above.
#[derive(Debug)]
pub(super) struct ErrorReader {
    status: u16,
    body: Vec<u8>,
    error: Option<ApiError>,
    /// Always empty: nothing of an error is dropped or repaired.
    report: Report,
}

impl ErrorReader {
    /// `status`: the upstream's HTTP status.
    pub(super) fn new(status: u16) -> Self {
        Self { status, body: Vec::new(), error: None, report: Report::default() }
    }

    /// Takes the next bytes of the body.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let room = MAX_BODY.saturating_sub(self.body.len()).min(bytes.len());
        self.body.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }

    /// The body ended: appends the error as the client gets it. Only the first call appends.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) {
        if self.error.is_none() {
            let error = classify::of_body(self.status, &self.body);
            out.extend_from_slice(&error.to_json());
            self.error = Some(error);
        }
    }

    /// The error, once the body has ended.
    pub(super) fn error(&self) -> Option<&ApiError> {
        self.error.as_ref()
    }

    /// An empty report.
    pub(super) fn report(&self) -> &Report {
        &self.report
    }
}
