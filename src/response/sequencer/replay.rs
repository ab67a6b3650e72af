//! The state that the provider needs back with the next request.

use super::reasoning_details::ReasoningDetails;
use crate::items::ReplayState;
use crate::json::RawJson;
use crate::upstream::ReasoningReplay;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Collects state for the provider until an item carries it.
#[derive(Debug)]
pub(super) struct ReplayCollector {
    policy: ReasoningReplay,
    details: ReasoningDetails,
    /// `extra_content` of calls, by the ids of the calls.
    calls: BTreeMap<String, RawJson<'static>>,
}

impl ReplayCollector {
    pub(super) fn new(policy: ReasoningReplay) -> Self {
        Self { policy, details: ReasoningDetails::default(), calls: BTreeMap::new() }
    }

    /// Adds `reasoning_details`. Returns the readable text that is new in them.
    pub(super) fn add_details(&mut self, raw: &RawValue) -> String {
        self.details.add(raw)
    }

    /// Adds `extra_content` of a call.
    pub(super) fn add_call(&mut self, id: &str, extra: Option<RawJson<'static>>) {
        if let Some(extra) = extra.filter(|_| self.policy.signatures) {
            self.calls.insert(id.to_owned(), extra);
        }
    }

    /// Takes what was collected since the last time.
    pub(super) fn take(&mut self) -> ReplayState {
        let details = if self.policy.details { self.details.take() } else { Vec::new() };
        ReplayState { text: String::new(), details, calls: std::mem::take(&mut self.calls) }
    }
}
