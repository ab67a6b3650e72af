//! The fields at the end of a reply: `finish_reason` and `usage`.

use super::usage;
use crate::json::JsonStr;
use crate::wire::chat::reply::Completion;
use crate::wire::responses::Usage;
use serde_json::value::RawValue;

/// The finish reason and the usage in the chunks so far.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::response) struct Ending {
    pub(in crate::response) finish: Option<FinishReason>,
    pub(in crate::response) usage: Option<Usage>,
    /// The usage came in a chunk of its own, which is the end unless more of the answer follows.
    ends_with_usage: bool,
}

/// The meaning of a `finish_reason`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::response) enum FinishReason {
    Stop,
    ToolCalls,
    /// The token limit was reached.
    Length,
    ContentFilter,
    Error,
}

/// The reasons that providers send, in lower case and with underscores. Any other reason means [`FinishReason::Stop`]
/// (`eos`, `end_turn`, ...).
const REASONS: &[(FinishReason, &[&str])] = &[
    (FinishReason::ToolCalls, &["tool_calls", "tool_use", "function_call"]),
    (
        FinishReason::Length,
        &[
            "length",
            "max_tokens",
            "max_length",
            "max_output_tokens",
            "token_limit",
            "error_limit",
            "model_length",
            "context_length",
            "context_length_exceeded",
            "context_window_exceeded",
            "model_context_window_exceeded",
        ],
    ),
    (
        FinishReason::ContentFilter,
        &[
            "content_filter",
            "content_filtered",
            "sensitive",
            "risk_control",
            "refusal",
            "guardrail_intervened",
            "safety",
            "recitation",
            "blocklist",
            "prohibited_content",
            "spii",
            "language",
            "image_safety",
            "image_prohibited_content",
            "image_recitation",
            "error_toxic",
        ],
    ),
    (
        FinishReason::Error,
        &[
            "error",
            "network_error",
            "server_error",
            "internal_error",
            "insufficient_system_resource",
            "malformed_function_call",
            "malformed_tool_use",
            "malformed_model_output",
            "malformed_response",
            "missing_thought_signature",
            "too_many_tool_calls",
            "unexpected_tool_call",
            "tool_use_failed",
            "time_limit",
            "timeout",
            "repetition",
            "loop",
            "abort",
            "aborted",
            "cancel",
            "canceled",
            "cancelled",
        ],
    ),
];

/// Some providers write these instead of `null`.
const NO_REASON: &[&str] = &["", "null", "none"];

impl Ending {
    /// Whether the model ended the reply itself, as far as is known.
    pub(super) fn is_ordinary(&self) -> bool {
        matches!(self.finish, Some(FinishReason::Stop | FinishReason::ToolCalls))
    }

    /// The last usage wins, but an all-zero usage never replaces a non-zero one.
    pub(super) fn add_usage(&mut self, raw: Option<&RawValue>) {
        if let Some(usage) = raw.and_then(usage::from_json)
            && (usage.total_tokens > 0 || self.usage.is_none())
        {
            self.usage = Some(usage);
        }
    }

    /// The end in the forms of Ollama's and Cloudflare's own APIs. The last chunk of Ollama marks the reply as complete,
    /// unless it has a reason.
    pub(super) fn add_ollama_or_cloudflare(&mut self, chunk: &Completion<'_>) {
        self.add_finish_reason(chunk.finish_reason.or(chunk.done_reason));
        if chunk.done.is_some_and(|done| done.get() == "true") {
            self.stop();
            self.usage = usage::from_ollama(chunk.prompt_eval_count, chunk.eval_count).or(self.usage);
        }
    }

    /// The last reason wins, but an ordinary one never replaces one that says that the reply is not complete.
    pub(super) fn add_finish_reason(&mut self, raw: Option<&RawValue>) {
        if let Some(finish) = raw.and_then(FinishReason::of)
            && (!finish.is_ordinary() || self.finish.is_none_or(FinishReason::is_ordinary))
        {
            self.finish = Some(finish);
            self.ends_with_usage = false;
        }
    }

    fn stop(&mut self) {
        self.finish.get_or_insert(FinishReason::Stop);
    }

    /// A chunk has the usage and no choices: the reply is complete, unless it already has a reason or continues.
    pub(super) fn stop_with_usage(&mut self) {
        self.ends_with_usage |= self.finish.is_none();
        self.stop();
    }

    /// More of the answer came, so that a usage before it was not the end.
    pub(super) fn resume(&mut self) {
        if std::mem::take(&mut self.ends_with_usage) {
            self.finish = None;
        }
    }
}

impl FinishReason {
    /// Whether the model ended its reply itself.
    fn is_ordinary(self) -> bool {
        matches!(self, Self::Stop | Self::ToolCalls)
    }

    /// The reason in `raw`, if it is a string that names one.
    fn of(raw: &RawValue) -> Option<Self> {
        let reason = JsonStr::of(raw)?.decode().to_lowercase().replace(['-', ' '], "_");
        if NO_REASON.contains(&&*reason) {
            return None;
        }
        let known = REASONS.iter().find(|(_, names)| names.contains(&&*reason));
        Some(known.map_or(Self::Stop, |(meaning, _)| *meaning))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_read_in_the_words_of_each_provider() {
        for (reason, meaning) in [
            ("MAX_TOKENS", Some(FinishReason::Length)),
            ("model_context_window_exceeded", Some(FinishReason::Length)),
            ("PROHIBITED_CONTENT", Some(FinishReason::ContentFilter)),
            ("guardrail_intervened", Some(FinishReason::ContentFilter)),
            ("content-filter", Some(FinishReason::ContentFilter)),
            ("MALFORMED_FUNCTION_CALL", Some(FinishReason::Error)),
            ("time limit", Some(FinishReason::Error)),
            ("MALFORMED_RESPONSE", Some(FinishReason::Error)),
            ("TOO_MANY_TOOL_CALLS", Some(FinishReason::Error)),
            ("MISSING_THOUGHT_SIGNATURE", Some(FinishReason::Error)),
            ("server_error", Some(FinishReason::Error)),
            ("IMAGE_PROHIBITED_CONTENT", Some(FinishReason::ContentFilter)),
            ("ERROR_TOXIC", Some(FinishReason::ContentFilter)),
            ("ERROR_LIMIT", Some(FinishReason::Length)),
            ("canceled", Some(FinishReason::Error)),
            ("tool_use", Some(FinishReason::ToolCalls)),
            ("end_turn", Some(FinishReason::Stop)),
            ("stop_sequence", Some(FinishReason::Stop)),
            ("eos_token", Some(FinishReason::Stop)),
            ("COMPLETE", Some(FinishReason::Stop)),
            ("null", None),
            ("none", None),
            ("", None),
        ] {
            let raw = serde_json::value::to_raw_value(reason).unwrap();
            assert_eq!(FinishReason::of(&raw), meaning, "{reason}");
        }
    }
}
