//! The catalogue of models, as clients other than Codex get it. `codex::catalog` has Codex.

use crate::sdk::{Driver, Program};
use serde_json::json;
use support::{Envoy, Headers, Upstream};

#[tokio::test]
async fn openais_sdks_list_the_described_models() {
    let rule = |name: &str, catalog| json!({"match": name, "catalog": catalog});
    let config = json!({"upstream": "vllm", "models": [
        rule("house-coder", json!({"context_window": 40_000})),
        rule("house-writer", json!({"instructions": "You write."})),
        {"match": "*", "model": "default"},
    ]});
    let upstream = Upstream::start().await;
    let envoy = Envoy::start(upstream.address(), &config.to_string(), Headers::Flow).await;
    for program in [Program::Python("list_models.py"), Program::Node("list_models.mjs")] {
        let listed = Driver::start(program).ask(&json!({"base_url": envoy.base_url()})).await;
        assert_eq!(listed, json!({"models": ["house-coder", "house-writer"]}), "{program:?}");
    }
    assert!(upstream.requests().await.is_empty());
    envoy.finish();
}
