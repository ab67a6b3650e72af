use super::super::{Owner, ResponseId};
use super::*;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

/// Behaves as Envoy's shared data: keys stay for ever, and an empty value reads as none.
#[derive(Debug, Default)]
struct Shared {
    values: RefCell<BTreeMap<String, (Vec<u8>, u32)>>,
    versions: Cell<u32>,
    /// How many of the next conditional writes somebody else forestalls.
    rivals: Cell<u32>,
    /// How many bytes of records were read.
    read: Cell<usize>,
}

impl SharedData for Shared {
    fn get(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        let value = self.values.borrow().get(key).filter(|(value, _)| !value.is_empty()).cloned();
        let record =
            value.iter().filter(|_| key.matches('.').count() > directory_key(0).matches('.').count());
        self.read.set(self.read.get() + record.map(|(record, _)| record.len()).sum::<usize>());
        value
    }

    fn set(&self, key: &str, value: Option<&[u8]>, version: Option<u32>) -> Written {
        self.versions.set(self.versions.get() + 1);
        let mut values = self.values.borrow_mut();
        if version.is_some() && self.rivals.get() > 0 {
            self.rivals.set(self.rivals.get() - 1);
            values.get_mut(key).unwrap().1 = self.versions.get();
        }
        let current = values.get(key).map(|(_, version)| *version);
        if current.is_some() && version.is_some() && version != current {
            return Written::Outdated;
        }
        values.insert(key.to_owned(), (value.unwrap_or_default().to_vec(), self.versions.get()));
        Written::Done
    }
}

impl Shared {
    fn ready() -> Self {
        let data = Self::default();
        MemoryStore::prepare(&data);
        data
    }

    /// What the records take.
    fn bytes(&self) -> usize {
        self.values.borrow().values().map(|(value, _)| value.len()).sum()
    }
}

const NOW: Duration = Duration::from_secs(1000);
const STORE: MemoryStore = MemoryStore { bytes: SETS * 1000, ttl: Duration::from_secs(60) };

fn key(owner: &str, id: u128) -> Key {
    Key { owner: Owner::of([owner.as_bytes()].into_iter()), id: ResponseId::of_seed(id) }
}

fn write(data: &Shared, key: Key, record: &[u8]) -> Answer {
    STORE.answer(&Question::Write(key, record.to_vec()), data, NOW)
}

fn read(data: &Shared, key: Key, now: Duration) -> Answer {
    STORE.answer(&Question::Read(key), data, now)
}

#[test]
fn a_record_is_there_for_its_owner_until_it_expires() {
    let data = Shared::ready();
    assert_eq!(write(&data, key("a", 1), b"record"), Answer::Done);
    assert_eq!(read(&data, key("a", 1), NOW), Answer::Found(b"record".to_vec()));
    assert_eq!(
        read(&data, key("a", 1), NOW + STORE.ttl - Duration::from_secs(1)),
        Answer::Found(b"record".to_vec())
    );
    assert_eq!(read(&data, key("a", 1), NOW + STORE.ttl), Answer::Missing);
    assert_eq!(read(&data, key("b", 1), NOW), Answer::Missing);
    assert_eq!(read(&data, key("a", 2), NOW), Answer::Missing);
}

#[test]
fn a_deleted_record_is_gone_and_leaves_no_bytes() {
    let data = Shared::ready();
    let empty = data.bytes();
    write(&data, key("a", 1), &[b'x'; 900]);
    assert_eq!(STORE.answer(&Question::Delete(key("b", 1)), &data, NOW), Answer::Missing);
    assert_eq!(STORE.answer(&Question::Delete(key("a", 1)), &data, NOW), Answer::Done);
    assert_eq!(STORE.answer(&Question::Delete(key("a", 1)), &data, NOW), Answer::Missing);
    assert_eq!(read(&data, key("a", 1), NOW), Answer::Missing);
    assert!(data.bytes() < empty + 10, "only the free slot is noted");
}

#[test]
fn what_is_written_again_takes_the_place_of_what_was() {
    let data = Shared::ready();
    for round in 0..30 {
        write(&data, key("a", 1), format!("record {round}").as_bytes());
    }
    assert_eq!(read(&data, key("a", 1), NOW), Answer::Found(b"record 29".to_vec()));
    assert_eq!(data.values.borrow().len(), SETS + 1);
}

