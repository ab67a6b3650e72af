//! Messages, calls and outputs of earlier turns: their order, pairing and repair.

use crate::support::*;
use serde_json::{Value, json};

#[test]
fn arguments_in_the_history_are_always_an_object() {
    for (written, sent) in [
        ("{\"x\": 1}", "{\"x\": 1}"),
        ("", "{}"),
        ("  ", "{}"),
        ("{\"x\": ", "{\"_raw\":\"{\\\"x\\\": \"}"),
        ("[1]", "{\"_raw\":\"[1]\"}"),
    ] {
        let messages = messages(
            &json!({}),
            json!([user("hi"), function_call("a", "f", written), function_call_output("a", json!("ok"))]),
        );
        assert_eq!(messages[1]["tool_calls"][0]["function"]["arguments"], sent, "{written}");
    }
}

#[test]
fn outputs_follow_their_calls_in_the_order_of_the_calls() {
    let messages = messages(
        &json!({}),
        json!([
            user("hi"),
            {"role": "assistant", "content": "Let me see."},
            function_call("a", "f", "{}"), function_call("b", "g", "{}"),
            user("in between"),
            function_call_output("b", json!("second")), function_call_output("a", json!("first")),
        ]),
    );
    let roles: Vec<&str> = messages.as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "tool", "tool", "user"]);
    assert_eq!(messages[1]["content"], "Let me see.");
    assert_eq!((&messages[2]["content"], &messages[3]["content"]), (&json!("first"), &json!("second")));
}

#[test]
fn repair_accepts_what_strict_refuses() {
    let config = json!({"history": "repair"});
    let asked = ask(
        json!({"input": [user("hi"), function_call("a", "f", "{}"), function_call_output("z", json!("lost"))]}),
    );
    let translated = asked.config(&config).translate().unwrap();
    let body: Value = serde_json::from_slice(&translated.body).unwrap();
    assert!(body["messages"][2]["content"].as_str().unwrap().contains("no output"));
    assert_eq!(body["messages"][3], user("[Output of a tool call that was not sent along]\n\nlost"));
    assert_eq!(translated.report.all_repaired(), ["call_output:z", "tool_call:f"]);
    let sentences = [
        (json!([user("hi"), function_call("a", "f", "{}")]), "No tool output found for function call a."),
        (
            json!([function_call_output("z", json!("x"))]),
            "No tool call found for function call output with call_id z.",
        ),
    ];
    for (input, sentence) in sentences {
        let error = ask(json!({ "input": input })).translate().unwrap_err();
        assert_eq!(error.message, sentence);
    }
}

#[test]
fn system_messages_are_merged_or_kept_in_place() {
    let said = |role: &str, text: &str| json!({"role": role, "content": text});
    let fields = json!({"instructions": "First.", "input": [
        said("developer", "Second."), said("system", ""), said("system", "Third."), user("hi"), said("developer", "Later."),
    ]});
    let messages = |options: Value| ask(fields.clone()).upstream(&options).sent().0["messages"].clone();
    let merged = json!([
        said("system", "First.\n\nSecond.\n\nThird."),
        user("hi"),
        user("[System message]\n\nLater.")
    ]);
    assert_eq!(messages(json!({})), merged);
    let kept = messages(json!({"system": "keep", "developer_role": true}));
    assert_eq!(roles(&kept), ["developer", "developer", "developer", "user", "developer"]);
    let kept = messages(json!({"system": "keep"}));
    assert_eq!(roles(&kept), ["system", "system", "system", "user", "system"]);
}

#[test]
fn there_is_a_user_message_and_the_assistant_is_never_last() {
    let table: &[(Value, &[&str])] = &[
        (json!([]), &["user"]),
        (json!([{"role": "system", "content": "S"}]), &["system", "user"]),
        (json!([{"role": "assistant", "content": "Well?"}]), &["assistant", "user"]),
        (json!([user("hi"), {"role": "assistant", "content": "Well?"}]), &["user", "assistant", "user"]),
        // Chat templates look for a user message; a tool output does not count as one.
        (
            json!([function_call("a", "f", "{}"), function_call_output("a", json!("x"))]),
            &["user", "assistant", "tool"],
        ),
        (
            json!([{"role": "system", "content": "S"}, function_call("a", "f", "{}"), function_call_output("a", json!("x"))]),
            &["system", "user", "assistant", "tool"],
        ),
    ];
    for (input, expected) in table {
        assert_eq!(roles(&messages(&json!({}), input.clone())), *expected, "{input}");
    }
}

