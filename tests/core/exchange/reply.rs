//! The reply path: what the client receives, and the error if a reply cannot be translated.

use super::*;

#[test]
fn a_success_before_the_request_is_whole_is_none() {
    let mut driven = Driven::posted("{}");
    let reply = local(driven.exchange.on_response_headers(&response("200", &[]), false, NOW));
    assert_eq!(error(&reply), (502, "upstream_early_reply".to_owned()));
    assert_eq!(driven.exchange.on_request_body(b"late", true, NOW), BodyVerdict::Hold);
}

#[test]
fn headers_come_back_in_the_clothes_of_this_api() {
    let gone = [
        ("content-length", "5"),
        ("etag", "x"),
        ("openai-model", "other"),
        ("x-codex-primary-used-percent", "1"),
        ("x-models-etag", "x"),
        ("x-reasoning-included", "1"),
        ("x-transponder-dropped", "a lie"),
    ];
    let kept = [("x-request-id", "r"), ("retry-after", "0.5"), ("content-type", "text/plain")];
    let headers = response("200", &[&gone[..], &kept[..]].concat());
    let json = [set("content-type", "application/json")];
    let events = [set("content-type", "text/event-stream"), set("cache-control", "no-cache, no-transform")];
    for (body, last) in [(ASKED, &json[..]), (ASKED_STREAM, &events[..])] {
        let mut driven = Driven::asked("{}", body);
        let mut expected: Vec<_> = gone.iter().map(|(name, _)| remove(name)).collect();
        expected.extend_from_slice(last);
        let verdict = driven.exchange.on_response_headers(&headers, false, NOW);
        assert_eq!(verdict, HeadersVerdict::Continue(expected));
    }
}

#[test]
fn what_was_dropped_is_named() {
    let asked = br#"{"model":"m","input":"hello","tools":[{"type":"web_search"}]}"#;
    let mut driven = Driven::asked("{}", asked);
    assert_eq!(driven.counted(), ["dropped tool"]);
    let verdict = driven.exchange.on_response_headers(&response("200", &[]), false, NOW);
    let HeadersVerdict::Continue(edits) = verdict else { panic!() };
    assert!(edits.contains(&set("x-transponder-dropped", "tool:web_search")), "{edits:?}");
}

#[test]
fn a_429_says_when_to_come_back() {
    type Case<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);
    let table: &[Case<'_>] = &[
        (&[], Some("5")),
        (&[("retry-after", "7")], None),
        (&[("retry-after", "0")], None),
        (&[("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT")], Some("0")),
        (&[("retry-after", "Tue, 14 Nov 2023 22:14:50 GMT")], Some("90")),
        (&[("retry-after", "Tuesday, 14-Nov-23 22:14:50 GMT")], Some("90")),
        (&[("retry-after", "Tue Nov 14 22:14:50 2023")], Some("90")),
        (&[("retry-after", "Tue, 14 Nov 2023")], Some("5")),
        (&[("retry-after", "0.5")], Some("1")),
        (&[("retry-after", "2.01")], Some("3")),
        (&[("retry-after", "soon")], Some("5")),
        (&[("retry-after", "-1")], Some("5")),
        (&[("retry-after", "inf")], Some("5")),
        (&[("retry-after-ms", "1200")], Some("2")),
    ];
    for (more, expected) in table {
        for status in ["429", "503"] {
            let mut driven = Driven::asked("{}", ASKED);
            let verdict = driven.exchange.on_response_headers(&response(status, more), false, NOW);
            let HeadersVerdict::Continue(edits) = verdict else { panic!() };
            let found = edits.iter().find_map(|edit| match edit {
                Edit::Set(name, value) if name == "retry-after" => Some(value.as_str()),
                _ => None,
            });
            assert_eq!(found, expected.filter(|_| status == "429"), "{status} {more:?}");
        }
    }
}

#[test]
fn a_reply_that_cannot_be_translated_is_replaced() {
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], bool, (u16, &'a str));
    let table: &[Case<'_>] = &[
        ("200", &[("content-encoding", "gzip")], false, (502, "upstream_encoding_unsupported")),
        ("401", &[("content-encoding", "br")], false, (401, "upstream_encoding_unsupported")),
        ("200", &[], true, (502, "upstream_empty_reply")),
        ("204", &[], true, (502, "upstream_empty_reply")),
        ("307", &[("location", "/x")], true, (502, "upstream_unexpected_status")),
        ("302", &[], false, (502, "upstream_unexpected_status")),
    ];
    for (status, more, end, expected) in table {
        let mut driven = Driven::asked("{}", ASKED);
        let reply = local(driven.exchange.on_response_headers(&response(status, more), *end, NOW));
        let (status, code) = error(&reply);
        assert_eq!((status, code.as_str()), *expected);
        assert!(driven.counted().contains(&"exchanges upstream_error generic".to_owned()));
    }
}

