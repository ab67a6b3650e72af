//! The HTTP cases of the compliance suite of Open Responses (specification of 2026-04-24) through a real Envoy, judged
//! by the published types. The suite is on no package registry, so its cases are rebuilt here.
//!
//! It also has a case that checks only its own schema, and seven over a WebSocket, which the filter does not serve: see
//! `tests/envoy/refusals.rs` for what a client sees.

use crate::sdk::{Driver, Program};
use serde_json::{Value, json};
use support::grammar::Transcript;
use support::{Answer, Envoy, Headers, Upstream, post};

struct Case {
    id: &'static str,
    path: &'static str,
    request: fn() -> Value,
    /// The upstream's reply.
    reply: fn() -> Value,
    /// The type of an item that the response must have.
    item: &'static str,
}

const TEXT: Case = Case {
    id: "basic-response",
    path: "",
    request: || json!({"input": [user("Say hello in three words.")]}),
    reply: || json!({"text": "Hello to you."}),
    item: "message",
};

const CASES: &[Case] = &[
    TEXT,
    Case {
        id: "assistant-phase",
        request: || {
            let said = |phase: &str, text: &str| json!({"type": "message", "role": "assistant", "phase": phase, "content": text});
            json!({"input": [said("commentary", "I look it up."), said("final_answer", "Four."), user("Repeat it.")]})
        },
        ..TEXT
    },
    Case {
        id: "streaming-response",
        request: || json!({"input": [user("Count to five.")], "stream": true}),
        ..TEXT
    },
    Case {
        id: "system-prompt",
        request: || {
            let system = json!({"type": "message", "role": "system", "content": "Talk like a pirate."});
            json!({"input": [system, user("Say hello.")]})
        },
        ..TEXT
    },
    Case { id: "tool-calling", request: || weather(false), reply: a_call, item: "function_call", ..TEXT },
    Case {
        id: "tool-calling-streaming",
        request: || weather(true),
        reply: a_call,
        item: "function_call",
        ..TEXT
    },
    Case {
        id: "image-input",
        request: || {
            let image = json!({"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="});
            let content = json!([{"type": "input_text", "text": "What is it?"}, image]);
            json!({"input": [{"type": "message", "role": "user", "content": content}]})
        },
        ..TEXT
    },
    Case {
        id: "multi-turn",
        request: || {
            let said = json!({"type": "message", "role": "assistant", "content": "Hello, Alice."});
            json!({"input": [user("My name is Alice."), said, user("What is my name?")]})
        },
        ..TEXT
    },
    Case {
        id: "compact-response",
        path: "/compact",
        request: || {
            let said = json!({"type": "message", "role": "assistant", "content": "Understood."});
            json!({"input": [user("We launch on Tuesday."), said], "prompt_cache_key": "key"})
        },
        item: "compaction",
        ..TEXT
    },
];

fn user(text: &str) -> Value {
    json!({"type": "message", "role": "user", "content": text})
}

fn weather(stream: bool) -> Value {
    let parameters =
        json!({"type": "object", "properties": {"location": {"type": "string"}}, "required": ["location"]});
    let tool = json!({"type": "function", "name": "get_weather", "parameters": parameters});
    json!({"input": [user("How is the weather in Oslo?")], "tools": [tool], "stream": stream})
}

fn a_call() -> Value {
    json!({"tool_calls": [{"id": "a", "name": "get_weather", "arguments": {"location": "Oslo"}}]})
}

async fn ask(envoy: &Envoy, path: &str, body: &Value) -> Answer {
    post(&format!("{}{path}", envoy.responses_url()), body).await
}

#[tokio::test]
async fn every_case_over_http() {
    let upstream = Upstream::start().await;
    let envoy = Envoy::start(upstream.address(), "{}", Headers::Flow).await;
    let mut judge = Driver::start(Program::Python("open_responses.py"));
    for case in CASES {
        upstream.script(json!({"replies": [(case.reply)()]})).await;
        let mut request = (case.request)();
        request["model"] = json!("m");
        let answer = ask(&envoy, case.path, &request).await;
        assert_eq!(answer.status, 200, "{}: {answer:?}", case.id);
        let values = if request["stream"] == true {
            Transcript::of(&answer.bytes()).events
        } else {
            vec![answer.json()]
        };
        let verdict = judge.ask(&json!({ "values": values })).await;
        assert_eq!(verdict["refused"], json!([]), "{}", case.id);
        let last = values.last().unwrap();
        let response = last.get("response").unwrap_or(last);
        assert!(case.path == "/compact" || response["status"] == "completed", "{}: {response}", case.id);
        let items = response["output"].as_array().unwrap();
        assert!(items.iter().any(|item| item["type"] == case.item), "{}: {response}", case.id);
    }
    envoy.finish();
}

/// The case `compact-missing-model`.
#[tokio::test]
async fn a_compaction_without_a_model_is_rejected() {
    let upstream = Upstream::start().await;
    let envoy = Envoy::start(upstream.address(), "{}", Headers::Flow).await;
    let answer = ask(&envoy, "/compact", &json!({"input": [user("Compact it.")]})).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    assert!(upstream.requests().await.is_empty());
    envoy.finish();
}
