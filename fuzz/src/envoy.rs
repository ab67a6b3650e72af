//! A stand-in for Envoy that knows what each callback allows, and panics on anything else.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use transponder::config::Config;
use transponder::exchange::{
    BodyVerdict, Edit, Exchange, Headers, HeadersVerdict, LocalReply, TrailersVerdict,
};

/// The time of every callback, since the Unix epoch.
const NOW: Duration = Duration::from_secs(1_700_000_000);

/// A request or reply as the filter passes it on.
#[derive(Debug, Default)]
pub struct Message {
    /// The body.
    pub body: Vec<u8>,
    /// `:status` and `content-length`, if the filter set them.
    edits: Vec<Edit>,
    held: bool,
    /// The last callback asked to wait.
    waits: bool,
}

/// How the exchange ended for the client.
#[derive(Debug)]
pub enum Outcome {
    /// The filter sent a local reply.
    Local(LocalReply),
    /// The upstream's reply, translated. `cut`: it ended where nothing can be written any more.
    Reply { body: Vec<u8>, status: Option<u16>, cut: bool },
}

/// One exchange, driven as Envoy drives it.
pub struct Envoy {
    exchange: Exchange,
    up: Message,
    down: Message,
}

impl Message {
    fn headers(&mut self, verdict: HeadersVerdict) -> Option<LocalReply> {
        match verdict {
            HeadersVerdict::Continue(edits) => self.edits = edits,
            HeadersVerdict::Hold(edits) => (self.edits, self.held) = (edits, true),
            HeadersVerdict::Respond(reply) => return Some(reply),
            HeadersVerdict::Ask(question) => unreachable!("no store is configured: {question:?}"),
        }
        None
    }

    fn body(&mut self, verdict: BodyVerdict, had: &[u8]) -> Option<LocalReply> {
        self.waits = false;
        match verdict {
            BodyVerdict::Pass => self.goes(had),
            BodyVerdict::Hold => self.waits = true,
            BodyVerdict::Replace(body) => self.goes(&body),
            BodyVerdict::Release(edits, body) => {
                assert!(self.held, "headers that went on are edited: {edits:?}");
                self.edits.extend(edits);
                self.goes(&body);
            }
            BodyVerdict::Respond(reply) => return Some(reply),
            verdict @ (BodyVerdict::Ask(_) | BodyVerdict::Wait) => {
                unreachable!("no store is configured: {verdict:?}")
            }
        }
        None
    }

    fn goes(&mut self, body: &[u8]) {
        self.held = false;
        self.body.extend_from_slice(body);
    }

    fn trailers(&mut self, verdict: TrailersVerdict) -> Option<LocalReply> {
        match verdict {
            TrailersVerdict::Pass => self.goes(b""),
            TrailersVerdict::Hold => self.waits = true,
            TrailersVerdict::Respond(reply) => return Some(reply),
            TrailersVerdict::Ask(question) => unreachable!("no store is configured: {question:?}"),
        }
        None
    }

    fn set(&self, name: &str) -> Option<usize> {
        self.edits.iter().rev().find_map(|edit| match edit {
            Edit::Set(header, value) if *header == name => value.parse().ok(),
            _ => None,
        })
    }

    /// A wrong length would let one message's bytes be read as the next message.
    fn check_length(&self) {
        if let Some(length) = self.set("content-length") {
            assert_eq!(length, self.body.len(), "the announced length is the body's");
        }
    }
}

impl Envoy {
    /// Before the first callback.
    pub fn new(config: &Config) -> Self {
        let exchange = Exchange::new(Arc::new(config.clone()), Rc::new(crate::Unrecorded), 7);
        Self { exchange, up: Message::default(), down: Message::default() }
    }

    /// Sends the whole request. Returns the filter's reply, or the request for the upstream.
    pub fn request(
        &mut self,
        headers: &Headers,
        pieces: &[&[u8]],
        trailers: bool,
    ) -> Result<&[u8], LocalReply> {
        let verdict = self.exchange.on_request_headers(headers, false, NOW);
        self.up.headers(verdict).map_or(Ok(()), Err)?;
        for piece in pieces {
            let verdict = self.exchange.on_request_body(piece, false, NOW);
            self.up.body(verdict, piece).map_or(Ok(()), Err)?;
        }
        let last = if trailers {
            let verdict = self.exchange.on_request_trailers(NOW);
            self.up.trailers(verdict)
        } else {
            let verdict = self.exchange.on_request_body(b"", true, NOW);
            self.up.body(verdict, b"")
        };
        last.map_or(Ok(()), Err)?;
        assert!(!self.up.held && !self.up.waits, "the request went up");
        self.up.check_length();
        Ok(&self.up.body)
    }

    /// Sends the whole reply.
    pub fn reply(mut self, headers: &Headers, pieces: &[&[u8]], trailers: bool) -> Outcome {
        let local = self.send_reply(headers, pieces, trailers);
        self.exchange.on_close(NOW);
        if let Some(reply) = local {
            return Outcome::Local(reply);
        }
        assert!(!self.down.held, "the reply went down");
        self.down.check_length();
        let status = self.down.set(":status").and_then(|status| u16::try_from(status).ok());
        Outcome::Reply { body: self.down.body, status, cut: trailers && !self.down.waits }
    }

    fn send_reply(&mut self, headers: &Headers, pieces: &[&[u8]], trailers: bool) -> Option<LocalReply> {
        let none = pieces.is_empty() && !trailers;
        let verdict = self.exchange.on_response_headers(headers, none, NOW);
        if let Some(reply) = self.down.headers(verdict) {
            return Some(reply);
        }
        for piece in pieces {
            let verdict = self.exchange.on_response_body(piece, false, NOW);
            if let Some(reply) = self.reply_body(verdict, piece) {
                return Some(reply);
            }
        }
        if trailers {
            let verdict = self.exchange.on_response_trailers(NOW);
            let held = self.down.held;
            let local = self.down.trailers(verdict);
            assert!(local.is_none() || held, "an answer after the headers went on cuts the connection");
            return local;
        }
        if none {
            return None;
        }
        let verdict = self.exchange.on_response_body(b"", true, NOW);
        self.reply_body(verdict, b"")
    }

    fn reply_body(&mut self, verdict: BodyVerdict, piece: &[u8]) -> Option<LocalReply> {
        let held = self.down.held;
        let local = self.down.body(verdict, piece);
        assert!(local.is_none() || held, "an answer after the headers went on cuts the connection");
        local
    }
}
