//! `x-transponder-session`: the same for all requests of a conversation.

use super::*;

const ID: &str = "0199a213-81c0-7800-8aa1-bbab2a035a53";

/// The headers that a request's edits set, of those that tell the conversation.
fn told(edits: &[Edit]) -> Vec<(String, String)> {
    let names = ["x-transponder-session", "x-session-affinity", "x-session-id"];
    let set = edits.iter().filter_map(|edit| match edit {
        Edit::Set(name, value) => Some((name.to_string(), value.clone())),
        Edit::Remove(_) => None,
    });
    set.filter(|(name, _)| names.contains(&name.as_str())).collect()
}

/// What a request tells Envoy and the upstream, in the default mode or with held headers.
fn sent(config: Value, more: &[(&str, &str)], body: &Value) -> Vec<(String, String)> {
    let mut driven = Driven::new(&config.to_string());
    let verdict = driven.exchange.on_request_headers(&request(more), false, NOW);
    let (HeadersVerdict::Continue(before) | HeadersVerdict::Hold(before)) = verdict else {
        panic!("{verdict:?}")
    };
    let verdict = driven.exchange.on_request_body(body.to_string().as_bytes(), true, NOW);
    let after = match verdict {
        BodyVerdict::Release(edits, _) => edits,
        BodyVerdict::Replace(_) => Vec::new(),
        other => panic!("{other:?}"),
    };
    let mut all = told(&[before, after].concat());
    all.sort();
    all.dedup();
    all
}

fn hash(id: &str) -> String {
    let told = sent(json!({}), &[("session-id", id)], &json!({"model": "m", "input": "hi"}));
    told[0].1.clone()
}

#[test]
fn the_first_configured_header_counts() {
    let body = json!({"model": "m", "input": "hi", "prompt_cache_key": "key"});
    let own = |id: &str| vec![("x-transponder-session".to_owned(), hash(id))];
    for held in [false, true] {
        let default = json!({"hold_request_headers": held});
        let other = json!({"hold_request_headers": held, "session_headers": ["x-conversation"]});
        let off = json!({"hold_request_headers": held, "session_headers": []});
        assert_eq!(sent(default.clone(), &[("thread-id", "t"), ("session-id", ID)], &body), own(ID));
        assert_eq!(sent(default.clone(), &[("thread-id", "t"), ("session-id", " ")], &body), own("t"));
        assert_eq!(sent(other.clone(), &[("session-id", ID), ("x-conversation", "c")], &body), own("c"));
        assert_eq!(sent(off, &[("session-id", ID)], &body), []);
        let in_body = if held { own("key") } else { Vec::new() };
        assert_eq!(sent(default, &[("x-transponder-session", "forged")], &body), in_body);
        assert_eq!(sent(other, &[("session-id", ID)], &body), in_body);
    }
}

#[test]
fn the_hash_says_nothing_about_the_id() {
    let (one, other) = (hash(ID), hash("0199a213-81c0-7800-8aa1-bbab2a035a54"));
    assert_ne!(one, other);
    assert_eq!((one.len(), one.bytes().all(|byte| byte.is_ascii_hexdigit())), (32, true));
    assert!(!ID.split('-').any(|part| one.contains(part)));
}

#[test]
fn an_upstream_is_told_in_its_own_header() {
    let body = json!({"model": "m", "input": "hi"});
    let both = |name: &str| {
        let mut both = vec![("x-transponder-session".to_owned(), hash(ID)), (name.to_owned(), hash(ID))];
        both.sort();
        both
    };
    for (upstream, name) in [
        (json!("fireworks"), "x-session-affinity"),
        (json!("openrouter"), "x-session-id"),
        (json!({"preset": "vllm", "session_header": "x-session-id"}), "x-session-id"),
    ] {
        for held in [false, true] {
            let config = json!({"upstream": upstream, "hold_request_headers": held});
            assert_eq!(sent(config, &[("session-id", ID)], &body), both(name), "{upstream}");
        }
    }
    // Held headers know the upstream of the model.
    let rule = json!({"match": "m", "upstream": "openrouter"});
    let config = json!({"upstream": "fireworks", "models": [rule], "hold_request_headers": true});
    assert_eq!(sent(config, &[("session-id", ID)], &body), both("x-session-id"));
    let off = json!({"upstream": {"preset": "fireworks", "session_header": null}});
    assert_eq!(sent(off, &[("session-id", ID)], &body).len(), 1);
}

/// A key without words would send every such conversation to one endpoint.
#[test]
fn an_empty_key_is_none() {
    for key in ["", " ", "\t\n"] {
        for upstream in ["vllm", "native"] {
            let config = json!({"upstream": upstream, "hold_request_headers": true});
            let body = json!({"model": "m", "input": "hi", "prompt_cache_key": key});
            assert_eq!(sent(config, &[], &body), [], "{upstream} {key:?}");
        }
    }
}

#[test]
fn a_native_upstream_has_the_session_of_the_body_too() {
    let own = |id: &str| vec![("x-transponder-session".to_owned(), hash(id))];
    let config = json!({"upstream": "native", "hold_request_headers": true});
    let off = json!({"upstream": "native", "hold_request_headers": true, "session_headers": []});
    let body = json!({"model": "m", "input": "hi", "prompt_cache_key": "k\u{e9}y"});
    assert_eq!(sent(config.clone(), &[], &body), own("k\u{e9}y"));
    assert_eq!(sent(config.clone(), &[("session-id", ID)], &body), own(ID));
    assert_eq!(sent(config.clone(), &[("x-transponder-session", "forged")], &body), own("k\u{e9}y"));
    assert_eq!(sent(off, &[], &body), []);
    for key in [json!(null), json!(5), json!(["k"])] {
        let body = json!({"model": "m", "input": "hi", "prompt_cache_key": key});
        assert_eq!(sent(config.clone(), &[], &body), [], "{key}");
    }
}

/// A native upstream gets the client's headers as they mean, or not at all.
#[test]
fn headers_for_a_native_upstream_are_never_mangled() {
    let cases: [(&[&[u8]], Option<&str>); 6] = [
        (&[b"a"], Some("a")),
        (&[b"a", b"b, c"], Some("a, b, c")),
        (&[b""], Some("")),
        (&["\u{e9}".as_bytes()], Some("\u{e9}")),
        (&[b"\xff"], None),
        (&[b"a", b"\xff"], None),
    ];
    for name in ["session-id", "openai-beta", "x-codex-turn-metadata", "accept", "content-type"] {
        for (values, expected) in cases {
            let mut pairs: Vec<(String, Vec<u8>)> = [(":method", "POST"), (":path", "/v1/responses")]
                .map(|(name, value)| (name.to_owned(), value.into()))
                .into();
            pairs.extend(values.iter().map(|value| (name.to_owned(), value.to_vec())));
            let mut driven = Driven::new(r#"{"upstream": "native", "hold_request_headers": true}"#);
            let verdict = driven.exchange.on_request_headers(&pairs.into(), false, NOW);
            let HeadersVerdict::Hold(mut edits) = verdict else { panic!("{verdict:?}") };
            let verdict = driven.exchange.on_request_body(ASKED, true, NOW);
            let BodyVerdict::Release(more, _) = verdict else { panic!("{verdict:?}") };
            edits.extend(more);
            let last = edits.iter().rev().find_map(|edit| match edit {
                Edit::Set(known, value) if known == name => Some(Some(value.as_str())),
                Edit::Remove(known) if known == name => Some(None),
                _ => None,
            });
            assert_eq!(last, Some(expected), "{name} {values:?}");
        }
    }
}
