//! A thread goes on at another upstream, with another preset, when its own fails.

use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use support::own_upstream::{OwnUpstream, json as json_reply};
use support::{Envoy, fleet, post};

/// An answer with reasoning, as a server of Qwen sends it.
fn answer(text: &str) -> axum::response::Response {
    let message = json!({"role": "assistant", "content": text, "reasoning_content": format!("{text} needs a thought.")});
    let body = json!({
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    });
    json_reply(200, body.to_string())
}

fn body(upstream: &OwnUpstream, index: usize) -> Value {
    serde_json::from_slice(&upstream.seen()[index].body).unwrap()
}

#[tokio::test]
async fn a_thread_of_four_turns_moves_to_the_second_upstream() {
    let fails = Arc::new(AtomicBool::new(false));
    let state = Arc::clone(&fails);
    let first = OwnUpstream::start(move || {
        if state.load(Ordering::Relaxed) {
            json_reply(503, r#"{"error":{"message":"Loading model"}}"#)
        } else {
            answer("first")
        }
    })
    .await;
    let second = OwnUpstream::start(|| answer("second")).await;
    let addresses: &[(&str, &[_])] = &[("vllm", &[first.address]), ("together", &[second.address])];
    let envoy = Envoy::launch_plain(&fleet("fallback", addresses)).await;

    let mut input = Vec::new();
    for (turn, expected) in ["first", "first", "second", "second"].into_iter().enumerate() {
        fails.store(turn >= 2, Ordering::Relaxed);
        input.push(json!({"role": "user", "content": format!("turn {turn}")}));
        let request = json!({
            "model": "qwen3-coder", "input": input, "include": ["reasoning.encrypted_content"],
            "reasoning": {"effort": "max"}, "store": false,
        });
        let reply = post(&envoy.responses_url(), &request).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let reply = reply.json();
        let output = reply["output"].as_array().unwrap();
        assert_eq!(output.last().unwrap()["content"][0]["text"], expected, "{reply}");
        assert!(output[0]["encrypted_content"].is_string(), "{reply}");
        input.extend(output.iter().cloned());
    }

    // The second upstream gets each request translated for itself: its own name of the model and its own words.
    let (to_first, to_second) = (body(&first, 2), body(&second, 0));
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
