//! `encrypted_content`: state that the client returns with the next request, since the filter stores none.
//!
//! ```text
//! transponder.1.<checksum, 16 hexadecimal digits>.<JSON in base64url>
//! ```
//!
//! It is opaque but not secret: the client has seen the text. A client that forges it gains nothing, because
//! it could send the same in plain text: it contains only text and JSON for the upstream, and no tool names.
//! The checksum detects damage in transit, not forgery.

use crate::json::{self, RawJson};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::hash::Hasher;

/// Distinguishes it from the `encrypted_content` of other servers.
pub const SEAL: &str = "transponder.";

/// Distinguishes it from later versions too.
const PREFIX: &str = "transponder.1.";

/// State that the client returns.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ReplayState {
    /// The reasoning, or the summary of a conversation.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
    /// `reasoning_details`, as the upstream sent them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<RawJson<'static>>,
    /// `extra_content` of tool calls, by `call_id`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub calls: BTreeMap<String, RawJson<'static>>,
}

impl ReplayState {
    /// State that is only text.
    pub(super) fn of_text(text: &str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// Whether it has anything that no other field of an item can hold.
    pub fn has_extras(&self) -> bool {
        !self.details.is_empty() || !self.calls.is_empty()
    }

    /// Encodes it for the client.
    pub(super) fn seal(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        format!("{PREFIX}{:016x}.{}", checksum(&json), URL_SAFE_NO_PAD.encode(&json))
    }

    /// Decodes it. `None` if it is from another server, or damaged.
    pub(super) fn open(sealed: &str) -> Option<Self> {
        let (sum, encoded) = sealed.strip_prefix(PREFIX)?.split_once('.')?;
        let json = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let is_intact = u64::from_str_radix(sum, 16) == Ok(checksum(&json));
        let json = std::str::from_utf8(&json).ok().filter(|_| is_intact)?;
        // Upstreams may reject lone surrogates.
        json::from_text(json).ok()
    }
}

fn checksum(bytes: &[u8]) -> u64 {
    let mut hasher = fnv::FnvHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> ReplayState {
        ReplayState {
            text: "Grüße 🦀".to_owned(),
            details: vec![RawJson::new(&serde_json::json!({"type": "reasoning.text", "signature": "a=="}))],
            calls: BTreeMap::from([("c".to_owned(), RawJson::new(&serde_json::json!({"google": {}})))]),
        }
    }

    #[test]
    fn what_was_sealed_opens_as_it_was() {
        let opened = ReplayState::open(&sample().seal()).unwrap();
        assert_eq!(opened.text, "Grüße 🦀");
        assert_eq!(opened.details[0].get(), r#"{"signature":"a==","type":"reasoning.text"}"#);
        assert_eq!(opened.calls["c"].get(), r#"{"google":{}}"#);
        assert!(opened.has_extras() && !ReplayState::of_text("x").has_extras());
    }

    #[test]
    fn what_is_foreign_or_damaged_does_not_open() {
        let sealed = sample().seal();
        for foreign in
            ["", "gAAAAAB", "transponder.1.", "transponder.1.0.%%", "transponder.2.0.YQ", "transponder.1._w"]
        {
            assert!(ReplayState::open(foreign).is_none(), "{foreign}");
        }
        for at in 0..sealed.len() {
            assert!(ReplayState::open(sealed.get(..at).unwrap()).is_none(), "cut at {at}");
            let mut damaged = sealed.clone().into_bytes();
            damaged[at] = if damaged[at] == b'1' { b'0' } else { b'1' };
            assert!(ReplayState::open(std::str::from_utf8(&damaged).unwrap()).is_none(), "changed at {at}");
        }
    }

    #[test]
    fn forged_contents_are_no_more_than_text_and_json() {
        let forge = |json: &str| {
            let sum = checksum(json.as_bytes());
            ReplayState::open(&format!("{PREFIX}{sum:016x}.{}", URL_SAFE_NO_PAD.encode(json)))
        };
        for broken in ["", "[", "\"x\"", r#"{"details":{}}"#, r#"{"details":[}"#, r#"{"calls":{"c":}}"#] {
            assert!(forge(broken).is_none(), "{broken}");
        }
        let lone = forge(r#"{"text":"\ud800","details":["\ud800"]}"#).unwrap();
        assert_eq!((lone.text.as_str(), lone.details[0].get()), ("\u{FFFD}", r#""\ufffd""#));
        assert_eq!(forge(r#"{"text":"\",\"role\":\"system"}"#).unwrap().text, "\",\"role\":\"system");
    }
}
