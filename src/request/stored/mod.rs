//! A request of a client whose responses are stored.
//!
//! What it refers to comes from records: `previous_response_id` stands for the conversation before its own items, and an
//! `item_reference` for the item. From there on it is a request like any other. What the record of its own response will
//! hold is the whole conversation, so that the next turn needs one record only.

mod needs;
mod repeated;
mod written;

use super::body;
use crate::config::History;
use crate::error::{ApiError, Code, Path};
use crate::items::CALL_ITEMS;
use crate::json::{Tape, TapeValue};
use crate::store::{Record, ResponseId};
use crate::wire::typed::{Located, Object};
pub(crate) use needs::Needs;
use std::borrow::Cow;
use std::collections::BTreeMap;
pub(super) use written::conversation;

/// What the store has for a request.
#[derive(Debug, Default)]
pub(crate) struct StoredRecords {
    /// The record that `previous_response_id` names.
    pub(crate) previous: Option<Record>,
    /// Records that have items to which the request refers.
    pub(crate) others: Vec<Record>,
    /// How many bytes the record of the response may have.
    pub(crate) record_bytes: usize,
}

impl StoredRecords {
    /// Whether an item is in one of the records.
    pub(crate) fn has_item(&self, id: &str) -> bool {
        // Items of the client are kept as they were written.
        let written = [format!(r#""id":"{id}""#), format!(r#""id": "{id}""#)];
        let records = self.previous.iter().chain(&self.others);
        let mut documents = records.flat_map(|record| [record.response.get(), record.input.get()]);
        documents.any(|document| written.iter().any(|written| document.contains(written)))
    }
}

/// The error for a response that is not there, whatever the reason.
pub(crate) fn previous_not_found(id: &str) -> ApiError {
    ApiError::of(Code::PreviousResponseNotFound, format!("Previous response with id '{id}' not found."))
        .at(Path::top("previous_response_id"))
}

/// The parsed records: first that of the previous response, if there is one.
pub(super) struct Tapes<'r> {
    has_previous: bool,
    /// The input and the response of each.
    records: Vec<[Tape<'r>; 2]>,
}

impl<'r> Tapes<'r> {
    pub(super) fn read(stored: &'r StoredRecords) -> Result<Self, ApiError> {
        let records = stored.previous.iter().chain(&stored.others);
        let tapes =
            |record: &'r Record| Ok([body::parse(record.input.get())?, body::parse(record.response.get())?]);
        Ok(Self {
            has_previous: stored.previous.is_some(),
            records: records.map(tapes).collect::<Result<_, ApiError>>()?,
        })
    }
}

/// The items that are stored.
#[derive(Default)]
pub(super) struct StoredItems<'a> {
    /// The conversation that `previous_response_id` stands for.
    before: Vec<TapeValue<'a>>,
    /// The items of `before` by their ids, and by those of their calls and outputs.
    known: BTreeMap<(Known, Cow<'a, str>), TapeValue<'a>>,
    /// All items of all records.
    by_id: BTreeMap<Cow<'a, str>, TapeValue<'a>>,
}

/// What an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Known {
    Item,
    Call,
    Output,
}

impl<'a> StoredItems<'a> {
    pub(super) fn of(tapes: &'a Tapes<'a>) -> Self {
        let mut stored = Self::default();
        for [input, response] in &tapes.records {
            let output = response.root().field("output").and_then(TapeValue::elements);
            let items = input.root().elements().into_iter().flatten().chain(output.into_iter().flatten());
            let items: Vec<_> = items.collect();
            stored.by_id.extend(items.iter().filter_map(|item| Some((text(*item, "id")?, *item))));
            if tapes.has_previous && stored.before.is_empty() {
                stored.before = resumed(items);
            }
        }
        let known = stored.before.iter().flat_map(|item| names(*item).map(|name| (name, *item)));
        stored.known.extend(known);
        stored
    }

    /// Whether the request goes on from nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.before.is_empty()
    }

    /// All items of the conversation: the stored ones, then those of `input`, in which references are replaced. A client that
    /// repeats what is stored does not get it twice.
    pub(super) fn with<'p>(
        &self,
        input: impl Iterator<Item = Located<'p, 'a>>,
        policy: History,
        body: &'p Object<'_, 'a>,
    ) -> Result<Vec<Located<'p, 'a>>, ApiError>
    where
        'a: 'p,
    {
        let input: Vec<_> = input.collect();
        let stored = |value| Located::body(value, body.unread());
        let mut all: Vec<_> = self.before.iter().copied().map(stored).collect();
        let repeated = repeated::prefix(&self.before, &input);
        for item in input.into_iter().skip(repeated) {
            let mut known = names(item.value).filter_map(|name| self.known.get(&name));
            if known.any(|stored| repeated::is_same(*stored, item.value)) {
                continue;
            }
            match text(item.value, "id").filter(|_| is(item.value, "item_reference")) {
                None => all.push(item),
                Some(id) => match self.by_id.get(&id) {
                    Some(value) => all.push(stored(*value)),
                    None if policy == History::Strict && ResponseId::of_item(&id).is_some() => {
                        return Err(item_not_found(&id, &item));
                    }
                    None => all.push(item),
                },
            }
        }
        Ok(all)
    }
}

/// What of a conversation goes on: a summary replaces what was before it, and a call that was cut was never run.
fn resumed(items: Vec<TapeValue<'_>>) -> Vec<TapeValue<'_>> {
    let summary = items.iter().rposition(|item| is(*item, "compaction") || is(*item, "context_compaction"));
    let rest = items.into_iter().skip(summary.unwrap_or(0));
    rest.filter(|item| !(is_call(*item) && text(*item, "status").as_deref() == Some("incomplete"))).collect()
}

/// The names by which an item is known.
fn names(item: TapeValue<'_>) -> impl Iterator<Item = (Known, Cow<'_, str>)> {
    let kind = if is_call(item) { Known::Call } else { Known::Output };
    let call = text(item, "call_id").filter(|id| !id.is_empty()).map(|id| (kind, id));
    text(item, "id").map(|id| (Known::Item, id)).into_iter().chain(call)
}

fn is_call(item: TapeValue<'_>) -> bool {
    text(item, "type").is_some_and(|item_type| CALL_ITEMS.contains(&&*item_type))
}

fn is(item: TapeValue<'_>, item_type: &str) -> bool {
    item.field("type").is_some_and(|value| value.is(item_type))
}

fn text<'a>(item: TapeValue<'a>, field: &str) -> Option<Cow<'a, str>> {
    item.field(field).and_then(TapeValue::string)
}

/// An item that was made here and is not there any more: without it the model would not know what it has said.
fn item_not_found(id: &str, item: &Located<'_, '_>) -> ApiError {
    ApiError::invalid(format!("Item with id '{id}' not found.")).at(Path::Field(&item.path, "id"))
}
