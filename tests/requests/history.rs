//! The history: order, pairing, repair.

use super::*;

#[test]
fn arguments_in_the_history_are_always_an_object() {
    for (written, sent) in [
        ("{\"x\": 1}", "{\"x\": 1}"),
        ("", "{}"),
        ("  ", "{}"),
        ("{\"x\": ", "{\"_raw\":\"{\\\"x\\\": \"}"),
        ("[1]", "{\"_raw\":\"[1]\"}"),
    ] {
        let messages =
            messages(&json!({}), json!([user("hi"), call("a", "f", written), output("a", json!("ok"))]));
        assert_eq!(messages[1]["tool_calls"][0]["function"]["arguments"], sent, "{written}");
    }
}

#[test]
fn outputs_follow_their_calls_at_once_and_in_their_order() {
    let messages = messages(
        &json!({}),
        json!([
            user("hi"),
            {"role": "assistant", "content": "Let me see."},
            call("a", "f", "{}"), call("b", "g", "{}"),
            user("in between"),
            output("b", json!("second")), output("a", json!("first")),
        ]),
    );
    let roles: Vec<&str> = messages.as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool", "user"]);
    assert_eq!(messages[1]["content"], "Let me see.");
    assert_eq!((&messages[2]["content"], &messages[3]["content"]), (&json!("first"), &json!("second")));
}

#[test]
fn repair_mends_what_strict_refuses() {
    let config = json!({"history": "repair"});
    let request =
        with_model(json!({"input": [user("hi"), call("a", "f", "{}"), output("z", json!("lost"))]}));
    let translated = translate(&config, &request.to_string()).unwrap();
    let body: Value = serde_json::from_slice(&translated.body).unwrap();
    assert!(body["messages"][2]["content"].as_str().unwrap().contains("no output"));
    assert_eq!(body["messages"][3], user("lost"));
    assert_eq!(translated.report.all_repaired(), ["call_output:z", "tool_call:f"]);
    let sentences = [
        (json!([user("hi"), call("a", "f", "{}")]), "No tool output found for function call a."),
        (json!([output("z", json!("x"))]), "No tool call found for function call output with call_id z."),
    ];
    for (input, sentence) in sentences {
        let error = translate(&json!({}), &with_model(json!({ "input": input })).to_string()).unwrap_err();
        assert_eq!(error.message, sentence);
    }
}

#[test]
fn instructions_lead_or_stay_as_the_host_wants() {
    let input = json!([user("hi"), {"role": "developer", "content": "Later."}]);
    let fields = json!({"instructions": "First.", "input": input});
    let messages = |options: Value| up(&options, fields.clone()).0["messages"].clone();
    assert_eq!(messages(json!({})), json!([{"role": "system", "content": "First.\n\nLater."}, user("hi")]));
    let kept = messages(json!({"system": "keep", "developer_role": true}));
    let roles: Vec<&str> = kept.as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles[..3], ["developer", "user", "developer"]);
}

#[test]
fn somebody_always_asks_last() {
    for input in [
        json!([]),
        json!([{"role": "assistant", "content": "Well?"}]),
        json!([{"role": "system", "content": "S"}]),
    ] {
        let messages = messages(&json!({}), input.clone());
        assert_eq!(messages.as_array().unwrap().last().unwrap()["role"], "user", "{input}");
    }
}

#[test]
fn reasoning_goes_back_where_the_host_reads_it() {
    let thought =
        |text: &str| json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]});
    let input = json!([
        user("hi"), thought("one"), call("a", "f", "{}"), output("a", json!("1")),
        thought("two"), {"role": "assistant", "content": "Done."}, user("more"),
        call("b", "f", "{}"), output("b", json!("2")),
    ]);
    let options = json!({"reasoning_replay": {"field": "reasoning", "always_present": true}});
    let sent = messages(&options, input.clone());
    let thoughts: Vec<&Value> = sent
        .as_array()
        .unwrap()
        .iter()
        .filter(|m| m["role"] == "assistant")
        .map(|m| &m["reasoning"])
        .collect();
    assert_eq!(thoughts, ["one", "two", ""]);
    let (body, dropped) = up(&json!({}), json!({ "input": input }));
    assert!(!body.to_string().contains("\"reasoning\""));
    assert_eq!(dropped, ["item:reasoning"]);
}

#[test]
fn long_ids_are_shortened_on_both_sides() {
    let long = "c".repeat(80);
    let messages =
        messages(&json!({}), json!([user("hi"), call(&long, "f", "{}"), output(&long, json!("ok"))]));
    let id = messages[1]["tool_calls"][0]["id"].as_str().unwrap();
    assert!(id.len() <= 40);
    assert_eq!(messages[2]["tool_call_id"], id);
}
