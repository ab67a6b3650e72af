//! Shared by the adapters: reading the plugin configuration, and carrying out a verdict.

use crate::config::Config;
use crate::exchange::{BodyVerdict, Edit, HeadersVerdict, LocalReply, TrailersVerdict};

/// Reads a plugin configuration, and logs its errors and warnings. `None`: Envoy is to reject it.
pub(crate) fn configure(json: &[u8]) -> Option<Config> {
    match Config::parse(json) {
        Ok(config) => {
            config.warnings().iter().for_each(|warning| log::warn!("{warning}"));
            Some(config)
        }
        Err(errors) => {
            errors.iter().for_each(|error| log::error!("invalid plugin configuration: {error}"));
            None
        }
    }
}

/// A request or a reply in one of Envoy's callbacks.
pub(crate) trait Message {
    /// Gives a header this value and no other, or removes it.
    fn set_header(&self, name: &str, value: Option<&str>);

    /// Puts a body in place of the callback's chunk.
    fn replace_chunk(&self, body: &[u8]);

    /// Sends a local reply to the client.
    fn respond(&self, reply: &LocalReply);
}

/// What Envoy does after a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Send the message on.
    Continue,
    /// Stop here. Envoy must not keep any of the body in its own buffer.
    Hold,
    /// Stop here: a local reply was sent.
    Answered,
}

pub(crate) fn apply_to_headers(message: &impl Message, verdict: HeadersVerdict) -> Next {
    match verdict {
        HeadersVerdict::Continue(edits) => {
            edit(message, &edits);
            Next::Continue
        }
        HeadersVerdict::Hold(edits) => {
            edit(message, &edits);
            Next::Hold
        }
        HeadersVerdict::Respond(reply) => respond(message, &reply),
        HeadersVerdict::Ask(_) => Next::Hold,
    }
}

pub(crate) fn apply_to_body(message: &impl Message, verdict: BodyVerdict) -> Next {
    match verdict {
        BodyVerdict::Pass => Next::Continue,
        BodyVerdict::Hold | BodyVerdict::Ask(_) => {
            message.replace_chunk(&[]);
            Next::Hold
        }
        BodyVerdict::Replace(body) => {
            message.replace_chunk(&body);
            Next::Continue
        }
        BodyVerdict::Release(edits, body) => {
            edit(message, &edits);
            message.replace_chunk(&body);
            Next::Continue
        }
        BodyVerdict::Respond(reply) => respond(message, &reply),
    }
}

pub(crate) fn apply_to_trailers(message: &impl Message, verdict: TrailersVerdict) -> Next {
    match verdict {
        TrailersVerdict::Pass => Next::Continue,
        TrailersVerdict::Hold => Next::Hold,
        TrailersVerdict::Respond(reply) => respond(message, &reply),
    }
}

fn edit(message: &impl Message, edits: &[Edit]) {
    for edit in edits {
        match edit {
            Edit::Set(name, value) => message.set_header(name, Some(value)),
            Edit::Remove(name) => message.set_header(name, None),
        }
    }
}

fn respond(message: &impl Message, reply: &LocalReply) -> Next {
    message.respond(reply);
    Next::Answered
}
