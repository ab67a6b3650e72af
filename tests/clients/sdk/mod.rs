//! The real SDKs through a real Envoy: what each client's API returned, and what the upstream received.
//!
//! `clients` describes how each client is called and reports, `scenarios` what happens. Every client goes
//! through every scenario in each of its modes. Envoy records all of it, and each reply is checked on its own, too.

mod clients;
mod driver;
mod published;
mod scenarios;
use clients::Client;
use driver::Driver;
use scenarios::Scenario;
use serde_json::{Value, json};
use std::panic::AssertUnwindSafe;
use support::{Envoy, Headers, Upstream};

#[tokio::test]
async fn openai_python() {
    every_scenario(&clients::OPENAI_PYTHON, Headers::Flow).await;
}

#[tokio::test]
async fn openai_python_with_held_headers() {
    every_scenario(&clients::OPENAI_PYTHON, Headers::Held).await;
}

#[tokio::test]
async fn openai_node() {
    every_scenario(&clients::OPENAI_NODE, Headers::Flow).await;
}

#[tokio::test]
async fn vercel_ai_sdk() {
    every_scenario(&clients::AI_SDK, Headers::Flow).await;
}

#[tokio::test]
async fn openai_agents_sdk() {
    every_scenario(&clients::AGENTS, Headers::Flow).await;
}

#[tokio::test]
async fn openai_agents_sdk_for_node() {
    every_scenario(&clients::AGENTS_NODE, Headers::Flow).await;
}

#[tokio::test]
async fn langchain() {
    every_scenario(&clients::LANGCHAIN, Headers::Flow).await;
}

#[tokio::test]
async fn pydantic_ai() {
    every_scenario(&clients::PYDANTIC_AI, Headers::Flow).await;
}

/// One Envoy, one upstream and one process of the client for all of them: an SDK takes seconds to load.
async fn every_scenario(client: &Client, headers: Headers) {
    let upstream = Upstream::start().await;
    let config = json!({"hold_request_headers": headers == Headers::Held}).to_string();
    let envoy = Envoy::start(upstream.address(), &config, headers).await;
    let mut driver = Driver::start(client.program);
    let mut failed = Vec::new();
    for scenario in scenarios::ALL.iter().filter(|scenario| !client.lacks.contains(&scenario.name)) {
        for (mode, stream) in client.modes.iter().filter(|(_, stream)| *stream || !scenario.only_stream) {
            let run = async {
                let (outcome, bodies) = play(scenario, mode, &upstream, &envoy, &mut driver).await;
                check(client, scenario, *stream, outcome, &bodies);
            };
            if futures_util::FutureExt::catch_unwind(AssertUnwindSafe(run)).await.is_err() {
                failed.push(format!("{} ({mode})", scenario.name));
            }
        }
    }
    assert!(failed.is_empty(), "{}: {failed:?}", client.program);
    assert!(envoy.finish() >= scenarios::ALL.len(), "every reply was recorded and checked");
}

async fn play(
    scenario: &Scenario,
    mode: &str,
    upstream: &Upstream,
    envoy: &Envoy,
    driver: &mut Driver,
) -> (Value, Vec<Value>) {
    upstream.clear().await;
    upstream.script(json!({"replies": (scenario.replies)()})).await;
    let mut job = (scenario.job)();
    job["base_url"] = json!(envoy.base_url());
    job["mode"] = json!(mode);
    let outcome = driver.ask(&job).await;
    assert_eq!(upstream.left().await, 0, "every reply was asked for: {outcome}");
    (outcome, upstream.bodies().await)
}

fn check(client: &Client, scenario: &Scenario, stream: bool, mut outcome: Value, bodies: &[Value]) {
    let said = outcome.as_object_mut().unwrap();
    let usage = said.remove("usage");
    // Some clients run their tools in threads.
    if let Some(ran) = said.get_mut("ran").and_then(Value::as_array_mut) {
        ran.sort_by_key(Value::to_string);
    }
    assert_eq!(json!(said), client.expected(scenario), "what the client said");
    if scenario.name == "text" {
        assert_eq!(usage, Some(json!([20, 7])));
    }
    for body in bodies {
        assert_eq!(body["stream"] == true, stream, "{body}");
    }
    (scenario.upstream)(bodies);
}
