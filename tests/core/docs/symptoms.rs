//! `docs/symptoms.md` lists failures that users of translators reported. Each row names a test that exists; the tests
//! that fit nowhere else are here.

use crate::support::*;
use serde_json::{Value, json};
use std::path::Path;

/// The response at the end of a stream of these chunks.
fn response(chunks: &[Value]) -> Value {
    ask(json!({"input": "hi", "tools": [function("f"), function("g")], "stream": true})).received(chunks)
}

#[test]
fn tools_declared_in_the_input_are_not_messages() {
    let additional = json!({"type": "additional_tools", "role": "developer", "tools": [
        function("g"), {"type": "custom", "name": "exec"}, function("f"),
        {"type": "namespace", "name": "n", "tools": [function("h")]},
    ]});
    let (body, dropped) = ask(json!({"tools": [function("f")], "input": [additional, user("hi")]})).sent();
    assert_eq!(declared(&body), ["f", "g", "exec", "n__h"]);
    assert_eq!(body["messages"], json!([user("hi")]));
    assert!(dropped.is_empty(), "{dropped:?}");
}

#[test]
fn tools_found_by_a_search_stay_declared() {
    let found = json!({"type": "tool_search_output", "call_id": "a", "execution": "client", "status": "completed",
        "tools": [{"type": "namespace", "name": "n", "description": "N.", "tools": [function("h")]}]});
    let search = json!({"type": "tool_search_call", "call_id": "a", "execution": "client", "arguments": {"query": "h"}});
    let called =
        json!({"type": "function_call", "call_id": "b", "namespace": "n", "name": "h", "arguments": "{}"});
    let output = json!({"type": "function_call_output", "call_id": "b", "output": "ok"});
    let (body, _) = ask(json!({"tools": [{"type": "tool_search", "execution": "client"}],
               "input": [user("hi"), search, found, called, output, user("again")]}))
    .sent();
    assert_eq!(declared(&body), ["tool_search", "n__h"]);
    assert_eq!(body["messages"][3]["tool_calls"][0]["function"]["name"], "n__h");
}

#[test]
fn an_agent_message_is_sent_or_reported() {
    let task = |content: Value| json!([{"type": "agent_message", "content": content}, user("hi")]);
    let text = json!([{"type": "input_text", "text": "Count the files."}]);
    assert_eq!(
        messages(&json!({}), task(text))[0]["content"].as_str().map(|text| text.contains("Count the files.")),
        Some(true)
    );
    let sealed = json!([{"type": "encrypted_content", "encrypted_content": "gAAAA"}]);
    let (_, dropped) = ask(json!({ "input": task(sealed) })).sent();
    assert!(dropped.iter().any(|dropped| dropped.contains("encrypted_content")), "{dropped:?}");
}

#[test]
fn a_grammar_is_described_in_text() {
    let format = json!({"type": "grammar", "syntax": "lark", "definition": "start: \"*** Begin Patch\" LF"});
    let tool = json!({"type": "custom", "name": "apply_patch", "description": "Edits.", "format": format});
    let (body, _) = ask(json!({"input": "hi", "tools": [tool]})).sent();
    let description = body["tools"][0]["function"]["description"].as_str().unwrap();
    assert!(
        description.starts_with("Edits.") && description.contains("start: \"*** Begin Patch\" LF"),
        "{description}"
    );
}

#[test]
fn parameters_are_always_the_schema_of_an_object() {
    for parameters in [Value::Null, json!({}), json!({"type": null}), json!({"type": "object"})] {
        let tool = json!({"type": "function", "name": "f", "parameters": parameters});
        let (body, _) = ask(json!({"input": "hi", "tools": [tool]})).sent();
        assert_eq!(body["tools"][0]["function"]["parameters"]["type"], "object", "{parameters}");
    }
}

#[test]
fn item_ids_are_optional_and_free() {
    let said = json!([user("hi"), {"role": "assistant", "content": [{"type": "output_text", "text": "Yes?"}]}, user("!")]);
    let expected = messages(&json!({}), said.clone());
    for id in ["msg_1", "rs_1", "0", "chatcmpl-x"] {
        let mut with_ids = said.clone();
        for item in with_ids.as_array_mut().unwrap() {
            item["id"] = json!(id);
            item["type"] = json!("message");
        }
        assert_eq!(messages(&json!({}), with_ids), expected, "{id}");
    }
    let thought = json!({"type": "reasoning", "id": "other_1", "summary": [], "content": null, "encrypted_content": null});
    assert_eq!(messages(&json!({}), json!([user("hi"), thought, user("!")])).as_array().unwrap().len(), 2);
}

#[test]
fn empty_reasoning_is_not_sent() {
    let config = json!({"upstream": {"reasoning_replay": {"field": "reasoning_content"}}});
    let thought =
        |text: &str| json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": text}]});
    let said = json!({"role": "assistant", "content": "Yes?"});
    for (text, expected) in [("Hm.", Some("Hm.")), ("", None)] {
        let (body, _) =
            ask(json!({"input": [user("hi"), thought(text), said, user("!")]})).config(&config).sent();
        assert_eq!(body["messages"][1].get("reasoning_content").and_then(Value::as_str), expected);
    }
}

