//! What is left of a team's budget, as Codex is told.

use super::*;

const TEAMS: &str = r#"{"team_header": "x-team", "teams": ["red"]}"#;

/// What Envoy's rate limit filter adds.
const LIMITS: [(&str, &str); 3] = [
    ("x-ratelimit-limit", "500, 500;w=86400;name=\"red\", 9000;w=2592000"),
    ("x-ratelimit-remaining", "288"),
    ("x-ratelimit-reset", "3600"),
];

const LEFT: [(&str, &str); 4] = [
    ("x-codex-limit-name", "red"),
    ("x-codex-primary-used-percent", "42.4"),
    ("x-codex-primary-window-minutes", "1440"),
    ("x-codex-primary-reset-at", "1700003600"),
];

/// A request of the team, after which the reply begins.
fn asked(config: &str) -> Driven {
    let mut driven = Driven::new(config);
    driven.exchange.on_request_headers(&request(&[("x-team", "red")]), false, NOW);
    driven.exchange.on_request_body(ASKED, true, NOW);
    driven
}

/// What the client gets of the headers that a rate limiter adds to the reply.
fn told(config: &str, limits: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut driven = asked(config);
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
    // An upstream's own account is none of the team's.
    let limits = [&LIMITS[..], &[("x-codex-primary-used-percent", "99")]].concat();
    let expected: Vec<_> = LEFT.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    assert_eq!(told(TEAMS, &limits), expected);
    let upstreams =
        [("x-ratelimit-limit", "60"), ("x-ratelimit-remaining", "59"), ("x-ratelimit-reset", "1")];
    assert_eq!(told(TEAMS, &[&upstreams[..], &limits[..]].concat()), expected);

    assert_eq!(told("{}", &limits), []);
    // Without a window, the headers are those of an upstream.
    assert_eq!(told(TEAMS, &upstreams), []);
    assert_eq!(told(TEAMS, &limits[..2]), []);
    assert_eq!(told(TEAMS, &[("x-ratelimit-limit", "0, 0;w=60"), limits[1], limits[2]]), []);
}

/// The headers of a reply are lost with it if this filter answers instead.
#[test]
fn an_answer_in_place_of_the_reply_tells_it_too() {
    let held = TEAMS.replace('{', "{\"hold_request_headers\": true, ");
    let failure = br#"{"error":{"message":"m","code":"insufficient_quota"}}"#;
    for config in [TEAMS, &held] {
        let begin = |status: &str, more: &[(&str, &str)], end: bool| {
            let mut driven = asked(config);
            let headers = response(status, &[&LIMITS[..], more].concat());
            let verdict = driven.exchange.on_response_headers(&headers, end, NOW);
            (driven, verdict)
        };
        let mut replies = vec![
            local(begin("429", &[], true).1),
            local(begin("200", &[], true).1),
            local(begin("302", &[], false).1),
            local(begin("429", &[("content-encoding", "br")], false).1),
        ];
        for body in [&failure[..10], b""] {
            let (mut driven, verdict) = begin("429", &[("content-type", "application/json")], false);
            if let HeadersVerdict::Hold(_) = verdict {
                driven.exchange.on_response_body(body, false, NOW);
                replies.push(local_trailers(driven.exchange.on_response_trailers(NOW)));
            }
        }
        for reply in replies {
            let told: Vec<_> =
                reply.headers.iter().filter(|(name, _)| name.starts_with("x-codex-")).cloned().collect();
            assert_eq!(told, LEFT.map(|(name, value)| (name, value.to_owned())), "{reply:?}");
        }
    }
}

/// A delay that the reply's headers state is right for a quota too, and says the same in both modes.
#[test]
fn a_stated_delay_of_a_quota_is_kept() {
    let failure = br#"{"error":{"message":"m","code":"insufficient_quota"}}"#;
    for (given, expected) in
        [("3600", None), ("2.5", Some("3")), ("Tue, 14 Nov 2023 23:13:20 GMT", Some("3600"))]
    {
        for config in ["{}", HELD] {
            let mut driven = Driven::asked(config, ASKED);
            let headers = response("429", &[("content-type", "application/json"), ("retry-after", given)]);
            let mut edits = match driven.exchange.on_response_headers(&headers, false, NOW) {
                HeadersVerdict::Hold(edits) | HeadersVerdict::Continue(edits) => edits,
                other => panic!("{other:?}"),
            };
            if let BodyVerdict::Release(more, _) = driven.exchange.on_response_body(failure, true, NOW) {
                edits.extend(more);
            }
            let set = edits.iter().find_map(|edit| match edit {
                Edit::Set(name, value) if name == "retry-after" => Some(value.as_str()),
                _ => None,
            });
            assert_eq!(set, expected, "{config} {given}");
        }
    }
}
