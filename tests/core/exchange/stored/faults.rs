//! A store that is down, full or damaged, and replies that end badly.

use super::*;
use crate::support::{finish, text};

/// Never a conversation without its beginning.
#[test]
fn a_read_that_fails_is_an_error_of_its_own() {
    let world = World::default();
    let client = Client::new(&world);
    let turn = client.turn(json!({"model": "m", "input": "a"}), &says("b"));
    let reference = json!([{"type": "item_reference", "id": turn.response["output"][0]["id"]}]);
    let requests = [
        json!({"model": "m", "input": "c", "previous_response_id": turn.id()}),
        json!({"model": "m", "input": reference}),
    ];
    let unavailable = (503, "store_unavailable".to_owned());
    let all_unavailable = || {
        requests.iter().for_each(|body| assert_eq!(error(&client.refused(body.clone())), unavailable));
        for (method, path) in [("GET", ""), ("DELETE", ""), ("GET", "/input_items")] {
            assert_eq!(
                error(&client.ask(method, &format!("{}{path}", turn.id()))),
                unavailable,
                "{method} {path}"
            );
        }
    };
    world.is_down.replace(true);
    all_unavailable();
    world.is_down.replace(false);
    let record = world.records.borrow()[0].1.clone();
    for garbage in [&b"<html>"[..], b"", b"{}", &record[..record.len() - 1], &[&record[..], b"x"].concat()] {
        world.records.borrow_mut()[0].1 = garbage.to_vec();
        all_unavailable();
    }
}

#[test]
fn a_write_that_fails_costs_nobody_the_reply() {
    let world = World::default();
    let client = Client::new(&world);
    world.is_down.replace(true);
    let turn = client.turn(json!({"model": "m", "input": "a", "stream": true}), &says("b"));
    assert_eq!(turn.response["output"][0]["content"][0]["text"], "b");
    assert_eq!(turn.response["store"], false, "the last event says so");
    assert_eq!(turn.counted, ["store_operations write failed"]);
    world.is_down.replace(false);
    let body = json!({"model": "m", "input": "c", "previous_response_id": turn.id()});
    assert_eq!(error(&client.refused(body)), (400, "previous_response_not_found".to_owned()));
}

#[test]
fn what_the_store_does_is_counted() {
    let world = World::default();
    let client = Client::new(&world);
    let first = client.turn(json!({"model": "m", "input": "a"}), &says("b"));
    assert_eq!(first.counted, ["store_operations write done"]);
    let second =
        client.turn(json!({"model": "m", "input": "c", "previous_response_id": first.id()}), &says("d"));
    assert_eq!(second.counted, ["store_operations read done", "store_operations write done"]);
    world.records.borrow_mut().clear();
    let (driven, _) = client.posted(&json!({"model": "m", "input": "c", "previous_response_id": first.id()}));
    assert_eq!(driven.counted()[0], "store_operations read missing");
}

/// No record, and the response says so.
#[test]
fn a_record_over_the_limit_is_not_stored() {
    let world = World::default();
    // A record may have a thirty-second of it: 3125 bytes.
    let config = r#"{"store": {"memory": {"bytes": 100000}}}"#;
    let client = Client { config, ..Client::new(&world) };
    for (input, answer, is_stored) in
        [(10, 10, true), (4000, 10, false), (10, 4000, false), (1500, 1500, false)]
    {
        for stream in [true, false] {
            let body = json!({"model": "m", "input": "x".repeat(input), "stream": stream});
            let turn = client.turn(body, &says(&"y".repeat(answer)));
            assert_eq!(turn.response["store"], is_stored, "{input} {answer}");
            assert_eq!(turn.response["output"][0]["content"][0]["text"].as_str().unwrap().len(), answer);
            let expected =
                if is_stored { "store_operations write done" } else { "store_operations write too_large" };
            assert_eq!(turn.counted, [expected]);
        }
    }
}

#[test]
fn a_reply_that_failed_is_not_stored() {
    let world = World::default();
    let client = Client::new(&world);
    let failed: [&[u8]; 3] = [
        b"data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\n",
        b"data: {\"error\":{\"message\":\"broken\"}}\n\n",
        b"",
    ];
    for upstream in failed {
        let turn = client.whole_turn(&json!({"model": "m", "input": "a", "stream": true}), upstream);
        assert_eq!((&turn.response["status"], &turn.response["store"]), (&json!("failed"), &json!(false)));
    }
    let tools = json!([{"type": "function", "name": "f", "parameters": {}}]);
    let body = json!({"model": "m", "input": "a", "stream": true, "tools": tools});
    let lost = client.turn(body, &[text("I call."), finish("tool_calls")]);
    assert_eq!(lost.response["status"], "failed");
    assert!(world.questions().is_empty());
}

#[test]
fn a_reply_that_was_cut_is_not_stored() {
    let world = World::default();
    let (mut driven, _) = Client::new(&world).posted(&json!({"model": "m", "input": "a", "stream": true}));
    driven.exchange.on_response_headers(&response("200", &[]), false, NOW);
    driven.exchange.on_response_body(support::events(&[text("a")]).as_bytes().split_at(30).0, false, NOW);
    driven.exchange.on_close(NOW);
    assert!(world.questions().is_empty() && driven.exchange.take_record().is_none());
}

#[test]
fn an_error_of_the_upstream_is_not_stored() {
    let world = World::default();
    let (mut driven, _) = Client::new(&world).posted(&json!({"model": "m", "input": "a"}));
    driven.exchange.on_response_headers(&response("429", &[]), false, NOW);
    let verdict = driven.exchange.on_response_body(b"{\"error\": \"slow\"}", true, NOW);
    assert!(matches!(verdict, BodyVerdict::Replace(_)), "{verdict:?}");
}
