//! A request that refers to stored responses: their records are read before it is translated.

use super::incoming::Incoming;
use super::phase::Phase;
use super::shared::Context;
use super::translating::Translating;
use super::verdict::BodyVerdict;
use crate::error::{ApiError, Code};
use crate::request::{Needs, StoredRecords, previous_not_found};
use crate::store::{Answer, Key, Owner, Question, Record, ResponseId};
use std::collections::BTreeSet;

/// The request is complete, and waits for a record.
#[derive(Debug)]
pub(super) struct Restoring {
    translating: Translating,
    incoming: Incoming,
    needs: Needs,
    stored: StoredRecords,
    owner: Owner,
    /// The record that was asked for last.
    asked: Option<Key>,
    /// The responses whose records were asked for.
    tried: BTreeSet<ResponseId>,
}

/// How many records one request may need. The record of a turn has the items of all turns before it, so it is one for a
/// conversation that is stored as a whole.
const MAX_RECORDS: usize = 16;

impl Restoring {
    /// The body is complete.
    pub(super) fn begin(
        translating: Translating,
        incoming: Incoming,
        owner: Owner,
        context: &mut Context<'_>,
    ) -> (Phase, BodyVerdict) {
        let needs = Needs::of(&incoming.body);
        let stored =
            StoredRecords { record_bytes: context.config.store.record_bytes(), ..StoredRecords::default() };
        let previous = needs.previous.as_deref().map(ResponseId::parse);
        let restoring =
            Self { translating, incoming, needs, stored, owner, asked: None, tried: BTreeSet::new() };
        match previous {
            Some(Some(id)) => restoring.ask(id),
            Some(None) => restoring.previous_not_found(context),
            None => restoring.next(context),
        }
    }

    /// The store has answered.
    pub(super) fn on_answer(mut self, answer: Answer, context: &mut Context<'_>) -> (Phase, BodyVerdict) {
        let Some(key) = self.asked.take() else { return self.next(context) };
        let is_previous = self.stored.previous.is_none() && self.needs.previous.is_some();
        match read(&key, answer, context) {
            Err(error) => self.incoming.rejected(&error, context),
            Ok(None) if is_previous => self.previous_not_found(context),
            Ok(record) => {
                if is_previous {
                    self.stored.previous = record;
                } else {
                    self.stored.others.extend(record);
                }
                self.next(context)
            }
        }
    }

    /// Asks for the next record, or translates the request if there is none. The last item comes first: its record has most
    /// of the others.
    fn next(self, context: &mut Context<'_>) -> (Phase, BodyVerdict) {
        let missing = self.needs.items.iter().rev().filter(|id| !self.stored.has_item(id));
        let mut responses = missing.filter_map(|id| ResponseId::of_item(id));
        match responses.find(|id| !self.tried.contains(id)) {
            Some(_) if self.tried.len() == MAX_RECORDS => self.incoming.rejected(&too_many(), context),
            Some(id) => self.ask(id),
            None => self.translating.translate(&self.incoming, Some(&self.stored), true, context),
        }
    }

    fn ask(mut self, id: ResponseId) -> (Phase, BodyVerdict) {
        self.tried.insert(id);
        let key = Key { owner: self.owner, id };
        self.asked = Some(key.clone());
        (Phase::Restoring(Box::new(self)), BodyVerdict::Ask(Question::Read(key)))
    }

    fn previous_not_found(self, context: &mut Context<'_>) -> (Phase, BodyVerdict) {
        let error = previous_not_found(&self.needs.previous.unwrap_or_default());
        self.incoming.rejected(&error, context)
    }
}

/// The items are in too many records.
fn too_many() -> ApiError {
    ApiError::invalid(format!(
        "`input` refers to items of more than {MAX_RECORDS} stored responses. Send the items themselves."
    ))
    .code(Code::UnsupportedValue)
    .at("input")
}

/// The record in an answer, if there is one.
pub(super) fn read(key: &Key, answer: Answer, context: &Context<'_>) -> Result<Option<Record>, ApiError> {
    let record = match answer {
        Answer::Found(bytes) => Record::read(key, &bytes).map_err(|_| ()),
        Answer::Missing => Ok(None),
        Answer::Done | Answer::Failed => Err(()),
    };
    context.observer.store_read(&record);
    record.map_err(|()| unavailable())
}

/// The store cannot say whether a record is there.
pub(super) fn unavailable() -> ApiError {
    ApiError::of(
        Code::StoreUnavailable,
        "The store of the responses cannot be read. Send the request again later.",
    )
}
