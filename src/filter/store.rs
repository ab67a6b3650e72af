//! The store of responses, as Envoy provides it.

use crate::config::{Config, Store};
use crate::store::{Answer, MemoryStore, Question, SharedData, Written};
use proxy_wasm::hostcalls;
use proxy_wasm::types::Status;
use std::time::Duration;

/// The store that the plugin's configuration chooses.
#[derive(Debug, Default)]
pub(super) struct EnvoyStore(Option<MemoryStore>);

impl EnvoyStore {
    pub(super) fn new(config: &Config) -> Self {
        match config.store {
            Store::Off => Self(None),
            Store::Memory(memory) => {
                MemoryStore::prepare(&EnvoyMemory);
                Self(Some(memory.store()))
            }
        }
    }

    /// Whether responses are stored.
    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn answer(&self, question: &Question, now: Duration) -> Answer {
        self.0.map_or(Answer::Failed, |store| store.answer(question, &EnvoyMemory, now))
    }
}

/// Envoy's shared data: one map for all VMs with the same `vm_id`.
#[derive(Debug)]
struct EnvoyMemory;

impl SharedData for EnvoyMemory {
    fn get(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        match hostcalls::get_shared_data(key) {
            Ok((Some(value), Some(version))) => Some((value, version)),
            _ => None,
        }
    }

    fn set(&self, key: &str, value: Option<&[u8]>, version: Option<u32>) -> Written {
        match hostcalls::set_shared_data(key, value, version) {
            Ok(()) => Written::Done,
            Err(Status::CasMismatch) => Written::Outdated,
            Err(_) => Written::Failed,
        }
    }
}