#[test]
fn a_set_stays_bounded_in_keys_and_bytes_and_keeps_the_newest() {
    for (size, records, kept) in [(1, 2 * SLOTS, SLOTS), (400, 20, 2)] {
        let data = Shared::ready();
        let ids: Vec<u128> = same_set().take(records).collect();
        for id in &ids {
            assert_eq!(write(&data, key("a", *id), &vec![b'x'; size]), Answer::Done);
        }
        let there = ids.iter().map(|id| read(&data, key("a", *id), NOW) != Answer::Missing);
        let expected = (0..records).map(|number| number >= records - kept);
        assert!(there.eq(expected), "of {records} records of {size} bytes the last {kept} are there");
        assert!(data.values.borrow().len() <= SETS + SLOTS);
    }
}

/// Ids of records that share a set.
fn same_set() -> impl Iterator<Item = u128> {
    let set = |id: u128| set_of(&name(&key("a", id)));
    (0..).filter(move |id| set(*id) == set(0))
}

#[test]
fn a_record_over_the_limit_is_refused_and_evicts_nothing() {
    let data = Shared::ready();
    write(&data, key("a", 1), b"record");
    for id in 2..100 {
        assert_eq!(write(&data, key("a", id), &[b'x'; 1001]), Answer::Failed);
    }
    assert_eq!(write(&data, key("a", 2), &[b'x'; 1000]), Answer::Done);
    assert_eq!(read(&data, key("a", 1), NOW), Answer::Found(b"record".to_vec()));
}

#[test]
fn expired_records_make_room_first() {
    let data = Shared::ready();
    let [first, second] = [0, 1].map(|at| same_set().nth(at).unwrap());
    write(&data, key("a", first), &[b'x'; 900]);
    let later = NOW + STORE.ttl;
    STORE.answer(&Question::Write(key("a", second), vec![b'y'; 50]), &data, later);
    assert_eq!(read(&data, key("a", second), later), Answer::Found(vec![b'y'; 50]));
    assert!(data.bytes() < 900, "the bytes of the expired record are free");
}

/// The record that gives way is overwritten, although another slot is free.
#[test]
fn a_record_that_gives_way_is_not_read() {
    let data = Shared::ready();
    let ids: Vec<u128> = same_set().take(4).collect();
    for id in &ids[..3] {
        write(&data, key("a", *id), &[b'x'; 300]);
    }
    STORE.answer(&Question::Delete(key("a", ids[0])), &data, NOW);
    let before = data.read.get();
    assert_eq!(write(&data, key("a", ids[3]), &[b'y'; 500]), Answer::Done);
    assert_eq!(data.read.get(), before);
    let there = ids.iter().map(|id| read(&data, key("a", *id), NOW) != Answer::Missing);
    assert!(there.eq([false, false, true, true]));
}

#[test]
fn a_worker_that_comes_second_looks_again() {
    let data = Shared::ready();
    data.rivals.set(3);
    assert_eq!(write(&data, key("a", 1), b"record"), Answer::Done);
    assert_eq!(read(&data, key("a", 1), NOW), Answer::Found(b"record".to_vec()));
    data.rivals.set(u32::MAX);
    assert_eq!(write(&data, key("a", 2), b"record"), Answer::Failed);
    assert_eq!(read(&data, key("a", 2), NOW), Answer::Missing);
}

/// The directory names a record whose slot another worker has taken since.
#[test]
fn a_slot_with_another_record_is_no_answer() {
    let data = Shared::ready();
    write(&data, key("a", 1), b"record");
    let set = set_of(&name(&key("a", 1)));
    data.set(&slot_key(set, 0), Some(format!("{}\nother", name(&key("b", 1))).as_bytes()), None);
    assert_eq!(read(&data, key("a", 1), NOW), Answer::Missing);
}

#[test]
fn a_damaged_directory_begins_anew() {
    let data = Shared::ready();
    for set in 0..SETS {
        data.set(&directory_key(set), Some(b"{"), None);
    }
    assert_eq!(read(&data, key("a", 1), NOW), Answer::Missing);
    assert_eq!(write(&data, key("a", 1), b"record"), Answer::Done);
    assert_eq!(read(&data, key("a", 1), NOW), Answer::Found(b"record".to_vec()));
}
