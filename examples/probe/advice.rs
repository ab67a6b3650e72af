//! Derives the plugin configuration from the findings. It only contains options that differ from their defaults.

use super::findings::Findings;
use super::requests::any_signature;
use serde_json::{Map, Value, json};

/// The configuration.
pub(crate) fn config(found: &Findings, path: &str) -> Value {
    let mut options = Map::new();
    let mut set = |option: &str, value: Option<Value>| {
        if let Some(value) = value {
            options.insert(option.to_owned(), value);
        }
    };
    set("path", (path != "/v1/chat/completions").then(|| json!(path)));
    set("input_tokens_path", found.counts_at.as_ref().map(|path| json!(path)));
    set("max_tokens_field", (found.settled.limit != "max_tokens").then(|| json!(found.settled.limit)));
    set("user_messages", (!found.yes("accepts two user messages in a row")).then_some(json!("merge")));
    set(
        "assistant_after_tools",
        (!found.yes("accepts a user message after a tool's")).then_some(json!(true)),
    );
    set(
        "assistant_content_with_calls",
        match found.settled.content {
            "absent" => Some(json!("omit")),
            "alone" => Some(json!("separate")),
            "null" => Some(json!("null")),
            _ => None,
        },
    );
    set("tool_call_id_chars", found.settled.short_ids.then_some(json!(9)));
    set("tool_call_id_exact", found.settled.short_ids.then_some(json!(true)));
    set("tool_output_images", (!found.yes("accepts an image")).then_some(json!("drop")));
    set(
        "tool_choice",
        only(
            found,
            &[
                ("accepts tool_choice auto", "auto"),
                ("accepts tool_choice none", "none"),
                ("accepts tool_choice required", "required"),
                ("accepts a named tool_choice", "named"),
            ],
        ),
    );
    let ignores_name = found.yes("accepts a named tool_choice") && !found.yes("obeys a named tool_choice");
    set("named_choice_tools", ignores_name.then_some(json!("named")));
    set("strict_tools", found.yes("accepts strict functions").then_some(json!(true)));
    set("parallel_tool_calls", found.yes("accepts parallel_tool_calls").then_some(json!(true)));
    set("schema_dialect", dialect(found).map(Value::from));
    let (format, beside_tools) = json_schema(found);
    set("json_schema", format.map(Value::from));
    set("json_schema_with_tools", beside_tools.map(Value::from));
    set(
        "sampling",
        only(
            found,
            &[
                ("accepts temperature", "temperature"),
                ("accepts top_p", "top_p"),
                ("accepts logprobs", "logprobs"),
            ],
        ),
    );
    set("stream_usage", (!found.yes("accepts stream_options")).then_some(json!(false)));
    let has_no_reason = found.yes("streams") && !found.yes("ends a stream with a finish_reason");
    set("finish_reason", has_no_reason.then_some(json!(false)));
    set("pass_fields", passed(found));
    set("reasoning", efforts(found));
    set("reasoning_replay", replay(found));
    set("think_tags", found.think_tags.map(Value::from));
    set("text_tool_calls", (found.call_in_text && !found.yes("calls a tool")).then_some(json!(true)));
    json!({ "upstream": options })
}

/// Problems that no option solves.
pub(crate) fn warnings(found: &Findings) -> Vec<&'static str> {
    let all = [
        (
            !found.yes("streams"),
            "the upstream does not stream: clients get each answer only when it is complete",
        ),
        (
            !found.yes("counts the tokens of a stream")
                && !found.yes("counts the tokens of a stream unasked"),
            "the upstream does not count the tokens of a stream: Codex has to estimate when its context is full",
        ),
        (
            !found.yes("calls a tool") && !found.call_in_text,
            "the model did not call the tool that it was asked to call: agents will not work with it",
        ),
        (
            found.yes("accepts tool_choice required") && !found.yes("obeys tool_choice required"),
            "the upstream accepts tool_choice `required` and ignores it",
        ),
    ];
    all.into_iter().filter(|(holds, _)| *holds).map(|(_, warning)| warning).collect()
}

/// The values that the upstream accepts, or nothing if it accepts all of them.
fn only(found: &Findings, words: &[(&str, &str)]) -> Option<Value> {
    let taken: Vec<&str> = words.iter().filter(|(asks, _)| found.yes(asks)).map(|(_, word)| *word).collect();
    (taken.len() < words.len()).then(|| json!(taken))
}

fn dialect(found: &Findings) -> Option<&'static str> {
    if !found.yes("accepts additionalProperties in a schema") {
        Some("gemini")
    } else if !found.yes("accepts a list of types in a schema") {
        Some("moonshot")
    } else {
        let all = found.yes("accepts anyOf at the root of a schema");
        found.yes("accepts $ref and tuples in a schema").then_some(if all { "json_schema" } else { "openai" })
    }
}

fn json_schema(found: &Findings) -> (Option<&'static str>, Option<&'static str>) {
    match (found.yes("accepts json_schema"), found.yes("accepts json_schema beside tools")) {
        (true, true) => (None, None),
        (true, false) => (None, Some("off")),
        (false, _) if found.yes("accepts json_object") => (Some("json_object"), None),
        (false, _) => (Some("off"), None),
    }
}

/// If the upstream accepts any field, accepting these shows nothing: it may ignore them.
fn passed(found: &Findings) -> Option<Value> {
    let fields = ["prompt_cache_key", "user", "metadata", "service_tier", "verbosity"];
    let accepted = |field: &&str| found.yes(&format!("accepts {field}"));
    let passed: Vec<&str> = fields.into_iter().filter(accepted).collect();
    (!found.yes("accepts any field") && !passed.is_empty()).then(|| json!(passed))
}

fn efforts(found: &Findings) -> Option<Value> {
    let all = ["none", "minimal", "low", "medium", "high", "xhigh", "max"];
    // An upstream that accepts any word may not know all of these. Every model with efforts supports the usual three.
    let usual = ["low", "medium", "high"];
    let known = if found.yes("accepts any effort") { &usual[..] } else { &all[..] };
    let taken = known.iter().filter(|effort| found.yes(&format!("accepts effort {effort}")));
    let efforts: Map<String, Value> = taken.map(|effort| ((*effort).to_owned(), json!(effort))).collect();
    (!efforts.is_empty()).then(|| json!({ "efforts": efforts }))
}

fn replay(found: &Findings) -> Option<Value> {
    if let Some(field) = found.settled.must_replay {
        return Some(json!({"field": field, "always_present": true}));
    }
    if found.settled.must_sign {
        // The upstream accepted this signature. It is sent with calls that another upstream made.
        return Some(json!({"signatures": true, "unsigned": any_signature()}));
    }
    let field = found.reasoning_field?;
    found.yes(&format!("accepts {field} in the history")).then(|| json!({ "field": field }))
}
