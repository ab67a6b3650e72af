//! How much a schema may grow while it is rewritten.

/// The largest schema that is rewritten, and the most that one pass may add to it, in values. Schemas of real tools
/// have hundreds.
pub(super) const MAX_VALUES: usize = 10_000;

/// The values that may still be added.
pub(super) struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(MAX_VALUES)
    }
}

impl Budget {
    /// Takes `values` from the budget, or nothing if that many are not left.
    pub(super) fn spend(&mut self, values: usize) -> bool {
        let left = self.0.checked_sub(values);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}
