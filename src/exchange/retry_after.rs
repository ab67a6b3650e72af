//! When a client may retry after a 429.
//!
//! Codex does not retry without this header, and reads whole seconds or a date. Other clients only read whole seconds,
//! so every client gets those.

use super::headers::{Header, Headers};
use std::time::{Duration, UNIX_EPOCH};

/// Seconds to wait after a 429 that has no usable value.
const DEFAULT_SECONDS: u64 = 5;

/// The delay for a 429 whose `retry-after` header is missing or unusable.
#[derive(Debug, Clone, Copy)]
pub(super) enum RetryAfter {
    /// Seconds, from a header.
    Seconds(u64),
    /// No header has it. The body may.
    Unknown,
}

impl RetryAfter {
    /// The header. `in_body`: the seconds that the error's body states.
    pub(super) fn header(self, in_body: Option<u64>) -> Header {
        let seconds = match self {
            Self::Seconds(seconds) => seconds,
            Self::Unknown => in_body.unwrap_or(DEFAULT_SECONDS),
        };
        ("retry-after", seconds.to_string())
    }
}

/// The delay for a 429, unless its own header is valid.
pub(super) fn after(headers: &Headers, now: Duration) -> Option<RetryAfter> {
    let given = headers.text("retry-after");
    if given.parse::<u64>().is_ok() {
        return None;
    }
    let milliseconds = headers.text("retry-after-ms").parse::<f64>().map(|value| value / 1000.0);
    let seconds =
        given.parse::<f64>().or(milliseconds).ok().filter(|value| *value >= 0.0 && value.is_finite());
    // The cast saturates.
    let seconds = seconds.map(|seconds| seconds.ceil() as u64);
    let seconds = seconds.or_else(|| Some(date(given)?.saturating_sub(now.as_secs())));
    Some(seconds.map_or(RetryAfter::Unknown, RetryAfter::Seconds))
}

/// The header of a local reply, which has none of the upstream's headers.
pub(super) fn anew(status: u16, headers: &Headers, now: Duration) -> Option<Header> {
    let given = || ("retry-after", headers.text("retry-after").to_owned());
    (status == 429).then(|| after(headers, now).map_or_else(given, |delay| delay.header(None)))
}

/// Unix seconds of a date in one of the three forms of RFC 9110, section 5.6.7.
fn date(text: &str) -> Option<u64> {
    let time = httpdate::parse_http_date(text).ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_in_each_of_its_forms() {
        for text in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(date(text), Some(784_111_777), "{text}");
        }
        assert_eq!(date("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(date("Thu, 29 Feb 2024 12:00:00 GMT"), Some(1_709_208_000));
        for text in [
            "",
            "soon",
            "Sun, 06 Now 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 GMT",
            "Sun, 99 Nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
    }
}
