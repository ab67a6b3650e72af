//! The request path: which requests are translated, which are rejected, and what is sent upstream.

use super::*;

#[test]
fn what_is_not_ours_passes_untouched() {
    let table = [
        ("POST", "/v1/chat/completions"),
        ("POST", "/v1/responsesX"),
        ("POST", "/v1/"),
        ("POST", "/"),
        ("GET", "/v1/models"),
        ("OPTIONS", "/v1/responses"),
        ("OPTIONS", "/v1/responses/x"),
        ("POST", "/V1/responses"),
    ];
    for (method, path) in table {
        let mut driven = Driven::new("{}");
        let headers = headers(&[(":method", method), (":path", path), ("accept-encoding", "gzip")]);
        let exchange = &mut driven.exchange;
        let untouched = HeadersVerdict::Continue(vec![]);
        assert_eq!(exchange.on_request_headers(&headers, false, NOW), untouched, "{method} {path}");
        assert!(exchange.passes_through());
        assert_eq!(exchange.on_request_body(b"x", true, NOW), BodyVerdict::Pass);
        assert_eq!(exchange.on_response_headers(&response("500", &[]), false, NOW), untouched);
        assert_eq!(exchange.on_response_body(b"x", true, NOW), BodyVerdict::Pass);
        assert_eq!(exchange.on_response_trailers(NOW), TrailersVerdict::Pass);
        exchange.on_close(NOW);
        assert_eq!(driven.counted(), ["passed"]);
    }
}

#[test]
fn headers_that_only_we_may_set_are_taken_from_every_client() {
    let names = ["x-transponder-upstream", "x-transponder-model", "x-transponder-session"];
    let ours = names.map(|name| (name, "evil"));
    let removed = names.map(remove);
    let foreign = headers(&[&[(":method", "GET"), (":path", "/")], &ours[..]].concat());
    for headers in [foreign, request(&ours)] {
        for config in ["{}", HELD] {
            let verdict = Driven::new(config).exchange.on_request_headers(&headers, false, NOW);
            let (HeadersVerdict::Continue(edits) | HeadersVerdict::Hold(edits)) = verdict else { panic!() };
            assert!(removed.iter().all(|edit| edits.contains(edit)), "{edits:?}");
        }
    }
}

#[test]
fn what_cannot_be_served_is_refused_by_the_headers_alone() {
    type Case<'a> =
        (&'a str, &'a str, &'a [(&'a str, &'a str)], bool, (u16, &'a str), Option<(&'static str, &'a str)>);
    let table: &[Case<'_>] = &[
        ("GET", "/v1/responses", &[], true, (405, "method_not_allowed"), Some(("allow", "POST"))),
        ("HEAD", "/v1/responses", &[], true, (405, "method_not_allowed"), Some(("allow", "POST"))),
        ("PUT", "/responses?x=1", &[], false, (405, "method_not_allowed"), Some(("allow", "POST"))),
        (
            "GET",
            "/v1/responses",
            &[("upgrade", "h2c")],
            true,
            (405, "method_not_allowed"),
            Some(("allow", "POST")),
        ),
        (
            "GET",
            "/v1/responses",
            &[("upgrade", "WebSocket")],
            false,
            (426, "websocket_not_supported"),
            Some(("upgrade", "HTTP/1.1")),
        ),
        ("GET", "/v1/responses/resp_1", &[], true, (404, "endpoint_not_supported"), None),
        ("DELETE", "/v1/responses/resp_1?a=b", &[], true, (404, "endpoint_not_supported"), None),
        ("POST", "/v1/responses/resp_1/cancel", &[], true, (404, "endpoint_not_supported"), None),
        ("GET", "/v1/responses/resp_1/input_items", &[], true, (404, "endpoint_not_supported"), None),
        ("GET", "/v1/responses/compact", &[], true, (405, "endpoint_not_supported"), None),
        ("GET", "/v1/responses/input_tokens", &[], true, (405, "endpoint_not_supported"), None),
        ("POST", "/responses/input_tokens", &[], false, (501, "endpoint_not_supported"), None),
        ("POST", "/v1/responses/", &[], false, (404, "endpoint_not_supported"), None),
        ("POST", "/v1/responses", &[], true, (400, "missing_body"), None),
        (
            "POST",
            "/v1/responses",
            &[("content-encoding", "zstd")],
            false,
            (415, "unsupported_content_encoding"),
            Some(("accept-encoding", "identity")),
        ),
        (
            "POST",
            "/v1/responses",
            &[("content-encoding", "identity, gzip")],
            false,
            (415, "unsupported_content_encoding"),
            Some(("accept-encoding", "identity")),
        ),
        ("POST", "/v1/responses", &[("content-length", "11")], false, (413, "request_too_large"), None),
    ];
    for (method, path, more, end, expected, header) in table {
        for mode in ["false", "true"] {
            let config = format!(r#"{{"hold_request_headers": {mode}, "limits": {{"request_bytes": 10}}}}"#);
            let mut driven = Driven::new(&config);
            let headers = headers(&[&[(":method", *method), (":path", *path)], *more].concat());
            let reply = local(driven.exchange.on_request_headers(&headers, *end, NOW));
            let (status, code) = error(&reply);
            assert_eq!((status, code.as_str()), *expected, "{method} {path}");
            let others: Vec<_> = reply.headers.iter().filter(|(name, _)| *name != "content-type").collect();
            let others: Vec<_> = others.into_iter().map(|(name, value)| (*name, value.as_str())).collect();
            assert_eq!(others, header.iter().copied().collect::<Vec<_>>(), "{method} {path}");
            assert_eq!(driven.counted(), [format!("refusals {code}")]);
        }
    }
}

