//! Keys in objects of the request that are not translated: each is reported by its path.

use crate::support::*;
use serde_json::{Value, json};

/// What is dropped of a request with these fields.
fn dropped(mut fields: Value) -> Vec<String> {
    if fields.get("input").is_none() {
        fields["input"] = json!("hi");
    }
    ask(fields).sent().1
}

#[test]
fn a_key_is_reported_by_its_path_without_positions() {
    let f = |more: Value| {
        let mut tool = function("f");
        tool.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        tool
    };
    let novelty = json!({"novelty": 1});
    let table = [
        (json!({"input": [{"role": "user", "content": "hi", "novelty": 1}]}), "input.novelty"),
        (
            json!({"input": [{"role": "user", "content": [{"type": "input_text", "text": "hi", "novelty": 1}]}]}),
            "input.content.novelty",
        ),
        (json!({"tools": [f(novelty.clone())]}), "tools.novelty"),
        (
            json!({"tools": [{"type": "namespace", "name": "n", "tools": [f(novelty)]}]}),
            "tools.tools.novelty",
        ),
        (
            json!({"tools": [{"type": "namespace", "name": "n", "description": "d"}]}),
            "tools.namespace.description",
        ),
        (json!({"tools": [{"type": "shell", "novelty": 1}]}), "tools.novelty"),
        (json!({"tools": [{"type": "apply_patch", "novelty": 1}]}), "tools.novelty"),
        (
            json!({"tools": [{"type": "shell", "environment": {"type": "local", "skills": []}}]}),
            "tools.environment.skills",
        ),
        (json!({"reasoning": {"mode": "pro"}}), "reasoning.mode"),
        (json!({"text": {"novelty": 1}}), "text.novelty"),
        (
            json!({"text": {"format": {"type": "json_schema", "name": "n", "schema": {}, "novelty": 1}}}),
            "text.format.novelty",
        ),
        (json!({"stream_options": {"novelty": 1}}), "stream_options.novelty"),
        (
            json!({"tools": [f(json!({}))], "tool_choice": {"type": "function", "name": "f", "novelty": 1}}),
            "tool_choice.novelty",
        ),
        (json!({"input": [user("hi"), {"type": "compaction_trigger", "novelty": 1}]}), "input.novelty"),
        (
            json!({"input": [user("hi"), {"type": "additional_tools", "tools": [], "novelty": 1}]}),
            "input.novelty",
        ),
        (
            json!({"input": [user("hi"), {"type": "configuration_update", "reasoning": {"summary": "auto"}}]}),
            "input.reasoning.summary",
        ),
    ];
    for (fields, path) in table {
        assert_eq!(dropped(fields.clone()), [format!("field:{path}")], "{fields}");
    }
}

#[test]
fn what_is_absent_or_without_meaning_is_not_reported() {
    for fields in [
        json!({"input": [{"role": "user", "content": "hi", "novelty": null}]}),
        json!({"input": [{"type": "message", "id": "msg_1", "status": "completed", "role": "user", "content": "hi"}]}),
        json!({"input": [{"role": "user", "content": [{"type": "output_text", "text": "hi", "annotations": [], "logprobs": []}]}]}),
        json!({"stream_options": {"include_obfuscation": true}}),
        json!({"tools": [{"type": "function", "name": "f", "parameters": {"type": "object", "novelty": 1}}]}),
        json!({"reasoning": {"generate_summary": "auto"}}),
    ] {
        assert!(dropped(fields.clone()).is_empty(), "{fields}");
    }
}

/// The report is limited, because a body may have hundreds of thousands of keys.
#[test]
fn a_key_of_many_items_is_reported_once() {
    let item = json!({"role": "user", "content": "hi", "novelty": 1});
    assert_eq!(dropped(json!({"input": vec![item; 1000]})), ["field:input.novelty"]);
}