#[test]
fn a_call_without_a_name_or_an_id_does_not_end_the_session() {
    let nameless = json!({"type": "function_call", "call_id": "", "name": "", "arguments": "{}"});
    let output = json!({"type": "function_call_output", "call_id": "", "output": "unsupported call"});
    let sent = messages(&json!({}), json!([user("hi"), nameless, output, user("again")]));
    let call = &sent[1]["tool_calls"][0];
    assert!(
        !call["id"].as_str().unwrap().is_empty() && !call["function"]["name"].as_str().unwrap().is_empty()
    );
    assert_eq!(sent[2]["tool_call_id"], call["id"]);
}

#[test]
fn a_call_without_arguments_has_an_empty_object() {
    for arguments in [json!(""), Value::Null] {
        let call = json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": arguments}}]});
        let response = response(&[delta(call), finish("tool_calls")]);
        assert_eq!(response["output"][0]["arguments"], "{}");
    }
}

#[test]
fn reasoning_that_used_the_token_limit_is_incomplete() {
    let response = response(&[delta(json!({"reasoning_content": "Hm, hm"})), finish("length")]);
    assert_eq!(response["status"], "incomplete");
    assert_eq!(response["incomplete_details"]["reason"], "max_output_tokens");
    assert_eq!(response["output"][0]["summary"][0]["text"], "Hm, hm");
}

#[test]
fn an_announced_call_that_does_not_come_is_a_failure() {
    for chunks in
        [vec![finish("tool_calls")], vec![delta(json!({"content": "I will look."})), finish("tool_calls")]]
    {
        let response = response(&chunks);
        assert_eq!(response["status"], "failed");
        assert!(response["error"]["message"].as_str().unwrap().contains("tool call"), "{response}");
    }
}

#[test]
fn a_call_of_an_undeclared_tool_reaches_the_client() {
    let response = response(&[call(0, "a", "rm_everything", "{\"now\":true}"), finish("tool_calls")]);
    let item = &response["output"][0];
    assert_eq!((&item["type"], &item["name"]), (&json!("function_call"), &json!("rm_everything")));
    assert_eq!(item["arguments"], "{\"now\":true}");
}

#[test]
fn two_calls_with_one_id_are_two_calls() {
    let second =
        json!({"tool_calls": [{"index": 1, "id": "a", "function": {"name": "g", "arguments": "{}"}}]});
    let response = response(&[call(0, "a", "f", "{}"), delta(second), finish("tool_calls")]);
    let items = response["output"].as_array().unwrap();
    assert_eq!(items.iter().map(|item| item["name"].as_str().unwrap()).collect::<Vec<_>>(), ["f", "g"]);
    assert_ne!(items[0]["call_id"], items[1]["call_id"]);
}

#[test]
fn usage_is_read_from_every_place() {
    let usage = json!({"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11});
    let text = delta(json!({"content": "Hi"}));
    let mut beside_text = text.clone();
    beside_text["usage"] = usage.clone();
    let mut beside_finish = finish("stop");
    beside_finish["usage"] = usage.clone();
    let own = json!({"choices": [], "usage": usage});
    for chunks in [
        vec![text.clone(), finish("stop"), own],
        vec![text.clone(), beside_finish],
        vec![beside_text, finish("stop")],
    ] {
        let response = response(&chunks);
        assert_eq!(response["usage"]["total_tokens"], 11, "{chunks:?}");
        assert_eq!(response["usage"]["output_tokens_details"]["reasoning_tokens"], 0);
    }
}

/// A row of the table: its number, and the tests that it names.
fn rows() -> Vec<(usize, Vec<(String, String)>)> {
    let page = std::fs::read_to_string("docs/symptoms.md").unwrap();
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit());
    rows.map(|row| {
        let number = row.split('|').nth(1).unwrap().trim().parse().unwrap();
        let code = row.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::"));
        let tests = code.filter(|(file, _)| file.ends_with(".rs"));
        (number, tests.map(|(file, test)| (file.to_owned(), test.to_owned())).collect())
    })
    .collect()
}

#[test]
fn every_symptom_has_a_test_that_exists_or_a_reason_for_none() {
    let rows = rows();
    assert_eq!(rows.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (1..=102).collect::<Vec<_>>());
    let page = std::fs::read_to_string("docs/symptoms.md").unwrap();
    for (number, tests) in rows {
        let row = page.lines().find(|line| line.starts_with(&format!("| {number} |"))).unwrap();
        assert!(!tests.is_empty() || row.contains("Cannot happen:"), "{row}");
        for (file, test) in tests {
            let code =
                std::fs::read_to_string(Path::new(&file)).unwrap_or_else(|_| panic!("{number}: no {file}"));
            let found = code.split("fn ").skip(1).any(|after| after.starts_with(&format!("{test}(")));
            assert!(found, "{number}: {file} has no test {test}");
        }
    }
}
