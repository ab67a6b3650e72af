//! Removes API keys from messages.

/// Prefixes of the API keys of known providers.
const PREFIXES: &[&str] = &[
    "sk-",
    "sk_",
    "pk-",
    "rk-",
    "gsk_",
    "xai-",
    "hf_",
    "csk-",
    "fw_",
    "key-",
    "tgp_",
    "r8_",
    "nvapi-",
    "AIza",
    "AKIA",
    "eyJ",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "glpat-",
];
/// Words after which a key stands, also one without a prefix.
const NAMES: &[&str] = &["key", "api-key", "api_key", "apikey", "x-api-key", "token", "secret"];
/// A key without a prefix is random, so it has several digits. Ordinary words have none, and dates are shorter.
const RANDOM_MIN_BYTES: usize = 20;
const RANDOM_MIN_DIGITS: usize = 4;
/// A shorter text is an ordinary word.
const KEY_MIN_BYTES: usize = 16;

/// Cuts API keys down to their first four characters. Providers repeat the key that they reject, and the message
/// ends up in the logs of every client that shows it.
pub(crate) fn redact_api_keys(message: &str) -> String {
    let mut redacted = String::with_capacity(message.len());
    let is_key_char = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.' | '*');
    let (mut after_bearer, mut after_name) = (false, false);
    for piece in message.split_inclusive(|char| !is_key_char(char)) {
        let word = piece.trim_end_matches(|char| !is_key_char(char));
        let is_key = PREFIXES.iter().any(|prefix| word.starts_with(prefix))
            || after_bearer
            || after_name && is_random(word);
        match word.get(..4).filter(|_| is_key && word.len() >= KEY_MIN_BYTES) {
            Some(start) => {
                redacted.push_str(start);
                redacted.push('…');
                redacted.push_str(piece.get(word.len()..).unwrap_or_default());
            }
            None => redacted.push_str(piece),
        }
        after_bearer = word.eq_ignore_ascii_case("bearer") || after_bearer && word.is_empty();
        let is_name = NAMES.iter().any(|name| word.eq_ignore_ascii_case(name));
        after_name = is_name || after_name && ["", "provided"].contains(&word);
    }
    redacted
}

fn is_random(word: &str) -> bool {
    let is_random = |part: &str| {
        let digits = part.bytes().filter(u8::is_ascii_digit).count();
        part.len() >= RANDOM_MIN_BYTES && digits >= RANDOM_MIN_DIGITS
    };
    // Z.ai's keys have one dot. What has more is a path.
    word.split('.').count() <= 2 && word.split('.').any(is_random)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_cut_and_ordinary_words_are_not() {
        for (message, expected) in [
            (
                "Incorrect API key provided: sk-abcdefghijklmnop123. Check it.",
                "Incorrect API key provided: sk-a… Check it.",
            ),
            ("got 'Bearer  0123456789abcdef0123'", "got 'Bearer  0123…'"),
            ("key=gsk_0123456789abcdefghij&x", "key=gsk_…&x"),
            (
                "sk-short, bearer of news, task-oriented-programming is fine",
                "sk-short, bearer of news, task-oriented-programming is fine",
            ),
            ("api-key: 0123456789abcdef0123456789abcdef", "api-key: 0123…"),
            ("Invalid token 'abcd1234-5678-90ab-cdef-12345678' given", "Invalid token 'abcd…' given"),
            ("Incorrect API key provided: 0123456789abcdef0123", "Incorrect API key provided: 0123…"),
            ("bad token: ghp_abcdefghijklmnop", "bad token: ghp_…"),
            ("Invalid API key: 0123456789abcdef0123456789abcdef.AbCdEfGhIjKlMnOp", "Invalid API key: 0123…"),
            (
                "Unknown key: 'messages.12.tool_calls.345.function'",
                "Unknown key: 'messages.12.tool_calls.345.function'",
            ),
            (
                "unknown key: tools.0.function.parameters.x1234",
                "unknown key: tools.0.function.parameters.x1234",
            ),
            (
                "Unknown key: messages.content.a_long_name_in_a_path_2024",
                "Unknown key: messages.content.a_long_name_in_a_path_2024",
            ),
            (
                "This key has the alias a-very-long-alias-2024-01-01",
                "This key has the alias a-very-long-alias-2024-01-01",
            ),
            (
                "key frequency_penalty_of_the_model is unknown",
                "key frequency_penalty_of_the_model is unknown",
            ),
            ("Grüße 🦀", "Grüße 🦀"),
        ] {
            assert_eq!(redact_api_keys(message), expected);
        }
    }
}
