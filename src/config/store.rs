//! `store`: where responses are kept.

use super::check::{self, join};
use super::error::Errors;
use super::explain;
use super::raw::read_object;
use crate::store::MemoryStore;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// Where responses are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Store {
    /// Nowhere.
    #[default]
    Off,
    /// In the memory of Envoy.
    Memory(Memory),
}

/// The bounds of the store in Envoy's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Memory {
    /// How many bytes all records may have together, in all workers. One record may have a thirty-second of it. When it is
    /// full, the oldest records give way.
    pub bytes: usize,
    /// How many seconds a record is kept.
    pub ttl_seconds: u64,
}

impl Default for Memory {
    fn default() -> Self {
        Self { bytes: 256 << 20, ttl_seconds: 24 * 60 * 60 }
    }
}

impl Memory {
    /// The store with these bounds.
    pub fn store(self) -> MemoryStore {
        MemoryStore { bytes: self.bytes, ttl: Duration::from_secs(self.ttl_seconds) }
    }
}

impl Store {
    /// Whether responses are kept.
    pub fn is_on(&self) -> bool {
        *self != Self::Off
    }

    /// How many bytes one record may have.
    pub fn record_bytes(&self) -> usize {
        match self {
            Self::Off => 0,
            Self::Memory(memory) => memory.store().record_bytes(),
        }
    }
}

/// The kinds of stores.
pub(super) const KINDS: &[&str] = &["off", "memory"];

/// Reads the name of a store, or an object with its settings.
pub(super) fn read(at: &str, value: Value, errors: &mut Errors) -> Option<Store> {
    match value {
        Value::String(kind) => {
            explain::check_word(at, "store", &kind, KINDS, errors);
            settings(at, &kind, Map::new(), errors)
        }
        Value::Object(kinds) if kinds.len() == 1 => {
            let (kind, settings) = kinds.into_iter().next()?;
            explain::check_word(at, "store", &kind, KINDS, errors);
            let at = join(at, &kind);
            let Value::Object(settings) = settings else {
                errors.add(&at, "expected an object");
                return None;
            };
            self::settings(&at, &kind, settings, errors)
        }
        _ => {
            errors.add(at, "expected the name of a store, or an object with one store and its settings");
            None
        }
    }
}

fn settings(at: &str, kind: &str, settings: Map<String, Value>, errors: &mut Errors) -> Option<Store> {
    match kind {
        "memory" => {
            let memory: Memory = read_object(at, settings, errors)?;
            check::positive(&join(at, "bytes"), memory.bytes as u64, errors);
            check::positive(&join(at, "ttl_seconds"), memory.ttl_seconds, errors);
            Some(Store::Memory(memory))
        }
        _ => Some(Store::Off),
    }
}
