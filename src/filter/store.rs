//! The store of responses, as Envoy provides it.
//!
//! These calls are not the SDK's, which panic if Envoy refuses them: its configuration may lack the capability.

#![expect(unsafe_code, reason = "the functions get addresses, and one gives memory away")]

use crate::adapter::ResponseStore;
use crate::store::{SharedData, Written};
use proxy_wasm::types::Status;
use std::ptr::null_mut;

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    fn proxy_get_shared_data(
        key: *const u8,
        key_bytes: usize,
        value: *mut *mut u8,
        bytes: *mut usize,
        version: *mut u32,
    ) -> u32;
    fn proxy_set_shared_data(
        key: *const u8,
        key_bytes: usize,
        value: *const u8,
        bytes: usize,
        version: u32,
    ) -> u32;
}

/// The store that the plugin's configuration chooses.
pub(super) type EnvoyStore = ResponseStore<EnvoyMemory>;

/// Envoy's shared data: one map for all VMs with the same `vm_id`.
#[derive(Debug, Default)]
pub(super) struct EnvoyMemory;

const DONE: u32 = Status::Ok as u32;
const OUTDATED: u32 = Status::CasMismatch as u32;

impl SharedData for EnvoyMemory {
    fn get(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        let (mut value, mut bytes, mut version) = (null_mut(), 0, 0);
        // SAFETY: Envoy only writes through the pointers, and only until it returns.
        let status = unsafe {
            proxy_get_shared_data(key.as_ptr(), key.len(), &raw mut value, &raw mut bytes, &raw mut version)
        };
        let is_found = status == DONE && !value.is_null();
        // SAFETY: Envoy gives the value away. It has asked the SDK for the memory, which is a vector of this capacity.
        is_found.then(|| (unsafe { Vec::from_raw_parts(value, bytes, bytes) }, version))
    }

    /// Envoy sets the value whatever its version is if it is told the version 0, which no value has.
    fn set(&self, key: &str, value: Option<&[u8]>, version: Option<u32>) -> Written {
        let value = value.unwrap_or_default();
        // SAFETY: Envoy only reads what it gets, and only until it returns.
        let status = unsafe {
            proxy_set_shared_data(
                key.as_ptr(),
                key.len(),
                value.as_ptr(),
                value.len(),
                version.unwrap_or_default(),
            )
        };
        match status {
            DONE => Written::Done,
            OUTDATED => Written::Outdated,
            _ => Written::Failed,
        }
    }
}
