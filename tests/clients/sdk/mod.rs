//! The real SDKs through a real Envoy: the tests check what each client's API returned and what the upstream received.
//!
//! `clients` describes how each client is called and reports, `scenarios` what happens. Every client goes
//! through every scenario in each of its modes. Envoy records all of it, and each reply is checked on its own, too.

mod clients;
mod driver;
mod published;
mod scenarios;
pub use clients::Client;
pub use driver::{Driver, Program};
use scenarios::Scenario;
use serde_json::{Value, json};
use std::panic::AssertUnwindSafe;
use support::{Envoy, Headers, Upstream};

/// A test for each client, and the list of the clients.
macro_rules! through_every_scenario {
    ($($(#[$needs:meta])? async fn $test:ident() { $client:ident })*) => {
        $($(#[$needs])? #[tokio::test] async fn $test() { every_scenario(&clients::$client, Headers::Flow).await })*
        pub const ALL: &[&Client] = &[$(&clients::$client),*];
    };
}

through_every_scenario! {
    async fn openai_python() { OPENAI_PYTHON }
    async fn openai_node() { OPENAI_NODE }
    async fn openai_agents_sdk() { AGENTS }
    async fn openai_agents_sdk_for_node() { AGENTS_NODE }
    async fn vercel_ai_sdk() { AI_SDK }
    async fn async_openai() { ASYNC_OPENAI }
    async fn crewai() { CREWAI }
    async fn crewai_streams() { CREWAI_STREAM }
    async fn dspy() { DSPY }
    async fn genai() { GENAI }
    async fn google_adk() { GOOGLE_ADK }
    async fn haystack() { HAYSTACK }
    async fn langchain() { LANGCHAIN }
    async fn langchain_for_node() { LANGCHAIN_NODE }
    async fn llama_index() { LLAMA_INDEX }
    async fn llm() { LLM }
    async fn mastra() { MASTRA }
    async fn pydantic_ai() { PYDANTIC_AI }
    async fn rig() { RIG }
    async fn strands() { STRANDS }
    #[cfg(feature = "go")] async fn openai_go() { OPENAI_GO }
    #[cfg(feature = "java")] async fn openai_java() { OPENAI_JAVA }
    #[cfg(feature = "java")] async fn langchain4j() { LANGCHAIN4J }
}

#[tokio::test]
async fn openai_python_with_held_headers() {
    every_scenario(&clients::OPENAI_PYTHON, Headers::Held).await;
}

/// One Envoy, one upstream and one process of the client for all of them: an SDK takes seconds to load.
async fn every_scenario(client: &Client, headers: Headers) {
    let upstream = Upstream::start().await;
    let config = json!({"hold_request_headers": headers == Headers::Held}).to_string();
    let envoy = Envoy::start(upstream.address(), &config, headers).await;
    let mut driver = Driver::start(client.program);
    let (mut played, mut failed) = (0, Vec::new());
    for scenario in scenarios::ALL.iter().filter(|scenario| !client.lacks.contains(&scenario.name)) {
        for (mode, stream) in client.modes.iter().filter(|(_, stream)| *stream || !scenario.only_stream) {
            played += 1;
            let run = async {
                let (outcome, bodies) = play(scenario, mode, &upstream, &envoy, &mut driver).await;
                let stream = *stream && !client.never_streams.contains(&scenario.name);
                check(client, scenario, stream, outcome, &bodies);
            };
            if futures_util::FutureExt::catch_unwind(AssertUnwindSafe(run)).await.is_err() {
                failed.push(format!("{} ({mode})", scenario.name));
            }
        }
    }
    assert!(failed.is_empty(), "{}: {failed:?}", client.name);
    assert!(envoy.finish() >= played, "every reply was recorded and checked");
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
