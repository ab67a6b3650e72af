//! The store of responses, as Envoy provides it.

use crate::adapter::ResponseStore;
use crate::store::{SharedData, Written};
use proxy_wasm::hostcalls;
use proxy_wasm::types::Status;

/// The store that the plugin's configuration chooses.
pub(super) type EnvoyStore = ResponseStore<EnvoyMemory>;

/// Envoy's shared data: one map for all VMs with the same `vm_id`.
#[derive(Debug, Default)]
pub(super) struct EnvoyMemory;

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
