//! Reads the body of an upstream's HTTP error and turns it into the API's error.

use super::body_reader::is_padding;
use super::finished::Finished;
use crate::error::classify;
use crate::json::DepthScanner;

/// The bytes of an error body that are read. Messages are short, and the rest of a long HTML page is not needed.
const MAX_BODY: usize = 64 * 1024;

/// The body of a response with status 400 or above.
#[derive(Debug)]
pub(super) struct ErrorReader {
    status: u16,
    form: Form,
    body: Vec<u8>,
}

/// The form of the body.
#[derive(Debug)]
enum Form {
    /// Only white space so far.
    Unknown,
    /// It begins like a JSON document, which ends with its last bracket.
    Document(DepthScanner),
    /// It ends where the response does.
    Text,
}

impl ErrorReader {
    /// `status`: the upstream's HTTP status.
    pub(super) fn new(status: u16) -> Self {
        Self { status, form: Form::Unknown, body: Vec::new() }
    }

    /// Takes the next bytes of the body. Appends the error if it is complete with them: if trailers follow, nothing
    /// else shows the end in time.
    pub(super) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Option<Finished> {
        if matches!(self.form, Form::Unknown) {
            self.form = match bytes.iter().find(|byte| !is_padding(**byte)) {
                None => Form::Unknown,
                Some(b'{' | b'[') => Form::Document(DepthScanner::default()),
                Some(_) => Form::Text,
            };
        }
        let Form::Document(depth) = &mut self.form else {
            self.keep(bytes);
            return None;
        };
        let (document, after) = depth.split(bytes);
        let closed = depth.closed();
        self.keep(document);
        if !closed {
            return None;
        }
        if self.body.len() == MAX_BODY || classify::is_document(&self.body) {
            return Some(self.end(out));
        }
        self.form = Form::Text;
        self.keep(after);
        None
    }

    /// The body ended: appends the error as the client gets it.
    pub(super) fn end(&mut self, out: &mut Vec<u8>) -> Finished {
        let error = classify::of_body(self.status, &self.body);
        out.extend_from_slice(&error.to_json());
        Finished { error: Some(error), ..Finished::default() }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = MAX_BODY.saturating_sub(self.body.len()).min(bytes.len());
        self.body.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }
}
