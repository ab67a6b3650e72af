//! The catalogue of models, as each pinned Codex reads it from the filter.

use axum::Router;
use axum::routing::get;
use serde_json::{Value, json};
use support::{Codex, Envoy, Headers, Turn, Upstream};

const VERSIONS: [&str; 2] = ["@openai/codex", "codex-0.169"];

/// A model that no Codex knows.
const MODEL: &str = "house-coder";

/// What Codex says about a model of which it knows nothing.
const WARNING: &str = "Model metadata for `house-coder` not found";

/// The keys without which Codex refuses an entry.
const NEEDED: [&str; 11] = [
    "slug",
    "display_name",
    "supported_reasoning_levels",
    "shell_type",
    "visibility",
    "supported_in_api",
    "priority",
    "base_instructions",
    "support_verbosity",
    "truncation_policy",
    "experimental_supported_tools",
];

struct Servers {
    upstream: Upstream,
    envoy: Envoy,
}

impl Servers {
    async fn start(catalog: Value) -> Self {
        let rule = json!({"match": MODEL, "catalog": catalog});
        let config = json!({"upstream": "vllm", "models": [rule]});
        let upstream = Upstream::start().await;
        let envoy = Envoy::start(upstream.address(), &config.to_string(), Headers::Flow).await;
        Self { upstream, envoy }
    }

    fn models_url(&self) -> String {
        format!("{}/models", self.envoy.base_url())
    }

    /// A turn of a Codex that has never run before: it keeps the last good catalogue in its home.
    async fn turn(&self, version: &'static str, catalog_url: Option<&str>) -> (Turn, Value) {
        self.upstream.clear().await;
        self.upstream.script(json!({"replies": [{"text": "Done."}]})).await;
        let mut codex = Codex::new(&self.envoy.base_url()).package(version);
        if let Some(url) = catalog_url {
            codex = codex.provider("model_catalog_url", &format!("{url:?}"));
        }
        let turn = codex.exec(MODEL, "Do what I ask.").await;
        turn.assert_completed();
        (turn, self.upstream.bodies().await.remove(0))
    }
}

fn warns(turn: &Turn) -> bool {
    turn.stdout.contains(WARNING) || turn.stderr.contains(WARNING)
}

fn functions(body: &Value) -> Vec<&str> {
    let tools = body["tools"].as_array().unwrap().iter();
    tools.map(|tool| tool["function"]["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn codex_takes_window_efforts_tools_and_instructions_from_the_filter() {
    let servers = Servers::start(json!({
        "context_window": 40_000, "apply_patch": true, "instructions": "You are the coder of this house."}))
    .await;
    for version in VERSIONS {
        let (turn, body) = servers.turn(version, None).await;
        assert!(warns(&turn) && !functions(&body).contains(&"apply_patch"), "{version}: {turn:#?}");

        let (turn, body) = servers.turn(version, Some(&servers.models_url())).await;
        assert!(!warns(&turn) && !turn.stderr.contains("ERROR"), "{version}: {turn:#?}");
        assert!(functions(&body).contains(&"apply_patch"), "{version}: {body}");
        let system = body["messages"][0]["content"].as_str().unwrap();
        assert!(system.starts_with("You are the coder of this house."), "{version}: {system}");
    }
    servers.envoy.finish();
}

/// Without instructions, the model is only in `data`, and everything is as without a catalogue.
#[tokio::test]
async fn codex_keeps_its_own_prompt_without_instructions() {
    let servers = Servers::start(json!({"context_window": 40_000})).await;
    for version in VERSIONS {
        let (_, before) = servers.turn(version, None).await;
        let (turn, body) = servers.turn(version, Some(&servers.models_url())).await;
        assert!(warns(&turn) && !turn.stderr.contains("ERROR"), "{version}: {turn:#?}");
        let prompt = |body: &Value| {
            body["messages"][0]["content"].as_str().unwrap().split("# ").nth(1).map(str::to_owned)
        };
        assert_eq!(prompt(&body), prompt(&before), "{version}");
    }
    servers.envoy.finish();
}

#[tokio::test]
async fn eleven_keys_of_an_entry_are_needed_and_suffice() {
    let servers = Servers::start(json!({"instructions": "You are a coder."})).await;
    let url = format!("{}?client_version=0", servers.models_url());
    let mut list: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    list["models"][0].as_object_mut().unwrap().retain(|key, _| NEEDED.contains(&key.as_str()));
    assert_eq!(list["models"][0].as_object().unwrap().len(), NEEDED.len());
    for version in VERSIONS {
        let (turn, _) = servers.turn(version, Some(&serve(list.clone()).await)).await;
        assert!(!warns(&turn), "{version}: {turn:#?}");
        for key in NEEDED {
            let mut list = list.clone();
            list["models"][0].as_object_mut().unwrap().remove(key);
            let (turn, _) = servers.turn(version, Some(&serve(list).await)).await;
            assert!(warns(&turn), "{version} without {key}: {turn:#?}");
        }
    }
    servers.envoy.finish();
}

/// A server of this list: its URL.
async fn serve(list: Value) -> String {
    let app = Router::new().route("/models", get(async move || axum::Json(list)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/models", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}
