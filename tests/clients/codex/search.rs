//! Codex's web search, as `make codex-config SEARCH=1` switches it on, through `envoy/fleet/search.yaml` and `envoy/fleet/search-tavily.yaml`.

use crate::codex::stage::{PLAIN, call};
use crate::codex_config::configure;
use serde_json::{Value, json};
use std::net::SocketAddr;
use support::own_upstream::{OwnUpstream, json as json_reply, response};
use support::real::Server;
use support::{Codex, Envoy, Upstream, fleet, with_key};

const PROMPT: &str = "Do what I ask. The password is hunter2hunter2.";

struct World {
    upstream: Upstream,
    envoy: Envoy,
    codex: Codex,
}

impl World {
    async fn start(engine: SocketAddr) -> Self {
        Self::with("search", "searxng", engine, |config| config).await
    }

    /// With another example, whose engine is this cluster.
    async fn with(
        example: &str,
        cluster: &str,
        engine: SocketAddr,
        change: impl FnOnce(Value) -> Value,
    ) -> Self {
        let upstream = Upstream::start().await;
        let addresses: &[(&str, &[_])] = &[("upstream", &[upstream.address()]), (cluster, &[engine])];
        let envoy = Envoy::launch_plain(&change(fleet(example, addresses))).await;
        let codex = Codex::new(&envoy.base_url());
        let wishes =
            [("BASE_URL", &*envoy.base_url()), ("MODEL", PLAIN), ("ENV_KEY", Codex::KEY), ("SEARCH", "1")];
        let run = configure(codex.home(), &wishes);
        assert!(run.good, "{}", run.err);
        Self { upstream, envoy, codex }
    }

    /// The model calls the tool with each of these arguments, all at once in each turn, then answers. Returns what it is told.
    async fn search(&self, turns: &[&[Value]]) -> (support::Turn, Vec<String>) {
        let mut replies: Vec<Value> = Vec::new();
        for (turn, searches) in turns.iter().enumerate() {
            let calls = searches.iter().enumerate();
            let calls =
                calls.map(|(index, search)| call(&format!("{turn}-{index}"), "web__run", search.clone()));
            replies.push(json!({"tool_calls": calls.collect::<Vec<_>>()}));
        }
        replies.push(json!({"text": "Done."}));
        self.upstream.script(json!({ "replies": replies })).await;
        let turn = self.codex.exec_as_configured(&["--profile", "transponder"], PROMPT).await;
        turn.assert_completed();
        let bodies = self.upstream.bodies().await;
        let messages = bodies.last().unwrap()["messages"].as_array().unwrap();
        let told = messages.iter().filter(|message| message["role"] == "tool");
        (turn, told.map(|message| message["content"].as_str().unwrap().to_owned()).collect())
    }
}

fn query(q: &str) -> Value {
    json!({"search_query": [{"q": q}]})
}