#[test]
fn an_error_without_a_body_gets_one() {
    for status in ["401", "404", "429", "503"] {
        for whole in [true, false] {
            let mut driven = if whole { Driven::asked("{}", ASKED) } else { Driven::posted("{}") };
            let reply = local(driven.exchange.on_response_headers(&response(status, &[]), true, NOW));
            assert_eq!(error(&reply).0.to_string(), status);
            let waits = reply.headers.contains(&("retry-after", "5".to_owned()));
            assert_eq!(waits, status == "429");
        }
    }
}

#[test]
fn an_error_of_envoy_or_upstream_becomes_one_of_the_api_even_before_the_request_is_whole() {
    for whole in [true, false] {
        let mut driven = if whole { Driven::asked("{}", ASKED) } else { Driven::posted("{}") };
        let headers = response("503", &[("content-type", "text/plain"), ("content-length", "19")]);
        let HeadersVerdict::Continue(edits) = driven.exchange.on_response_headers(&headers, false, NOW)
        else {
            panic!()
        };
        assert!(edits.contains(&set("content-type", "application/json")));
        // The announced length ends the body, whether or not Envoy reports the end.
        let BodyVerdict::Replace(body) = driven.exchange.on_response_body(b"no healthy upstream", false, NOW)
        else {
            panic!()
        };
        let body: Value = serde_json::from_slice(&body).unwrap();
        assert!(body["error"]["message"].is_string());
        assert_eq!(driven.exchange.on_response_body(b"", true, NOW), BodyVerdict::Replace(vec![]));
        assert!(driven.counted().contains(&"exchanges upstream_error generic".to_owned()));
        assert_eq!(driven.exchange.on_request_body(b"late", true, NOW), BodyVerdict::Hold);
    }
}

