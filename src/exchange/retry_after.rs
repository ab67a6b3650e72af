//! When a client may come back after a 429.
//!
//! Codex gives up at once if the answer does not say it, and understands whole seconds or a date. Others
//! understand the seconds alone, so that is what every client gets.

use super::verdict::{Header, Headers};

/// What a client should wait after a 429 that does not say it usably.
const SECONDS: u64 = 5;

/// The delay for a 429 whose own header clients cannot use.
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
            Self::Unknown => in_body.unwrap_or(SECONDS),
        };
        ("retry-after", seconds.to_string())
    }
}

/// The delay for a 429, unless its own header is right already. `now`: Unix seconds.
pub(super) fn after(headers: &Headers, now: u64) -> Option<RetryAfter> {
    let given = headers.text("retry-after");
    if given.parse::<u64>().is_ok() {
        return None;
    }
    let milliseconds = headers.text("retry-after-ms").parse::<f64>().map(|value| value / 1000.0);
    let seconds =
        given.parse::<f64>().or(milliseconds).ok().filter(|value| *value >= 0.0 && value.is_finite());
    // The cast saturates.
    let seconds = seconds.map(|seconds| seconds.ceil() as u64);
    let seconds = seconds.or_else(|| Some(date(given)?.saturating_sub(now)));
    Some(seconds.map_or(RetryAfter::Unknown, RetryAfter::Seconds))
}

/// The header of a local reply, which takes over none of the upstream's headers.
pub(super) fn anew(status: u16, headers: &Headers, now: u64) -> Option<Header> {
    let given = || ("retry-after", headers.text("retry-after").to_owned());
    (status == 429).then(|| after(headers, now).map_or_else(given, |delay| delay.header(None)))
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Unix seconds of a date in one of the three forms of RFC 9110, section 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`,
/// `Sunday, 06-Nov-94 08:49:37 GMT`, `Sun Nov  6 08:49:37 1994`.
fn date(text: &str) -> Option<u64> {
    let parts: Vec<&str> = text.split([' ', ',', '-']).filter(|part| !part.is_empty()).collect();
    let (day, month, year, time) = match *parts.as_slice() {
        [_, day, month, year, time, "GMT"] => (day, month, year, time),
        [_, month, day, time, year] => (day, month, year, time),
        _ => return None,
    };
    let month = MONTHS.iter().position(|name| *name == month)? as u64 + 1;
    let year = match year.parse::<u64>().ok()? {
        // "interpret a timestamp that appears to be more than 50 years in the future as representing the most
        // recent year in the past that had the same last two digits"
        short @ 0..70 => 2000 + short,
        short @ 70..100 => 1900 + short,
        year @ 1970..10_000 => year,
        _ => return None,
    };
    let days = days_since_1970(year, month, day.parse().ok().filter(|day| (1..=31).contains(day))?)?;
    let mut seconds = 0;
    for part in time.splitn(3, ':') {
        seconds = seconds * 60 + part.parse::<u64>().ok().filter(|part| *part < 61)?;
    }
    Some(days * 86_400 + seconds)
}

fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    // Counted from March on, the leap day is a year's last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    (year * 365 + leap_days + (month * 153 + 2) / 5 + day - 1).checked_sub(719_468)
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
