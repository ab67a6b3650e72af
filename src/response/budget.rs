//! The limit on what is kept of a reply until its end.

use crate::bounds;
use crate::error::ApiError;

/// Counts the bytes that are kept until the end of the reply. Envoy's own limit does not apply, because the filter
/// takes the upstream's chunks into its own memory.
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