#[test]
fn the_refusals_say_what_to_do() {
    let table = [
        (request(&[("content-encoding", "gzip")]), "in a listener before"),
        (headers(&[(":method", "GET"), (":path", "/v1/responses/r")]), "`input`"),
        (headers(&[(":method", "POST"), (":path", "/v1/responses/input_tokens")]), "tokenizer"),
    ];
    for (headers, words) in table {
        let reply = local(Driven::new("{}").exchange.on_request_headers(&headers, false, NOW));
        let body = String::from_utf8(reply.body).unwrap();
        assert!(body.contains(words), "{body}");
    }
}

#[test]
fn one_configured_path_may_lie_below_another() {
    for paths in [r#"["/a", "/a/b"]"#, r#"["/a/b", "/a"]"#] {
        let mut driven = Driven::new(&format!(r#"{{"paths": {paths}}}"#));
        let headers = headers(&[(":method", "POST"), (":path", "/a/b?x")]);
        let verdict = driven.exchange.on_request_headers(&headers, false, NOW);
        assert!(matches!(verdict, HeadersVerdict::Continue(_)), "{verdict:?}");
        assert!(!driven.exchange.passes_through());
    }
}

#[test]
fn headers_go_up_in_the_clothes_of_the_other_api() {
    let config = r#"{"upstream": {"path": "/openai/chat/completions?api-version=7"}, "session_headers": []}"#;
    let kept = [
        ("authorization", "Bearer x"),
        ("user-agent", "codex"),
        ("x-request-id", "r"),
        ("accept", "text/event-stream"),
    ];
    // Envoy passes this header to filters only with `proxy_100_continue`.
    let expect = [("expect", "100-continue")];
    let gone = [
        ("content-length", "29"),
        ("accept-encoding", "gzip"),
        ("x-codex-turn-metadata", "{}"),
        ("x-codex-window-id", "1"),
        ("session-id", "s"),
        ("thread-id", "t"),
        ("originator", "codex_exec"),
        ("x-openai-internal-codex-responses-lite", "true"),
        ("x-openai-subagent", "review"),
        ("x-openai-memgen-request", "1"),
        ("x-oai-attestation", "x"),
        ("chatgpt-account-id", "a"),
        ("session_id", "s"),
        ("x-client-request-id", "t"),
        ("openai-beta", "x"),
        ("digest", "x"),
    ];
    let posted = |more: &[(&str, &str)]| {
        headers(&[&[(":method", "POST"), (":path", "/responses?v=1")], &kept[..], &gone[..], more].concat())
    };
    let mut expected: Vec<_> = gone.iter().map(|(name, _)| remove(name)).collect();
    expected.push(set(":path", "/openai/chat/completions?api-version=7"));
    expected.push(set("accept", "*/*"));
    expected.push(set("content-type", "application/json"));
    assert_eq!(
        Driven::new(config).exchange.on_request_headers(&posted(&expect), false, NOW),
        HeadersVerdict::Continue(expected.clone())
    );
    let held = config.replace("}, ", r#"}, "hold_request_headers": true, "#);
    assert_eq!(
        Driven::new(&held).exchange.on_request_headers(&posted(&[]), false, NOW),
        HeadersVerdict::Hold(expected)
    );
}

/// Envoy runs the filters again on a translated request, and the context of its reply is lost.
#[test]
fn a_redirect_that_envoy_followed_is_told_as_an_error() {
    let config = r#"{"hold_request_headers": MODE, "upstream": {"path": "/a/chat/completions?v=7"},
        "models": [{"match": "m", "upstream": {"preset": "vllm", "path": "/b"}}]}"#;
    for mode in ["false", "true"] {
        let config = config.replace("MODE", mode);
        for (original, path) in [
            ("http://api/a/chat/completions?v=7", "/elsewhere"),
            ("https://api:8443/b", "/"),
            // A redirect to the path of the Responses API.
            ("http://api/b", "/v1/responses"),
        ] {
            let more = [(":method", "POST"), (":path", path), ("x-envoy-original-url", original)];
            let mut driven = Driven::new(&config);
            let reply = local(driven.exchange.on_request_headers(&headers(&more), false, NOW));
            assert_eq!(error(&reply), (502, "upstream_unexpected_status".to_owned()), "{original}");
            assert!(String::from_utf8(reply.body).unwrap().contains("internal_redirect_policy"));
            // The exchange was counted when the first run ended.
            assert_eq!(driven.counted(), ["upstream_errors broken generic"]);
            assert_eq!(driven.exchange.on_request_body(b"chat", true, NOW), BodyVerdict::Hold);
        }
    }
}

#[test]
fn other_redirected_requests_pass() {
    let ours = "http://api/v1/chat/completions";
    type Case<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)]);
    let table: &[Case<'_>] = &[
        ("GET", ours, &[]),
        ("POST", "http://api/v1/chat/completions/", &[]),
        ("POST", "http://api/v1/embeddings", &[]),
        ("POST", "http://api", &[]),
        ("POST", "/v1/chat/completions", &[]),
        // A client's own Chat Completions request announces its length; a translated one only if it names its model.
        ("POST", ours, &[("content-length", "9")]),
    ];
    for (method, original, more) in table {
        let all = [&[(":method", *method), (":path", "/x"), ("x-envoy-original-url", original)], *more];
        let mut driven = Driven::new("{}");
        let verdict = driven.exchange.on_request_headers(&headers(&all.concat()), false, NOW);
        assert_eq!(verdict, HeadersVerdict::Continue(vec![]), "{method} {original}");
        assert!(driven.exchange.passes_through());
    }
    let held = [
        (":method", "POST"),
        (":path", "/x"),
        ("x-envoy-original-url", ours),
        ("content-length", "9"),
        ("x-transponder-model", "m"),
    ];
    let reply = local(Driven::new("{}").exchange.on_request_headers(&headers(&held), false, NOW));
    assert_eq!(error(&reply).0, 502);
}

