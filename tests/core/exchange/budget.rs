//! What is left of a team's budget, as Codex is told.

use super::*;

const TEAMS: &str = r#"{"team_header": "x-team", "teams": ["red"]}"#;

/// What the client gets of the headers that a rate limiter adds to the reply.
fn told(config: &str, limits: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut driven = Driven::new(config);
    driven.exchange.on_request_headers(&request(&[("x-team", "red")]), false, NOW);
    driven.exchange.on_request_body(ASKED, true, NOW);
    let headers = response("200", &[&[("content-type", "application/json")], limits].concat());
    let verdict = driven.exchange.on_response_headers(&headers, false, NOW);
    let HeadersVerdict::Continue(edits) = verdict else { panic!("{verdict:?}") };
    let set = edits.into_iter().filter_map(|edit| match edit {
        Edit::Set(name, value) => Some((name.into_owned(), value)),
        Edit::Remove(_) => None,
    });
    set.filter(|(name, _)| name.starts_with("x-codex-")).collect()
}

#[test]
fn codex_is_told_what_is_left() {
    let limits = [
        ("x-ratelimit-limit", "500, 500;w=86400;name=\"red\", 9000;w=2592000"),
        ("x-ratelimit-remaining", "288"),
        ("x-ratelimit-reset", "3600"),
        // An upstream's own account is none of the team's.
        ("x-codex-primary-used-percent", "99"),
    ];
    let expected = [
        ("x-codex-limit-name", "red"),
        ("x-codex-primary-used-percent", "42.4"),
        ("x-codex-primary-window-minutes", "1440"),
        ("x-codex-primary-reset-at", "1700003600"),
    ];
    let expected: Vec<_> = expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(told(TEAMS, &limits), expected);
    let upstreams =
        [("x-ratelimit-limit", "60"), ("x-ratelimit-remaining", "59"), ("x-ratelimit-reset", "1")];
    assert_eq!(told(TEAMS, &[&upstreams[..], &limits[..]].concat()), expected);

    assert_eq!(told("{}", &limits), []);
    assert_eq!(told(TEAMS, &upstreams), []);
    assert_eq!(told(TEAMS, &limits[..2]), []);
    assert_eq!(told(TEAMS, &[("x-ratelimit-limit", "0, 0;w=60"), limits[1], limits[2]]), []);
}
