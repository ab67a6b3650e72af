//! A store in memory that all workers of one Envoy share, bounded in keys and in bytes.
//!
//! That memory is a map whose keys can never be removed, and whose values change by compare and swap. So the keys are
//! fixed: [`SETS`] sets of [`SLOTS`] slots each. A record belongs to the set that its key hashes to, and goes into a free
//! slot of it. A set has a directory: which record each slot has, how large it is, and when it expires. What is expired is
//! removed from it when the next record is written; then the oldest ones give way until there is a slot and room.
//!
//! Of two workers that write into one set, one wins the directory, and the other looks again. A slot repeats the key of its
//! record, so a reader never takes another record for the one that it looks for.

use super::{Answer, Key, Question};
use crate::json;
use fnv::FnvHasher;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::hash::Hasher;
use std::time::Duration;

/// The memory that the workers share.
pub trait SharedData: fmt::Debug {
    /// The value of a key, and the number of its version. `None` if it was never set, or is empty.
    fn get(&self, key: &str) -> Option<(Vec<u8>, u32)>;

    /// Sets the value of a key; `None` empties it. With a `version`, only if the key still has that one.
    fn set(&self, key: &str, value: Option<&[u8]>, version: Option<u32>) -> Written;
}

/// Whether a value was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It was.
    Done,
    /// Somebody else has set the key in the meantime.
    Outdated,
    /// It cannot be set.
    Failed,
}

/// How many sets there are. One record can take a set alone, so more sets mean smaller records.
const SETS: usize = 32;

/// How many records a set can have.
const SLOTS: usize = 128;

/// How often a directory is written anew if other workers are faster.
const ATTEMPTS: usize = 16;

/// The bounds of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoryStore {
    /// How many bytes all records may have together.
    pub bytes: usize,
    /// How long a record is kept.
    pub ttl: Duration,
}

/// The record of one slot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    key: String,
    bytes: usize,
    /// Unix seconds.
    expires_at: u64,
    /// Grows with each write into the set: the smallest one is the oldest.
    turn: u64,
}

/// The slots of a set; `None` is free.
type Directory = Vec<Option<Entry>>;

impl MemoryStore {
    /// How many bytes one record may have.
    pub fn record_bytes(self) -> usize {
        self.bytes / SETS
    }

    /// Makes the directories. Only a value that exists can be compared, so this comes before the first question.
    pub fn prepare(data: &dyn SharedData) {
        for set in 0..SETS {
            let key = directory_key(set);
            if data.get(&key).is_none() {
                data.set(&key, Some(b"[]"), None);
            }
        }
    }

    /// Answers a question. `now` is the time since the Unix epoch.
    pub fn answer(self, question: &Question, data: &dyn SharedData, now: Duration) -> Answer {
        match question {
            Question::Read(key) => read(&name(key), data, now.as_secs()),
            Question::Write(key, record) => self.write(&name(key), record, data, now),
            Question::Delete(key) => delete(&name(key), data),
        }
    }

    fn write(self, name: &str, record: &[u8], data: &dyn SharedData, now: Duration) -> Answer {
        if record.len() > self.record_bytes() {
            return Answer::Failed;
        }
        let entry = Entry {
            key: name.to_owned(),
            bytes: record.len(),
            expires_at: now.saturating_add(self.ttl).as_secs(),
            turn: 0,
        };
        let set = set_of(name);
        let placed = change(set, data, |directory| {
            let left = make_room(directory, &entry, self.record_bytes(), now.as_secs());
            place(directory, entry.clone(), left)
        });
        // The directory comes first: nobody else takes the slot any more.
        let slot = match placed {
            Some(Some(slot)) => slot,
            _ => return Answer::Failed,
        };
        let value = [name.as_bytes(), b"\n", record].concat();
        match data.set(&slot_key(set, slot), Some(&value), None) {
            Written::Done => Answer::Done,
            Written::Outdated | Written::Failed => Answer::Failed,
        }
    }
}

fn read(name: &str, data: &dyn SharedData, now: u64) -> Answer {
    let set = set_of(name);
    let (directory, _) = directory(set, data);
    let is_asked = |entry: &Option<Entry>| {
        entry.as_ref().is_some_and(|entry| entry.key == name && entry.expires_at > now)
    };
    let slot = directory.iter().position(is_asked);
    let value = slot.and_then(|slot| data.get(&slot_key(set, slot)));
    let head = name.len() + 1;
    match value {
        Some((mut value, _)) if value.get(..head) == Some(format!("{name}\n").as_bytes()) => {
            value.drain(..head);
            Answer::Found(value)
        }
        _ => Answer::Missing,
    }
}

