//! Stored responses in Envoy's memory: several workers, owners, a restart, and the bounds of the store.

use crate::config;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::Command;
use support::own_upstream::{OwnUpstream, Seen, json as json_reply, response};
use support::{Answer, Envoy, Headers, bootstrap, envoy_binary, post_with};

const KEY: &str = "Bearer of-the-first-client";
const MEMORY: &str = "memory";

/// Calls the tool once for each question, then tells how many messages it got.
fn model(seen: &Seen) -> axum::response::Response {
    let body: Value = serde_json::from_slice(&seen.body).unwrap();
    let messages = body["messages"].as_array().unwrap();
    let call = json!([{"index": 0, "id": format!("call_{}", messages.len()), "type": "function",
                       "function": {"name": "look", "arguments": "{}"}}]);
    let (message, reason) = match messages.last().unwrap()["role"].as_str() {
        Some("user") => {
            (json!({"role": "assistant", "content": "I look.", "tool_calls": call}), "tool_calls")
        }
        _ => (json!({"role": "assistant", "content": format!("{} messages", messages.len())}), "stop"),
    };
    if body["stream"] != json!(true) {
        let choice = json!({"index": 0, "message": message, "finish_reason": reason});
        return json_reply(200, json!({"choices": [choice]}).to_string());
    }
    let chunks = [
        json!({"choices": [{"index": 0, "delta": message}]}),
        json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}),
    ];
    let events: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    response(200, "text/event-stream", events + "data: [DONE]\n\n")
}

/// One conversation of a client that sends only what is new.
struct Conversation {
    url: String,
    key: String,
    stream: bool,
    previous: Value,
}

impl Conversation {
    fn new(envoy: &Envoy, stream: bool) -> Self {
        Self { url: envoy.responses_url(), key: KEY.to_owned(), stream, previous: json!(null) }
    }

    /// Each request has a connection of its own, so that all workers get some.
    async fn send(&mut self, input: Value) -> Value {
        let body = json!({
            "model": "m", "input": input, "stream": self.stream, "previous_response_id": self.previous,
            "tools": [{"type": "function", "name": "look", "parameters": {}}],
        });
        let answer = post_with(&self.url, &[("authorization", &self.key)], body.to_string()).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let response = if self.stream {
            answer.data_of("response.completed").pop().unwrap()["response"].clone()
        } else {
            answer.json()
        };
        assert_eq!(response["previous_response_id"], self.previous);
        assert_eq!(response["store"], true);
        self.previous = response["id"].clone();
        response
    }

    /// A question, the call of the tool, and the answer.
    async fn turn(&mut self, question: &str) -> String {
        let called = self.send(json!(question)).await;
        let call = called["output"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&call["type"], &call["name"]), (&json!("function_call"), &json!("look")));
        let output = json!([{"type": "function_call_output", "call_id": call["call_id"], "output": "seen"}]);
        let told = self.send(output).await;
        told["output"][0]["content"][0]["text"].as_str().unwrap().to_owned()
    }
}

