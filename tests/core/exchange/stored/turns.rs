//! A conversation whose client sends only what is new.

use super::*;
use crate::support::{call, delta, finish, text};

#[test]
fn a_conversation_goes_on_from_an_id() {
    for config in [STORE, STORE_HELD] {
        for stream in [true, false] {
            let world = World::default();
            let client = Client { config, ..Client::new(&world) };
            let mut previous = json!(null);
            let mut expected = Vec::new();
            for number in 1..=5 {
                let (question, answer) = (format!("question {number}"), format!("answer {number}"));
                let body = json!({"model": "m", "input": question, "stream": stream, "previous_response_id": previous});
                let turn = client.turn(body, &says(&answer));
                expected.push(format!("user: {question}"));
                assert_eq!(turn.said(), expected);
                expected.push(format!("assistant: {answer}"));
                assert_eq!(turn.response["store"], true);
                assert_eq!(turn.response["previous_response_id"], previous);
                previous = json!(turn.id());
                let questions: &[_] = if number == 1 { &["write"] } else { &["read", "write"] };
                assert_eq!(world.questions(), questions, "one read and one write a turn");
            }
        }
    }
}

/// What the model said before a call, its reasoning, the call and its output: all there on the next turn.
#[test]
fn a_tool_loop_goes_on_from_an_id() {
    let config = r#"{"store": "memory", "upstream": {"reasoning_replay": {"field": "reasoning_content"}, "custom_tools": "function"}}"#;
    let world = World::default();
    let client = Client { config, ..Client::new(&world) };
    let tools =
        json!([{"type": "function", "name": "f", "parameters": {}}, {"type": "custom", "name": "patch"}]);
    let chunks = [
        delta(json!({"reasoning_content": "Let me think."})),
        text("I look."),
        call(0, "c1", "f", r#"{"x":1}"#),
        call(1, "c2", "patch", r#"{"input":"*** Begin"}"#),
        finish("tool_calls"),
    ];
    let first = client.turn(json!({"model": "m", "input": "do it", "tools": tools, "stream": true}), &chunks);
    let kinds: Vec<_> =
        first.response["output"].as_array().unwrap().iter().map(|item| &item["type"]).collect();
    assert_eq!(kinds, ["reasoning", "message", "function_call", "custom_tool_call"]);
    let outputs = json!([
        {"type": "function_call_output", "call_id": "c1", "output": "one"},
        {"type": "custom_tool_call_output", "call_id": "c2", "output": "two"},
    ]);
    let body = json!({"model": "m", "input": outputs, "tools": tools, "previous_response_id": first.id()});
    let second = client.turn(body, &says("done"));
    let messages = &second.sent["messages"];
    assert_eq!(messages[0], json!({"role": "user", "content": "do it"}));
    assert_eq!(
        (&messages[1]["content"], &messages[1]["reasoning_content"]),
        (&json!("I look."), &json!("Let me think."))
    );
    assert_eq!(messages[1]["tool_calls"][0]["function"], json!({"name": "f", "arguments": r#"{"x":1}"#}));
    assert_eq!(
        messages[1]["tool_calls"][1]["function"],
        json!({"name": "patch", "arguments": r#"{"input":"*** Begin"}"#})
    );
    assert_eq!((&messages[2]["content"], &messages[3]["content"]), (&json!("one"), &json!("two")));
    // The outputs are there on the turn after that too.
    let body = json!({"model": "m", "input": "thanks", "tools": tools, "previous_response_id": second.id()});
    let third = client.turn(body, &says("welcome"));
    let roles: Vec<_> =
        third.sent["messages"].as_array().unwrap().iter().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool", "assistant", "user"]);
    assert_eq!(
        third.sent["messages"].as_array().unwrap()[..4],
        second.sent["messages"].as_array().unwrap()[..4]
    );
}

/// However the field is written, the model never gets a conversation without its beginning.
#[test]
fn an_id_is_found_however_it_is_written() {
    let world = World::default();
    let client = Client::new(&world);
    let first = client.turn(json!({"model": "m", "input": "a"}), &says("b"));
    let id = first.id();
    for body in [
        format!(r#"{{"model":"m","input":"c","previous_response\u005fid":"{id}"}}"#),
        format!(r#"{{"model":"m","input":"x","input":"c","previous_response_id":"{id}"}}"#),
        format!(
            r#"{{"model":"m","input":"c","previous_response_id":"resp_1","previous_response_id":"{id}"}}"#
        ),
    ] {
        assert_eq!(sent(&client, &body), ["user: a", "assistant: b", "user: c"], "{body}");
    }
    for (id, code) in [
        (json!(1), "invalid_type"),
        (json!(["a"]), "invalid_type"),
        (json!({"a": 1}), "invalid_type"),
        (json!("resp_1"), "previous_response_not_found"),
    ] {
        let refused = client.refused(json!({"model": "m", "input": "c", "previous_response_id": id}));
        assert_eq!(error(&refused), (400, code.to_owned()), "{id}");
    }
}

/// The messages of the request that goes upstream for this body.
fn sent(client: &Client<'_>, body: &str) -> Vec<String> {
    let mut driven = client.driven();
    driven.exchange.on_request_headers(&client.headers("POST", "/v1/responses"), false, NOW);
    let verdict = driven.exchange.on_request_body(body.as_bytes(), true, NOW);
    let BodyVerdict::Replace(sent) = client.answered(&mut driven, verdict) else { panic!("{body}") };
    Turn { sent: serde_json::from_slice(&sent).unwrap(), response: Value::Null, counted: Vec::new() }.said()
}

/// A message is a repetition only if all of it is equal.
#[test]
fn another_image_is_no_repetition() {
    let world = World::default();
    let client = Client::new(&world);
    let image = |data: &str| {
        let url = format!("data:image/png;base64,{data}");
        json!({"role": "user", "content": [{"type": "input_image", "image_url": url}]})
    };
    let chunks = [call(0, "c", "f", "{}"), finish("tool_calls")];
    let first = client.turn(json!({"model": "m", "input": [image("AAAA")]}), &chunks);
    let output = json!({"type": "function_call_output", "call_id": "c", "output": "o"});
    for (data, images) in [("AAAA", 1), ("BBBB", 2)] {
        let input = json!([image(data), output]);
        let body = json!({"model": "m", "input": input, "previous_response_id": first.id()});
        let sent = client.turn(body, &says("d")).sent.to_string();
        assert_eq!(sent.matches("data:image").count(), images, "{data}");
    }
}

#[test]
fn a_message_with_a_known_id_and_other_words_is_another() {
    let world = World::default();
    let client = Client::new(&world);
    let user = |words: &str| json!([{"type": "message", "id": "msg_1", "role": "user", "content": words}]);
    let first = client.turn(json!({"model": "m", "input": user("a")}), &says("b"));
    for (words, expected) in [("a", "user: Continue."), ("c", "user: c")] {
        let body = json!({"model": "m", "input": user(words), "previous_response_id": first.id()});
        assert_eq!(client.turn(body, &says("d")).said(), ["user: a", "assistant: b", expected]);
    }
}

/// Each was stored by itself.
#[test]
fn references_reach_sixteen_responses() {
    let world = World::default();
    let client = Client::new(&world);
    let mut references = Vec::new();
    for number in 0..17 {
        let turn = client.turn(json!({"model": "m", "input": "a"}), &says(&format!("b{number}")));
        references.push(json!({"type": "item_reference", "id": turn.response["output"][0]["id"]}));
    }
    let turn = client.turn(json!({"model": "m", "input": references[..16]}), &says("c"));
    assert_eq!(turn.sent.to_string().matches("b1").count(), 7, "b1 and b10 to b15");
    let refused = client.refused(json!({"model": "m", "input": references}));
    assert_eq!(error(&refused), (400, "unsupported_value".to_owned()));
}

/// Its text is no id.
#[test]
fn a_text_that_is_an_id_is_no_item() {
    let world = World::default();
    let client = Client::new(&world);
    let first = client.turn(json!({"model": "m", "input": "a"}), &says("b"));
    let id = &first.response["output"][0]["id"];
    let second = client.turn(json!({"model": "m", "input": id}), &says("c"));
    let input = json!([{"type": "item_reference", "id": id}]);
    let body = json!({"model": "m", "input": input, "previous_response_id": second.id()});
    assert!(client.turn(body, &says("d")).said()[1].ends_with('b'));
}

/// Two turns that go on from the same response do not see each other.
#[test]
fn a_conversation_can_branch() {
    let world = World::default();
    let client = Client::new(&world);
    let first = client.turn(json!({"model": "m", "input": "a"}), &says("b"));
    for branch in ["left", "right"] {
        let body = json!({"model": "m", "input": branch, "previous_response_id": first.id()});
        let turn = client.turn(body, &says(branch));
        assert_eq!(turn.said(), ["user: a", "assistant: b", &format!("user: {branch}")]);
    }
}

#[test]
fn a_request_may_go_on_without_new_items() {
    let world = World::default();
    let client = Client::new(&world);
    let first = client.turn(json!({"model": "m", "input": "a"}), &says("b"));
    let turn = client.turn(json!({"model": "m", "previous_response_id": first.id()}), &says("c"));
    assert_eq!(turn.said(), ["user: a", "assistant: b", "user: Continue."]);
    assert_eq!(error(&client.refused(json!({"model": "m"}))), (400, "missing_required_parameter".to_owned()));
}

/// Instructions are those of each request, as at OpenAI.
#[test]
fn instructions_do_not_go_on() {
    let world = World::default();
    let client = Client::new(&world);
    let first = client.turn(json!({"model": "m", "input": "a", "instructions": "Be brief."}), &says("b"));
    let body =
        json!({"model": "m", "input": "c", "instructions": "Be long.", "previous_response_id": first.id()});
    assert_eq!(
        client.turn(body, &says("d")).said(),
        ["system: Be long.", "user: a", "assistant: b", "user: c"]
    );
}

/// The Vercel AI SDK sends its own items, and references to those that it got.
#[test]
fn references_to_items_are_resolved() {
    let world = World::default();
    let client = Client::new(&world);
    let mut input = Vec::new();
    let mut expected = Vec::new();
    for number in 1..=4 {
        let (question, answer) = (format!("question {number}"), format!("answer {number}"));
        input.push(json!({"role": "user", "content": question}));
        expected.push(format!("user: {question}"));
        let turn = client.turn(json!({"model": "m", "input": input}), &says(&answer));
        assert_eq!(turn.said(), expected);
        expected.push(format!("assistant: {answer}"));
        input.push(json!({"type": "item_reference", "id": turn.response["output"][0]["id"]}));
        let questions: &[_] = if number == 1 { &["write"] } else { &["read", "write"] };
        assert_eq!(world.questions(), questions, "the last record has the items of all turns");
    }
    let references = json!([input[1], {"role": "user", "content": "again"}]);
    let id = input[1]["id"].as_str().unwrap().to_owned();
    assert_eq!(
        client.turn(json!({"model": "m", "input": references}), &says("b")).said()[0],
        "assistant: answer 1"
    );
    // With `previous_response_id` too, an item is there once.
    let record = client.turn(json!({"model": "m", "input": "a"}), &says("b"));
    let item = &record.response["output"][0]["id"];
    let input = json!([{"type": "item_reference", "id": item}, {"role": "user", "content": "c"}]);
    let body = json!({"model": "m", "input": input, "previous_response_id": record.id()});
    assert_eq!(client.turn(body, &says("d")).said(), ["user: a", "assistant: b", "user: c"]);
    // What is not there any more is not left out in silence.
    let other = Client { name: "Bearer b", ..client };
    let reply = other.refused(json!({"model": "m", "input": [{"type": "item_reference", "id": id}, {"role": "user", "content": "a"}]}));
    let body: Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!((reply.status, &body["error"]["param"]), (400, &json!("input[0].id")));
    assert_eq!(body["error"]["message"], format!("Item with id '{id}' not found."));
}

/// AutoGen sends the whole conversation, without ids, and `previous_response_id` as well.
#[test]
fn a_conversation_that_is_sent_again_is_there_once() {
    let world = World::default();
    let client = Client::new(&world);
    let mut input = vec![json!({"role": "system", "content": "Be brief."})];
    let mut previous = json!(null);
    let mut expected = vec!["system: Be brief.".to_owned()];
    for number in 1..=3 {
        let (question, answer) = (format!("question {number}"), format!("answer {number}"));
        input.push(json!({"role": "user", "content": question}));
        expected.push(format!("user: {question}"));
        let turn = client
            .turn(json!({"model": "m", "input": input, "previous_response_id": previous}), &says(&answer));
        assert_eq!(turn.said(), expected);
        input.push(json!({"role": "assistant", "content": answer}));
        expected.push(format!("assistant: {answer}"));
        previous = json!(turn.id());
    }
    // Words that are said twice are no repetition.
    let first = client.turn(json!({"model": "m", "input": "yes"}), &says("more?"));
    let body = json!({"model": "m", "input": "yes", "previous_response_id": first.id()});
    assert_eq!(client.turn(body, &says("fine")).said(), ["user: yes", "assistant: more?", "user: yes"]);
}

/// Semantic Kernel sends what was said in the turn again with each output, and all outputs, but no calls. Strands sends the
/// calls, too.
#[test]
fn a_turn_that_is_sent_again_with_outputs_is_there_once() {
    let tools = json!([{"type": "function", "name": "f", "parameters": {}}]);
    let message =
        |role: &str, text: &str| json!({"role": role, "content": [{"type": "input_text", "text": text}]});
    for repeats_calls in [false, true] {
        let world = World::default();
        let client = Client::new(&world);
        let mut previous = json!(null);
        let mut expected = Vec::new();
        for question in ["a", "a", "b"] {
            let mut input = vec![message("user", question)];
            expected.push(format!("user: {question}"));
            for words in ["", "I look.", "", "I look.", "I look again."] {
                let body =
                    json!({"model": "m", "input": input, "tools": tools, "previous_response_id": previous});
                let call_id = format!("c{}", expected.len());
                let chunks = [text(words), call(0, &call_id, "f", "{}"), finish("tool_calls")];
                let turn = client.turn(body, &chunks);
                assert_eq!(turn.said(), expected);
                previous = json!(turn.id());
                if !words.is_empty() {
                    input.push(message("assistant", words));
                }
                if repeats_calls {
                    input.push(
                        json!({"type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}"}),
                    );
                }
                input.push(json!({"type": "function_call_output", "call_id": call_id, "output": call_id}));
                expected.extend([format!("assistant: {words}"), format!("tool: {call_id}")]);
            }
            let body =
                json!({"model": "m", "input": input, "tools": tools, "previous_response_id": previous});
            let turn = client.turn(body, &says("done"));
            assert_eq!(turn.said(), expected);
            previous = json!(turn.id());
            expected.push("assistant: done".to_owned());
        }
    }
}

/// Words that differ from those that are stored are new, and so are those after the outputs.
#[test]
fn words_around_outputs_that_are_new_stay() {
    let world = World::default();
    let client = Client::new(&world);
    let tools = json!([{"type": "function", "name": "f", "parameters": {}}]);
    let user = |text: &str| json!({"role": "user", "content": text});
    let chunks = [text("I look."), call(0, "c1", "f", "{}"), finish("tool_calls")];
    let first = client.turn(json!({"model": "m", "input": "a", "tools": tools}), &chunks);
    let output = json!({"type": "function_call_output", "call_id": "c1", "output": "one"});
    let said = |input: Value| {
        let body = json!({"model": "m", "input": input, "tools": tools, "previous_response_id": first.id()});
        client.turn(body, &says("done")).said()
    };
    let before = ["user: a", "assistant: I look.", "tool: one"];
    for (input, expected) in [
        (json!([user("a"), output, user("a")]), vec!["user: a"]),
        (json!([user("b"), output]), vec!["user: b"]),
        (json!([user("a"), user("b"), output]), vec!["user: a", "user: b"]),
        (json!([user("a"), user("a"), output]), vec!["user: a", "user: a"]),
        (json!([user("I look."), output]), vec!["user: I look."]),
    ] {
        assert_eq!(said(input.clone()), [&before[..], &expected].concat(), "{input}");
    }
}

/// Clients that send items with their ids and calls again, with `previous_response_id`.
#[test]
fn items_that_are_sent_again_are_there_once() {
    let world = World::default();
    let client = Client::new(&world);
    let tools = json!([{"type": "function", "name": "f", "parameters": {}}]);
    let first = client.turn(
        json!({"model": "m", "input": "a", "tools": tools}),
        &[text("I look."), call(0, "c1", "f", "{}"), finish("tool_calls")],
    );
    let message = first.response["output"][0].clone();
    let call = json!({"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"});
    let output = json!({"type": "function_call_output", "call_id": "c1", "output": "one"});
    let body = json!({"model": "m", "input": [message, call, output], "tools": tools, "previous_response_id": first.id()});
    let second = client.turn(body, &says("done"));
    let roles: Vec<_> = second.said();
    assert_eq!(roles, ["user: a", "assistant: I look.", "tool: one"]);
    let body = json!({"model": "m", "input": [output, {"role": "user", "content": "b"}], "tools": tools, "previous_response_id": second.id()});
    assert_eq!(client.turn(body, &says("c")).said()[2..], ["tool: one", "assistant: done", "user: b"]);
}

#[test]
fn what_shall_not_be_stored_is_not() {
    let world = World::default();
    let client = Client::new(&world);
    let turn = client.turn(json!({"model": "m", "input": "a", "store": false}), &says("b"));
    assert_eq!((&turn.response["store"], world.questions()), (&json!(false), vec![]));
    let body = json!({"model": "m", "input": "c", "previous_response_id": turn.id()});
    assert_eq!(error(&client.refused(body)), (400, "previous_response_not_found".to_owned()));
    // It may still go on from one that is stored.
    let first = client.turn(json!({"model": "m", "input": "a"}), &says("b"));
    let body = json!({"model": "m", "input": "c", "store": false, "previous_response_id": first.id()});
    let second = client.turn(body, &says("d"));
    assert_eq!((second.said().len(), &second.response["store"]), (3, &json!(false)));
}

/// A summary replaces what was before it.
#[test]
fn a_conversation_goes_on_from_its_summary() {
    let world = World::default();
    let client = Client::new(&world);
    let first = client.turn(json!({"model": "m", "input": "a"}), &says("b"));
    let body =
        json!({"model": "m", "input": [{"type": "compaction_trigger"}], "previous_response_id": first.id()});
    let summary = client.turn(body, &says("They said a and b."));
    assert_eq!(summary.response["output"][0]["type"], "compaction");
    let turn =
        client.turn(json!({"model": "m", "input": "c", "previous_response_id": summary.id()}), &says("d"));
    assert_eq!(turn.response["output"][0]["type"], "message", "it is asked for once");
    let said = turn.said();
    assert!(said.len() == 2 && said[0].contains("They said a and b.") && said[1] == "user: c", "{said:?}");
}

/// A call that the token limit cut was never run, so no output is missing.
#[test]
fn a_cut_call_does_not_go_on() {
    let world = World::default();
    let client = Client::new(&world);
    let tools = json!([{"type": "function", "name": "f", "parameters": {}}]);
    let chunks = [text("I look."), call(0, "c1", "f", r#"{"x":"#), finish("length")];
    let first = client.turn(json!({"model": "m", "input": "a", "tools": tools, "stream": true}), &chunks);
    assert_eq!(first.response["status"], "incomplete");
    let body = json!({"model": "m", "input": "go on", "tools": tools, "previous_response_id": first.id()});
    assert_eq!(client.turn(body, &says("b")).said(), ["user: a", "assistant: I look.", "user: go on"]);
}
