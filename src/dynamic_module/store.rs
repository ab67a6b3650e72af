//! The memory for stored responses: that of the Envoy process, which all plugins and workers share.

use crate::store::{SharedData, Written};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The values by their keys, each with the number of its version.
static VALUES: Mutex<BTreeMap<String, (Vec<u8>, u32)>> = Mutex::new(BTreeMap::new());

#[derive(Debug)]
pub(super) struct ProcessMemory;

/// A panic leaves every value whole: each is replaced in one step.
fn values() -> MutexGuard<'static, BTreeMap<String, (Vec<u8>, u32)>> {
    VALUES.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SharedData for ProcessMemory {
    fn get(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        values().get(key).filter(|(value, _)| !value.is_empty()).cloned()
    }

    fn set(&self, key: &str, value: Option<&[u8]>, version: Option<u32>) -> Written {
        let mut values = values();
        let present = values.get(key).map_or(0, |(_, version)| *version);
        if version.is_some_and(|version| version != present) {
            return Written::Outdated;
        }
        // The version goes on after a value is emptied, so that an old one never fits again.
        values.insert(key.to_owned(), (value.unwrap_or_default().to_vec(), present.wrapping_add(1)));
        Written::Done
    }
}