#[test]
fn an_empty_assistant_message_is_not_sent() {
    let empty = json!({"role": "assistant", "content": [{"type": "output_text", "text": ""}]});
    let with_call =
        json!([user("hi"), empty, function_call("a", "f", "{}"), function_call_output("a", json!("x"))]);
    for (options, content) in [(json!({}), Some(json!(""))), (json!("tgi"), None), (json!("ollama"), None)] {
        let sent = messages(&options, with_call.clone());
        assert_eq!(roles(&sent), ["user", "assistant", "tool"]);
        assert_eq!(sent[1].get("content").cloned(), content, "{options}");
    }
    assert_eq!(roles(&messages(&json!({}), json!([user("hi"), empty, user("you?")]))), ["user", "user"]);
}

#[test]
fn calls_with_the_same_id_get_ids_of_their_own() {
    let sent = messages(
        &json!({}),
        json!([
            user("hi"),
            function_call("a", "f", "{}"),
            function_call("a", "g", "{}"),
            function_call_output("a", json!("1")),
            function_call_output("a", json!("2")),
            function_call("a", "f", "{}"),
            function_call_output("a", json!("3")),
        ]),
    );
    assert_eq!(roles(&sent), ["user", "assistant", "tool", "tool", "assistant", "tool"]);
    let ids: Vec<&Value> = [&sent[1]["tool_calls"], &sent[4]["tool_calls"]]
        .iter()
        .flat_map(|calls| calls.as_array().unwrap())
        .map(|call| &call["id"])
        .collect();
    assert_eq!(ids, ["a", "a_2", "a"]);
    for (message, id, text) in [(2, "a", "1"), (3, "a_2", "2"), (5, "a", "3")] {
        assert_eq!((&sent[message]["tool_call_id"], &sent[message]["content"]), (&json!(id), &json!(text)));
    }
}

#[test]
fn an_item_reference_is_reported_or_refused() {
    let reference = |id: &str| json!({"type": "item_reference", "id": id});
    let ours = |prefix: &str| format!("{prefix}_{}", "0".repeat(36));
    for id in [ours("rs"), ours("msg"), ours("fc"), "rs_of_another_server".into()] {
        let (body, dropped) = ask(json!({"input": [user("hi"), reference(&id), user("you?")]})).sent();
        assert_eq!(roles(&body["messages"]), ["user", "user"], "{id}");
        assert_eq!(dropped, ["item:item_reference"], "{id}");
    }
    // The reference stands for the call of this output, so the output is kept as a user message.
    let input = json!([
        user("hi"),
        reference(&ours("ctc")),
        function_call_output("a", json!("done")),
        function_call_output("b", json!("x"))
    ]);
    let error = ask(json!({ "input": input })).translate().unwrap_err();
    assert!(error.message.contains("call_id b"), "{}", error.message);
    let input = json!([user("hi"), reference(&ours("ctc")), function_call_output("a", json!("done"))]);
    assert_eq!(
        messages(&json!({}), input),
        json!([user("hi"), user("[Output of a tool call that was not sent along]\n\ndone")])
    );

    let foreign = ask(json!({"input": [user("hi"), reference("msg_of_another_server")]}));
    assert_eq!(foreign.translate().unwrap_err().param.as_deref(), Some("input[1].id"));
    let mended = foreign.config(&json!({"history": "repair"})).translate().unwrap();
    assert_eq!(mended.report.all_dropped(), ["item:item_reference"]);
}

#[test]
fn reasoning_without_an_answer_is_reported() {
    let thought = json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]});
    let options = json!({"reasoning_replay": {"field": "reasoning"}});
    let (body, dropped) =
        ask(json!({"input": [user("hi"), thought, user("well?")]})).upstream(&options).sent();
    assert_eq!(body["messages"], json!([user("hi"), user("well?")]));
    assert_eq!(dropped, ["item:reasoning"]);
}

/// Content that another server encrypted cannot be read. The model gets a note that something is missing.
#[test]
fn encrypted_content_of_another_server_is_reported() {
    let thought = json!({"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"});
    let options = json!({"reasoning_replay": {"field": "reasoning"}});
    let (body, dropped) =
        ask(json!({"input": [user("hi"), thought, {"role": "assistant", "content": "Yes?"}, user("!")]}))
            .upstream(&options)
            .sent();
    assert_eq!(body["messages"][1], json!({"role": "assistant", "content": "Yes?"}));
    assert_eq!(dropped, ["item:reasoning"]);

    let compaction = json!({"type": "compaction", "encrypted_content": "gAAAA"});
    let (body, dropped) = ask(json!({"input": [compaction, user("hi")]})).sent();
    assert!(body["messages"][0]["content"].as_str().unwrap().contains("cannot be read here"), "{body}");
    assert_eq!(dropped, ["item:compaction"]);
}

