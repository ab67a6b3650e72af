//! The keys of items, parts and tools, and their values: each is tried in an example of its owner.

use super::*;

/// A request with an example of an item, part or tool, and the path of the example.
fn example(owner: &str) -> (Value, String) {
    if items::item_types().any(|kind| kind == owner) {
        let mut input = item(owner);
        let place = input.iter().position(|item| item["type"] == owner).unwrap();
        // Reasoning belongs to a message of the model.
        input.extend([json!({"role": "assistant", "content": "x"}), user("hi")]);
        (json!({ "input": input }), format!("/input/{place}"))
    } else if items::part_types().any(|kind| kind == owner) {
        (json!({"input": [{"role": "user", "content": [part(owner)]}]}), "/input/0/content/0".to_owned())
    } else {
        (json!({"input": "hi", "tools": [tool(owner)]}), "/tools/0".to_owned())
    }
}

/// A value of a key that differs from the one in the example.
fn value(owner: &str, key: &str) -> Value {
    match (owner, key) {
        ("tool_search_call", "arguments") => json!({"q": "y"}),
        (_, "arguments") => json!(r#"{"z": 1}"#),
        (_, "action") => json!({"commands": ["pwd"], "command": ["pwd"]}),
        (_, "operation") => json!({"type": "delete_file", "path": "b"}),
        (_, "role") => json!("assistant"),
        ("message", "content") => json!("something else"),
        (_, "content") => json!([{"type": "reasoning_text", "text": "something else"}]),
        ("reasoning", "encrypted_content") => {
            let include = json!({"input": "hi", "include": ["reasoning.encrypted_content"]});
            reply(include, json!({"reasoning": "something else", "content": "x"}))[0][key].clone()
        }
        (_, "summary") => json!([{"type": "summary_text", "text": "something else"}]),
        (_, "tools") => json!([{"type": "function", "name": "another"}]),
        ("configuration_update", "reasoning") => json!({"effort": "high"}),
        (_, "reasoning.effort") => json!("high"),
        ("configuration_update", "text") => json!({"format": {"type": "text"}}),
        (_, "text.format") => json!({"type": "text"}),
        (_, "parameters") => json!({"type": "object", "properties": {"z": {"type": "string"}}}),
        (_, "strict" | "async" | "defer_loading") => json!(true),
        (_, "format") => json!({"type": "grammar", "syntax": "lark", "definition": "start: A"}),
        (_, "environment") => json!({"type": "container_auto"}),
        (_, "allowed_callers") => json!(["direct"]),
        (_, "annotations" | "logprobs") => json!([{}]),
        ("input_image", "detail") => json!("low"),
        (_, "input_audio") => json!({"data": "y", "format": "wav"}),
        _ => json!("something else"),
    }
}

/// The objects in which keys with a dot are.
fn parent(key: &str) -> Value {
    match key {
        "environment" => json!({"type": "local"}),
        "format" => json!({"type": "grammar", "syntax": "lark", "definition": "start: A"}),
        _ => json!({}),
    }
}

/// Sets a key. Creates the object around it if necessary.
fn set(thing: &mut Value, key: &str, value: Value) {
    let fields = thing.as_object_mut().unwrap();
    match key.split_once('.') {
        Some((outer, inner)) => set(fields.entry(outer).or_insert_with(|| parent(outer)), inner, value),
        None => drop(fields.insert(key.to_owned(), value)),
    }
}

/// What the upstream gets and what is dropped, or the rejected parameter.
fn outcome(request: &Value) -> Result<(Value, Vec<String>), String> {
    let asked = ask(request.clone()).upstream(&json!({"preset": "vllm", "reasoning_replay": "reasoning"}));
    match asked.translate() {
        Ok(_) => Ok(asked.sent()),
        Err(error) => Err(error.param.unwrap_or_default()),
    }
}

fn fate(owner: &str, key: &str) -> &'static str {
    let (mut without, place) = example(owner);
    let at = |request: &mut Value, change: &dyn Fn(&mut Value)| change(request.pointer_mut(&place).unwrap());
    if owner.ends_with("_output") && ["name", "namespace"].contains(&key) {
        // They only count if the call does not state them.
        without["input"]
            .as_array_mut()
            .unwrap()
            .retain(|item| !item["type"].as_str().unwrap_or_default().ends_with("_call"));
        without["input"][0] = json!({"type": owner, "name": "n", "output": "x"});
        return fate_at(&without, "/input/0", owner, key);
    }
    if key.starts_with("file_") && key != "file_data" {
        at(&mut without, &|part| part.as_object_mut().unwrap().retain(|field, _| field == "type"));
    }
    if let Some((outer, _)) = key.split_once('.') {
        at(&mut without, &|thing| {
            thing.as_object_mut().unwrap().entry(outer).or_insert_with(|| parent(outer));
        });
    }
    fate_at(&without, &place, owner, key)
}

fn fate_at(without: &Value, place: &str, owner: &str, key: &str) -> &'static str {
    let mut with = without.clone();
    set(with.pointer_mut(place).unwrap(), key, value(owner, key));
    let (without, with) = (outcome(without), outcome(&with));
    match (&without, &with) {
        (_, Err(param)) if param.ends_with(key) => "rejected",
        _ if without == with => "ignored",
        (Ok((before, few)), Ok((after, many))) if before == after && few.len() + 1 == many.len() => "dropped",
        _ => "translated",
    }
}

/// The items, parts and tools that the page lists as translated.
fn owners() -> impl Iterator<Item = &'static str> {
    let rows = ["## Items of `input`", "## Content parts", "## Tools"].into_iter().flat_map(rows);
    rows.filter(|(_, said)| ["translated", "answered"].contains(said)).map(|(name, _)| name)
}

#[test]
fn keys_are_handled_as_documented() {
    let mut seen = BTreeSet::new();
    let mut wrong = Vec::new();
    for cells in cells("## Keys") {
        let (key, said) = (cells[0].trim_matches('`'), cells[1]);
        let of: Vec<&str> = if cells[2] == "all" { owners().collect() } else { names_in(cells[2]).collect() };
        for owner in of {
            // The first row of a key applies. `history/async_calls.rs` tests `async`.
            if !seen.insert((owner, key)) || key == "async" {
                continue;
            }
            let fate = fate(owner, key);
            if fate != said && (said, fate) != ("copied", "translated") {
                wrong.push(format!("{key} of {owner}: {fate}, not {said}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn documented_values_are_accepted() {
    for cells in cells("## Values") {
        let path = cells[0].trim_matches('`');
        for value in names_in(cells[1]) {
            let (mut request, place, key) = match path.strip_prefix("reasoning.") {
                Some(_) => (json!({"input": "hi"}), String::new(), path),
                None => {
                    let (owner, key) = path.split_once('.').unwrap();
                    let (request, place) = example(owner);
                    (request, place, key)
                }
            };
            set(request.pointer_mut(&place).unwrap(), key, json!(value));
            assert!(outcome(&request).is_ok(), "{path}: {value}");
        }
    }
}
