//! The codes on which clients act, Codex above all, and the words by which hosts say the same.

use crate::error::ApiError;

/// What clients act on, and the words by which hosts say it.
const MEANINGS: &[(&str, &[&str])] = &[
    (
        "context_length_exceeded",
        &[
            "context_length_exceeded",
            "exceed_context_size",
            "maximum context length",
            "context length exceeded",
            "context length is only",
            // LM Studio
            "context length of only",
            // Moonshot
            "exceeded model token limit",
            "context_window_exceeded",
            "context window",
            "context size",
            "context limit",
            "exceeds the context",
            "exceeds context",
            "exceeds the available context",
            "exceeds the maximum number of tokens",
            "prompt is too long",
            "prompt too long",
            "input is too long",
            "input length and `max_tokens` exceed",
            "reduce the length of the messages",
            "too many tokens",
            "too many input tokens",
            "token count exceeds",
            "input tokens exceed",
            "range of input length should be",
            "context shift is disabled",
            "longer than the model's context",
            "longest allowed input",
            "max_model_len",
            "`inputs` tokens + `max_new_tokens` must be",
        ],
    ),
    (
        "insufficient_quota",
        &[
            "insufficient_quota",
            "insufficient balance",
            "insufficient credits",
            "insufficient funds",
            "exceeded your current quota",
            "quota exhausted",
            "billing details",
            "billing_hard_limit",
            "credit balance",
            "out of credits",
            "payment required",
            "arrearage",
        ],
    ),
    (
        "model_not_found",
        &[
            "model_not_found",
            "model not found",
            "model does not exist",
            "no such model",
            "unknown model",
            "model_not_exist",
            "invalid model",
            "not a valid model",
            // OpenRouter
            "no endpoints found for",
            "deploymentnotfound",
        ],
    ),
    ("server_is_overloaded", &["server_is_overloaded"]),
    (
        // Codex waits and asks again.
        "slow_down",
        &[
            "overloaded",
            "over capacity",
            "at capacity",
            "capacity temporarily",
            "server is busy",
            "loading model",
        ],
    ),
];

/// Codes that are numbers and say what no word beside them does: Z.ai, Cloudflare.
const NUMBERS: &[(&str, &str)] = &[
    ("1261", "context_length_exceeded"),
    ("1113", "insufficient_quota"),
    ("1211", "model_not_found"),
    ("5007", "model_not_found"),
    ("3040", "slow_down"),
];

/// Where no word says it, the status does.
const STATUSES: &[(u16, &str)] =
    &[(402, "insufficient_quota"), (429, "rate_limit_exceeded"), (529, "slow_down")];

/// The code that an error means, if it means one of these.
pub(super) fn code(
    status: u16,
    message: &str,
    code: Option<&str>,
    kind: Option<&str>,
) -> Option<&'static str> {
    let words = [message, code.unwrap_or_default(), kind.unwrap_or_default()].join(" ").to_lowercase();
    let said = MEANINGS.iter().find(|(_, phrases)| phrases.iter().any(|phrase| words.contains(phrase)));
    said.map(|(code, _)| *code)
        // "Too many tokens" may be meant per minute.
        .filter(|meant| status != 429 || *meant != "context_length_exceeded")
        .or(lookup(NUMBERS, code))
        .or(is_unknown_model(status, &words).then_some("model_not_found"))
        .or(lookup(STATUSES, Some(status)))
}

fn lookup<T: PartialEq>(table: &[(T, &'static str)], key: Option<T>) -> Option<&'static str> {
    table.iter().find(|(known, _)| Some(known) == key.as_ref()).map(|(_, code)| *code)
}

/// "The model `x` does not exist", "model 'x' not found, try pulling it first" and the like.
fn is_unknown_model(status: u16, words: &str) -> bool {
    let missing = ["not found", "not exist", "unknown", "unavailable", "no access"];
    matches!(status, 400 | 404)
        && words.contains("model")
        && missing.iter().any(|phrase| words.contains(phrase))
}

/// The `code` of a failed response, for which the API has a closed set. Clients, Codex above all, act on it:
/// what they do not know they take for a passing trouble and ask again.
pub(crate) fn response_code(error: &ApiError) -> &str {
    let known = error.code.as_deref().filter(|code| RESPONSE_CODES.contains(code));
    known.unwrap_or(match error.status {
        429 => "rate_limit_exceeded",
        // To ask the same again would be of no use.
        400 | 413 | 422 => "invalid_prompt",
        _ => "server_error",
    })
}

/// OpenAI's own, those that Codex acts on, and ours.
const RESPONSE_CODES: &[&str] = &[
    "server_error",
    "rate_limit_exceeded",
    "invalid_prompt",
    "context_length_exceeded",
    "insufficient_quota",
    "model_not_found",
    "server_is_overloaded",
    "slow_down",
    "cyber_policy",
    "bio_policy",
    "tool_call_lost",
];
