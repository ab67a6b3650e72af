//! Checks that memory use is bounded by the size of the input.

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The bytes that a run may hold regardless of its input: tables of tools, and the first and last events of a stream.
const BASE: usize = 1 << 20;

/// Runs `what`, which may hold at most this many bytes at once per byte of its input.
///
/// # Panics
/// If it held more.
pub fn bounded<T>(input: usize, factor: usize, what: impl FnOnce() -> T) -> T {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let result = what();
    let peak = ALLOCATOR.peak_usage().saturating_sub(before);
    let allowed = BASE + input * factor;
    assert!(peak <= allowed, "{peak} bytes held for an input of {input}, {allowed} allowed");
    result
}
