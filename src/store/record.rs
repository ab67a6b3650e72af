//! What is kept of a response.
//!
//! ```json
//! {"version": 1, "owner": "5f…", "id": "resp_…", "input": [...], "response": {..., "output": [...]}}
//! ```
//!
//! `input` is the whole conversation before the response, not only what was sent with the last request: so each turn reads
//! one record and writes one. The expiry is not in the record, because every store has its own way to forget.

use super::Key;
use crate::json;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A record that was read.
#[derive(Debug)]
pub struct Record {
    /// The items of the conversation before the response, in JSON.
    pub input: Box<RawValue>,
    /// The response, in JSON.
    pub response: Box<RawValue>,
}

/// A record that cannot be read: it is damaged, or a later version has written it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damaged;

#[derive(Serialize, Deserialize)]
struct Written<'a> {
    version: u32,
    #[serde(borrow)]
    owner: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    input: &'a RawValue,
    #[serde(borrow)]
    response: &'a RawValue,
}

const VERSION: u32 = 1;

impl Record {
    /// The bytes of a record. `input` and `response` are JSON.
    pub fn write(key: &Key, input: &str, response: &str) -> Vec<u8> {
        let Key { owner, id } = key;
        let head = format!(r#"{{"version":{VERSION},"owner":"{}","id":"{id}","#, owner.digits());
        [head.as_str(), r#""input":"#, input, r#","response":"#, response, "}"].concat().into_bytes()
    }

    /// Reads the record of a response. `None` if it is the record of another owner or response: a store that mixes them up
    /// must not show one to the other.
    ///
    /// # Errors
    /// The bytes are no record.
    pub fn read(key: &Key, bytes: &[u8]) -> Result<Option<Self>, Damaged> {
        let written: Written<'_> = json::from_bytes(bytes).map_err(|_| Damaged)?;
        if written.version != VERSION {
            return Err(Damaged);
        }
        if !is_list_of_items(written.input) || !is_response(written.response) {
            return Err(Damaged);
        }
        let is_asked = written.owner == key.owner.digits() && written.id == key.id.to_string();
        Ok(is_asked.then(|| Self { input: written.input.to_owned(), response: written.response.to_owned() }))
    }
}

fn is_list_of_items(json: &RawValue) -> bool {
    let items: Result<Vec<&RawValue>, _> = serde_json::from_str(json.get());
    items.is_ok_and(|items| items.iter().all(|item| item.get().starts_with('{')))
}

fn is_response(json: &RawValue) -> bool {
    #[derive(Deserialize)]
    struct Response<'a> {
        #[serde(borrow)]
        output: &'a RawValue,
    }
    serde_json::from_str(json.get()).is_ok_and(|response: Response<'_>| is_list_of_items(response.output))
}

#[cfg(test)]
mod tests {
    use super::super::{Owner, ResponseId};
    use super::*;

    fn key(owner: &str, id: u128) -> Key {
        Key { owner: Owner::of([owner.as_bytes()].into_iter()), id: ResponseId::of_seed(id) }
    }

    #[test]
    fn a_record_is_read_as_it_was_written_and_by_nobody_else() {
        let bytes = Record::write(&key("a", 1), r#"[{"x": 1.0}]"#, r#"{"output": []}"#);
        let record = Record::read(&key("a", 1), &bytes).unwrap().unwrap();
        assert_eq!((record.input.get(), record.response.get()), (r#"[{"x": 1.0}]"#, r#"{"output": []}"#));
        for other in [key("b", 1), key("a", 2)] {
            assert!(Record::read(&other, &bytes).unwrap().is_none(), "{other:?}");
        }
    }

    #[test]
    fn what_is_damaged_or_of_a_later_version_is_an_error() {
        let whole = r#"{"output": [{}]}"#;
        for (input, response) in [
            ("5", whole),
            ("null", whole),
            ("{}", whole),
            ("[5]", whole),
            ("[]", "null"),
            ("[]", "{}"),
            ("[]", r#"{"output": {}}"#),
            ("[]", r#"{"output": ["a"]}"#),
        ] {
            let bytes = Record::write(&key("a", 1), input, response);
            assert_eq!(Record::read(&key("a", 1), &bytes).unwrap_err(), Damaged, "{input} {response}");
        }
        let bytes = Record::write(&key("a", 1), "[]", whole);
        assert!(Record::read(&key("a", 1), &bytes).unwrap().is_some());
        for cut in 0..bytes.len() {
            assert_eq!(Record::read(&key("a", 1), &bytes[..cut]).unwrap_err(), Damaged, "cut at {cut}");
        }
        let later = String::from_utf8(bytes).unwrap().replace(r#""version":1"#, r#""version":2"#);
        assert_eq!(Record::read(&key("a", 1), later.as_bytes()).unwrap_err(), Damaged);
    }
}
