//! Which requests belong to one conversation, as a header by which Envoy can choose an endpoint: the one that still holds the
//! conversation's beginning in its prompt cache.

use super::headers::{Edit, Headers, SESSION};
use crate::config::Config;
use sha2::{Digest, Sha256};

/// The hash of a conversation's id. The id itself goes nowhere, because clients also use it for what concerns nobody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Session(String);

/// Makes the hash differ from other hashes of the same id. It is no secret: every Envoy of a fleet has to get the same hash.
const KEY: &[u8] = b"x-transponder-session\0";

/// Of a SHA-256, as many bytes as a UUID has.
const BYTES: usize = 16;

impl Session {
    /// By the first configured header that is there.
    pub(super) fn of_headers(config: &Config, headers: &Headers) -> Option<Self> {
        let mut ids = config.session_headers.iter().map(|name| headers.text(name));
        ids.find(|id| !id.is_empty()).map(Self::of)
    }

    /// By the body's `prompt_cache_key`, if there is one.
    pub(super) fn of_body(config: &Config, key: Option<&str>) -> Option<Self> {
        let key = key.filter(|key| !key.trim().is_empty() && !config.session_headers.is_empty());
        key.map(Self::of)
    }

    /// By the conversation's id.
    pub(super) fn of(id: &str) -> Self {
        let hash = Sha256::new().chain_update(KEY).chain_update(id).finalize();
        Self(hash.iter().take(BYTES).map(|byte| format!("{byte:02x}")).collect())
    }

    /// The headers that tell Envoy and the upstream. `upstreams`: the name of the header that the upstream wants.
    pub(super) fn edits(&self, upstreams: Option<&str>) -> impl Iterator<Item = Edit> {
        let names = [Some(SESSION.to_owned()), upstreams.map(str::to_owned)];
        names.into_iter().flatten().map(|name| Edit::set(name, self.0.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Endpoints are chosen by this value: another one moves every conversation.
    #[test]
    fn the_hash_never_changes() {
        assert_eq!(Session::of("0199a213-81c0-7800-8aa1-bbab2a035a53").0, "9d28951d96d20db5fb7d959af8ecc9ac");
    }
}
