//! Recognizes errors on which clients act by the words that providers use.

use crate::error::Code;

/// Phrases of a message, code or type, in lower case. The first row with a match counts.
const PHRASES: &[(Code, &[&str])] = &[
    (
        Code::ContextLengthExceeded,
        &[
            "context_length_exceeded",
            "exceed_context_size",
            "maximum context length",
            // xAI
            "maximum prompt length",
            // GitHub Copilot
            "max_prompt_tokens_exceeded",
            "prompt token count of",
            // Z.ai
            "prompt exceeds max length",
            // OpenRouter
            "maximum allowed input length",
            // LM Studio, before the first token
            "greater than the context length",
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
            // TensorRT-LLM
            "exceeds maximum input length",
            "max_model_len",
            // TGI
            "`inputs` tokens + `max_new_tokens` must be",
            "`inputs` must have less than",
        ],
    ),
    (
        Code::InsufficientQuota,
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
        Code::ModelNotFound,
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
    (Code::ServerIsOverloaded, &["server_is_overloaded"]),
    (
        Code::SlowDown,
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

/// Numeric codes whose message may not name the cause: Z.ai (1xxx), Cloudflare (3040, 5007), FastChat.
const NUMBERS: &[(&str, Code)] = &[
    ("1261", Code::ContextLengthExceeded),
    ("1113", Code::InsufficientQuota),
    ("1211", Code::ModelNotFound),
    ("5007", Code::ModelNotFound),
    ("3040", Code::SlowDown),
    // FastChat
    ("40301", Code::ModelNotFound),
    ("40303", Code::ContextLengthExceeded),
    ("42902", Code::InsufficientQuota),
    ("42903", Code::SlowDown),
];

/// Used when neither words nor numbers match.
const STATUSES: &[(u16, Code)] =
    &[(402, Code::InsufficientQuota), (429, Code::RateLimitExceeded), (529, Code::SlowDown)];

/// The code for an error, from its message, code and type, else from its status.
pub(super) fn classify(status: u16, message: &str, code: Option<&str>, kind: Option<&str>) -> Option<Code> {
    let words = [message, code.unwrap_or_default(), kind.unwrap_or_default()].join(" ").to_lowercase();
    let matched = PHRASES.iter().find(|(_, phrases)| phrases.iter().any(|phrase| words.contains(phrase)));
    matched
        .map(|(code, _)| *code)
        // With a 429, "too many tokens" means per minute.
        .filter(|code| status != 429 || *code != Code::ContextLengthExceeded)
        .or_else(|| lookup(NUMBERS, code?))
        .or_else(|| is_unknown_model(status, &words).then_some(Code::ModelNotFound))
        .or_else(|| lookup(STATUSES, status))
}

fn lookup<K: PartialEq>(table: &[(K, Code)], key: K) -> Option<Code> {
    table.iter().find(|(known, _)| *known == key).map(|(_, code)| *code)
}

/// E.g. "The model `x` does not exist", "model 'x' not found, try pulling it first".
fn is_unknown_model(status: u16, words: &str) -> bool {
    let missing = ["not found", "not exist", "unknown", "unavailable", "no access"];
    matches!(status, 400 | 404)
        && words.contains("model")
        && missing.iter().any(|phrase| words.contains(phrase))
}