async fn request(envoy: &Envoy, method: reqwest::Method, path: &str, key: &str) -> (u16, Value) {
    let url = format!("{}/{path}", envoy.responses_url());
    let request = reqwest::Client::new().request(method, url).header("authorization", key);
    let response = request.timeout(std::time::Duration::from_secs(10)).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn get(envoy: &Envoy, path: &str, key: &str) -> (u16, Value) {
    request(envoy, reqwest::Method::GET, path, key).await
}

fn code(answer: &Answer) -> (u16, Value) {
    (answer.status, answer.json()["error"]["code"].clone())
}

/// All workers have the same store, and conversations that run at the same time do not mix.
#[tokio::test]
async fn conversations_go_on_whichever_worker_they_reach() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start_asked(model).await;
        let plugin = config(headers, json!({"store": MEMORY}));
        let envoy = Envoy::launch_workers(&bootstrap(upstream.address, &plugin, headers), 2).await;
        let conversations = (0..10).map(|number| {
            let mut conversation = Conversation::new(&envoy, number % 2 == 0);
            async move {
                for turn in 1..=4 {
                    let told = conversation.turn(&format!("question {turn} of {number}")).await;
                    // A question, the call with its text, its output, and the answers in between.
                    assert_eq!(told, format!("{} messages", 4 * turn - 1));
                }
            }
        });
        futures_util::future::join_all(conversations).await;
        for seen in upstream.seen() {
            let body: Value = serde_json::from_slice(&seen.body).unwrap();
            let questions =
                body["messages"].as_array().unwrap().iter().filter(|message| message["role"] == "user");
            let words: Vec<_> = questions.map(|message| message["content"].as_str().unwrap()).collect();
            let of = words[0].rsplit_once(' ').unwrap().1;
            for (turn, words) in (1..).zip(&words) {
                assert_eq!(*words, format!("question {turn} of {of}"), "nothing lost, doubled or foreign");
            }
        }
        let stats = envoy.stats("transponder_store_operations_total").await;
        let count = |words: [&str; 2]| -> u64 {
            let with = stats.iter().filter(|(name, _)| words.iter().all(|word| name.contains(word)));
            with.map(|(_, value)| value).sum()
        };
        assert_eq!((count(["write", "done"]), count(["read", "done"])), (80, 70));
        envoy.finish();
    }
}

#[tokio::test]
async fn a_stored_response_is_shown_to_its_owner_and_deleted() {
    for headers in Headers::all() {
        let upstream = OwnUpstream::start_asked(model).await;
        let plugin = config(headers, json!({"store": MEMORY}));
        let mut envoy = Envoy::start(upstream.address, &plugin, headers).await;
        envoy.plant_secret("of-the-first-client");
        let mut conversation = Conversation::new(&envoy, true);
        let response = conversation.send(json!("first question")).await;
        let id = response["id"].as_str().unwrap();
        assert_eq!(get(&envoy, id, KEY).await, (200, response.clone()));
        let (status, list) = get(&envoy, &format!("{id}/input_items?limit=1"), KEY).await;
        assert_eq!((status, &list["data"][0]["content"][0]["text"]), (200, &json!("first question")));
        let (status, error) = get(&envoy, id, "Bearer of-another").await;
        assert_eq!((status, &error["error"]["code"]), (404, &json!("response_not_found")));
        let deleted = request(&envoy, reqwest::Method::DELETE, id, KEY).await;
        assert_eq!(deleted, (200, json!({"id": id, "object": "response", "deleted": true})));
        assert_eq!(get(&envoy, id, KEY).await.0, 404);
        let body = json!({"model": "m", "input": "next", "previous_response_id": id}).to_string();
        let answer = post_with(&envoy.responses_url(), &[("authorization", KEY)], body).await;
        assert_eq!(code(&answer), (400, json!("previous_response_not_found")));
        envoy.finish();
    }
}

/// A restart empties the store, and the client is told that its id is not known any more.
#[tokio::test]
async fn a_restart_forgets_and_says_so() {
    let upstream = OwnUpstream::start_asked(model).await;
    let plugin = config(Headers::Flow, json!({"store": MEMORY}));
    let envoy = Envoy::start(upstream.address, &plugin, Headers::Flow).await;
    let id = Conversation::new(&envoy, false).send(json!("question")).await["id"].clone();
    envoy.finish();
    let envoy = Envoy::start(upstream.address, &plugin, Headers::Flow).await;
    let body = json!({"model": "m", "input": "next", "previous_response_id": id}).to_string();
    let answer = post_with(&envoy.responses_url(), &[("authorization", KEY)], body).await;
    assert_eq!(code(&answer), (400, json!("previous_response_not_found")));
    envoy.finish();
}

