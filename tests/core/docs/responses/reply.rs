//! The part of the page about replies: items, events, annotations, keys and values.

use super::*;
use crate::grammar::types_of;
use transponder::wire::responses::Event;

#[test]
fn reply_items_are_documented() {
    let mut seen = reply(json!({"input": "hi"}), json!({"content": "x", "reasoning": "y"}));
    seen.extend(reply(json!({"input": [{"type": "compaction_trigger"}]}), json!({"content": "x"})));
    for kind in KINDS {
        let Example { tool, name, arguments, .. } = example(kind);
        let function = json!({"name": name, "arguments": arguments.to_string()});
        let calls = json!([{"id": "a", "type": "function", "function": function}]);
        seen.extend(reply(json!({"input": "hi", "tools": [tool]}), json!({ "tool_calls": calls })));
    }
    let seen: BTreeSet<&str> = seen.iter().map(|item| item["type"].as_str().unwrap()).collect();
    let page = names("### Items of the reply");
    assert_eq!(seen, page);
    // Otherwise no test would check what is in an item of the missing type.
    assert_eq!(types_of("item"), page, "tests/grammar/open_responses.json");
}

#[test]
fn events_are_documented() {
    let page: BTreeSet<&str> = names("### Events");
    assert_eq!(page, Event::NAMES.iter().copied().collect());
    let unsent: BTreeSet<&str> =
        cells("### Events that are not sent").iter().flat_map(|cells| names_in(cells[0])).collect();
    assert!(page.is_disjoint(&unsent), "{unsent:?}");
}

#[test]
fn annotations_are_handled_as_documented() {
    for (kind, said) in rows("### Annotations") {
        let annotation = json!({"type": kind, "url": "https://example.com", "file_id": "f"});
        let message = json!({"content": "x", "annotations": [annotation]});
        let response =
            ask(json!({"input": "hi"})).document(&json!({"choices": [{"message": message}]}).to_string());
        let sent = response["output"][0]["content"][0]["annotations"].as_array().unwrap().len();
        let dropped = &response["metadata"]["x-transponder-dropped"];
        let fate = match (sent, dropped.as_str()) {
            (1, None) => "translated",
            (0, Some(_)) => "dropped",
            other => panic!("{kind}: {other:?}"),
        };
        assert_eq!(fate, said, "{kind}");
    }
}

#[test]
fn the_response_has_the_documented_keys() {
    let withheld = json!({"type": "reasoning", "id": "rs_1", "encrypted_content": "gAAAA"});
    let asked = ask(json!({"input": [withheld, user("hi")]}));
    let response = asked.document(r#"{"choices": [{"message": {"content": "x"}}]}"#);
    let sent: BTreeSet<&str> = response.as_object().unwrap().keys().map(String::as_str).collect();
    let page = cells("### Keys of the response");
    let present = page.iter().filter(|cells| !cells[1].starts_with("Absent"));
    let top_level = present.flat_map(|cells| names_in(cells[0])).filter(|key| !key.contains('.'));
    assert_eq!(sent, top_level.collect());
    for cells in page {
        for key in names_in(cells[0]) {
            let value = match cells[1] {
                "null" => Value::Null,
                "false" => json!(false),
                _ => continue,
            };
            assert_eq!(response[key], value, "{key}");
        }
    }
}

/// The paths of all keys within a value.
fn paths(value: &Value, prefix: &str) -> BTreeSet<String> {
    let inner =
        value.as_object().into_iter().flatten().map(|(key, value)| (format!("{prefix}.{key}"), value));
    inner.flat_map(|(path, value)| paths(value, &path).into_iter().chain([path])).collect()
}

#[test]
fn errors_and_usage_have_the_documented_keys() {
    let asked = ask(json!({"input": "hi"}));
    let usage = r#"{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}"#;
    let failed = asked.document(r#"{"error": {"message": "It broke."}}"#);
    let sent: BTreeSet<String> = paths(&asked.document(usage)["usage"], "usage")
        .into_iter()
        .chain(paths(&failed["error"], "error"))
        .collect();
    let page = cells("### Keys of the response");
    let present = page.iter().filter(|cells| !cells[1].starts_with("Absent"));
    let nested = present.flat_map(|cells| names_in(cells[0])).filter(|key| key.contains('.'));
    assert_eq!(sent, nested.map(str::to_owned).collect());
}

#[test]
fn statuses_and_reasons_are_documented() {
    let (mut statuses, mut reasons) = (BTreeSet::new(), BTreeSet::new());
    for finish_reason in ["stop", "length", "content_filter", "error"] {
        let asked = ask(json!({"input": "hi", "stream": true}));
        let transcript = asked.stream(&[text("x"), finish(finish_reason)]);
        for response in [&transcript.events[0]["response"], transcript.response()] {
            statuses.extend(response["status"].as_str().map(str::to_owned));
            reasons.extend(response["incomplete_details"]["reason"].as_str().map(str::to_owned));
        }
    }
    let page = cells("### Values of the reply");
    let sent = |row: usize| names_in(page[row][1]).map(str::to_owned).collect::<BTreeSet<_>>();
    assert_eq!((sent(0), sent(1)), (statuses, reasons));
}
