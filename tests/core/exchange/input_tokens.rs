//! `POST /responses/input_tokens`: the upstream counts the prompt of a request and does not answer it.

use super::*;

const VLLM: &str = r#"{"upstream": "vllm"}"#;

/// With the complete request in. Returns the edits of its headers, in both callbacks, and its body.
fn counting(config: &str, body: &str) -> (Driven, Vec<Edit>, Value) {
    let mut driven = Driven::new(config);
    let headers = headers(&[(":method", "POST"), (":path", "/v1/responses/input_tokens?x=1")]);
    let mut edits = match driven.exchange.on_request_headers(&headers, false, NOW) {
        HeadersVerdict::Continue(edits) | HeadersVerdict::Hold(edits) => edits,
        other => panic!("{other:?}"),
    };
    let body = match driven.exchange.on_request_body(body.as_bytes(), true, NOW) {
        BodyVerdict::Replace(body) => body,
        BodyVerdict::Release(more, body) => {
            edits.extend(more);
            body
        }
        other => panic!("{other:?}"),
    };
    (driven, edits, serde_json::from_slice(&body).unwrap())
}

/// What the client gets for an upstream's reply: its status, as far as it can still be set, and its body.
fn reply(driven: &mut Driven, status: &str, body: &str) -> (Option<String>, Value) {
    let headers = response(status, &[("content-type", "application/json")]);
    assert!(!matches!(driven.exchange.on_response_headers(&headers, false, NOW), HeadersVerdict::Respond(_)));
    let (status, body) = match driven.exchange.on_response_body(body.as_bytes(), true, NOW) {
        BodyVerdict::Replace(body) => (None, body),
        BodyVerdict::Release(edits, body) => {
            let status = edits.into_iter().find_map(|edit| match edit {
                Edit::Set(name, value) if name == ":status" => Some(value),
                _ => None,
            });
            (status, body)
        }
        other => panic!("{other:?}"),
    };
    (status, crate::grammar::document(&body))
}

