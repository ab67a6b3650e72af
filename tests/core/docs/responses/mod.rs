//! `docs/responses.md`: every row is tried, and every field, item, part and event of the code has a row.

mod keys;
mod reply;

use crate::support::*;
use crate::tool_kinds::{Example, example};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use transponder::items::{self, KINDS, ToolKind};
use transponder::wire::responses::Request;

const PAGE: &str = include_str!("../../../../docs/responses.md");

/// The cells of the rows below a heading.
fn cells(heading: &str) -> Vec<Vec<&'static str>> {
    let (_, below) = PAGE.split_once(&format!("\n{heading}\n")).expect(heading);
    let section = below.split("\n## ").next().unwrap();
    let table =
        section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    table.skip(2).map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
}

/// The first two cells of the rows below a heading, the first without its backticks.
fn rows(heading: &str) -> Vec<(&'static str, &'static str)> {
    cells(heading).into_iter().map(|cells| (cells[0].trim_matches('`'), cells[1])).collect()
}

/// The names in a cell.
fn names_in(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

fn names(heading: &str) -> BTreeSet<&'static str> {
    rows(heading).into_iter().map(|(name, _)| name).collect()
}

/// How these fields are handled, in the terms of the page. `path` is the parameter of a refusal.
fn fate(fields: Value, path: &str) -> &'static str {
    let plain = ask(json!({"input": "hi"})).sent();
    // For the default upstream.
    match ask(fields.clone()).translate() {
        Err(error) => {
            assert!(
                error.param.as_deref().is_some_and(|param| param.starts_with(path)),
                "{fields}: {error:?}"
            );
            "rejected"
        }
        Ok(translated) => {
            let body: Value = serde_json::from_slice(&translated.body).unwrap();
            let dropped = translated.report.all_dropped();
            match (body == plain.0, dropped.is_empty()) {
                (false, true) => "translated",
                (true, false) => "dropped",
                (true, true) => "ignored",
                (false, false) => panic!("{fields}: half of it went up, {dropped:?} did not"),
            }
        }
    }
}

#[test]
fn included_values_are_handled_as_documented() {
    for (value, said) in rows("## `include`").into_iter().chain([("novelty", "dropped")]) {
        let fate = fate(json!({"input": "hi", "include": [value]}), "include");
        assert!(fate == said || (said, fate) == ("answered", "ignored"), "{value}: {fate}, not {said}");
    }
}

/// An example of each field that the filter handles itself.
fn field(name: &str) -> Value {
    match name {
        "model" => json!({"model": "another"}),
        "input" => json!({"input": "something else"}),
        "instructions" => json!({"instructions": "Be brief."}),
        "tools" => json!({"tools": [{"type": "function", "name": "f"}]}),
        "tool_choice" => json!({"tools": [{"type": "function", "name": "f"}], "tool_choice": "none"}),
        "parallel_tool_calls" => {
            json!({"input": "hi", "tools": [{"type": "function", "name": "f"}], "parallel_tool_calls": true})
        }
        "reasoning.summary" => json!({"reasoning": {"summary": "auto"}}),
        "reasoning.generate_summary" => json!({"reasoning": {"generate_summary": "auto"}}),
        "reasoning.context" => json!({"reasoning": {"context": "all_turns"}}),
        "reasoning.mode" => json!({"reasoning": {"mode": "pro"}}),
        "max_tool_calls" => json!({"max_tool_calls": 3}),
        "text" | "text.format" => json!({"text": {"format": {"type": "json_object"}}}),
        "include" => json!({"include": ["reasoning.encrypted_content"]}),
        "stream" => json!({"stream": true}),
        "stream_options" => json!({"stream_options": {"include_obfuscation": true}}),
        "max_output_tokens" => json!({"max_output_tokens": 9}),
        "temperature" => json!({"temperature": 0.5}),
        "top_p" => json!({"top_p": 0.5}),
        "top_logprobs" => json!({"top_logprobs": 2}),
        "client_metadata" => json!({"client_metadata": {"cwd": "/"}}),
        "background" => json!({"background": true}),
        "previous_response_id" | "conversation" | "prompt" => json!({name: "x"}),
        // What an effort adds depends on the upstream, so this is tested with a preset.
        "reasoning" | "reasoning.effort" => json!({"reasoning": {"effort": "high"}}),
        other => panic!("the page has a field that this test does not know: {other}"),
    }
}