/// The source of a real SearXNG: a page for each query, unless the query is `nothing` or `broken`.
async fn pages() -> OwnUpstream {
    OwnUpstream::start_asked(|seen| {
        let query = seen.path.split_once("q=").unwrap().1;
        let page = json!({
            "title": format!("About {query}"),
            "url": format!("https://docs.example.org/{query}"),
            "content": format!("How to use {query}."),
        });
        match query {
            "broken" => json_reply(500, "{}"),
            "nothing" => json_reply(200, r#"{"results": []}"#),
            _ => json_reply(200, json!({ "results": [page] }).to_string()),
        }
    })
    .await
}

#[tokio::test]
async fn codex_searches_with_a_real_searxng() {
    let pages = pages().await;
    let engine = Server::start("searxng", &[&format!("http://{}", pages.address)], "/healthz").await;
    let mut world = World::start(engine.address).await;
    world.envoy.plant_secret("hunter2hunter2");
    world.envoy.plant_secret("frobnicator");

    let several = json!({"search_query": [{"q": "frobnicator"}, {"q": "gizmo"}, {"q": "widget"}]});
    let (turn, told) = world.search(&[&[several], &[query("gizmo"), query("widget")]]).await;
    let items = turn.items("web_search");
    assert_eq!(items.len(), 3, "{turn:#?}");
    for (index, query) in ["frobnicator", "gizmo", "widget"].into_iter().enumerate() {
        let url = format!("https://docs.example.org/{query}");
        // Searches of one turn run at the same time, and end in any order.
        assert!(items.iter().any(|item| item.to_string().contains(&url)), "{items:?}");
        let expected = format!("[1] About {query}\n{url}\nHow to use {query}.");
        assert!(told[index].contains(&expected), "{told:?}");
    }
    assert!(told[0].contains("with one call for each of: \"gizmo\", \"widget\"."), "{}", told[0]);

    let (_, told) = world.search(&[&[query("nothing"), query("broken"), query("md5 hello")]]).await;
    assert!(told[0].contains("The search found nothing."), "{told:?}");
    assert!(told[1].contains("own sources did not answer"), "{told:?}");
    // What SearXNG works out itself is no result.
    assert!(told[2].contains("md5 hash digest: 5d41402abc4b2a76b9719d911017c592"), "{told:?}");
    world.envoy.finish();
}

/// Nothing of the conversation, and no credential, leaves for the engine.
#[tokio::test]
async fn the_engine_gets_the_query_and_no_more() {
    let found = json!({"results": [{"title": "T", "url": "https://example.org", "content": "C"}]});
    let engine = OwnUpstream::start(move || json_reply(200, found.to_string())).await;
    let world = World::start(engine.address).await;
    world.search(&[&[query("frobnicator")]]).await;
    let asked = engine.seen();
    assert_eq!(asked.len(), 1);
    assert_eq!((asked[0].path.as_str(), &*asked[0].body), ("/search", &b"format=json&q=frobnicator"[..]));
    let all = format!("{:?}", asked[0]);
    assert!(!all.contains("hunter2") && !all.contains(world.codex.key()), "{all}");
    world.envoy.finish();
}

/// No account at Tavily is needed: its answers are made here.
#[tokio::test]
async fn codex_opens_pages_with_tavily() {
    let engine = OwnUpstream::start_asked(|seen| {
        let asked = seen.json();
        let page = json!({"url": "https://docs.example.org/frob", "title": "Frob", "content": "About frob.", "raw_content": "# Frob\n\nTurn it on.\nfrob.enable = true"});
        let failed = json!({"url": asked["urls"][1], "error": "timeout"});
        json_reply(200, json!({"results": [page], "failed_results": [failed]}).to_string())
    })
    .await;
    let files = tempfile::tempdir().unwrap();
    let keyed = |config| with_key(&config, "tavily", files.path(), "tvly-key");
    let mut world = World::with("search-tavily", "tavily", engine.address, keyed).await;
    world.envoy.plant_secret("tvly-key");

    let open = json!({"open": [{"ref_id": "https://docs.example.org/frob", "lineno": 2}, {"ref_id": "https://down.example.org"}]});
    let find = json!({"find": [{"ref_id": "https://docs.example.org/frob", "pattern": "ENABLE"}]});
    let (turn, told) = world.search(&[&[query("frob")], &[open], &[find]]).await;
    assert!(told[0].contains("[1] Frob\nhttps://docs.example.org/frob\nAbout frob."), "{told:?}");
    let page = "https://docs.example.org/frob\nL2: Turn it on.\nL3: frob.enable = true\n\nhttps://down.example.org\nThe page could not be read.";
    assert!(told[1].contains(page), "{told:?}");
    assert!(told[2].contains("https://docs.example.org/frob\nL3: frob.enable = true"), "{told:?}");
    assert_eq!(turn.items("web_search").len(), 3, "{turn:#?}");

    let asked = engine.seen();
    let paths: Vec<&str> = asked.iter().map(|seen| seen.path.as_str()).collect();
    assert_eq!(paths, ["/search", "/extract", "/extract"]);
    assert!(asked.iter().all(|seen| seen.headers["authorization"] == "Bearer tvly-key"), "{asked:?}");
    world.envoy.finish();
}

#[tokio::test]
async fn codex_goes_on_when_the_engine_fails() {
    for (status, body, sentence) in [
        (503, "", "The search engine is not available (status 503)."),
        (429, "slow down", "The search engine's quota is used up for now (status 429)."),
        (200, "<html>", "The search engine gave an answer that cannot be read."),
    ] {
        let engine = OwnUpstream::start(move || response(status, "application/json", body)).await;
        let world = World::start(engine.address).await;
        let (turn, told) = world.search(&[&[json!({"search_query": [{"q": "x"}, {"q": "y"}]})]]).await;
        assert!(told[0].contains(sentence) && told[0].contains("for each of: \"y\"."), "{told:?}");
        assert_eq!(turn.messages(), ["Done."]);
        world.envoy.finish();
    }
}
