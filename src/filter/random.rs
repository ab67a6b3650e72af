//! Envoy's source of randomness. It is the one function of WASI that the module imports: proxy-wasm has none, and an id
//! that gives access to a stored response must not be guessed.

#![expect(unsafe_code, reason = "the function fills a buffer that it gets as an address")]

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn random_get(buffer: *mut u8, bytes: usize) -> u16;
}

/// 128 random bits. `None` if Envoy's list of capabilities has no `random_get`: the buffer then stays as it is.
pub(super) fn bits() -> Option<u128> {
    let mut bytes = [0; 16];
    // SAFETY: the buffer has as many bytes as the call is told, and lives until it returns.
    let status = unsafe { random_get(bytes.as_mut_ptr(), bytes.len()) };
    (status == 0).then(|| u128::from_le_bytes(bytes))
}
