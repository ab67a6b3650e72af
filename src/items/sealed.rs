//! `encrypted_content`: what the filter, which keeps no state, asks the client to bring back.
//!
//! It is opaque to clients, and not secret: they have seen the text. Whoever forges one only
//! changes what they could have said in plain text, so nothing in it is trusted beyond that.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Tells ours from another server's, and this version from later ones.
const PREFIX: &str = "transponder.1.";

/// Wraps a text.
pub(super) fn seal(text: &str) -> String {
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(text))
}

/// The text, if it was wrapped here.
pub(super) fn open(sealed: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(sealed.strip_prefix(PREFIX)?).ok()?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_opens_and_nothing_else_does() {
        assert_eq!(open(&seal("Grüße 🦀")).as_deref(), Some("Grüße 🦀"));
        for foreign in ["", "gAAAAAB", "transponder.1.%%", "transponder.2.YQ", "transponder.1._w"] {
            assert_eq!(open(foreign), None, "{foreign}");
        }
    }
}
