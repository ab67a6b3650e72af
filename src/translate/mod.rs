//! The whole: one request into one Chat Completions request, one reply back.



use crate::config::Config;
pub use crate::responses::ApiError;

/// What the translation needs to know besides the body. Time and chance come in from outside,
/// so that the same input gives the same output, byte for byte.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The plugin's configuration.
    pub config: &'a Config,
    /// Differs from exchange to exchange; every id of the reply derives from it.
    pub seed: u128,
    /// Seconds since the Unix epoch, for `created_at`.
    pub now: u64,
    /// The client is Codex (`originator: codex*`), which needs a few things said differently.
    pub codex: bool,
}

/// A request as it goes up, and what is needed to bring its reply back.
#[derive(Debug)]
pub struct Translated {
    /// The Chat Completions body.
    pub body: Vec<u8>,
    /// The upstream's `:path`.
    pub path: String,
    /// The model asked of the upstream.
    pub model: String,
    /// The value for `x-transponder-upstream`: the rule's `route`, if a rule matched and has one.
    pub route: Option<String>,
    /// What could not be expressed upstream, e.g. `tool:web_search`; for `x-transponder-dropped`.
    pub dropped: Vec<String>,
    /// Translates the reply.
    pub reply: Reply,
}

/// Translates a Responses request body into a Chat Completions body.
///
/// # Errors
/// What the client is told when the request cannot be served (status 400 nearly always).
pub fn request(_body: &[u8], _context: &Context<'_>) -> Result<Translated, ApiError> {
    Err(ApiError::invalid("not yet"))
}

/// The reply of one exchange. Bytes of the upstream's body go in as they come, bytes for the
/// client come out; it decides by itself whether the upstream sends SSE, one JSON document or an error.
#[derive(Debug)]
pub struct Reply {}

impl Reply {
    /// Whether the client asked for `text/event-stream`.
    pub fn wants_stream(&self) -> bool {
        false
    }

    /// The upstream's status is known (call once, before the first byte).
    pub fn begin(&mut self, _status: u16) {}

    /// Takes the next bytes of the upstream's body, appends what the client gets now.
    /// A frame is appended whole or not at all.
    pub fn push(&mut self, _bytes: &[u8], _out: &mut Vec<u8>) {}

    /// The upstream's body ended: appends the rest.
    pub fn end(&mut self, _out: &mut Vec<u8>) {}

    /// Nothing more will come out, whatever goes in. For a JSON reply this may be before the upstream's end.
    pub fn is_done(&self) -> bool {
        false
    }

    /// The status for the client, known once [`Reply::is_done`]: differs from the upstream's
    /// when a 200 turned out to hold an error. It can only be applied while headers are held.
    pub fn status(&self) -> u16 {
        200
    }

    /// The retry-after that the client should get, in whole seconds, if any is due and the upstream sent none usable.
    pub fn error(&self) -> Option<&ApiError> {
        None
    }
}