fn delete(name: &str, data: &dyn SharedData) -> Answer {
    let taken = change(set_of(name), data, |directory| {
        let slot = directory.iter_mut().find(|slot| slot.as_ref().is_some_and(|entry| entry.key == name));
        slot.and_then(Option::take).is_some()
    });
    match taken {
        Some(true) => Answer::Done,
        Some(false) => Answer::Missing,
        None => Answer::Failed,
    }
}

/// Changes the directory of a set, and empties the slots that become free. `None` if other workers were always faster.
fn change<T>(set: usize, data: &dyn SharedData, change: impl Fn(&mut Directory) -> T) -> Option<T> {
    for _ in 0..ATTEMPTS {
        let (before, version) = directory(set, data);
        let mut after = before.clone();
        let result = change(&mut after);
        let json = serde_json::to_vec(&after).ok()?;
        let freed = freed(set, &before, &after, data);
        match data.set(&directory_key(set), Some(&json), version) {
            Written::Outdated => {}
            Written::Failed => return None,
            Written::Done => {
                freed.into_iter().for_each(|(key, version)| {
                    data.set(&key, None, Some(version));
                });
                return Some(result);
            }
        }
    }
    None
}

/// The slots that a change frees. Their versions are those of before: a slot that another worker takes meanwhile stays.
fn freed(set: usize, before: &Directory, after: &Directory, data: &dyn SharedData) -> Vec<(String, u32)> {
    let slots = before.iter().enumerate();
    let freed = slots.filter(|(slot, entry)| entry.is_some() && !matches!(after.get(*slot), Some(Some(_))));
    freed
        .filter_map(|(slot, _)| {
            let key = slot_key(set, slot);
            data.get(&key).map(|(_, version)| (key, version))
        })
        .collect()
}

/// Removes what has expired, and the same record if it is written again; then the oldest, until there is room for one more.
/// Returns the slot of the last one.
fn make_room(directory: &mut Directory, new: &Entry, limit: usize, now: u64) -> Option<usize> {
    for slot in directory.iter_mut() {
        if slot.as_ref().is_some_and(|entry| entry.expires_at <= now || entry.key == new.key) {
            *slot = None;
        }
    }
    let mut left = None;
    loop {
        let entries = directory.iter().flatten();
        let (count, bytes) = entries.fold((0, 0), |(count, bytes), entry| (count + 1, bytes + entry.bytes));
        if count < SLOTS && bytes + new.bytes <= limit {
            return left;
        }
        let slots = directory.iter_mut().enumerate().filter(|(_, slot)| slot.is_some());
        let (number, oldest) = slots.min_by_key(|(_, slot)| turn(slot))?;
        *oldest = None;
        left = Some(number);
    }
}

/// Puts an entry into the slot that another has just left, or else into the first free one, and returns which one that is. A
/// slot that is written again need not be emptied, for which its record would have to be read.
fn place(directory: &mut Directory, entry: Entry, left: Option<usize>) -> Option<usize> {
    let turn = directory.iter().map(turn).max().unwrap_or(0) + 1;
    let free = left.or_else(|| directory.iter().position(Option::is_none)).unwrap_or(directory.len());
    if free == directory.len() {
        directory.push(None);
    }
    let slot = directory.get_mut(free).filter(|_| free < SLOTS)?;
    *slot = Some(Entry { turn, ..entry });
    Some(free)
}

fn turn(slot: &Option<Entry>) -> u64 {
    slot.as_ref().map_or(0, |entry| entry.turn)
}

/// The directory of a set, and its version. One that cannot be read counts as empty.
fn directory(set: usize, data: &dyn SharedData) -> (Directory, Option<u32>) {
    match data.get(&directory_key(set)) {
        Some((json, version)) => (json::from_bytes(&json).unwrap_or_default(), Some(version)),
        None => (Directory::new(), None),
    }
}

fn directory_key(set: usize) -> String {
    format!("transponder.store.1.{set}")
}

fn slot_key(set: usize, slot: usize) -> String {
    format!("transponder.store.1.{set}.{slot}")
}

/// A record's name in the directory and in its slot.
fn name(key: &Key) -> String {
    format!("{}/{}", key.owner.digits(), key.id.digits())
}

fn set_of(name: &str) -> usize {
    let mut hasher = FnvHasher::default();
    hasher.write(name.as_bytes());
    (hasher.finish() % SETS as u64) as usize
}

#[cfg(test)]
mod tests;
