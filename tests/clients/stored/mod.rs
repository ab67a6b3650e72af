//! Clients that rely on stored responses, through a real Envoy with `"store": "memory"`. They send what is new, and the model must
//! get the whole conversation.

mod clients;
mod conversation;

use crate::sdk::Driver;
pub use clients::Client;
use conversation::{Turn, WITH_TOOLS, WITHOUT_TOOLS};
use serde_json::{Value, json};
use support::{Envoy, Headers, Upstream};

/// A test for each client, and the list of the clients.
macro_rules! go_on {
    ($(async fn $test:ident() { $client:ident })*) => {
        $(#[tokio::test] async fn $test() { five_turns_in_each_mode(&clients::$client).await; })*
        pub const ALL: &[&Client] = &[$(&clients::$client),*];
    };
}

go_on! {
    async fn agent_framework() { AGENT_FRAMEWORK }
    async fn autogen() { AUTOGEN }
    async fn semantic_kernel() { SEMANTIC_KERNEL }
    async fn mastra() { MASTRA }
    async fn vercel_ai_sdk() { AI_SDK }
    async fn crewai() { CREWAI }
    async fn langchain() { LANGCHAIN }
    async fn litellm() { LITELLM }
    async fn llama_index() { LLAMA_INDEX }
    async fn openai_agents_sdk() { AGENTS }
    async fn openai_python() { OPENAI_PYTHON }
    async fn pydantic_ai() { PYDANTIC_AI }
    async fn strands() { STRANDS }
}

async fn five_turns_in_each_mode(client: &Client) {
    let upstream = Upstream::start().await;
    let envoy = Envoy::start(upstream.address(), r#"{"store": "memory"}"#, Headers::Flow).await;
    let mut driver = Driver::start(client.program);
    let turns = if client.runs_tools { WITH_TOOLS } else { WITHOUT_TOOLS };
    for mode in client.modes {
        let before = reads(&envoy).await;
        let outcome = five_turns(turns, mode, &upstream, &envoy, &mut driver).await;
        let read = reads(&envoy).await - before;
        assert_eq!(
            read,
            conversation::expected(turns).len() as u64 - 1,
            "one record for each request but the first"
        );
        if client.shows {
            let job = json!({"base_url": envoy.base_url(), "shown": outcome["id"]});
            let (text, items) = (conversation::answers(turns).pop(), conversation::items(turns));
            let expected = json!({"text": text, "items": items, "gone": "response_not_found"});
            assert_eq!(driver.ask(&job).await, expected);
        }
    }
    envoy.finish();
}

async fn five_turns(
    turns: &[Turn],
    mode: &str,
    upstream: &Upstream,
    envoy: &Envoy,
    driver: &mut Driver,
) -> Value {
    upstream.clear().await;
    upstream.script(conversation::script(turns)).await;
    let questions = conversation::questions(turns);
    let outcome =
        driver.ask(&json!({"base_url": envoy.base_url(), "mode": mode, "questions": questions})).await;
    let bodies = upstream.bodies().await;
    for (body, expected) in bodies.iter().zip(conversation::expected(turns)) {
        assert_eq!(conversation::messages(body), expected, "what the model got ({mode})");
        assert_eq!(body["stream"] == true, mode == "stream");
    }
    assert_eq!(upstream.left().await, 0, "every reply was asked for: {outcome}");
    assert_eq!(outcome["said"], json!(conversation::answers(turns)), "{outcome}");
    let mut ran: Vec<_> = outcome["ran"].as_array().into_iter().flatten().collect();
    // It may run its tools side by side.
    ran.sort_by_key(|city| city.as_str());
    assert_eq!(json!(ran), json!(conversation::cities(turns)), "{outcome}");
    outcome
}

/// How many records were read.
async fn reads(envoy: &Envoy) -> u64 {
    let stats = envoy.stats("transponder_store_operations_total").await;
    let reads = stats.iter().filter(|(name, _)| name.contains("=read;") && name.contains("=done;"));
    reads.map(|(_, count)| count).sum()
}