#[test]
fn values_that_are_not_text_do_no_harm() {
    let mut pairs =
        vec![(":method".to_owned(), b"POST".to_vec()), (":path".to_owned(), b"/v1/responses".to_vec())];
    for name in ["originator", "x-request-id", "content-encoding", "content-length", "upgrade"] {
        pairs.push((name.to_owned(), vec![0xff, 0xfe]));
    }
    let verdict = Driven::new("{}").exchange.on_request_headers(&pairs.into(), false, NOW);
    assert!(matches!(verdict, HeadersVerdict::Continue(_)), "{verdict:?}");
    let path = vec![(":method".to_owned(), b"POST".to_vec()), (":path".to_owned(), vec![0xff])];
    let mut driven = Driven::new("{}");
    assert_eq!(
        driven.exchange.on_request_headers(&path.into(), false, NOW),
        HeadersVerdict::Continue(vec![])
    );
    assert!(driven.exchange.passes_through());
}

#[test]
fn one_byte_over_the_limit_is_refused_and_the_rest_swallowed() {
    let config = r#"{"limits": {"request_bytes": 10}}"#;
    for chunks in [&[&b"01234567890"[..]][..], &[b"0123456789", b"", b"0"], &[b"01234", b"56789", b"0"]] {
        let mut driven = Driven::posted(config);
        let (last, before) = chunks.split_last().unwrap();
        for chunk in before {
            assert_eq!(driven.exchange.on_request_body(chunk, false, NOW), BodyVerdict::Replace(vec![]));
        }
        let reply = local_body(driven.exchange.on_request_body(last, false, NOW));
        assert_eq!(error(&reply), (413, "request_too_large".to_owned()));
        assert_eq!(driven.exchange.on_request_body(b"more", false, NOW), BodyVerdict::Hold);
        assert_eq!(driven.exchange.on_request_body(b"", true, NOW), BodyVerdict::Hold);
        assert_eq!(driven.exchange.on_request_trailers(NOW), TrailersVerdict::Hold);
        // The filter's local reply passes through its own callbacks.
        let answer = driven.exchange.on_response_headers(&response("413", &[]), false, NOW);
        assert_eq!(answer, HeadersVerdict::Continue(vec![]));
        assert_eq!(driven.exchange.on_response_body(&reply.body, true, NOW), BodyVerdict::Pass);
        driven.exchange.on_close(NOW);
        assert_eq!(driven.counted(), ["refusals request_too_large"]);
    }
}

#[test]
fn a_body_that_turns_out_empty_is_refused() {
    for config in ["{}", HELD] {
        let reply = local_body(Driven::posted(config).exchange.on_request_body(b"", true, NOW));
        assert_eq!(error(&reply), (400, "missing_body".to_owned()));
        let reply = local_trailers(Driven::posted(config).exchange.on_request_trailers(NOW));
        assert_eq!(error(&reply), (400, "unsupported_trailers".to_owned()));
    }
}

