//! A thread goes on at another upstream, with another preset, when its own fails.

use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use support::own_upstream::{OwnUpstream, json as json_reply, response};
use support::{Codex, Envoy, fleet, post_with, with_key};

/// A model of which Codex knows that it reasons.
const MODEL: &str = "gpt-5.5";

/// An answer with reasoning, as a server of Qwen sends it.
fn answer(text: &str) -> axum::response::Response {
    let message = json!({"role": "assistant", "content": text, "reasoning_content": format!("{text} needs a thought.")});
    let body = json!({
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    });
    json_reply(200, body.to_string())
}

/// The same as a stream.
fn streamed(text: &str) -> axum::response::Response {
    let chunk = |delta: Value, finish: Value| json!({"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]});
    let chunks = [
        chunk(json!({"reasoning_content": format!("{text} needs a thought.")}), Value::Null),
        chunk(json!({"content": text}), json!("stop")),
    ];
    response(
        200,
        "text/event-stream",
        format!("data: {}\n\ndata: {}\n\ndata: [DONE]\n\n", chunks[0], chunks[1]),
    )
}

/// An upstream that is down while `fails` is set.
async fn failing(fails: &Arc<AtomicBool>, answer: fn() -> axum::response::Response) -> OwnUpstream {
    let fails = Arc::clone(fails);
    OwnUpstream::start(move || {
        if fails.load(Ordering::Relaxed) {
            json_reply(503, r#"{"error":{"message":"Loading model"}}"#)
        } else {
            answer()
        }
    })
    .await
}

#[tokio::test]
async fn a_thread_of_four_turns_moves_to_the_second_upstream() {
    let fails = Arc::new(AtomicBool::new(false));
    let first = failing(&fails, || answer("first")).await;
    let second = OwnUpstream::start(|| answer("second")).await;
    let addresses: &[(&str, &[_])] = &[("vllm", &[first.address]), ("together", &[second.address])];
    let files = tempfile::tempdir().unwrap();
    let config = with_key(&fleet("fallback", addresses), "together", files.path(), "the-key");
    let mut envoy = Envoy::launch_plain(&config).await;
    envoy.plant_secret("the-key");

    let mut input = Vec::new();
    for (turn, expected) in ["first", "first", "second", "second"].into_iter().enumerate() {
        fails.store(turn >= 2, Ordering::Relaxed);
        input.push(json!({"role": "user", "content": format!("turn {turn}")}));
        let request = json!({
            "model": "qwen3-coder", "input": input, "include": ["reasoning.encrypted_content"],
            "reasoning": {"effort": "max"}, "store": false,
        });
        let authorization = [("authorization", "Bearer sk-of-the-client")];
        let reply = post_with(&envoy.responses_url(), &authorization, request.to_string()).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let reply = reply.json();
        let output = reply["output"].as_array().unwrap();
        assert_eq!(output.last().unwrap()["content"][0]["text"], expected, "{reply}");
        assert!(output[0]["encrypted_content"].is_string(), "{reply}");
        input.extend(output.iter().cloned());
    }

    assert_eq!(first.seen()[0].headers["authorization"], "Bearer sk-of-the-client");
    assert_eq!(second.seen()[0].headers["authorization"], "Bearer the-key");
    // The second upstream gets each request translated for itself: its own name of the model and its own words.
    let (to_first, to_second) = (first.seen()[2].json(), second.seen()[0].json());
    assert_eq!((&to_first["model"], &to_first["reasoning_effort"]), (&json!("qwen3-coder"), &json!("max")));
    assert_eq!(
        (&to_second["model"], &to_second["reasoning_effort"]),
        (&json!("Qwen/Qwen3-Coder-480B"), &json!("high"))
    );
    // vLLM gets reasoning back. Together has no field for it.
    assert!(to_first.to_string().contains("first needs a thought."), "{to_first}");
    assert!(!to_second.to_string().contains("needs a thought."), "{to_second}");
    assert_eq!(to_second["messages"].as_array().unwrap().len(), 5, "{to_second}");
    assert_eq!((first.seen().len(), second.seen().len()), (4, 2));
    envoy.finish();
}

/// The second upstream has a field for reasoning here, so it gets what the filter of the first has sealed.
#[tokio::test]
async fn codex_goes_on_with_its_reasoning_at_the_second_upstream() {
    let fails = Arc::new(AtomicBool::new(false));
    let first = failing(&fails, || streamed("first")).await;
    let second = OwnUpstream::start(|| streamed("second")).await;
    let addresses: &[(&str, &[_])] = &[("vllm", &[first.address]), ("together", &[second.address])];
    let files = tempfile::tempdir().unwrap();
    let config = with_key(&fleet("fallback", addresses), "together", files.path(), "the-key").to_string();
    let config = config.replace(r#"\"upstream\": \"together\""#, r#"\"upstream\": \"sglang\""#);
    let envoy = Envoy::launch_plain(&serde_json::from_str(&config).unwrap()).await;

    let codex = Codex::new(&envoy.base_url());
    for (turn, expected) in ["first", "first", "second", "second"].into_iter().enumerate() {
        fails.store(turn >= 2, Ordering::Relaxed);
        let prompt = format!("turn {turn}");
        let turn =
            if turn == 0 { codex.exec(MODEL, &prompt).await } else { codex.resume(MODEL, &prompt).await };
        turn.assert_completed();
        assert_eq!(turn.messages(), [expected], "{turn:#?}");
    }

    let body = second.seen()[1].json();
    let said = body["messages"].as_array().unwrap().iter();
    let thoughts =
        said.filter(|message| message["role"] == "assistant").map(|message| &message["reasoning_content"]);
    let expected = ["first", "first", "second"].map(|text| json!(format!("{text} needs a thought.")));
    assert_eq!(thoughts.cloned().collect::<Vec<_>>(), expected, "{body}");
    assert_eq!((first.seen().len(), second.seen().len()), (4, 2));
    envoy.finish();
}
