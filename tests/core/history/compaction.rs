//! Compaction: a conversation is replaced by its summary and continues from it.

use crate::grammar::Transcript;
use crate::support::*;
use serde_json::{Value, json};
use transponder::request::Translated;

/// The body that the upstream receives.
fn sent(translated: &Translated) -> Value {
    serde_json::from_slice(&translated.body).unwrap()
}

fn answered(translated: Translated, message: &Value) -> Vec<u8> {
    let completion = json!({
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3},
    });
    let mut reply = translated.reply;
    reply.begin(200);
    pushed(reply, [completion.to_string().as_bytes()])
}

fn conversation() -> Value {
    json!({
        "model": "m",
        "instructions": "Be brief.",
        "input": [{"role": "user", "content": "Find the bug."}, {"role": "assistant", "content": "Found it."}],
        "tools": [{"type": "function", "name": "shell"}],
    })
}

#[test]
fn a_compaction_item_is_expanded_in_later_requests() {
    let translated = ask(conversation()).compact().unwrap();
    let upstream = sent(&translated);
    assert!(upstream.get("tools").is_none());
    assert!(upstream.get("stream").is_none());
    let last = upstream["messages"].as_array().unwrap().last().unwrap();
    assert!(last["content"].as_str().unwrap().contains("summary"), "{last}");

    let summary = json!({"role": "assistant", "content": "The bug is in \"main\".", "reasoning": "hm"});
    let compacted: Value = serde_json::from_slice(&answered(translated, &summary)).unwrap();
    assert_eq!(compacted["object"], "response.compaction");
    assert_eq!(compacted["usage"]["total_tokens"], 12);
    let output = compacted["output"].as_array().unwrap();
    assert_eq!(output.len(), 1);
    assert_eq!(output[0]["type"], "compaction");

    let next = json!({"model": "m", "input": [output[0], {"role": "user", "content": "Fix it."}]});
    let translated = ask(next).translate().unwrap();
    let upstream = sent(&translated);
    let expanded = upstream["messages"][0]["content"].as_str().unwrap();
    assert!(expanded.ends_with("The bug is in \"main\"."), "{expanded}");
    assert!(translated.report.all_dropped().is_empty());
}

#[test]
fn a_trigger_in_a_stream_brings_exactly_one_item() {
    let mut request = conversation();
    request["stream"] = json!(true);
    request["input"].as_array_mut().unwrap().push(json!({"type": "compaction_trigger"}));
    let translated = ask(request).translate().unwrap();
    let upstream = sent(&translated);
    assert!(upstream.get("tools").is_none());

    let transcript = Transcript::of(&answered(translated, &json!({"content": "All of it."})));
    let kinds: Vec<&str> = transcript
        .of_type("response.output_item.done")
        .map(|e| e["item"]["type"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["compaction"]);
    assert_eq!(transcript.response()["status"], "completed");
}

fn summarized(chunks: &[Value]) -> Transcript {
    ask(json!({"stream": true, "input": [user("hi"), {"type": "compaction_trigger"}]})).stream(chunks)
}

#[test]
fn a_summary_is_announced_by_its_first_word() {
    let asked = ask(json!({"stream": true, "input": [user("hi"), {"type": "compaction_trigger"}]}));
    let mut reply = asked.reply();
    let mut out = Vec::new();
    reply.push(
        events(&[delta(json!({"role": "assistant", "content": ""}))])
            .trim_end_matches("data: [DONE]\n\n")
            .as_bytes(),
        &mut out,
    );
    assert!(!String::from_utf8_lossy(&out).contains("compaction"), "nothing is said yet");
    reply.push(format!("data: {}\n\n", text("All")).as_bytes(), &mut out);
    let begun = Transcript::of_cut(&out);
    let names: Vec<&str> = begun.events.iter().skip(2).map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(names, ["response.output_item.added", "response.compaction.compacting"]);

    let transcript = summarized(&[text("All"), text(" of it."), finish("stop")]);
    assert_eq!(transcript.of_type("response.compaction.compacting").count(), 1);
}

/// Half a summary would replace the whole conversation.
#[test]
fn a_summary_that_is_cut_has_no_item() {
    let transcript = summarized(&[text("Half of"), finish("length")]);
    assert_eq!(transcript.of_type("response.output_item.done").count(), 0);
    let response = transcript.response();
    assert_eq!((&response["status"], &response["output"]), (&json!("incomplete"), &json!([])));
}

/// The model must answer with a summary: tools and output formats are not sent.
#[test]
fn a_compaction_asks_for_plain_text() {
    let mut request = conversation();
    request["tool_choice"] = json!("required");
    request["text"] = json!({"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}});
    let translated = ask(request).compact().unwrap();
    let upstream = sent(&translated);
    for field in ["response_format", "tool_choice", "tools"] {
        assert!(upstream.get(field).is_none(), "{field}");
    }
}

#[test]
fn a_compaction_is_refused_like_a_response() {
    for (change, param) in [
        (json!({"model": null}), "model"),
        (json!({"input": null}), "input"),
        (json!({"input": 7}), "input"),
        (json!({"instructions": []}), "instructions"),
        (json!({"previous_response_id": "resp_1"}), "previous_response_id"),
    ] {
        let mut request = conversation();
        request.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let error = ask(request).compact().unwrap_err();
        assert_eq!((error.status, error.param.as_deref()), (400, Some(param)), "{change}");
    }
}

#[test]
fn an_empty_summary_is_a_failure() {
    let translated = ask(conversation()).compact().unwrap();
    let failed: Value = serde_json::from_slice(&answered(translated, &json!({"content": ""}))).unwrap();
    assert_eq!(failed["status"], "failed");
}

/// A refusal as the summary would replace the whole conversation, also for Codex, which gets other refusals as text.
#[test]
fn a_refusal_is_no_summary() {
    let refusal = json!({"content": null, "refusal": "I cannot help."});
    let translated = ask(conversation()).compact().unwrap();
    let failed: Value = serde_json::from_slice(&answered(translated, &refusal)).unwrap();
    assert_eq!(failed["status"], "failed");

    let asked = json!({"stream": true, "input": [user("hi"), {"type": "compaction_trigger"}]});
    for translated in [ask(asked.clone()).translate(), ask(asked).codex().translate()] {
        let transcript = Transcript::of(&answered(translated.unwrap(), &refusal));
        let response = transcript.response();
        assert_eq!((&response["status"], &response["output"]), (&json!("failed"), &json!([])));
    }
}
