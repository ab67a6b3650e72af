//! What is left of an exchange after its adapter caught a panic.

use super::*;

#[test]
fn a_panic_is_an_error_of_the_api_and_closes_the_exchange() {
    let mut driven = Driven::posted(HELD);
    driven.exchange.on_request_body(ASKED, true, NOW);
    let LocalReply { status, headers, body } = driven.exchange.on_panic();
    assert_eq!((status, &headers[..]), (500, &[("content-type", "application/json".to_owned())][..]));
    let error: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(error["error"]["code"], "internal_error");
    assert_eq!(error["error"]["type"], "server_error");

    // The answer passes, and what the client still sends is discarded.
    let answer = driven.exchange.on_response_headers(&Headers::default(), false, NOW);
    assert_eq!(answer, HeadersVerdict::Continue(Vec::new()));
    assert_eq!(driven.exchange.on_response_body(&body, true, NOW), BodyVerdict::Pass);
    assert_eq!(driven.exchange.on_request_body(ASKED, true, NOW), BodyVerdict::Hold);
    driven.exchange.on_close(NOW);
    assert_eq!(driven.counted(), ["panics", "exchanges failed generic"]);
    let others = driven.told.others.borrow();
    let open = others.iter().filter(|(name, _)| *name == "transponder_open_exchanges");
    assert_eq!(open.map(|(_, value)| value).sum::<i64>(), 0);
    let fields = driven.told.fields.borrow();
    assert!(fields.contains(&("transponder.error", "internal_error".to_owned())), "{fields:?}");
}

#[test]
fn a_panic_before_the_request_is_sent_is_no_exchange() {
    let mut driven = Driven::posted(HELD);
    assert_eq!(driven.exchange.on_panic().status, 500);
    driven.exchange.on_close(NOW);
    assert_eq!(driven.counted(), ["panics"]);
}
