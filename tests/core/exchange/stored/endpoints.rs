//! `GET` and `DELETE` of stored responses.

use super::*;

#[test]
fn a_stored_response_is_the_one_that_the_client_got() {
    for stream in [true, false] {
        let world = World::default();
        let client = Client::new(&world);
        let body = json!({"model": "m", "input": "a", "stream": stream, "metadata": {"k": "v"}});
        let turn = client.turn(body, &says("b"));
        assert_eq!(client.get(turn.id()), turn.response);
    }
}

#[test]
fn the_items_before_a_response_are_listed() {
    let world = World::default();
    let client = Client::new(&world);
    let input = json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]);
    let first = client.turn(json!({"model": "m", "input": input}), &says("d"));
    let second =
        client.turn(json!({"model": "m", "input": "e", "previous_response_id": first.id()}), &says("f"));
    let list = client.get(&format!("{}/input_items?order=asc", second.id()));
    let items = list["data"].as_array().unwrap();
    let words: Vec<_> = items.iter().map(|item| item["content"][0]["text"].as_str().unwrap()).collect();
    assert_eq!(words, ["a", "b", "c", "d", "e"]);
    let parts: Vec<_> = items.iter().map(|item| item["content"][0]["type"].as_str().unwrap()).collect();
    assert_eq!(parts, ["input_text", "output_text", "input_text", "output_text", "input_text"]);
    assert!(items.iter().all(|item| item["type"] == "message"));
    let mut ids: Vec<_> = items.iter().map(|item| item["id"].as_str().unwrap()).collect();
    // Their ids are the same in every list.
    let before = client.get(&format!("{}/input_items?order=asc", first.id()));
    assert_eq!(before["data"].as_array().unwrap()[..], items[..3]);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5);
    let page = client.get(&format!(
        "{}/input_items?limit=2&after={}",
        second.id(),
        list["data"][3]["id"].as_str().unwrap()
    ));
    assert_eq!((&page["data"][0], &page["data"][1], &page["has_more"]), (&items[2], &items[1], &json!(true)));
    assert_eq!(error(&client.ask("GET", &format!("{}/input_items?limit=0", second.id()))).0, 400);
}

#[test]
fn a_deleted_response_is_gone() {
    let world = World::default();
    let client = Client::new(&world);
    let turn = client.turn(json!({"model": "m", "input": "a"}), &says("b"));
    let reply = client.ask("DELETE", turn.id());
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((reply.status, body), (200, json!({"id": turn.id(), "object": "response", "deleted": true})));
    assert!(world.records.borrow().is_empty());
    for method in ["GET", "DELETE"] {
        assert_eq!(error(&client.ask(method, turn.id())), (404, "response_not_found".to_owned()));
    }
}

/// Somebody else's id, a made-up one and a deleted one: the same answer, so that nobody learns which ids exist.
#[test]
fn a_foreign_response_is_not_there() {
    let world = World::default();
    let client = Client::new(&world);
    let turn = client.turn(json!({"model": "m", "input": "a"}), &says("b"));
    let others = ["Bearer b", "", "Bearer a2"].map(|name| Client { name, ..client });
    let made_up = format!("resp_{:032x}", 77);
    for other in others {
        for method in ["GET", "DELETE"] {
            let foreign = other.ask(method, turn.id());
            let unknown = other.ask(method, &made_up);
            assert_eq!(error(&foreign), (404, "response_not_found".to_owned()));
            let words = String::from_utf8(unknown.body).unwrap().replace(&made_up, turn.id());
            assert_eq!((foreign.status, String::from_utf8(foreign.body).unwrap()), (unknown.status, words));
        }
        let refused =
            |id: &str| other.refused(json!({"model": "m", "input": "c", "previous_response_id": id}));
        let (foreign, unknown) = (refused(turn.id()), refused(&made_up));
        assert_eq!(error(&foreign), (400, "previous_response_not_found".to_owned()));
        let words = String::from_utf8(unknown.body).unwrap().replace(&made_up, turn.id());
        assert_eq!(String::from_utf8(foreign.body).unwrap(), words);
    }
    assert_eq!(client.get(turn.id()), turn.response, "and it stays");
    for id in ["resp_1", "resp_../../x", &turn.id().to_uppercase().replace("RESP", "resp").replace('1', "g")]
    {
        assert_eq!(error(&client.ask("GET", id)).0, 404, "{id}");
    }
}

#[test]
fn the_owner_is_whom_the_configured_header_names() {
    let world = World::default();
    let config = r#"{"store": "memory", "owner_header": "x-user"}"#;
    let client = Client { config, ..Client::new(&world) };
    let turn = client.turn(json!({"model": "m", "input": "a"}), &says("b"));
    // The key in `authorization` has changed, the user has not.
    assert_eq!(Client { name: "Bearer new", ..client }.get(turn.id()), turn.response);
}

#[test]
fn other_endpoints_are_refused_by_name() {
    let world = World::default();
    let client = Client::new(&world);
    let id = client.turn(json!({"model": "m", "input": "a"}), &says("b")).id().to_owned();
    for (method, path, status, words) in [
        ("POST", format!("{id}/cancel"), 404, "background"),
        ("GET", format!("{id}?stream=true"), 400, "stream"),
        ("POST", id.clone(), 405, "Only GET and DELETE are supported"),
        ("DELETE", format!("{id}/input_items"), 405, "Only GET is supported"),
        ("GET", format!("{id}/other"), 404, "endpoint"),
        ("GET", "other".to_owned(), 404, "not found"),
        ("GET", "compact".to_owned(), 405, "POST"),
        ("POST", "input_tokens".to_owned(), 501, "tokens"),
    ] {
        let reply = client.ask(method, &path);
        assert_eq!(error(&reply).0, status, "{method} {path}");
        assert!(String::from_utf8(reply.body).unwrap().contains(words), "{method} {path}");
    }
    for (field, value) in
        [("conversation", json!("conv_1")), ("background", json!(true)), ("prompt", json!({"id": "p"}))]
    {
        let mut body = json!({"model": "m", "input": "a"});
        body[field] = value;
        assert_eq!(error(&client.refused(body)), (400, "unsupported_parameter".to_owned()), "{field}");
    }
}

#[test]
fn without_a_store_nothing_is_asked_and_nothing_is_kept() {
    let world = World::default();
    let client = Client { config: "{}", ..Client::new(&world) };
    let turn = client.turn(json!({"model": "m", "input": "a", "store": true}), &says("b"));
    assert_eq!(turn.response["store"], false);
    let body = json!({"model": "m", "input": "c", "previous_response_id": turn.id()});
    assert_eq!(error(&client.refused(body)), (400, "previous_response_not_found".to_owned()));
    assert_eq!(error(&client.ask("GET", turn.id())).0, 404);
    assert!(world.questions().is_empty() && turn.counted.is_empty());
}
