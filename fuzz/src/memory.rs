//! Whether memory stays within what the size of the input allows.

use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What a run may take whatever its input: the tables of tools, the frames that begin and end a stream.
const BASE: usize = 1 << 20;

/// Runs `what`, which may hold so many bytes at once for each byte of its input, and no more.
///
/// # Panics
/// When it held more.
pub fn bounded<T>(input: usize, factor: usize, what: impl FnOnce() -> T) -> T {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let result = what();
    let peak = ALLOCATOR.peak_usage().saturating_sub(before);
    let allowed = BASE + input * factor;
    assert!(peak <= allowed, "{peak} bytes held for an input of {input}, {allowed} allowed");
    result
}
