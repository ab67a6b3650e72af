//! The whole: one request into one Chat Completions request, one reply back.

mod bounds;
mod calls;
mod error;
mod history;
mod markup;
mod plan;
mod reply;
mod request;
mod schema;
mod stream;
mod toolbox;
mod usage;

use crate::config::Config;
pub use crate::items::Report;
pub use crate::responses::ApiError;
pub use reply::Reply;
pub use request::{compact, request};
pub use stream::Tally;

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
    /// The model that the client asked for.
    pub asked_model: String,
    /// The model asked of the upstream.
    pub model: String,
    /// The preset of the upstream's options.
    pub preset: &'static str,
    /// The value for `x-transponder-upstream`: the rule's `route`, if a rule matched and has one.
    pub route: Option<String>,
    /// What could not be expressed upstream, for `x-transponder-dropped`, and what was mended.
    pub report: Report,
    /// Translates the reply.
    pub reply: Reply,
}