#[test]
fn what_cannot_be_translated_is_refused_whole() {
    for config in ["{}", HELD] {
        let mut driven = Driven::posted(config);
        driven.exchange.on_request_body(b"{\"mod", false, NOW);
        let reply = local_body(driven.exchange.on_request_body(b"", true, NOW));
        assert_eq!(error(&reply).0, 400);
        assert_eq!(driven.counted(), ["refusals invalid_json"]);
    }
}

#[test]
fn the_request_goes_up_whole_when_it_is_whole() {
    let mut driven = Driven::posted("{}");
    let (head, tail) = ASKED.split_at(9);
    assert_eq!(driven.exchange.on_request_body(head, false, NOW), BodyVerdict::Replace(vec![]));
    let BodyVerdict::Replace(body) = driven.exchange.on_request_body(tail, true, NOW) else { panic!() };
    assert!(serde_json::from_slice::<Value>(&body).is_ok());
    assert_eq!(driven.counted(), [""; 0]);

    // The body cannot be written in a trailers callback.
    for (config, swallowed) in [("{}", BodyVerdict::Replace(vec![])), (HELD, BodyVerdict::Hold)] {
        let mut driven = Driven::posted(config);
        assert_eq!(driven.exchange.on_request_body(ASKED, false, NOW), swallowed);
        let reply = local_trailers(driven.exchange.on_request_trailers(NOW));
        assert_eq!(error(&reply), (400, "unsupported_trailers".to_owned()));
    }
}

#[test]
fn an_announced_body_goes_with_its_end() {
    let mut driven = Driven::new(HELD);
    let length = ASKED.len().to_string();
    driven.exchange.on_request_headers(&request(&[("content-length", &length)]), false, NOW);
    let (head, tail) = ASKED.split_at(9);
    assert_eq!(driven.exchange.on_request_body(head, false, NOW), BodyVerdict::Hold);
    let BodyVerdict::Release(edits, now) = driven.exchange.on_request_body(tail, false, NOW) else {
        panic!()
    };
    assert!(
        edits.iter().any(|edit| matches!(edit, Edit::Set(name, _) if name == "content-length")),
        "{edits:?}"
    );
    assert!(now.is_empty());
    let BodyVerdict::Replace(body) = driven.exchange.on_request_body(b"", true, NOW) else { panic!() };
    assert!(serde_json::from_slice::<Value>(&body).is_ok());
}

/// HTTP/2 allows both a length and trailers.
#[test]
fn an_announced_body_with_trailers_is_refused_and_does_not_hang() {
    let mut driven = Driven::new(HELD);
    let length = ASKED.len().to_string();
    driven.exchange.on_request_headers(&request(&[("content-length", &length)]), false, NOW);
    assert!(matches!(driven.exchange.on_request_body(ASKED, false, NOW), BodyVerdict::Release(..)));
    let reply = local_trailers(driven.exchange.on_request_trailers(NOW));
    assert_eq!(error(&reply), (400, "unsupported_trailers".to_owned()));
}

#[test]
fn held_headers_follow_from_the_body() {
    let config = r#"{
        "hold_request_headers": true,
        "models": [{"match": "m", "model": "qwen 3\u00e9", "upstream": {"path": "/m"}, "route": "there"}]
    }"#;
    for (body, accept) in [(ASKED, "application/json"), (ASKED_STREAM, "text/event-stream")] {
        let mut driven = Driven::posted(config);
        let BodyVerdict::Release(edits, body) = driven.exchange.on_request_body(body, true, NOW) else {
            panic!()
        };
        assert_eq!(
            edits,
            [
                set(":path", "/m"),
                set("accept", accept),
                set("content-length", &body.len().to_string()),
                set("x-transponder-model", "qwen?3?"),
                set("x-transponder-upstream", "there"),
            ]
        );
    }
    // After the watchdog, the headers have been sent.
    let mut driven = Driven::posted(config);
    driven.exchange.on_watchdog();
    assert!(matches!(driven.exchange.on_request_body(ASKED, true, NOW), BodyVerdict::Replace(_)));
}

/// The upstream says `100 Continue` to headers, and the client sends its body after that.
#[test]
fn headers_are_not_held_for_a_body_that_waits_for_them() {
    let mut driven = Driven::new(HELD);
    let verdict = driven.exchange.on_request_headers(&request(&[("expect", "100-continue")]), false, NOW);
    assert!(matches!(verdict, HeadersVerdict::Continue(_)), "{verdict:?}");
    assert!(matches!(driven.exchange.on_request_body(ASKED, true, NOW), BodyVerdict::Replace(_)));
}