#[test]
fn reasoning_is_replayed_in_the_configured_field() {
    let thought =
        |text: &str| json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]});
    let input = json!([
        user("hi"), thought("one"), function_call("a", "f", "{}"), function_call_output("a", json!("1")),
        thought("two"), {"role": "assistant", "content": "Done."}, user("more"),
        function_call("b", "f", "{}"), function_call_output("b", json!("2")),
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
    let (body, dropped) = ask(json!({ "input": input })).sent();
    assert!(!body.to_string().contains("\"reasoning\""));
    assert_eq!(dropped, ["item:reasoning"]);
}

#[test]
fn ids_are_shortened_on_both_sides_where_the_upstream_has_a_limit() {
    let long = "c".repeat(80);
    let input =
        || json!([user("hi"), function_call(&long, "f", "{}"), function_call_output(&long, json!("ok"))]);
    for (options, is_short) in [(json!({"tool_call_id_chars": 40}), true), (json!({}), false)] {
        let messages = messages(&options, input());
        let id = messages[1]["tool_calls"][0]["id"].as_str().unwrap();
        assert_eq!(id.len() <= 40, is_short);
        assert_eq!(id == long, !is_short);
        assert_eq!(messages[2]["tool_call_id"], id);
    }
}

/// Each list is so long that quadratic work would not end.
#[test]
fn long_histories_and_long_lists_of_tools_pass() {
    const MANY: usize = 10_000;
    let tools: Vec<Value> = (0..MANY).map(|n| json!({"type": "function", "name": format!("f{n}")})).collect();
    let namespaces = (0..MANY).map(|n| json!({"type": "namespace", "name": format!("n{n}"), "tools": [{"type": "function", "name": "f"}]}));
    let mut input = vec![user("hi")];
    input.extend((0..MANY).map(|n| function_call("same", &format!("g{n}"), "{}")));
    input.extend((0..MANY).map(|_| function_call_output("same", json!("x"))));
    input.extend((0..MANY).flat_map(|n| {
        [function_call(&format!("c{n}"), "f1", "{}"), function_call_output(&format!("c{n}"), json!("x"))]
    }));
    input.extend((0..MANY).map(|n| json!({"type": format!("novelty{n}")})));
    let spoken: Vec<Value> = (0..MANY).map(|_| user(&"more ".repeat(40))).collect();
    assert_eq!(roles(&messages(&json!({"user_messages": "merge"}), json!(spoken))), ["user"]);
    let (body, dropped) =
        ask(json!({"input": input, "tools": tools.into_iter().chain(namespaces).collect::<Vec<_>>()})).sent();
    // The unknown items, and the echo of the tools, which is too large.
    assert_eq!((body["tools"].as_array().unwrap().len(), dropped.len()), (2 * MANY, MANY + 1));
    assert_eq!(body["messages"].as_array().unwrap().len(), 2 + MANY + 2 * MANY);
    let ids: std::collections::BTreeSet<&str> = body["messages"][1]["tool_calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), MANY);
}

/// Codex repeats them in every later request, so an error would end the conversation.
#[test]
fn an_output_without_a_call_id_is_a_user_message() {
    let table = [
        (
            json!({"namespace": "codex_app", "name": "create_thread"}),
            "[Output of the tool codex_app.create_thread]",
        ),
        (json!({"name": "create_thread"}), "[Output of the tool create_thread]"),
        (json!({}), "[Output of a tool]"),
    ];
    for kind in ["function_call_output", "custom_tool_call_output"] {
        for (named, heading) in &table {
            for call_id in [None, Some(json!(null)), Some(json!(""))] {
                let mut item = named.clone();
                item["type"] = json!(kind);
                item["id"] = json!("fco_1");
                item["output"] = json!([{"type": "input_text", "text": "done"}]);
                if let Some(call_id) = call_id {
                    item["call_id"] = call_id;
                }
                let messages = messages(&json!({}), json!([user("hi"), item, user("go on")]));
                assert_eq!(messages[1], user(&format!("{heading}\n\ndone")), "{kind}");
                assert_eq!(messages[2], user("go on"));
            }
        }
    }
}
