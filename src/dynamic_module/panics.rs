//! Panics: caught at the edge of every hook, because one that reached Envoy would end its process.

use std::panic::{self, AssertUnwindSafe};

/// What a part of a hook returns; `None` if it panicked.
///
/// What it changed may be half done. Of an exchange, nothing is used after that but
/// [`Exchange::on_panic`](crate::exchange::Exchange::on_panic), which begins anew.
pub(super) fn caught<T>(run: impl FnOnce() -> T) -> Option<T> {
    panic::catch_unwind(AssertUnwindSafe(run)).ok()
}

/// Lets a panic log its place alone: its message may quote what the exchange is about.
pub(super) fn log_places() {
    panic::set_hook(Box::new(|panicked| {
        let (file, line) = panicked.location().map_or(("?", 0), |place| (place.file(), place.line()));
        log::error!("panicked at {file}:{line}");
    }));
}

/// Panics as a bug would, where the request says: `x-transponder-trap: response body`.
#[cfg(feature = "trap")]
#[expect(clippy::panic, reason = "a test asked for it")]
pub(super) fn trap_if_asked(part: &str, message: &super::Callback<'_>) {
    use crate::adapter::Direction;
    let name = match message.direction {
        Direction::Request => format!("request {part}"),
        Direction::Response => format!("response {part}"),
    };
    if super::Headers::from(message.stream.envoy.headers(Direction::Request)).text("x-transponder-trap")
        == name
    {
        panic!("the request asked for it");
    }
}
