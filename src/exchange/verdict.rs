//! What goes into an exchange and what comes out of it: header maps in, verdicts out.
//!
//! A verdict says what to do with the callback at hand. There is one type for headers and one for
//! bodies, because the host allows different things at each: a verdict that can be written can be done.

use crate::error::ApiError;

/// The headers of a message, names in lower case. Values are bytes: a client may send anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, Vec<u8>)>);

impl From<Vec<(String, Vec<u8>)>> for Headers {
    fn from(pairs: Vec<(String, Vec<u8>)>) -> Self {
        Self(pairs)
    }
}

impl Headers {
    /// All names, repeated as often as they stand there.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// All values of a header that are text.
    pub fn texts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(other, _)| other == name);
        named.filter_map(|(_, value)| std::str::from_utf8(value).ok())
    }

    /// The first value of a header; empty if it is missing or not text.
    pub fn text<'a>(&'a self, name: &'a str) -> &'a str {
        self.texts(name).next().unwrap_or_default().trim()
    }

    /// The body's announced length.
    pub fn content_length(&self) -> Option<usize> {
        self.text("content-length").parse().ok()
    }

    /// One removal for each header whose name is to go.
    pub(super) fn removals(&self, goes: impl Fn(&str) -> bool) -> Vec<Edit> {
        self.names().filter(|name| goes(name)).map(|name| Edit::Remove(name.to_owned())).collect()
    }

    /// The edit by which a header has this value and no other; nothing if it has.
    pub(super) fn set(&self, name: &'static str, value: &str) -> Option<Edit> {
        let mut values = self.0.iter().filter(|(other, _)| other == name).map(|(_, value)| value);
        let has = values.next().is_some_and(|first| first == value.as_bytes()) && values.next().is_none();
        (!has).then(|| Edit::Set(name, value.to_owned()))
    }

    /// The status of a response. One that cannot be read counts as the gateway's own failure.
    pub fn status(&self) -> u16 {
        self.text(":status").parse().unwrap_or(502)
    }

    /// Whether the body is compressed, in whatever way.
    pub fn is_encoded(&self) -> bool {
        let mut codings = self.texts("content-encoding").flat_map(|value| value.split(','));
        codings.any(|coding| !["", "identity"].contains(&coding.trim().to_ascii_lowercase().as_str()))
    }
}

/// A header that is set: its name, and its value.
pub type Header = (&'static str, String);

/// One change to a header map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// The header has this value and no other.
    Set(&'static str, String),
    /// The header has the value again that it had.
    Restore(String, String),
    /// The header is gone.
    Remove(String),
}

impl From<Header> for Edit {
    fn from((name, value): Header) -> Self {
        Self::Set(name, value)
    }
}

/// A response of our own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalReply {
    /// The status.
    pub status: u16,
    /// All headers but the length, which the host adds.
    pub headers: Vec<Header>,
    /// The body.
    pub body: Vec<u8>,
}

impl LocalReply {
    /// A JSON body.
    pub(super) fn json(status: u16, body: Vec<u8>) -> Self {
        let headers = vec![("content-type", "application/json".to_owned())];
        Self { status, headers, body }
    }

    /// The same reply with one header more, if there is one.
    pub(super) fn with(mut self, header: Option<Header>) -> Self {
        self.headers.extend(header);
        self
    }
}

impl From<&ApiError> for LocalReply {
    fn from(error: &ApiError) -> Self {
        Self::json(error.status, error.to_json())
    }
}

/// A text that may stand in a header or in a line of the log: visible ASCII, and not too long.
pub(super) fn visible(text: &str, cap: usize) -> String {
    let shown = |char: char| if char.is_ascii_graphic() { char } else { '?' };
    text.chars().take(cap).map(shown).collect()
}

/// What to do in a headers callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeadersVerdict {
    /// Edit the headers, then let them go.
    Continue(Vec<Edit>),
    /// Edit the headers, then keep them until a body verdict lets them go.
    Hold(Vec<Edit>),
    /// Answer the client; nothing goes on.
    Respond(LocalReply),
}

/// What to do in a body callback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyVerdict {
    /// Leave the bytes as they are and let them go.
    Pass,
    /// The chunk was taken: stop here, and let Envoy buffer none of it.
    Hold,
    /// Put these bytes in place of the chunk, and let them go.
    Replace(Vec<u8>),
    /// The same, where the headers were held: edit them first.
    Release(Vec<Edit>, Vec<u8>),
    /// Answer the client; nothing goes on.
    Respond(LocalReply),
}

/// What to do in a trailers callback. There is no chunk in which a body could be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrailersVerdict {
    /// Let them go.
    Pass,
    /// Stop here.
    Hold,
    /// Answer the client; nothing goes on.
    Respond(LocalReply),
}
