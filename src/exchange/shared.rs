//! The state that all phases of an exchange share.

use super::ending::Ending;
use super::headers::is_success;
use super::observer::Observer;
use super::upstream_body::UpstreamBody;
use super::verdict::LocalReply;
use crate::config::Config;
use crate::error::ApiError;
use crate::request;
use crate::response::{Reply, StoredResponse};
use crate::store::{Answer, Key, Owner, Question, Record, ResponseId};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

/// The state that all phases share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) config: Arc<Config>,
    pub(super) observer: Observer,
    pub(super) seed: u128,
    pub(super) codex: bool,
    /// What could not be translated, in either direction, for example `tool:web_search`.
    pub(super) dropped: Vec<String>,
    /// Whose response it is, if responses are stored.
    pub(super) owner: Option<Owner>,
    /// The conversation up to the reply, if that is to be stored.
    pub(super) conversation: Option<String>,
    /// The record that is to be written.
    pub(super) record: Option<Question>,
    /// A record was to be written, and the store has not answered.
    writes: bool,
}

impl Shared {
    pub(super) fn new(config: Arc<Config>, observer: Observer, seed: u128) -> Self {
        Self {
            config,
            observer,
            seed,
            codex: false,
            dropped: Vec::new(),
            owner: None,
            conversation: None,
            record: None,
            writes: false,
        }
    }
}

/// The same, at the time of a callback.
#[derive(Debug)]
pub(super) struct Context<'e> {
    pub(super) shared: &'e mut Shared,
    /// Time since the Unix epoch.
    pub(super) now: Duration,
}

impl Deref for Context<'_> {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        self.shared
    }
}

impl DerefMut for Context<'_> {
    fn deref_mut(&mut self) -> &mut Shared {
        self.shared
    }
}

impl Context<'_> {
    pub(super) fn translation(&self) -> request::Context<'_> {
        let now = self.now.as_secs();
        request::Context { config: &self.config, seed: self.seed, now, codex: self.codex }
    }

    /// The reply is complete.
    pub(super) fn completed(&mut self, upstream: &mut UpstreamBody) {
        self.store(upstream.reply.take_stored());
        let ending = match upstream.reply.error() {
            None => Ending::Delivered,
            Some(error) if is_success(upstream.status) => Ending::Failed(error),
            Some(error) => Ending::UpstreamError(error),
        };
        self.ended(ending, Some(&upstream.reply));
    }

    fn store(&mut self, stored: StoredResponse) {
        match (stored, self.owner, self.conversation.take()) {
            (StoredResponse::Response(response), Some(owner), Some(conversation)) => {
                let key = Key { owner, id: ResponseId::of_seed(self.seed) };
                let record = Record::write(&key, &conversation, &response);
                self.record = Some(Question::Write(key, record));
                self.writes = true;
            }
            (StoredResponse::TooLarge, ..) => self.observer.record_too_large(),
            _ => {}
        }
    }

    /// The store has answered. If it was asked to write the record, that is counted.
    pub(super) fn recorded(&mut self, answer: &Answer) {
        if std::mem::take(&mut self.writes) {
            self.observer.store_changed("write", answer);
        }
    }

    /// The reply ended early, and the client cannot be informed any more.
    pub(super) fn cut(&mut self, reply: &Reply) {
        self.ended(Ending::Cut, Some(reply));
    }

    /// The client gets an error instead of a reply that cannot be translated.
    pub(super) fn failed(&mut self, error: &ApiError) -> LocalReply {
        self.ended(Ending::UpstreamError(error), None);
        LocalReply::from(error)
    }

    fn ended(&mut self, ending: Ending<'_>, reply: Option<&Reply>) {
        let now = self.now;
        let shared = &mut *self.shared;
        if let Some(reply) = reply {
            shared.dropped.extend_from_slice(reply.report().all_dropped());
        }
        shared.observer.ended(ending, reply, &shared.dropped, now);
    }
}