#[test]
fn fields_are_handled_as_documented() {
    for (name, said) in rows("## Fields") {
        if said == "passed on" {
            passes_on(name);
            continue;
        }
        let mut fields = field(name);
        if ["reasoning", "reasoning.effort"].contains(&name) {
            let (body, _) =
                ask(json!({"input": "hi", "reasoning": {"effort": "high"}})).upstream(&json!("vllm")).sent();
            assert_eq!((&body["reasoning_effort"], said), (&json!("high"), "translated"));
            continue;
        }
        if fields.get("input").is_none() {
            fields["input"] = json!("hi");
        }
        if name == "parallel_tool_calls" {
            let (body, dropped) = ask(fields).upstream(&json!({"parallel_tool_calls": true})).sent();
            assert_eq!((&body[name], dropped.len(), said), (&json!(true), 0, "translated"));
            continue;
        }
        if name == "model" {
            let body = ask(fields).translate().unwrap().body;
            assert_eq!(
                (serde_json::from_slice::<Value>(&body).unwrap()["model"].clone(), said),
                (json!("another"), "translated")
            );
            continue;
        }
        let fate = fate(fields, name);
        assert!(fate == said || (said, fate) == ("answered", "ignored"), "{name}: {fate}, not {said}");
    }
    let known: BTreeSet<&str> = Request::known_fields().collect();
    let page = names("## Fields");
    assert!(known.is_subset(&page), "{:?} are missing", known.difference(&page));
}

fn passes_on(name: &str) {
    let value = match name {
        "text.verbosity" => return passes_verbosity(),
        "metadata" | "moderation" | "prompt_cache_options" => json!({"a": "b"}),
        "context_management" => json!([]),
        "store" => json!(true),
        "truncation" => json!("auto"),
        _ => json!("x"),
    };
    let request = || json!({"input": "hi", name: value});
    assert_eq!(fate(request(), name), "dropped", "{name}");
    let (body, dropped) = ask(request()).upstream(&json!({"pass_fields": [name]})).sent();
    assert_eq!((&body[name], dropped.len()), (&value, 0), "{name}");
}

fn passes_verbosity() {
    let request = || ask(json!({"input": "hi", "text": {"verbosity": "low"}}));
    assert_eq!(request().sent().1, ["field:text.verbosity"]);
    let (body, dropped) = request().upstream(&json!({"pass_fields": ["verbosity"]})).sent();
    assert_eq!((&body["verbosity"], dropped.len()), (&json!("low"), 0));
}

/// An example of each item, together with the items that it needs.
fn item(kind: &str) -> Vec<Value> {
    let of_kind = |row: &&&ToolKind| [row.call_item, row.output_item].contains(&kind);
    if let Some(row) = KINDS.iter().find(of_kind) {
        let Example { call, output, .. } = example(row);
        return vec![call, output];
    }
    let item = match kind {
        "message" => json!({"type": kind, "role": "user", "content": "more"}),
        "reasoning" => json!({"type": kind, "summary": [{"type": "summary_text", "text": "hm"}]}),
        "additional_tools" => json!({"type": kind, "tools": [{"type": "function", "name": "f"}]}),
        "agent_message" => json!({"type": kind, "content": [{"type": "input_text", "text": "do it"}]}),
        "compaction" | "context_compaction" => {
            let mut made =
                reply(json!({"input": [{"type": "compaction_trigger"}]}), json!({"content": "so far"}));
            made[0]["type"] = json!(kind);
            made.remove(0)
        }
        "configuration_update" => json!({"type": kind, "text": {"format": {"type": "json_object"}}}),
        "item_reference" => json!({"type": kind, "id": format!("msg_{}", "0".repeat(36))}),
        _ => json!({"type": kind, "id": "x_1"}),
    };
    vec![item]
}

#[test]
fn items_are_handled_as_documented() {
    for (kind, said) in rows("## Items of `input`") {
        let input: Vec<Value> = item(kind).into_iter().chain([user("hi")]).collect();
        match kind {
            "reasoning" => {
                let options = json!({"reasoning_replay": {"field": "reasoning"}});
                let input =
                    [&item(kind)[..], &[json!({"role": "assistant", "content": "x"}), user("hi")]].concat();
                assert_eq!(
                    (&messages(&options, json!(input))[0]["reasoning"], said),
                    (&json!("hm"), "translated")
                );
            }
            "compaction_trigger" => {
                assert_eq!((fate(json!({ "input": input }), ""), said), ("translated", "answered"))
            }
            _ => assert_eq!(fate(json!({ "input": input }), "input"), said, "{kind}"),
        }
    }
    let known: BTreeSet<&str> = items::item_types().collect();
    let page = names("## Items of `input`");
    assert!(known.is_subset(&page), "{:?} are missing", known.difference(&page));
    assert_eq!(fate(json!({"input": [{"type": "novelty"}, user("hi")]}), ""), "dropped");
}

/// An example of each part.
fn part(kind: &str) -> Value {
    match kind {
        "refusal" => json!({"type": kind, "refusal": "no"}),
        "input_image" => json!({"type": kind, "image_url": "data:x"}),
        "input_file" => json!({"type": kind, "file_data": "data:x"}),
        "input_audio" => json!({"type": kind, "input_audio": {"data": "x", "format": "wav"}}),
        _ => json!({"type": kind, "text": "x"}),
    }
}

