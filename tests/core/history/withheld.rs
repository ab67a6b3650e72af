//! `input_transformations`: the reasoning that the model does not get, in the API's form.

use crate::support::*;
use serde_json::{Value, json};

const ANSWER: &str = r#"{"choices": [{"message": {"content": "x"}, "finish_reason": "stop"}]}"#;

fn reasoning(id: &str, more: Value) -> Value {
    let mut item = json!({"type": "reasoning", "id": id, "summary": []});
    item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    item
}

fn readable(id: &str) -> Value {
    reasoning(id, json!({"summary": [{"type": "summary_text", "text": "hm"}]}))
}

fn foreign(id: &str, summary: Value) -> Value {
    reasoning(id, json!({"encrypted_content": "gAAAA", "summary": summary}))
}

fn transformations(upstream: &Value, items: &[Value]) -> Value {
    let input: Vec<Value> = items
        .iter()
        .flat_map(|item| [item.clone(), json!({"role": "assistant", "content": "a"}), user("b")])
        .collect();
    ask(json!({ "input": input })).upstream(upstream).document(ANSWER)["input_transformations"].clone()
}

fn removed(ids: &[&str]) -> Value {
    let one =
        |id: &&str| json!({"type": "reasoning", "id": id, "action": "removed", "reason": "model_mismatch"});
    ids.iter().map(one).collect()
}

#[test]
fn what_the_model_does_not_get_is_listed_in_the_order_of_the_input() {
    let summary = json!([{"type": "summary_text", "text": "hm"}]);
    let items = [readable("rs_1"), foreign("rs_2", json!([])), foreign("rs_3", summary), readable("rs_4")];
    let replays = json!({"reasoning_replay": "reasoning"});
    assert_eq!(transformations(&replays, &items), removed(&["rs_2", "rs_3"]));
    assert_eq!(transformations(&json!("generic"), &items), removed(&["rs_1", "rs_2", "rs_3", "rs_4"]));
    assert_eq!(transformations(&replays, &[readable("rs_1")]), Value::Null);
}

/// The reasoning of an interrupted turn.
#[test]
fn reasoning_without_a_message_is_listed_too() {
    let input = json!([user("hi"), readable("rs_1"), user("go on")]);
    let asked = ask(json!({ "input": input })).upstream(&json!({"reasoning_replay": "reasoning"}));
    assert_eq!(asked.document(ANSWER)["input_transformations"], removed(&["rs_1"]));
}

#[test]
fn what_has_no_id_or_no_reader_is_not_listed() {
    let mut anonymous = readable("");
    anonymous.as_object_mut().unwrap().remove("id");
    assert_eq!(transformations(&json!("generic"), &[anonymous]), Value::Null);
    let input = json!([readable("rs_1"), {"role": "assistant", "content": "a"}, user("b")]);
    assert_eq!(ask(json!({ "input": input })).codex().document(ANSWER)["input_transformations"], Value::Null);
}

#[test]
fn a_list_that_is_too_long_to_be_repeated_is_reported() {
    let long = "x".repeat(1000);
    let items: Vec<Value> = (0..1100).map(|number| readable(&format!("rs_{number}_{long}"))).collect();
    let input: Vec<Value> = items.into_iter().chain([user("hi")]).collect();
    let asked = ask(json!({ "input": input }));
    assert!(asked.sent().1.contains(&"echo:input_transformations".to_owned()));
    assert_eq!(asked.document(ANSWER)["input_transformations"], Value::Null);
}
