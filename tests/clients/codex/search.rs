//! Codex's web search through `envoy/fleet/search.yaml`. The engine speaks SearXNG's JSON; its answers are those of a real one.

use crate::codex::stage::{PLAIN, call};
use serde_json::{Value, json};
use support::own_upstream::{OwnUpstream, response};
use support::{Codex, Envoy, Upstream, fleet};

/// What SearXNG answers to `q=frobnicator&format=json`.
const FOUND: &str = include_str!("searxng.json");

const PROMPT: &str = "Do what I ask. The password is hunter2hunter2.";

struct World {
    upstream: Upstream,
    engine: OwnUpstream,
    envoy: Envoy,
    codex: Codex,
}

impl World {
    async fn start(status: u16, body: &'static str) -> Self {
        let upstream = Upstream::start().await;
        let engine = OwnUpstream::start(move || response(status, "application/json", body)).await;
        let addresses: &[(&str, &[_])] =
            &[("upstream", &[upstream.address()]), ("searxng", &[engine.address])];
        let envoy = Envoy::launch_plain(&fleet("search", addresses)).await;
        let codex = Codex::new(&envoy.base_url())
            .setting("web_search", r#""live""#)
            .setting("suppress_unstable_features_warning", "true")
            .table("[features]\nstandalone_web_search = true")
            .provider("supports_standalone_web_search", "true");
        Self { upstream, engine, envoy, codex }
    }

    /// The model searches, then answers. Returns what it is told.
    async fn search(&self, arguments: Value) -> (support::Turn, String) {
        let replies = json!([{"tool_calls": [call("a", "web__run", arguments)]}, {"text": "Done."}]);
        self.upstream.script(json!({ "replies": replies })).await;
        let turn = self.codex.exec(PLAIN, PROMPT).await;
        turn.assert_completed();
        let bodies = self.upstream.bodies().await;
        let messages = bodies.last().unwrap()["messages"].as_array().unwrap();
        let told = messages.iter().rfind(|message| message["role"] == "tool").unwrap();
        (turn, told["content"].as_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn codex_searches_with_the_gateways_engine() {
    let mut world = World::start(200, FOUND).await;
    world.envoy.plant_secret("hunter2hunter2");
    world.envoy.plant_secret("frobnicator");
    let (turn, told) = world.search(json!({"search_query": [{"q": "frobnicator"}]})).await;
    assert!(told.contains("[1] Release notes 4.2\nhttps://docs.example.org/releases/4.2\n"), "{told}");
    let item = turn.items("web_search");
    assert_eq!(item.len(), 1, "{turn:#?}");
    assert!(item[0].to_string().contains("https://docs.example.org/releases/4.2"), "{item:?}");

    let asked = world.engine.seen();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].path.as_str(), &*asked[0].body), ("/search", &b"format=json&q=frobnicator"[..]));
    let all = format!("{:?}", asked[0]);
    assert!(!all.contains("hunter2") && !all.contains(world.codex.key()), "{all}");
    world.envoy.finish();
}

#[tokio::test]
async fn codex_goes_on_when_the_engine_fails() {
    for (status, body, sentence) in [
        (503, "", "The search engine is not available (status 503)."),
        (429, "slow down", "The search engine's quota is used up for now (status 429)."),
        (200, r#"{"results": []}"#, "The search found nothing."),
    ] {
        let world = World::start(status, body).await;
        let (turn, told) = world.search(json!({"search_query": [{"q": "x"}, {"q": "y"}]})).await;
        assert!(told.contains(sentence) && told.contains("for: \"y\"."), "{told}");
        assert_eq!(turn.messages(), ["Done."]);
        world.envoy.finish();
    }
}