#[test]
fn parts_are_handled_as_documented() {
    let with = |kind: &str| json!({"input": [{"role": "user", "content": [part(kind)]}, user("hi")]});
    for (kind, said) in rows("## Content parts") {
        assert_eq!(fate(with(kind), "input[0]"), said, "{kind}");
    }
    assert_eq!(items::part_types().collect::<BTreeSet<_>>(), names("## Content parts"));
    assert_eq!(fate(with("hologram"), "input[0].content[0].type"), "rejected");
}

/// A tool of this type.
fn tool(kind: &str) -> Value {
    match KINDS.iter().find(|row| row.tool_type == kind) {
        Some(row) => example(row).tool,
        None if kind == "namespace" => {
            json!({"type": kind, "name": "n", "tools": [{"type": "function", "name": "f"}]})
        }
        None => json!({ "type": kind }),
    }
}

#[test]
fn tools_are_handled_as_documented() {
    for (kind, said) in rows("## Tools") {
        assert_eq!(fate(json!({"input": "hi", "tools": [tool(kind)]}), "tools"), said, "{kind}");
    }
    let (known, page) = (items::tool_types().collect::<BTreeSet<_>>(), names("## Tools"));
    assert!(known.is_subset(&page), "{:?} are missing", known.difference(&page));
}

#[test]
fn tool_choices_are_handled_as_documented() {
    let tools: Vec<Value> = items::tool_types().map(tool).collect();
    for (choice, said) in rows("## `tool_choice`") {
        let mut choice: Value = serde_json::from_str(choice).expect(choice);
        match choice["type"].as_str() {
            Some("function") => choice["name"] = json!("f"),
            Some("custom") => choice["name"] = json!("c"),
            Some("allowed_tools") => choice["tools"] = json!([{"type": "function", "name": "f"}]),
            _ => {}
        }
        assert_eq!(
            fate(json!({"input": "hi", "tools": tools, "tool_choice": choice}), "tool_choice"),
            said,
            "{choice}"
        );
    }
    // The tools of a namespace are chosen by their own types.
    for kind in items::tool_types().filter(|kind| *kind != "namespace") {
        let choice = json!({ "type": kind });
        let rows = rows("## `tool_choice`");
        let mut choices = rows.iter().filter_map(|(shown, _)| serde_json::from_str::<Value>(shown).ok());
        assert!(choices.any(|shown| shown == choice), "{choice} is missing");
    }
}

#[test]
fn formats_are_handled_as_documented() {
    for (kind, said) in rows("## `text.format`") {
        let format = json!({"type": kind, "name": "n", "schema": {"type": "object"}});
        assert_eq!(fate(json!({"input": "hi", "text": {"format": format}}), "text"), said, "{kind}");
    }
}

/// The items of the reply to one message of the upstream.
fn reply(request: Value, message: Value) -> Vec<Value> {
    let response = ask(request).document(&json!({"choices": [{"message": message}]}).to_string());
    response["output"].as_array().unwrap().clone()
}

/// In the API an explicit null is an absent field, in items, parts and tools too.
#[test]
fn null_means_absent_everywhere() {
    let optional = [
        "id",
        "status",
        "phase",
        "namespace",
        "arguments",
        "annotations",
        "detail",
        "file_id",
        "filename",
        "environment",
        "description",
        "parameters",
        "strict",
        "format",
        "tools",
        "execution",
        "encrypted_content",
        "content",
        "novelty",
    ];
    let with_nulls = |value: &Value| {
        let mut value = value.clone();
        for field in optional {
            value.as_object_mut().unwrap().entry(field).or_insert(Value::Null);
        }
        value
    };
    for kind in items::item_types().filter(|kind| *kind != "compaction_trigger") {
        let input = |change: &dyn Fn(&Value) -> Value| {
            let items: Vec<Value> = item(kind).iter().map(change).chain([user("hi")]).collect();
            ask(json!({ "input": items })).upstream(&json!("vllm")).sent()
        };
        assert_eq!(input(&with_nulls), input(&Value::clone), "{kind}");
    }
    for kind in items::tool_types() {
        let tools =
            |tool: Value| ask(json!({"input": "hi", "tools": [tool]})).upstream(&json!("openai")).sent();
        assert_eq!(tools(with_nulls(&tool(kind))), tools(tool(kind)), "{kind}");
    }
    for part in
        [json!({"type": "input_text", "text": "x"}), json!({"type": "input_image", "image_url": "data:x"})]
    {
        let content = |part: Value| messages(&json!({}), json!([{"role": "user", "content": [part]}]));
        assert_eq!(content(with_nulls(&part)), content(part));
    }
    let empty = json!({"input": "hi", "tools": [{"type": "namespace", "name": "n", "tools": null}]});
    assert!(ask(empty).sent().0.get("tools").is_none());
}