/// Ids of stored responses come from Envoy's random source, and no two have anything in common.
#[tokio::test]
async fn ids_are_random() {
    let upstream = OwnUpstream::start_asked(model).await;
    let plugin = config(Headers::Flow, json!({"store": MEMORY}));
    let envoy = Envoy::start(upstream.address, &plugin, Headers::Flow).await;
    let mut ids = Vec::new();
    for _ in 0..8 {
        let response = Conversation::new(&envoy, false).send(json!("question")).await;
        let digits = response["id"].as_str().unwrap().strip_prefix("resp_").unwrap().to_owned();
        ids.push(u128::from_str_radix(&digits, 16).unwrap());
    }
    for (at, id) in ids.iter().enumerate() {
        for other in &ids[..at] {
            let different = (id ^ other).count_ones();
            assert!((30..100).contains(&different), "{different} bits differ");
        }
    }
    envoy.finish();
}

/// What is written beyond the bounds takes the place of what is old.
#[tokio::test]
async fn the_memory_of_the_store_is_bounded() {
    let upstream = OwnUpstream::start_asked(model).await;
    let plugin = config(Headers::Flow, json!({"store": {"memory": {"bytes": 16 << 20}}}));
    let envoy = Envoy::start(upstream.address, &plugin, Headers::Flow).await;
    let fill = async |count: usize| {
        for _ in 0..count {
            Conversation::new(&envoy, false).send(json!("x".repeat(256 << 10))).await;
        }
        envoy.resident_megabytes()
    };
    let full = fill(128).await;
    let later = fill(256).await;
    assert!(later < full + 16, "{full} MB when the store is full, {later} MB after twice as much again");
    envoy.finish();
}

/// An Envoy that does not let the filter call these functions.
fn without_capabilities(upstream: SocketAddr, plugin: &Value, names: &[&str]) -> Value {
    let mut bootstrap = bootstrap(upstream, &config(Headers::Flow, plugin.clone()), Headers::Flow);
    let http = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters/0";
    let allowed = format!("{http}/typed_config/config/capability_restriction_config/allowed_capabilities");
    let allowed = bootstrap.pointer_mut(&allowed).and_then(Value::as_object_mut).unwrap();
    for name in names {
        assert!(allowed.remove(*name).is_some(), "{name}");
    }
    bootstrap
}

/// Otherwise `random_get` would leave the buffer as it is, and all ids would be the same.
#[test]
fn a_store_without_random_bits_is_refused_at_the_start() {
    let upstream = "127.0.0.1:1".parse().unwrap();
    let bootstrap = without_capabilities(upstream, &json!({"store": MEMORY}), &["random_get"]);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("envoy.json");
    std::fs::write(&file, bootstrap.to_string()).unwrap();
    let checked =
        Command::new(envoy_binary()).args(["--mode", "validate", "-c"]).arg(&file).output().unwrap();
    let said = String::from_utf8_lossy(&checked.stderr);
    assert!(!checked.status.success() && said.contains("store needs random_get"), "{said}");
}

/// Without `store`, nothing is written into the memory that workers share, and nothing is read.
#[tokio::test]
async fn without_a_store_nothing_is_kept() {
    let upstream = OwnUpstream::start_asked(model).await;
    // Envoy refuses these calls, so one of them would show in its log.
    let names = ["proxy_get_shared_data", "proxy_set_shared_data", "random_get"];
    let bootstrap = without_capabilities(upstream.address, &json!({}), &names);
    let envoy = Envoy::launch(&bootstrap).await;
    let body = json!({"model": "m", "input": "question", "store": true}).to_string();
    let response = post_with(&envoy.responses_url(), &[], body).await.json();
    assert_eq!(response["store"], false);
    let body = json!({"model": "m", "input": "next", "previous_response_id": response["id"]}).to_string();
    assert_eq!(
        code(&post_with(&envoy.responses_url(), &[], body).await),
        (400, json!("previous_response_not_found"))
    );
    assert_eq!(get(&envoy, response["id"].as_str().unwrap(), KEY).await.0, 404);
    assert!(
        !envoy.logged().contains("shared_data") && !envoy.logged().contains("random_get"),
        "{}",
        envoy.logged()
    );
    envoy.finish();
}
