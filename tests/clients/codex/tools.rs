//! Text and tool calls of every kind.

use crate::codex::stage::{CODE_MODE, CUSTOM_TOOLS, PLAIN, Setup, Stage, call, offered, runs, tool_outputs};
use serde_json::{Value, json};

super::in_every_mode! {
    plain_text three_steps three_calls_at_once text_around_calls arguments_byte_by_byte every_shape_of_calls
    patch_as_custom_tool code_mode mcp_through_its_namespace mcp_found_by_tool_search
}

/// Many users have not updated yet.
macro_rules! with_older_codex {
    ($($scenario:ident)*) => {
        mod older_codex {
            $(#[tokio::test] async fn $scenario() { super::$scenario(super::Setup::OLDER_CODEX).await })*
        }
    };
}
with_older_codex! {
    plain_text three_steps three_calls_at_once text_around_calls arguments_byte_by_byte every_shape_of_calls
    patch_as_custom_tool code_mode mcp_through_its_namespace mcp_found_by_tool_search
}

async fn plain_text(setup: impl Into<Setup>) {
    let stage = Stage::new(setup).await;
    stage.replies(json!([{"text": "Grüße, 🦀!"}])).await;
    let turn = stage.completes(PLAIN).await;
    assert_eq!(turn.messages(), ["Grüße, 🦀!"]);
    let bodies = stage.finish().await;
    assert_eq!(bodies[0]["model"], PLAIN);
    assert!(offered(&bodies[0]).contains(&"exec_command"));
}

async fn three_steps(setup: impl Into<Setup>) {
    let stage = Stage::new(setup).await;
    stage
        .replies(json!([
            runs("call_1", "echo one > steps"),
            runs("call_2", "echo two >> steps"),
            runs("call_3", "cat steps"),
            {"text": "Done."},
        ]))
        .await;
    let turn = stage.completes(PLAIN).await;
    assert_eq!(turn.messages(), ["Done."]);
    assert_eq!(turn.items("command_execution").len(), 3);
    assert_eq!(std::fs::read_to_string(stage.codex.workdir().join("steps")).unwrap(), "one\ntwo\n");
    let bodies = stage.finish().await;
    let outputs = tool_outputs(&bodies[3]);
    assert_eq!(outputs.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ["call_1", "call_2", "call_3"]);
    assert!(outputs[2].1.contains("one\ntwo"), "{outputs:?}");
}

async fn three_calls_at_once(setup: impl Into<Setup>) {
    let stage = Stage::new(setup).await;
    let calls: Vec<Value> = ["a", "b", "c"]
        .map(|n| call(n, "exec_command", json!({"cmd": format!("touch {n}; echo {n}")})))
        .into();
    stage
        .replies(json!([
            {"tool_calls": calls, "chunking": {"arguments": 3, "interleave": true}},
            {"text": "Done."},
        ]))
        .await;
    stage.completes(PLAIN).await;
    for file in ["a", "b", "c"] {
        assert!(stage.codex.workdir().join(file).exists(), "{file}");
    }
    let bodies = stage.finish().await;
    assert_eq!(tool_outputs(&bodies[1]).iter().map(|(id, _)| *id).collect::<Vec<_>>(), ["a", "b", "c"]);
}

async fn text_around_calls(setup: impl Into<Setup>) {
    let stage = Stage::new(setup).await;
    let one = |id: &str| json!([call(id, "exec_command", json!({"cmd": format!("touch {id}")}))]);
    stage
        .replies(json!([
            {"steps": [{"text": "First."}, {"tool_calls": one("a")}, {"text": "Then."}, {"tool_calls": one("b")}]},
            {"text": "Done."},
        ]))
        .await;
    let turn = stage.completes(PLAIN).await;
    assert_eq!(turn.messages(), ["First.", "Then.", "Done."]);
    assert!(stage.codex.workdir().join("a").exists() && stage.codex.workdir().join("b").exists());
    let bodies = stage.finish().await;
    assert_eq!(tool_outputs(&bodies[1]).len(), 2);
}

async fn arguments_byte_by_byte(setup: impl Into<Setup>) {
    let stage = Stage::new(setup).await;
    stage
        .replies(json!([
            {"tool_calls": [call("a", "exec_command", json!({"cmd": "printf 'ü\"🦀\\n' > said"}))],
             "chunking": {"arguments": 1}, "split": 1},
            {"text": "Done."},
        ]))
        .await;
    stage.completes(PLAIN).await;
    assert_eq!(std::fs::read_to_string(stage.codex.workdir().join("said")).unwrap(), "ü\"🦀\n");
    stage.finish().await;
}

/// Providers number, name and end their calls differently. In each form, the call must write the file.
async fn every_shape_of_calls(setup: impl Into<Setup>) {
    let stage = Stage::new(setup).await;
    let shapes = [
        "openai",
        "vllm",
        "tgi",
        "llamacpp",
        "ollama",
        "together",
        "mistral",
        "deepseek",
        "dashscope",
        "gemini",
    ];
    let mut replies: Vec<Value> = shapes
        .iter()
        .map(|shape| {
            let mut reply = runs(&format!("call_{shape}"), &format!("touch {shape}"));
            reply["shape"] = json!(shape);
            reply
        })
        .collect();
    replies.push(json!({"text": "Done.", "done": false}));
    stage.replies(json!(replies)).await;
    stage.completes(PLAIN).await;
    for shape in shapes {
        assert!(stage.codex.workdir().join(shape).exists(), "{shape}");
    }
    stage.finish().await;
}

async fn patch_as_custom_tool(setup: impl Into<Setup>) {
    let stage = Stage::new(setup).await;
    let patch = "*** Begin Patch\n*** Add File: hello.txt\n+Grüße \"🦀\"\n*** End Patch\n";
    stage
        .replies(json!([
            {"tool_calls": [call("a", "apply_patch", json!({"input": patch}))], "chunking": {"arguments": 1}},
            {"text": "Done."},
        ]))
        .await;
    let turn = stage.completes(CUSTOM_TOOLS).await;
    assert_eq!(std::fs::read_to_string(stage.codex.workdir().join("hello.txt")).unwrap(), "Grüße \"🦀\"\n");
    assert_eq!(turn.items("file_change").len(), 1);
    let bodies = stage.finish().await;
    assert!(tool_outputs(&bodies[1])[0].1.contains("Success"), "{:?}", tool_outputs(&bodies[1]));
    let echoed = bodies[1]["messages"].as_array().unwrap().iter().find(|m| m["role"] == "assistant").unwrap();
    let arguments = echoed["tool_calls"][0]["function"]["arguments"].as_str().unwrap();
    assert_eq!(serde_json::from_str::<Value>(arguments).unwrap(), json!({"input": patch}));
}

async fn code_mode(setup: impl Into<Setup>) {
    let stage = Stage::new(setup).await;
    let script = r#"const r = await tools.exec_command({cmd:"echo from-js > js"}); text(JSON.stringify(r));"#;
    stage
        .replies(json!([{"tool_calls": [call("a", "exec", json!({"input": script}))]}, {"text": "Done."}]))
        .await;
    stage.completes(CODE_MODE).await;
    assert_eq!(std::fs::read_to_string(stage.codex.workdir().join("js")).unwrap(), "from-js\n");
    let bodies = stage.finish().await;
    assert!(offered(&bodies[0]).contains(&"exec"), "{:?}", offered(&bodies[0]));
    assert!(tool_outputs(&bodies[1])[0].1.contains("exit_code"), "{:?}", tool_outputs(&bodies[1]));
}

/// A server of the Model Context Protocol with the tools `add` and `pic`.
fn tiny(codex: support::Codex) -> support::Codex {
    let server = concat!(env!("CARGO_MANIFEST_DIR"), "/clients/codex/tiny_mcp.py");
    codex.table(&format!(
        "[mcp_servers.tiny]\ncommand = \"python3\"\nargs = [{server:?}]\nstartup_timeout_sec = 60\n"
    ))
}

async fn mcp_through_its_namespace(setup: impl Into<Setup>) {
    let stage = Stage::new(setup).await.codex(tiny);
    stage
        .replies(json!([
            {"tool_calls": [call("a", "mcp__tiny__add", json!({"a": 40, "b": 2})), call("b", "mcp__tiny__pic", json!({}))]},
            {"text": "Done."},
        ]))
        .await;
    let turn = stage.completes(PLAIN).await;
    let calls = turn.items("mcp_tool_call");
    assert_eq!(calls.len(), 2, "{turn:#?}");
    assert!(calls.iter().all(|call| call["status"] == "completed"), "{calls:?}");
    let bodies = stage.finish().await;
    let outputs = tool_outputs(&bodies[1]);
    assert!(outputs[0].1.contains("42"), "{outputs:?}");
    // A tool message cannot have an image.
    let last = bodies[1]["messages"].as_array().unwrap().last().unwrap();
    assert_eq!(last["role"], "user");
    assert!(last["content"][1]["image_url"]["url"].as_str().unwrap().starts_with("data:image/png;base64,"));
}

async fn mcp_found_by_tool_search(setup: impl Into<Setup>) {
    let stage = Stage::new(setup).await.codex(tiny);
    stage
        .replies(json!([
            {"tool_calls": [call("a", "tool_search", json!({"query": "add numbers"}))]},
            {"tool_calls": [call("b", "mcp__tiny__add", json!({"a": 40, "b": 2}))]},
            {"text": "Done."},
        ]))
        .await;
    let turn = stage.completes(CUSTOM_TOOLS).await;
    assert_eq!(turn.items("mcp_tool_call").len(), 1, "{turn:#?}");
    let bodies = stage.finish().await;
    assert!(!offered(&bodies[0]).contains(&"mcp__tiny__add"));
    assert!(offered(&bodies[1]).contains(&"mcp__tiny__add"), "{:?}", offered(&bodies[1]));
    assert!(tool_outputs(&bodies[2])[1].1.contains("42"), "{:?}", tool_outputs(&bodies[2]));
}
