//! A request for no output gets an immediate reply, and nothing is sent upstream.

use super::*;
use crate::grammar::{Transcript, document};

fn prewarm(more: &str) -> String {
    format!(r#"{{"model":"m","input":"hello","prompt_cache_options":{{"prewarm":true}}{more}}}"#)
}

#[test]
fn an_empty_completed_response_is_the_answer() {
    for config in ["{}", HELD] {
        for (more, kind) in [("", "application/json"), (r#","stream":true"#, "text/event-stream")] {
            let mut driven = Driven::posted(config);
            let reply = local_body(driven.exchange.on_request_body(prewarm(more).as_bytes(), true, NOW));
            assert_eq!((reply.status, &reply.headers[0]), (200, &("content-type", kind.to_owned())));
            let response = match kind {
                "text/event-stream" => Transcript::of(&reply.body).response().clone(),
                _ => document(&reply.body),
            };
            assert_eq!((&response["status"], &response["output"]), (&json!("completed"), &json!([])));
            assert_eq!(response["usage"]["total_tokens"], 0);
            // Envoy runs the filter's callbacks on its own local reply.
            let headers = response_headers(kind);
            let untouched = HeadersVerdict::Continue(vec![]);
            assert_eq!(driven.exchange.on_response_headers(&headers, false, NOW), untouched);
            assert_eq!(driven.exchange.on_response_body(b"x", true, NOW), BodyVerdict::Pass);
            driven.exchange.on_close(NOW);
            assert!(driven.counted().is_empty(), "no request was sent upstream: {:?}", driven.counted());
            let outcome = ("transponder.outcome", "answered".to_owned());
            assert!(driven.told.fields.borrow().contains(&outcome));
        }
    }
}

fn response_headers(kind: &str) -> Headers {
    response("200", &[("content-type", kind)])
}

#[test]
fn an_invalid_request_is_refused_all_the_same() {
    for (more, code) in [
        (r#","previous_response_id":"resp_1""#, "previous_response_not_found"),
        (r#","temperature":3"#, "decimal_above_max_value"),
    ] {
        let mut driven = Driven::posted("{}");
        let reply = local_body(driven.exchange.on_request_body(prewarm(more).as_bytes(), true, NOW));
        assert_eq!(error(&reply), (400, code.to_owned()));
    }
}

#[test]
fn other_requests_are_sent() {
    for options in [r#"{"prewarm":false}"#, r#"{"prewarm":null}"#, r#"{"mode":"explicit"}"#, "null"] {
        let body = format!(r#"{{"model":"m","input":"hello","prompt_cache_options":{options}}}"#);
        Driven::asked("{}", body.as_bytes());
    }
    let compact = headers(&[(":method", "POST"), (":path", "/v1/responses/compact")]);
    let mut driven = Driven::new("{}");
    driven.exchange.on_request_headers(&compact, false, NOW);
    let verdict = driven.exchange.on_request_body(prewarm("").as_bytes(), true, NOW);
    assert!(matches!(verdict, BodyVerdict::Replace(_)), "a compaction has output: {verdict:?}");
}
