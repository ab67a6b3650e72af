//! The delay after which an upstream accepts a retry, where the error's body states it.

use serde_json::Value;

/// Fields with a number of seconds, or a duration such as `34.07s`.
const FIELDS: &[&str] = &["retryDelay", "retry_delay", "retry_after", "retryAfter", "retry_after_seconds"];

/// The words before a duration in a message.
const PHRASES: &[&str] = &[
    "again in ",
    "again after ",
    "retry in ",
    "retry after ",
    "wait for ",
    "wait ",
    "reset in ",
    "resets in ",
];

/// Units of durations and their seconds. A unit that begins with another one comes first.
const UNITS: &[(&str, f64)] = &[
    ("milliseconds", 0.001),
    ("millisecond", 0.001),
    ("ms", 0.001),
    ("minutes", 60.0),
    ("minute", 60.0),
    ("mins", 60.0),
    ("min", 60.0),
    ("m", 60.0),
    ("seconds", 1.0),
    ("second", 1.0),
    ("secs", 1.0),
    ("sec", 1.0),
    ("s", 1.0),
    ("hours", 3600.0),
    ("hour", 3600.0),
    ("h", 3600.0),
    ("days", 86_400.0),
    ("day", 86_400.0),
    ("d", 86_400.0),
];

/// The longest delay in a field, as in Google's `RetryInfo`, or in the message, in whole seconds, rounded up.
pub(super) fn find(body: &Value, message: &str) -> Option<u64> {
    let delay = in_fields(body).into_iter().chain(in_words(message)).reduce(f64::max)?;
    // The cast saturates.
    Some(delay.ceil() as u64)
}

fn in_fields(value: &Value) -> Option<f64> {
    let nested = |values: &mut dyn Iterator<Item = &Value>| values.filter_map(in_fields).reduce(f64::max);
    match value {
        Value::Array(values) => nested(&mut values.iter()),
        Value::Object(fields) => {
            let own = fields.iter().filter(|(key, _)| FIELDS.contains(&key.as_str()));
            own.filter_map(|(_, value)| seconds(value))
                .reduce(f64::max)
                .or_else(|| nested(&mut fields.values()))
        }
        _ => None,
    }
}

fn seconds(value: &Value) -> Option<f64> {
    let seconds = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok().or_else(|| duration(text)),
        _ => None,
    };
    seconds.filter(|seconds| seconds.is_finite() && *seconds >= 0.0)
}

fn in_words(message: &str) -> Option<f64> {
    let message = message.to_lowercase();
    let found = PHRASES.iter().filter_map(|phrase| {
        let (_, rest) = message.split_once(phrase)?;
        duration(rest)
    });
    found.reduce(f64::max)
}

/// The duration at the beginning of a text: `34.07s`, `1m12.5s`, `2 minutes 5 seconds`, `850ms`.
fn duration(text: &str) -> Option<f64> {
    let mut rest = text;
    let mut total = None;
    while let Some((part, after)) = quantity(rest) {
        total = Some(total.unwrap_or(0.0) + part);
        rest = after.trim_start();
    }
    total
}

/// A number with a unit, in seconds, and the text after it.
fn quantity(text: &str) -> Option<(f64, &str)> {
    let digits = text.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(text.len());
    let number: f64 = text.get(..digits)?.parse().ok()?;
    let unit = text.get(digits..)?.trim_start();
    UNITS.iter().find_map(|(name, seconds)| {
        let after = unit.strip_prefix(name).filter(|after| !after.starts_with(char::is_alphabetic))?;
        Some((number * seconds, after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn delays_are_found_in_fields_and_in_words() {
        for (body, message, delay) in [
            (
                json!([{"error": {"details": [{"@type": "RetryInfo", "retryDelay": "34s"}]}}]),
                "retry in 34.07s.",
                Some(35),
            ),
            (json!({"error": {"details": [{"retryDelay": "34.5s"}]}}), "", Some(35)),
            (json!({"retry_after": 12}), "", Some(12)),
            (json!({"error": {"metadata": {"retry_after_seconds": "7.2"}}}), "", Some(8)),
            (json!({}), "Rate limit reached. Please try again in 1m12.5s. Visit us.", Some(73)),
            (json!({}), "Please try again in 7m12.96s", Some(433)),
            (json!({}), "Please try again in 850ms.", Some(1)),
            (json!({}), "Rate limit is exceeded. Try again in 6 seconds.", Some(6)),
            (json!({}), "Please retry after 23 seconds. To increase your quota", Some(23)),
            (json!({}), "Please wait 2 minutes 5 seconds", Some(125)),
            (json!({}), "Quota resets in 1h", Some(3600)),
            // No delay: a quota per unit of time, a time of day, a number without a unit.
            (json!({}), "Limit 30000 tokens per 60s. Try again later.", None),
            (json!({}), "Try again in a few seconds", None),
            (json!({}), "Try again in 5", None),
            (json!({}), "Try again in 5 steps", None),
            (json!({"retry_after": -1}), "", None),
            (json!({"retry_after": null, "timeout": "30s"}), "Timed out after 30s", None),
        ] {
            assert_eq!(find(&body, message), delay, "{body} {message}");
        }
    }
}
