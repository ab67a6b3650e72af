//! The context of a conversation: reasoning, images, schemas, summaries, earlier sessions.

use crate::codex::stage::{PLAIN, Stage, call, runs};
use serde_json::{Value, json};
use support::Headers;

super::in_every_mode! {
    reasoning_comes_back image_in_the_prompt image_from_a_tool output_schema resume
    automatic_compaction remote_compaction
}

fn assistant(body: &Value) -> &Value {
    body["messages"].as_array().unwrap().iter().find(|message| message["role"] == "assistant").unwrap()
}

fn pixel(stage: &Stage) -> std::path::PathBuf {
    let file = stage.codex.workdir().join("pixel.png");
    std::fs::write(&file, include_bytes!("pixel.png")).unwrap();
    file
}

fn images(body: &Value) -> usize {
    body.to_string().matches("data:image/png;base64,").count()
}

async fn reasoning_comes_back(headers: Headers) {
    let config = json!({"upstream": {"reasoning_replay": {"field": "reasoning_content"}}});
    let stage = Stage::with(headers, config).await;
    let mut first = runs("a", "true");
    first["reasoning"] = json!("I need to run it. ü🦀");
    stage
        .upstream
        .script(json!({"strict": {"assistant_fields": ["reasoning_content"]}, "replies": [first, {"text": "Done."}]}))
        .await;
    let turn = stage.completes(PLAIN).await;
    let shown = turn.items("reasoning");
    assert_eq!(shown[0]["text"], "I need to run it. ü🦀", "{shown:?}");
    let bodies = stage.finish().await;
    assert_eq!(assistant(&bodies[1])["reasoning_content"], "I need to run it. ü🦀");
}

async fn image_in_the_prompt(headers: Headers) {
    let stage = Stage::new(headers).await;
    let file = pixel(&stage);
    let stage = stage.codex(|codex| codex.args(&["-i", file.to_str().unwrap(), "--"]));
    stage.replies(json!([{"text": "A pixel."}])).await;
    stage.completes(PLAIN).await;
    let bodies = stage.finish().await;
    assert_eq!(images(&bodies[0]), 1);
}

async fn image_from_a_tool(headers: Headers) {
    let stage = Stage::new(headers).await;
    let file = pixel(&stage);
    stage
        .replies(
            json!([{"tool_calls": [call("a", "view_image", json!({"path": file}))]}, {"text": "A pixel."}]),
        )
        .await;
    stage.completes(PLAIN).await;
    let bodies = stage.finish().await;
    let last = bodies[1]["messages"].as_array().unwrap().last().unwrap();
    assert_eq!((images(last), &last["role"]), (1, &json!("user")));
}

async fn output_schema(headers: Headers) {
    let stage = Stage::new(headers).await;
    let schema = json!({
        "type": "object", "properties": {"answer": {"type": "string"}},
        "required": ["answer"], "additionalProperties": false,
    });
    let file = stage.codex.workdir().join("schema.json");
    std::fs::write(&file, schema.to_string()).unwrap();
    let stage = stage.codex(|codex| codex.args(&["--output-schema", file.to_str().unwrap()]));
    stage.replies(json!([{"text": "{\"answer\":\"42\"}"}])).await;
    let turn = stage.completes(PLAIN).await;
    assert_eq!(turn.messages(), ["{\"answer\":\"42\"}"]);
    let bodies = stage.finish().await;
    let format = &bodies[0]["response_format"];
    assert_eq!(format["type"], "json_schema");
    assert_eq!(format["json_schema"]["schema"], schema);
    assert_eq!(format["json_schema"]["strict"], true);
}

async fn resume(headers: Headers) {
    let stage = Stage::new(headers).await;
    stage.replies(json!([runs("a", "echo earlier"), {"text": "First."}, {"text": "Second."}])).await;
    stage.completes(PLAIN).await;
    let turn = stage.codex.resume(PLAIN, "Go on.").await;
    turn.assert_completed();
    assert_eq!(turn.messages(), ["Second."]);
    let bodies = stage.finish().await;
    let said = bodies[2]["messages"].to_string();
    for word in ["echo earlier", "First.", "Go on."] {
        assert!(said.contains(word), "{word}");
    }
}

async fn automatic_compaction(headers: Headers) {
    let stage =
        Stage::new(headers).await.codex(|codex| codex.setting("model_auto_compact_token_limit", "50000"));
    let mut full = runs("a", "echo before");
    full["usage"] = json!({"prompt_tokens": 90000, "completion_tokens": 10, "total_tokens": 90010});
    stage
        .replies(
            json!([full, {"text": "The summary: all is well."}, runs("b", "touch after"), {"text": "Done."}]),
        )
        .await;
    let turn = stage.completes(PLAIN).await;
    assert_eq!(turn.messages().last(), Some(&"Done."));
    assert!(stage.codex.workdir().join("after").exists());
    let bodies = stage.finish().await;
    assert!(bodies[1].get("tools").is_none(), "Codex offers no tools when it asks for a summary");
    assert!(bodies[2]["messages"].to_string().contains("The summary: all is well."));
    assert!(!bodies[2]["messages"].to_string().contains("echo before"));
}

/// The display name "OpenAI" makes Codex ask the server for a compaction item.
async fn remote_compaction(headers: Headers) {
    let stage = Stage::new(headers).await.codex(|codex| {
        codex.setting("model_auto_compact_token_limit", "50000").provider("name", "\"OpenAI\"")
    });
    let mut full = runs("a", "echo before");
    full["usage"] = json!({"prompt_tokens": 90000, "completion_tokens": 10, "total_tokens": 90010});
    stage.replies(json!([full, {"text": "The summary: all is well."}, {"text": "Done."}])).await;
    let turn = stage.completes(PLAIN).await;
    assert_eq!(turn.messages().last(), Some(&"Done."));
    let bodies = stage.finish().await;
    assert!(bodies[1].get("tools").is_none());
    assert!(bodies[2]["messages"].to_string().contains("The summary: all is well."));
}