#[test]
fn the_upstream_gets_the_request_where_it_counts() {
    for (preset, path) in
        [("vllm", "/tokenize"), ("sglang", "/tokenize"), ("llamacpp", "/v1/chat/completions/input_tokens")]
    {
        for held in [false, true] {
            let config = json!({"upstream": preset, "hold_request_headers": held}).to_string();
            let request = json!({
                "model": "m", "instructions": "Be brief.", "input": "hello",
                "tools": [{"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}},
                          {"type": "web_search"}],
            });
            let (mut driven, edits, counted) = counting(&config, &request.to_string());
            let last = edits.iter().rfind(|edit| matches!(edit, Edit::Set(name, _) if name == ":path"));
            assert_eq!(last, Some(&set(":path", path)), "{config}");

            let mut answered = Driven::posted(&config);
            let sent = match answered.exchange.on_request_body(request.to_string().as_bytes(), true, NOW) {
                BodyVerdict::Replace(body) | BodyVerdict::Release(_, body) => body,
                other => panic!("{other:?}"),
            };
            assert_eq!(counted, serde_json::from_slice::<Value>(&sent).unwrap(), "the same prompt");

            let (_, count) =
                reply(&mut driven, "200", r#"{"count": 7, "tokens": [1, 2], "max_model_len": 9}"#);
            assert_eq!(count, json!({"object": "response.input_tokens", "input_tokens": 7}));
            let ended = format!("exchanges completed {preset}");
            assert_eq!(driven.counted(), ["dropped tool".to_owned(), ended], "no tokens were used");
        }
    }
}

#[test]
fn any_form_of_the_count_is_read() {
    let table = [
        (r#"{"input_tokens":30,"object":"response.input_tokens"}"#, 30),
        (r#" {"count": 0, "max_model_len": 8192, "tokens": []} "#, 0),
        (r#"{"tokens": [5, 6], "count": 2, "token_strs": null}"#, 2),
    ];
    for (body, tokens) in table {
        let (mut driven, ..) = counting(VLLM, r#"{"model":"m","input":"hello"}"#);
        let headers = response("200", &[("content-type", "application/json")]);
        driven.exchange.on_response_headers(&headers, false, NOW);
        // One byte at a time, with trailers in place of a last chunk.
        let mut got = Vec::new();
        for byte in body.bytes() {
            let verdict = driven.exchange.on_response_body(&[byte], false, NOW);
            let BodyVerdict::Replace(piece) = verdict else { panic!("{verdict:?}") };
            got.extend(piece);
        }
        assert_eq!(driven.exchange.on_response_trailers(NOW), TrailersVerdict::Pass);
        let expected = json!({"object": "response.input_tokens", "input_tokens": tokens});
        assert_eq!(crate::grammar::document(&got), expected, "{body}");
    }
}

#[test]
fn what_is_no_count_is_an_error() {
    const HELD_VLLM: &str = r#"{"upstream": "vllm", "hold_request_headers": true}"#;
    let table = [
        (
            "400",
            r#"{"error": {"message": "No such role", "type": "BadRequestError", "code": 400}}"#,
            "400",
            "No such role",
        ),
        ("404", r#"{"detail": "Not Found"}"#, "404", "Not Found"),
        ("200", r#"{"error": {"message": "Loading", "code": 503}}"#, "503", "Loading"),
        ("200", r#"{"tokens": [1]}"#, "502", "input_tokens"),
        ("200", r#"{"count": "many"}"#, "502", "many"),
        ("200", "<html>", "502", "no token count"),
    ];
    for (status, body, expected, words) in table {
        for config in [VLLM, HELD_VLLM] {
            let (mut driven, ..) = counting(config, r#"{"model":"m","input":"hello"}"#);
            let (set, error) = reply(&mut driven, status, body);
            assert!(error["error"]["message"].as_str().unwrap().contains(words), "{error}");
            assert_eq!(set.as_deref(), (config == HELD_VLLM).then_some(expected), "{body}");
        }
    }
    let (mut driven, ..) = counting(VLLM, r#"{"model":"m","input":"hello"}"#);
    let long = format!(r#"{{"tokens": [{}1], "count": 9}}"#, "1,".repeat(100));
    let limited = r#"{"upstream": "vllm", "limits": {"reply_bytes": 100}}"#;
    assert_eq!(reply(&mut driven, "200", &long).1["input_tokens"], 9);
    let (mut driven, ..) = counting(limited, r#"{"model":"m","input":"hello"}"#);
    assert_eq!(reply(&mut driven, "200", &long).1["error"]["code"], "reply_too_large");
}

#[test]
fn an_upstream_that_cannot_count_is_a_501() {
    let config = r#"{"hold_request_headers": true, "models": [
        {"match": "native", "upstream": "native"}, {"match": "qwen", "upstream": "vllm"}]}"#;
    let path = [(":method", "POST"), (":path", "/v1/responses/input_tokens")];
    let asked = |model: &str| {
        let mut driven = Driven::new(config);
        driven.exchange.on_request_headers(&headers(&path), false, NOW);
        let body = format!(r#"{{"model":"{model}","input":"hello"}}"#);
        driven.exchange.on_request_body(body.as_bytes(), true, NOW)
    };
    assert_eq!(error(&local_body(asked("other"))), (501, "endpoint_not_supported".to_owned()));
    assert!(
        matches!(asked("qwen"), BodyVerdict::Release(edits, _) if edits.contains(&set(":path", "/tokenize")))
    );
    let own = set(":path", "/v1/responses/input_tokens");
    assert!(matches!(asked("native"), BodyVerdict::Release(edits, _) if edits.contains(&own)));

    // Without held headers the path is chosen before the model is known.
    let config = r#"{"models": [{"match": "qwen", "upstream": "vllm"}]}"#;
    let reply = local(Driven::new(config).exchange.on_request_headers(&headers(&path), false, NOW));
    assert_eq!(error(&reply), (501, "endpoint_not_supported".to_owned()));
}

#[test]
fn a_wrong_request_is_refused_as_ever() {
    for (body, code) in [
        (r#"{"model":"m"}"#, "missing_required_parameter"),
        (r#"{"model":"m","input":"hello","previous_response_id":"r"}"#, "previous_response_not_found"),
    ] {
        let mut driven = Driven::new(VLLM);
        let path = headers(&[(":method", "POST"), (":path", "/responses/input_tokens")]);
        driven.exchange.on_request_headers(&path, false, NOW);
        let reply = local_body(driven.exchange.on_request_body(body.as_bytes(), true, NOW));
        assert_eq!(error(&reply), (400, code.to_owned()));
    }
}
