//! The plugin configuration that follows from what was found out. Only what differs from the default is said.

use super::findings::Findings;
use super::requests::any_signature;
use serde_json::{Map, Value, json};

/// The configuration.
pub(crate) fn config(found: &Findings, path: &str) -> Value {
    let mut options = Map::new();
    let mut say = |option: &str, value: Option<Value>| {
        if let Some(value) = value {
            options.insert(option.to_owned(), value);
        }
    };
    say("path", (path != "/v1/chat/completions").then(|| json!(path)));
    say("max_tokens_field", (found.settled.limit != "max_tokens").then(|| json!(found.settled.limit)));
    say("user_messages", (!found.yes("takes two user messages in a row")).then_some(json!("merge")));
    say("assistant_after_tools", (!found.yes("takes a user message after a tool's")).then_some(json!(true)));
    say(
        "assistant_content_with_calls",
        match found.settled.content {
            "absent" => Some(json!("omit")),
            "null" => Some(json!("null")),
            _ => None,
        },
    );
    say("tool_call_id_chars", found.settled.short_ids.then_some(json!(9)));
    say("tool_call_id_exact", found.settled.short_ids.then_some(json!(true)));
    say("tool_output_images", (!found.yes("takes an image")).then_some(json!("drop")));
    say(
        "tool_choice",
        only(
            found,
            &[
                ("takes tool_choice auto", "auto"),
                ("takes tool_choice none", "none"),
                ("takes tool_choice required", "required"),
                ("takes a named tool_choice", "named"),
            ],
        ),
    );
    let ignores_name = found.yes("takes a named tool_choice") && !found.yes("obeys a named tool_choice");
    say("named_choice_tools", ignores_name.then_some(json!("named")));
    say("strict_tools", found.yes("takes strict functions").then_some(json!(true)));
    say("parallel_tool_calls", found.yes("takes parallel_tool_calls").then_some(json!(true)));
    say("schema_dialect", dialect(found).map(Value::from));
    let (format, beside_tools) = json_schema(found);
    say("json_schema", format.map(Value::from));
    say("json_schema_with_tools", beside_tools.map(Value::from));
    say(
        "sampling",
        only(
            found,
            &[("takes temperature", "temperature"), ("takes top_p", "top_p"), ("takes logprobs", "logprobs")],
        ),
    );
    say("stream_usage", (!found.yes("takes stream_options")).then_some(json!(false)));
    let has_no_reason = found.yes("streams") && !found.yes("ends a stream with a finish_reason");
    say("finish_reason", has_no_reason.then_some(json!(false)));
    say("pass_fields", passed(found));
    say("reasoning", efforts(found));
    say("reasoning_replay", replay(found));
    say("think_tags", found.think_tags.map(Value::from));
    say("text_tool_calls", (found.call_in_text && !found.yes("calls a tool")).then_some(json!(true)));
    json!({ "upstream": options })
}

/// What no option can mend.
pub(crate) fn warnings(found: &Findings) -> Vec<&'static str> {
    let all = [
        (!found.yes("streams"), "the host does not stream: clients will see an answer only when it is whole"),
        (
            !found.yes("tells the tokens of a stream") && !found.yes("tells the tokens of a stream unasked"),
            "the host does not tell the tokens of a stream: Codex will guess when its context is full",
        ),
        (
            !found.yes("calls a tool") && !found.call_in_text,
            "the model did not call the tool that it was asked to call: agents will get nowhere with it",
        ),
        (
            found.yes("takes tool_choice required") && !found.yes("obeys tool_choice required"),
            "tool_choice `required` is taken and not obeyed",
        ),
    ];
    all.into_iter().filter(|(holds, _)| *holds).map(|(_, warning)| warning).collect()
}

/// The words that the host takes, unless it takes all.
fn only(found: &Findings, words: &[(&str, &str)]) -> Option<Value> {
    let taken: Vec<&str> = words.iter().filter(|(asks, _)| found.yes(asks)).map(|(_, word)| *word).collect();
    (taken.len() < words.len()).then(|| json!(taken))
}

fn dialect(found: &Findings) -> Option<&'static str> {
    if !found.yes("takes additionalProperties in a schema") {
        Some("gemini")
    } else if !found.yes("takes a list of types in a schema") {
        Some("moonshot")
    } else {
        let all = found.yes("takes anyOf at the root of a schema");
        found.yes("takes $ref and tuples in a schema").then_some(if all { "json_schema" } else { "openai" })
    }
}

fn json_schema(found: &Findings) -> (Option<&'static str>, Option<&'static str>) {
    match (found.yes("takes json_schema"), found.yes("takes json_schema beside tools")) {
        (true, true) => (None, None),
        (true, false) => (None, Some("off")),
        (false, _) if found.yes("takes json_object") => (Some("json_object"), None),
        (false, _) => (Some("off"), None),
    }
}

/// A host that takes every field may well do nothing with these.
fn passed(found: &Findings) -> Option<Value> {
    let fields = ["prompt_cache_key", "user", "metadata", "service_tier", "verbosity"];
    let takes = |field: &&str| found.yes(&format!("takes {field}"));
    let taken: Vec<&str> = fields.into_iter().filter(takes).collect();
    (!found.yes("takes any field") && !taken.is_empty()).then(|| json!(taken))
}

fn efforts(found: &Findings) -> Option<Value> {
    let all = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
    // Where any word is taken, only those are said that every model with efforts knows.
    let usual = ["low", "medium", "high"];
    let sure = if found.yes("takes any effort") { &usual[..] } else { &all[..] };
    let taken = sure.iter().filter(|effort| found.yes(&format!("takes effort {effort}")));
    let efforts: Map<String, Value> = taken.map(|effort| ((*effort).to_owned(), json!(effort))).collect();
    (!efforts.is_empty()).then(|| json!({ "efforts": efforts }))
}

fn replay(found: &Findings) -> Option<Value> {
    if let Some(field) = found.settled.must_replay {
        return Some(json!({"field": field, "always_present": true}));
    }
    if found.settled.must_sign {
        // The host was asked with this one: it stands in where a call comes from another host.
        return Some(json!({"signatures": true, "unsigned": any_signature()}));
    }
    let field = found.reasoning_field?;
    found.yes(&format!("takes {field} in the history")).then(|| json!({ "field": field }))
}
