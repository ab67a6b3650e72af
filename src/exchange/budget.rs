//! What is left of a team's budget, in the headers from which Codex shows it to its user.

use super::headers::{Header, Headers};
use std::time::Duration;

/// The headers for Codex, if the reply has those of Envoy's rate limit filter.
pub(super) fn left(team: &str, headers: &Headers, now: Duration) -> Option<[Header; 4]> {
    // The filter appends its values to those that an upstream may have sent.
    let last = |name| headers.texts(name).last();
    let number = |name| last(name)?.trim().parse::<u64>().ok();
    let (limit, window) = limit(last("x-ratelimit-limit")?)?;
    let remaining = number("x-ratelimit-remaining")?;
    let reset = number("x-ratelimit-reset")?;
    let used = limit.saturating_sub(remaining) as f64 / limit as f64 * 100.0;
    Some([
        ("x-codex-limit-name", team.to_owned()),
        ("x-codex-primary-used-percent", format!("{used:.1}")),
        ("x-codex-primary-window-minutes", window.div_ceil(60).to_string()),
        ("x-codex-primary-reset-at", now.as_secs().saturating_add(reset).to_string()),
    ])
}

/// The limit that is closest, and its window in seconds: `500, 500;w=86400;name="red"`. Only Envoy's filter writes the window,
/// so the figures of an upstream are not mistaken for the team's.
fn limit(value: &str) -> Option<(u64, u64)> {
    let (limit, policies) = value.split_once(',')?;
    let limit = limit.trim().parse().ok().filter(|limit| *limit > 0)?;
    let of_limit =
        |policy: &&str| policy.split(';').next().and_then(|quota| quota.trim().parse().ok()) == Some(limit);
    let policy = policies.split(',').find(of_limit)?;
    let window = policy.split(';').find_map(|part| part.trim().strip_prefix("w="))?;
    Some((limit, window.parse().ok()?))
}
