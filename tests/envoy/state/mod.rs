//! Stored responses: in Envoy's memory, and in servers that are reached over HTTP.

mod crowd;
mod ends;
mod faults;
mod figures;
mod http;
mod limits;
mod manifests;
mod memory;
mod replicas;
mod stores;

use serde_json::{Value, json};
use std::net::SocketAddr;
use support::own_upstream::{Seen, json as json_reply, response};
use support::{Answer, Envoy, Headers, bootstrap, clusters, http_filters, post_with};

const KEY: &str = "Bearer of-the-first-client";

/// Calls the tool once for each question, then tells how many messages it got.
fn model(seen: &Seen) -> axum::response::Response {
    let body = seen.json();
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

    /// The same client from the same response.
    fn again(&self) -> Self {
        let Self { url, key, stream, previous } = self;
        Self { url: url.clone(), key: key.clone(), stream: *stream, previous: previous.clone() }
    }

    async fn send(&mut self, input: Value) -> Value {
        match self.try_send(input).await {
            Ok(response) => response,
            Err(problem) => panic!("{problem}"),
        }
    }

    /// Each request has a connection of its own, so that all workers get some. An error: the store has failed.
    async fn try_send(&mut self, input: Value) -> Result<Value, String> {
        let body = json!({
            "model": "m", "input": input, "stream": self.stream, "previous_response_id": self.previous,
            "tools": [{"type": "function", "name": "look", "parameters": {}}],
        });
        let answer = post_with(&self.url, &[("authorization", &self.key)], body.to_string()).await;
        if answer.status == 503 && answer.json()["error"]["code"] == "store_unavailable" {
            return Err(answer.text());
        }
        assert_eq!(answer.status, 200, "{}", answer.text());
        let response = if self.stream {
            answer.data_of("response.completed").pop().unwrap()["response"].clone()
        } else {
            answer.json()
        };
        assert_eq!(response["previous_response_id"], self.previous);
        if response["store"] != json!(true) {
            return Err(format!("not stored: {response}"));
        }
        self.previous = response["id"].clone();
        Ok(response)
    }

    /// A question, the call of the tool, and the answer.
    async fn turn(&mut self, question: &str) -> String {
        self.try_turn(question).await.unwrap()
    }

    async fn try_turn(&mut self, question: &str) -> Result<String, String> {
        let called = self.try_send(json!(question)).await?;
        let call = called["output"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&call["type"], &call["name"]), (&json!("function_call"), &json!("look")));
        let output = json!([{"type": "function_call_output", "call_id": call["call_id"], "output": "seen"}]);
        let told = self.try_send(output).await?;
        Ok(told["output"][0]["content"][0]["text"].as_str().unwrap().to_owned())
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

/// Whoever stored a response sees it, and nobody else, until it is deleted.
async fn is_shown_to_its_owner_and_deleted(envoy: &Envoy) {
    let response = Conversation::new(envoy, true).send(json!("first question")).await;
    let id = response["id"].as_str().unwrap();
    assert_eq!(get(envoy, id, KEY).await, (200, response.clone()));
    let (status, list) = get(envoy, &format!("{id}/input_items?limit=1"), KEY).await;
    assert_eq!((status, &list["data"][0]["content"][0]["text"]), (200, &json!("first question")));
    let (status, error) = get(envoy, id, "Bearer of-another").await;
    assert_eq!((status, &error["error"]["code"]), (404, &json!("response_not_found")));
    let deleted = request(envoy, reqwest::Method::DELETE, id, KEY).await;
    assert_eq!(deleted, (200, json!({"id": id, "object": "response", "deleted": true})));
    assert_eq!(get(envoy, id, KEY).await.0, 404);
    assert_eq!(next_turn(envoy, &response["id"]).await, (400, json!("previous_response_not_found")));
}

/// The status and the code of the error that a turn gets which goes on from this response.
async fn next_turn(envoy: &Envoy, id: &Value) -> (u16, Value) {
    let body = json!({"model": "m", "input": "next", "previous_response_id": id}).to_string();
    code(&post_with(&envoy.responses_url(), &[("authorization", KEY)], body).await)
}

fn code(answer: &Answer) -> (u16, Value) {
    (answer.status, answer.json()["error"]["code"].clone())
}

/// The bootstrap of an Envoy with this plugin configuration and a cluster `responses` for its store. The module may call out.
fn with_store(upstream: SocketAddr, plugin: &str, headers: Headers, cluster: &Value) -> Value {
    let mut bootstrap = bootstrap(upstream, plugin, headers);
    clusters(&mut bootstrap).push(cluster.clone());
    if headers != Headers::Native {
        let plugin = &mut http_filters(&mut bootstrap)[0]["typed_config"]["config"];
        let allowed = &mut plugin["capability_restriction_config"]["allowed_capabilities"];
        let allowed = allowed.as_object_mut().unwrap();
        allowed.insert("proxy_http_call".to_owned(), json!({}));
        allowed.insert("proxy_on_http_call_response".to_owned(), json!({}));
    }
    bootstrap
}

/// Where the functions are listed that Envoy lets the module call.
const CAPABILITIES: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/config/capability_restriction_config/allowed_capabilities";

/// How often the store did this, with this outcome.
async fn operations(envoy: &Envoy, operation: &str, outcome: &str) -> u64 {
    let stats = envoy.stats("transponder_store_operations_total").await;
    let with = stats.iter().filter(|(name, _)| name.contains(operation) && name.contains(outcome));
    with.map(|(_, value)| value).sum()
}
