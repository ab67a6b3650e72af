//! Header maps, their edits, and the headers that the filter removes.

use std::borrow::Cow;

/// The headers of a message. Names are in lower case; values are bytes, because a client may send anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl From<Vec<(String, Vec<u8>)>> for Headers {
    fn from(pairs: Vec<(String, Vec<u8>)>) -> Self {
        Self(pairs)
    }
}

impl Headers {
    /// All names, repeated as in the message.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// All values of a header.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.0.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_slice())
    }

    /// All values of a header that are text.
    pub fn texts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values(name).filter_map(|value| std::str::from_utf8(value).ok())
    }

    /// The first value of a header; empty if it is missing or not text.
    pub fn text<'a>(&'a self, name: &'a str) -> &'a str {
        self.texts(name).next().unwrap_or_default().trim()
    }

    /// The body's announced length.
    pub fn content_length(&self) -> Option<usize> {
        self.text("content-length").parse().ok()
    }

    /// One removal for each header whose name matches.
    pub(super) fn removals(&self, matches: impl Fn(&str) -> bool) -> Vec<Edit> {
        self.names().filter(|name| matches(name)).map(|name| Edit::Remove(name.to_owned())).collect()
    }

    /// The edit that gives a header this value and no other; none if it has it already.
    pub(super) fn set(&self, name: &'static str, value: &str) -> Option<Edit> {
        let mut values = self.values(name);
        let has = values.next().is_some_and(|first| first == value.as_bytes()) && values.next().is_none();
        (!has).then(|| Edit::set(name, value))
    }

    /// The status of a response; 502 if it cannot be read.
    pub fn status(&self) -> u16 {
        self.text(":status").parse().unwrap_or(502)
    }

    /// Whether the body has a content encoding other than `identity`.
    pub fn is_encoded(&self) -> bool {
        let mut codings = self.texts("content-encoding").flat_map(|value| value.split(','));
        codings.any(|coding| !["", "identity"].contains(&coding.trim().to_ascii_lowercase().as_str()))
    }
}

/// Whether a status is one of success.
pub(super) fn is_success(status: u16) -> bool {
    (200..300).contains(&status)
}

/// A header to set: its name and its value.
pub type Header = (&'static str, String);

/// One change to a header map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Gives a header this value and no other.
    Set(Cow<'static, str>, String),
    /// Removes a header.
    Remove(String),
}

impl Edit {
    /// Gives a header this value and no other.
    pub fn set(name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self::Set(name.into(), value.into())
    }
}

impl From<Header> for Edit {
    fn from((name, value): Header) -> Self {
        Self::set(name, value)
    }
}

/// The request header by which Envoy's routes can choose a cluster. It is never taken from a client.
pub(super) const UPSTREAM: &str = "x-transponder-upstream";

/// The request header with the model that is requested from the upstream. It is never taken from a client.
pub(super) const MODEL: &str = "x-transponder-model";

/// The request header that is the same in all requests of a conversation, for Envoy's `hash_policy`. It is never taken from a
/// client.
pub(super) const SESSION: &str = "x-transponder-session";

/// The response header that lists what could not be translated. It is never taken from an upstream.
pub(super) const DROPPED: &str = "x-transponder-dropped";

/// The headers of a stream of events. Some of Envoy's compressors, such as zstd's, hold a stream to its end; `no-transform`
/// keeps all of them away.
pub(super) const STREAM: [(&str, &str); 2] =
    [("content-type", "text/event-stream"), ("cache-control", "no-cache, no-transform")];

/// Headers that are not passed on, by name or by prefix.
pub(super) struct Dropped {
    names: &'static [&'static str],
    prefixes: &'static [&'static str],
}

impl Dropped {
    pub(super) fn contains(&self, name: &str) -> bool {
        self.names.contains(&name) || self.prefixes.iter().any(|prefix| name.starts_with(prefix))
    }
}

/// Request headers that the upstream does not get.
pub(super) const FROM_CLIENT: Dropped = Dropped {
    names: &[
        // They describe the original body.
        "content-length",
        "content-md5",
        "content-digest",
        "digest",
        "repr-digest",
        // A compressed reply could not be read.
        "accept-encoding",
        // They concern OpenAI's own service, or identify the user: session and thread ids, the working directory,
        // the commit. Codex's request id is its thread id.
        "openai-alpha",
        "openai-beta",
        "originator",
        "session-id",
        "session_id",
        "thread-id",
        "x-client-request-id",
        UPSTREAM,
        MODEL,
        SESSION,
    ],
    prefixes: &["x-codex-", "x-openai-", "x-oai-", "oai-", "x-responsesapi-", "chatgpt-"],
};

/// Response headers that the client does not get.
pub(super) const FROM_UPSTREAM: Dropped = Dropped {
    names: &[
        // They describe the original body.
        "content-length",
        "content-md5",
        "content-digest",
        "digest",
        "etag",
        "repr-digest",
        // Only this filter lists what was dropped.
        DROPPED,
        // Codex acts on these: it would report a rerouted model, or a flagged account, to its user.
        "openai-model",
        "x-models-etag",
        "x-openai-model",
        "x-reasoning-included",
    ],
    prefixes: &["x-codex-"],
};
