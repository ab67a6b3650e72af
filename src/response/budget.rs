//! How much of a reply is kept until its end.

use crate::bounds;
use crate::error::ApiError;

/// Counts the bytes that are kept until the end of the reply. Draining the upstream's chunks into the filter's memory
/// removes Envoy's own limit, so this takes its place.
#[derive(Debug)]
pub(super) struct Budget {
    held: usize,
    limit: usize,
}

impl Budget {
    /// `limit`: in bytes.
    pub(super) fn new(limit: usize) -> Self {
        Self { held: 0, limit }
    }

    /// Counts `bytes` more.
    pub(super) fn charge(&mut self, bytes: usize) -> Result<(), ApiError> {
        self.held += bytes;
        if self.held > self.limit {
            return Err(bounds::reply_too_large(self.limit));
        }
        Ok(())
    }

    /// Bytes that are kept so far.
    pub(super) fn held(&self) -> usize {
        self.held
    }
}
