//! Requests of every kind, with every outcome.

use serde_json::{Value, json};
use std::time::Duration;
use support::{Envoy, Upstream, post};

/// Two upstreams with different presets, so that metrics distinguish them, and a search engine.
pub(crate) const CONFIG: &str = r#"{
    "upstream": "vllm", "history": "repair",
    "models": [
        {"match": "small*", "upstream": "generic"},
        {"match": "big", "price": {"input": 2, "cached": 0.5, "output": 8}}
    ],
    "team_header": "x-team", "teams": ["red"],
    "store": {"memory": {"bytes": 131072}},
    "search": {"engine": "searxng"},
    "hold_request_headers": true
}"#;

/// The minimum duration of the load. A longer one gives a better picture.
pub(crate) fn duration() -> Duration {
    let seconds = std::env::var("TRANSPONDER_LOAD_SECONDS").ok();
    Duration::from_secs(seconds.map_or(6, |text| text.parse().expect("a number of seconds")))
}

/// One reply and the request that gets it.
struct Turn {
    reply: Value,
    request: Value,
}

fn ask(model: &str, more: &Value) -> Value {
    let mut request = json!({
        "model": model, "input": "How is the weather in Paris?", "stream": true,
        "tools": [
            {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
            {"type": "custom", "name": "apply_patch", "description": "A patch."}
        ]
    });
    request.as_object_mut().expect("an object").extend(more.as_object().cloned().unwrap_or_default());
    request
}

fn usage(input: u64, cached: u64, output: u64, reasoning: u64) -> Value {
    json!({
        "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": reasoning}
    })
}

fn error(status: u16, message: &str) -> Value {
    json!({"error": {"status": status, "body": {"error": {"message": message}}}})
}

/// The upstream closes the connection within a call.
const BROKEN: &str = r#"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"weather","arguments":"{\"ci"}}]}}]}

data: {"error":{"message":"out of memory"}}

"#;

/// A call that the upstream's tool parser has missed.
const UNREAD: &str = r#"<tool_call>{"name": "weather", "arguments": {"city": "Paris"}}</tool_call>"#;

fn turns() -> Vec<Turn> {
    let call = |name: &str, arguments: Value| json!([{"id": "call_1", "name": name, "arguments": arguments}]);
    let big = ask("big", &json!({}));
    let small = ask("small", &json!({}));
    let turn = |reply: Value, request: &Value| Turn { reply, request: request.clone() };
    let says = |delay: u64, tokens: Value| json!({"text": "It is sunny, and a little windy by the river.", "delay_ms": delay, "usage": tokens});
    let orphan = json!({"input": [
        {"type": "message", "role": "user", "content": "Go on."},
        {"type": "function_call", "call_id": "c", "name": "weather", "arguments": "{}"}
    ]});
    let too_large_to_store = json!({"input": "weather ".repeat(1000)});
    let dropped = json!({"tools": [{"type": "web_search"}, {"type": "file_search"}]});
    vec![
        turn(says(4, usage(900, 600, 60, 0)), &big),
        turn(says(12, usage(400, 100, 30, 0)), &small),
        turn(
            json!({"reasoning": "I need the weather.", "tool_calls": call("weather", json!({"city": "Paris"})),
                "headers_delay_ms": 30, "usage": usage(1200, 900, 90, 50)}),
            &big,
        ),
        turn(json!({"tool_calls": call("apply_patch", json!({"input": "*** Begin Patch"}))}), &small),
        turn(says(2, usage(700, 500, 20, 0)), &ask("big", &dropped)),
        turn(says(2, usage(700, 500, 20, 0)), &ask("small", &orphan)),
        turn(says(2, usage(700, 500, 20, 0)), &ask("small", &too_large_to_store)),
        turn(json!({"tool_calls": call("weather", json!("{\"city\": \"Pa")), "finish": "length"}), &small),
        turn(json!({"text": UNREAD}), &small),
        turn(json!({"raw_sse": BROKEN}), &big),
        turn(error(429, "slow down"), &big),
        turn(error(401, "bad key"), &small),
        turn(error(400, "maximum context length is 10 tokens"), &big),
    ]
}

/// Sends each request once, then two that the filter rejects, one outside the Responses API, a search, and a request whose
/// client disconnects.
pub(crate) async fn round(upstream: &Upstream, envoy: &Envoy) {
    let turns = turns();
    let replies: Vec<_> = turns.iter().map(|turn| &turn.reply).collect();
    upstream.script(json!({"strict": {"repeated_ids": true}, "replies": replies})).await;
    for turn in &turns {
        post(&envoy.responses_url(), &turn.request).await;
    }
    post(&envoy.responses_url(), &json!({"model": "big"})).await;
    post(&envoy.responses_url(), &json!({"model": "big", "input": "x", "conversation": "c"})).await;
    reqwest::get(format!("{}/models", envoy.base_url())).await.expect("a list of models");

    post(
        &format!("{}/alpha/search", envoy.base_url()),
        &json!({"commands": {"search_query": [{"q": "Paris"}]}}),
    )
    .await;

    let slow = json!({"text": "This is never heard to its end.", "delay_ms": 200});
    upstream.script(json!({"replies": [slow]})).await;
    let client = reqwest::Client::builder().timeout(Duration::from_millis(300)).build().expect("a client");
    let answer = client.post(envoy.responses_url()).json(&ask("big", &json!({}))).send().await;
    let gone = match answer {
        Ok(answer) => answer.bytes().await.is_err(),
        Err(_) => true,
    };
    assert!(gone, "the client left before the end");
}
