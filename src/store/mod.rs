//! Stored responses: their ids, their owners, what is kept of them, the store in Envoy's own memory, and how stores over HTTP
//! are asked.
//!
//! The store itself is outside of the core. The core asks a [`Question`] and gets an [`Answer`]; who carries it out, and
//! when, is the adapter's business.

mod http;
mod id;
mod memory;
mod owner;
mod record;

pub use http::{HttpProtocol, HttpRequest, HttpStore, Operation};
pub use id::ResponseId;
pub use memory::{MemoryStore, SharedData, Written};
pub use owner::Owner;
pub use record::{Damaged, Record};

/// The place of a record: whose it is, and which response. A foreign response is one that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Whose response it is.
    pub owner: Owner,
    /// The response.
    pub id: ResponseId,
}

/// What the core wants of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The record of a response.
    Read(Key),
    /// A record is to be kept.
    Write(Key, Vec<u8>),
    /// A record is to be removed.
    Delete(Key),
}

impl Question {
    /// What is done, and with which record.
    pub fn operation(&self) -> (Operation, &Key) {
        match self {
            Self::Read(key) => (Operation::Read, key),
            Self::Write(key, _) => (Operation::Write, key),
            Self::Delete(key) => (Operation::Delete, key),
        }
    }
}

/// What the store says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The record that was asked for.
    Found(Vec<u8>),
    /// There is no such record: it never was, has expired, or was evicted.
    Missing,
    /// It is written or removed.
    Done,
    /// The store could not do it.
    Failed,
}
