//! A request whose body is still arriving.

use super::headers::Headers;
use super::incoming::Incoming;
use super::phase::Phase;
use super::response_headers;
use super::search;
use super::shared::Context;
use super::translating::Translating;
use super::verdict::{BodyVerdict, HeadersVerdict};
use crate::config::Search;
use std::sync::Arc;

/// The request is not complete yet.
#[derive(Debug)]
pub(super) struct Collecting {
    pub(super) incoming: Incoming,
    pub(super) purpose: Purpose,
}

/// What becomes of the complete request.
#[derive(Debug)]
pub(super) enum Purpose {
    /// The upstream's request.
    Translation(Translating),
    /// A request to this search engine.
    Search(Arc<Search>),
}

impl Collecting {
    pub(super) fn on_body(
        mut self,
        chunk: &[u8],
        end: bool,
        context: &mut Context<'_>,
    ) -> (Phase, BodyVerdict) {
        match self.incoming.take(chunk, end, context.config.limits.request_bytes) {
            Ok(Some(verdict)) => (Phase::Collecting(self), verdict),
            Ok(None) => self.send(end, context),
            Err(error) => Phase::rejected(&error, context),
        }
    }

    /// The body is complete. `end`: this is its last chunk.
    fn send(self, end: bool, context: &mut Context<'_>) -> (Phase, BodyVerdict) {
        match self.purpose {
            Purpose::Translation(translating) => translating.send(self.incoming, end, context),
            Purpose::Search(engine) => search::send(&engine, self.incoming, end, context),
        }
    }

    /// The reply begins before the request is complete.
    pub(super) fn begin_early(
        self,
        headers: &Headers,
        end: bool,
        context: &mut Context<'_>,
    ) -> (Phase, HeadersVerdict) {
        match self.purpose {
            Purpose::Translation(_) => response_headers::begin_early(headers, end, context),
            Purpose::Search(_) => search::unavailable(headers.status(), context),
        }
    }
}
