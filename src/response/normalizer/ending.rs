//! The fields at the end of a reply: `finish_reason` and `usage`.

use super::usage;
use crate::json::JsonStr;
use crate::wire::responses::Usage;
use serde_json::value::RawValue;

/// The finish reason and the usage in the chunks so far.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::response) struct Ending {
    pub(in crate::response) finish: Option<FinishReason>,
    pub(in crate::response) usage: Option<Usage>,
}

/// What a `finish_reason` means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::response) enum FinishReason {
    Stop,
    ToolCalls,
    /// The token limit was reached.
    Length,
    ContentFilter,
    Error,
}

/// The reasons that providers send, in lower case. Any other reason means [`FinishReason::Stop`] (`eos`, `load`, ...).
const REASONS: &[(&str, FinishReason)] = &[
    ("tool_calls", FinishReason::ToolCalls),
    ("tool_use", FinishReason::ToolCalls),
    ("function_call", FinishReason::ToolCalls),
    ("length", FinishReason::Length),
    ("max_tokens", FinishReason::Length),
    ("max_output_tokens", FinishReason::Length),
    ("model_length", FinishReason::Length),
    ("content_filter", FinishReason::ContentFilter),
    ("sensitive", FinishReason::ContentFilter),
    ("safety", FinishReason::ContentFilter),
    ("recitation", FinishReason::ContentFilter),
    ("error", FinishReason::Error),
    ("network_error", FinishReason::Error),
    ("insufficient_system_resource", FinishReason::Error),
    ("malformed_function_call", FinishReason::Error),
    ("abort", FinishReason::Error),
];

impl Ending {
    /// The last usage wins, but an all-zero usage never replaces a non-zero one.
    pub(super) fn add_usage(&mut self, raw: Option<&RawValue>) {
        if let Some(usage) = raw.and_then(usage::from_json)
            && (usage.total_tokens > 0 || self.usage.is_none())
        {
            self.usage = Some(usage);
        }
    }

    /// The usage in the form of Ollama's own API.
    pub(super) fn add_ollama_usage(&mut self, prompt: Option<&RawValue>, answer: Option<&RawValue>) {
        self.usage = usage::from_ollama(prompt, answer).or(self.usage);
    }

    /// The last reason wins.
    pub(super) fn add_finish_reason(&mut self, raw: Option<&RawValue>) {
        if let Some(finish) = raw.and_then(FinishReason::of) {
            self.finish = Some(finish);
        }
    }

    /// The reply is complete. A reason that came before stays.
    pub(super) fn stop(&mut self) {
        self.finish.get_or_insert(FinishReason::Stop);
    }
}

impl FinishReason {
    /// The reason in `raw`, if it is a string that is not empty.
    fn of(raw: &RawValue) -> Option<Self> {
        let reason = JsonStr::of(raw).filter(|reason| !reason.is_empty())?;
        let reason = reason.decode().to_lowercase();
        let known = REASONS.iter().find(|(name, _)| *name == reason);
        Some(known.map_or(Self::Stop, |(_, meaning)| *meaning))
    }
}
