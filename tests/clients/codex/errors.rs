//! Failures: the user sees the reason, and no incomplete call is run.

use crate::codex::stage::{PLAIN, Stage, call, runs};
use serde_json::{Value, json};
use support::Headers;

super::in_every_mode! {
    errors_keep_their_message too_many_requests_are_retried context_overflow_is_named
    truncated_text_is_reported a_truncated_call_is_not_run a_stream_without_done_is_complete a_broken_stream_is_retried error_in_the_stream
}

fn error(status: u16, body: Value) -> Value {
    json!({"error": {"status": status, "body": body}})
}

fn chat_error(message: &str, code: Value) -> Value {
    json!({"error": {"message": message, "type": "some_error", "param": null, "code": code}})
}

async fn errors_keep_their_message(headers: Headers) {
    let stage = Stage::new(headers)
        .await
        .codex(|codex| codex.provider("request_max_retries", "0").provider("stream_max_retries", "0"));
    for (status, message, code) in [
        (400, "The field x is wrong.", json!(400)),
        (401, "Wrong key.", json!("invalid_api_key")),
        (404, "The model `qwen3-coder` does not exist.", Value::Null),
    ] {
        stage.replies(json!([error(status, chat_error(message, code))])).await;
        let said = stage.fails(PLAIN).await;
        assert!(said.contains(message), "{status}: {said}");
    }
    stage.replies(json!([error(500, chat_error("It broke.", Value::Null))])).await;
    assert!(!stage.fails(PLAIN).await.is_empty());
    stage.finish().await;
}

async fn too_many_requests_are_retried(headers: Headers) {
    let stage = Stage::new(headers).await;
    // Codex does not retry if the header is missing or is not a whole number.
    for headers in [json!({}), json!({"retry-after": "0.5"}), json!({"retry-after": "1"})] {
        let mut slow = error(429, chat_error("Slow down.", Value::Null));
        slow["error"]["headers"] = headers;
        stage.replies(json!([slow, {"text": "Done."}])).await;
        assert_eq!(stage.completes(PLAIN).await.messages(), ["Done."]);
    }
    stage.finish().await;
}

async fn context_overflow_is_named(headers: Headers) {
    let stage = Stage::new(headers).await;
    let message = "This model's maximum context length is 2048 tokens.";
    stage.replies(json!([error(400, chat_error(message, json!(400)))])).await;
    let said = stage.fails(PLAIN).await;
    assert!(said.contains("ran out of room"), "{said}");
    stage.finish().await;
}

async fn truncated_text_is_reported(headers: Headers) {
    let stage = Stage::new(headers).await;
    stage.replies(json!([{"text": "Half a", "finish": "length"}])).await;
    let said = stage.fails(PLAIN).await;
    assert!(said.contains("max_output_tokens") && said.contains("Half a"), "{said}");
    stage.finish().await;
}

async fn a_truncated_call_is_not_run(headers: Headers) {
    let stage = Stage::new(headers).await;
    for arguments in ["{\"cmd\": \"touch cut", "{\"cmd\": \"touch cut\"}"] {
        let calls = [call("a", "exec_command", json!(arguments))];
        stage.replies(json!([{"tool_calls": calls, "finish": "length"}])).await;
        let said = stage.fails(PLAIN).await;
        assert!(said.contains("max_output_tokens"), "{said}");
    }
    assert!(!stage.codex.workdir().join("cut").exists());
    stage.finish().await;
}

async fn a_stream_without_done_is_complete(headers: Headers) {
    let stage = Stage::new(headers).await;
    let mut first = runs("a", "touch ran");
    first["done"] = json!(false);
    stage.replies(json!([first, {"text": "Done.", "done": false}])).await;
    assert_eq!(stage.completes(PLAIN).await.messages(), ["Done."]);
    assert!(stage.codex.workdir().join("ran").exists());
    stage.finish().await;
}

async fn a_broken_stream_is_retried(headers: Headers) {
    let stage = Stage::new(headers).await;
    let mut broken = runs("a", "touch ran-too-early");
    broken["chunking"] = json!({"arguments": 4});
    broken["abort_after"] = json!(3);
    stage.replies(json!([broken, {"text": "Done."}])).await;
    assert_eq!(stage.completes(PLAIN).await.messages(), ["Done."]);
    assert!(!stage.codex.workdir().join("ran-too-early").exists());
    stage.finish().await;
}

async fn error_in_the_stream(headers: Headers) {
    let stage = Stage::new(headers).await;
    let overflow = json!({"error": {"message": "Context size has been exceeded.", "code": 500}});
    stage.replies(json!([{"steps": [{"text": "Par"}, {"data": overflow}]}])).await;
    let said = stage.fails(PLAIN).await;
    assert!(said.contains("ran out of room"), "{said}");
    stage.finish().await;
}