#[test]
fn an_early_error_keeps_the_upstreams_words_whatever_upstreams_there_are() {
    for upstream in ["generic", "refuse"] {
        let mut driven = Driven::posted(&format!(r#"{{"upstream": "{upstream}"}}"#));
        let json = response("401", &[("content-type", "application/json")]);
        let verdict = driven.exchange.on_response_headers(&json, false, NOW);
        assert!(matches!(verdict, HeadersVerdict::Continue(_)), "{upstream}: {verdict:?}");
        let words = br#"{"error": {"message": "No API key"}}"#;
        let BodyVerdict::Replace(body) = driven.exchange.on_response_body(words, true, NOW) else { panic!() };
        assert!(String::from_utf8(body).unwrap().contains("No API key"), "{upstream}");
    }
}

#[test]
fn a_document_goes_out_as_soon_as_it_is_whole() {
    let mut driven = Driven::asked("{}", ASKED);
    driven.exchange.on_response_headers(&response("200", &[]), false, NOW);
    let (head, tail) = ANSWER.split_at(50);
    assert_eq!(driven.exchange.on_response_body(head, false, NOW), BodyVerdict::Replace(vec![]));
    let BodyVerdict::Replace(body) = driven.exchange.on_response_body(tail, false, NOW) else { panic!() };
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["object"], "response");
    assert_eq!(driven.exchange.on_response_body(b"\n", false, NOW), BodyVerdict::Replace(vec![]));
    assert_eq!(driven.exchange.on_response_trailers(NOW), TrailersVerdict::Pass);
    driven.exchange.on_close(NOW);
    assert_eq!(driven.counted(), ["exchanges completed generic"]);
}

#[test]
fn a_held_reply_has_its_exact_length_and_status() {
    let length = ANSWER.len().to_string();
    for (more, end) in
        [(("content-length", length.as_str()), false), (("content-type", "application/json"), true)]
    {
        let mut driven = Driven::asked(HELD, ASKED);
        let verdict = driven.exchange.on_response_headers(&response("200", &[more]), false, NOW);
        assert!(matches!(verdict, HeadersVerdict::Hold(_)), "{verdict:?}");
        let (head, tail) = ANSWER.split_at(50);
        assert_eq!(driven.exchange.on_response_body(head, false, NOW), BodyVerdict::Hold);
        let BodyVerdict::Release(edits, body) = driven.exchange.on_response_body(tail, end, NOW) else {
            panic!()
        };
        assert_eq!(edits, [set(":status", "200"), set("content-length", &body.len().to_string())]);
        assert_eq!(driven.exchange.on_response_body(b"", true, NOW), BodyVerdict::Replace(vec![]));
    }
    // A 200 with an error in its body, which ends with trailers.
    let mut driven = Driven::asked(HELD, ASKED);
    let json = response("200", &[("content-type", "application/json")]);
    driven.exchange.on_response_headers(&json, false, NOW);
    let failure = br#"{"error":{"message":"slow down","code":429,"type":"rate_limit_error"}"#;
    assert_eq!(driven.exchange.on_response_body(failure, false, NOW), BodyVerdict::Hold);
    let reply = local_trailers(driven.exchange.on_response_trailers(NOW));
    assert_eq!(error(&reply).0, 502);
    // Trailers without a body.
    let mut driven = Driven::asked(HELD, ASKED);
    driven.exchange.on_response_headers(&json, false, NOW);
    let reply = local_trailers(driven.exchange.on_response_trailers(NOW));
    assert_eq!(error(&reply), (502, "upstream_empty_reply".to_owned()));
}

/// If trailers follow, no body callback has the end flag.
#[test]
fn an_error_document_ends_with_its_last_bracket() {
    for (document, message) in [
        (r#" {"error": {"message": "No }key", "code": null}}"#, "No }key"),
        (r#"[{"error": {"message": "Not valid", "code": 400}}]"#, "Not valid"),
    ] {
        for config in ["{}", HELD] {
            let mut driven = Driven::asked(config, ASKED);
            let json = response("400", &[("content-type", "application/json")]);
            driven.exchange.on_response_headers(&json, false, NOW);
            let (head, tail) = document.as_bytes().split_at(20);
            let first = driven.exchange.on_response_body(head, false, NOW);
            let body = match driven.exchange.on_response_body(tail, false, NOW) {
                BodyVerdict::Replace(body) if config == "{}" => {
                    assert_eq!(first, BodyVerdict::Replace(vec![]));
                    body
                }
                BodyVerdict::Release(edits, body) if config == HELD => {
                    assert_eq!(first, BodyVerdict::Hold);
                    assert!(edits.contains(&set(":status", "400")), "{edits:?}");
                    body
                }
                other => panic!("{config}: {other:?}"),
            };
            let body: Value = serde_json::from_slice(&body).expect("the error");
            assert_eq!(body["error"]["message"], message);
            assert_eq!(driven.exchange.on_response_body(b"\n", false, NOW), BodyVerdict::Replace(vec![]));
            assert_eq!(driven.exchange.on_response_trailers(NOW), TrailersVerdict::Pass);
            assert!(driven.counted().contains(&"exchanges upstream_error generic".to_owned()));
        }
    }
}

#[test]
fn a_bracket_in_an_errors_text_does_not_end_it() {
    for text in ["[error] no route", "[500] no route", "{oops} no route"] {
        let mut driven = Driven::asked("{}", ASKED);
        driven.exchange.on_response_headers(&response("500", &[]), false, NOW);
        let (head, tail) = text.as_bytes().split_at(9);
        assert_eq!(driven.exchange.on_response_body(head, false, NOW), BodyVerdict::Replace(vec![]));
        let BodyVerdict::Replace(body) = driven.exchange.on_response_body(tail, true, NOW) else { panic!() };
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["error"]["message"], text);
    }
}

#[test]
fn a_held_429_for_an_exhausted_quota_does_not_ask_to_wait() {
    for (code, waits) in [("insufficient_quota", false), ("rate_limit_exceeded", true)] {
        let mut driven = Driven::asked(HELD, ASKED);
        let json = response("429", &[("content-type", "application/json")]);
        driven.exchange.on_response_headers(&json, false, NOW);
        let failure = format!(r#"{{"error":{{"message":"m","type":"{code}","code":"{code}"}}}}"#);
        let verdict = driven.exchange.on_response_body(failure.as_bytes(), true, NOW);
        let BodyVerdict::Release(edits, _) = verdict else { panic!("{verdict:?}") };
        assert_eq!(edits.contains(&set("retry-after", "5")), waits, "{edits:?}");
    }
}

#[test]
fn a_held_429_has_the_delay_that_only_its_body_states() {
    for (header, message, seconds) in [
        (None, "Please retry in 34.07s.", "35"),
        (Some("soon"), "Please try again in 1m12.5s.", "73"),
        (Some("2.5"), "Please retry in 34.07s.", "3"),
        (None, "Too many requests.", "5"),
    ] {
        let mut driven = Driven::asked(HELD, ASKED);
        let mut headers = vec![("content-type", "application/json")];
        headers.extend(header.map(|value| ("retry-after", value)));
        driven.exchange.on_response_headers(&response("429", &headers), false, NOW);
        let failure = format!(r#"{{"error":{{"message":"{message}"}}}}"#);
        let verdict = driven.exchange.on_response_body(failure.as_bytes(), true, NOW);
        let BodyVerdict::Release(edits, _) = verdict else { panic!("{verdict:?}") };
        assert!(edits.contains(&set("retry-after", seconds)), "{edits:?}");
    }
}

#[test]
fn headers_of_a_reply_are_held_only_if_its_end_will_be_seen() {
    let plain: &[(&str, &str)] = &[("content-type", "text/plain")];
    let json: &[(&str, &str)] = &[("content-type", "application/json")];
    let table = [
        (HELD, ASKED, "200", json, true),
        (HELD, ASKED, "500", json, true),
        (HELD, ASKED_STREAM, "500", json, true),
        (HELD, ASKED_STREAM, "200", json, false),
        (HELD, ASKED, "500", plain, false),
        ("{}", ASKED, "200", json, false),
    ];
    for (config, body, status, more, holds) in table {
        let mut driven = Driven::asked(config, body);
        let verdict = driven.exchange.on_response_headers(&response(status, more), false, NOW);
        assert_eq!(matches!(verdict, HeadersVerdict::Hold(_)), holds, "{config} {status} {more:?}");
    }
}

/// Its headers are sent unchanged, and its body is no longer held.
#[test]
fn a_reply_that_outgrows_the_limit_is_no_longer_held() {
    let config = r#"{"hold_request_headers": true, "limits": {"held_reply_bytes": 100}}"#;
    let (head, tail) = ANSWER.split_at(50);
    let mut driven = Driven::asked(config, ASKED);
    driven.exchange.on_response_headers(
        &response("200", &[("content-type", "application/json")]),
        false,
        NOW,
    );
    assert_eq!(driven.exchange.on_response_body(head, false, NOW), BodyVerdict::Hold);
    let blanks = [b' '; 51];
    let verdict = driven.exchange.on_response_body(&blanks, false, NOW);
    assert_eq!(verdict, BodyVerdict::Release(vec![], vec![]));
    let BodyVerdict::Replace(body) = driven.exchange.on_response_body(tail, false, NOW) else { panic!() };
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["object"], "response");
}

#[test]
fn a_stream_goes_out_as_it_comes_in_and_ends_by_itself() {
    let mut driven = Driven::asked(HELD, ASKED_STREAM);
    driven.exchange.on_response_headers(
        &response("200", &[("content-type", "text/event-stream")]),
        false,
        NOW,
    );
    let delta = b"data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n";
    let BodyVerdict::Replace(out) = driven.exchange.on_response_body(delta, false, NOW) else { panic!() };
    assert!(!out.is_empty());
    let end = b"data: {\"id\":\"c\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let BodyVerdict::Replace(out) = driven.exchange.on_response_body(end, false, NOW) else { panic!() };
    assert!(out.ends_with(b"data: [DONE]\n\n"));
    assert_eq!(driven.exchange.on_response_body(delta, false, NOW), BodyVerdict::Replace(vec![]));
    assert_eq!(driven.exchange.on_response_trailers(NOW), TrailersVerdict::Pass);
    driven.exchange.on_close(NOW);
    assert_eq!(driven.counted(), ["exchanges completed generic"]);
}

#[test]
fn a_reply_that_breaks_off_is_counted_once() {
    for by_trailers in [true, false] {
        let mut driven = Driven::asked("{}", ASKED_STREAM);
        driven.exchange.on_response_headers(&response("200", &[]), false, NOW);
        driven.exchange.on_response_body(b"data: {", false, NOW);
        if by_trailers {
            assert_eq!(driven.exchange.on_response_trailers(NOW), TrailersVerdict::Pass);
        }
        driven.exchange.on_close(NOW);
        assert_eq!(driven.counted(), ["exchanges cut generic"]);
    }
}

#[test]
fn only_codex_gets_no_instructions_and_no_tools_back() {
    let tool = r#"{"type":"function","name":"f","description":null,"parameters":{},"strict":null}"#;
    let asked = format!(
        r#"{{"model":"m","input":"hello","stream":true,"instructions":"Be brief.","tools":[{tool}],"temperature":0.5}}"#
    );
    let chunk = br#"data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}

data: [DONE]

"#;
    for (originator, instructions, tools) in
        [("codex_exec", "null", "[]"), ("other", r#""Be brief.""#, &*format!("[{tool}]"))]
    {
        let mut driven = Driven::new("{}");
        let headers = request(&[("originator", originator)]);
        driven.exchange.on_request_headers(&headers, false, NOW);
        driven.exchange.on_request_body(asked.as_bytes(), true, NOW);
        driven.exchange.on_response_headers(&response("200", &[]), false, NOW);
        let BodyVerdict::Replace(body) = driven.exchange.on_response_body(chunk, true, NOW) else { panic!() };
        let body = String::from_utf8(body).unwrap();
        let responses: Vec<_> = body.lines().filter(|line| line.contains(r#""object":"response""#)).collect();
        assert_eq!(responses.len(), 3, "{originator}: {body}");
        for response in responses {
            for part in [
                format!(r#""instructions":{instructions},"#),
                format!(r#""tools":{tools},"#),
                r#""temperature":0.5"#.to_owned(),
            ] {
                assert!(response.contains(&part), "{originator}: {part} is missing in {response}");
            }
        }
    }
}
