//! Secrets in the words of hosts.

/// What keys of the known hosts begin with.
const KEYS: &[&str] = &[
    "sk-", "sk_", "pk-", "rk-", "gsk_", "xai-", "hf_", "csk-", "fw_", "key-", "tgp_", "r8_", "nvapi-",
    "AIza", "eyJ",
];
/// Shorter words are words.
const KEY_CHARS: usize = 16;

/// Hosts echo the key that they refuse. It stands in the log of every client that shows the message, so
/// only its beginning stays.
pub(crate) fn masked(message: &str) -> String {
    let mut masked = String::with_capacity(message.len());
    let is_key_char = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_' | '.' | '*');
    let mut after_bearer = false;
    for piece in message.split_inclusive(|char| !is_key_char(char)) {
        let word = piece.trim_end_matches(|char| !is_key_char(char));
        let is_key = KEYS.iter().any(|begin| word.starts_with(begin)) || after_bearer;
        match word.get(..4).filter(|_| is_key && word.len() >= KEY_CHARS) {
            Some(begin) => {
                masked.push_str(begin);
                masked.push('…');
                masked.push_str(piece.get(word.len()..).unwrap_or_default());
            }
            None => masked.push_str(piece),
        }
        after_bearer = word.eq_ignore_ascii_case("bearer") || after_bearer && word.is_empty();
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_masked_and_words_are_not() {
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
            ("Grüße 🦀", "Grüße 🦀"),
        ] {
            assert_eq!(masked(message), expected);
        }
    }
}
