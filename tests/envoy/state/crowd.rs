//! Many conversations over few connections: each of their requests goes over another one, to whichever worker has it.

use super::{KEY, model, operations};
use crate::config;
use serde_json::{Value, json};
use std::sync::Mutex;
use std::time::Duration;
use support::grammar::{Transcript, document};
use support::own_upstream::{OwnUpstream, Seen};
use support::{Envoy, Headers, Launch, bootstrap};

const CONVERSATIONS: usize = 200;
const TURNS: usize = 10;
const CONNECTIONS: usize = 16;

/// The limit for one request.
const PATIENCE: Duration = Duration::from_secs(30);

/// A conversation, and what the client sends next.
struct Talk {
    number: usize,
    turn: usize,
    previous: Value,
    /// The call whose output the model waits for.
    call: Option<Value>,
}

impl Talk {
    fn is_over(&self) -> bool {
        self.turn > TURNS
    }

    /// One request. Every second conversation is streamed.
    async fn go_on(mut self, client: &reqwest::Client, url: &str) -> Self {
        let Self { number, turn, .. } = self;
        let input = match self.call.take() {
            None => json!(question(number, turn)),
            Some(call_id) => {
                json!([{"type": "function_call_output", "call_id": call_id, "output": output(number, turn)}])
            }
        };
        let stream = number % 2 == 0;
        let body = json!({
            "model": "m", "input": input, "stream": stream, "previous_response_id": self.previous,
            "tools": [{"type": "function", "name": "look", "parameters": {}}],
        });
        let request = client.post(url).header("authorization", KEY).json(&body).timeout(PATIENCE);
        let bytes = request.send().await.unwrap().bytes().await.unwrap();
        let response = if stream { Transcript::of(&bytes).response().clone() } else { document(&bytes) };
        assert_eq!(response["status"], "completed", "{response}");
        self.previous = response["id"].clone();
        let call = response["output"].as_array().unwrap().iter().find(|item| item["type"] == "function_call");
        self.call = call.map(|call| call["call_id"].clone());
        self.turn += usize::from(self.call.is_none());
        self
    }
}

fn question(number: usize, turn: usize) -> String {
    format!("question {turn} of {number}")
}

fn output(number: usize, turn: usize) -> String {
    format!("output {turn} of {number}")
}

/// What the model must have got, if its last message belongs to this turn: a line for each message.
fn expected(number: usize, turn: usize, messages: usize) -> Vec<String> {
    let turns = (1..=turn).flat_map(|turn| {
        [
            format!("user: {}", question(number, turn)),
            "assistant: I look.".to_owned(),
            format!("tool: {}", output(number, turn)),
            format!("assistant: {} messages", 4 * turn - 1),
        ]
    });
    turns.take(messages).collect()
}

fn said(body: &Value) -> Vec<String> {
    let word = |message: &Value, field: &str| message[field].as_str().unwrap().to_owned();
    let messages = body["messages"].as_array().unwrap().iter();
    messages.map(|message| format!("{}: {}", word(message, "role"), word(message, "content"))).collect()
}

/// The conversation of a request, and the number of its messages. It has the whole conversation, and nothing else.
fn checked(seen: &Seen) -> (usize, usize) {
    let said = said(&seen.json());
    let number = said[0].rsplit_once(' ').unwrap().1.parse().unwrap();
    assert_eq!(
        said,
        expected(number, said.len().div_ceil(4), said.len()),
        "nothing lost, doubled or foreign"
    );
    (number, said.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn conversations_that_share_connections_and_workers_do_not_mix() {
    let upstream = OwnUpstream::start_asked(model).await;
    let plugin = config(Headers::Flow, json!({"store": "memory"}));
    let launch = Launch { workers: 2, quiet: true, ..Launch::default() };
    let envoy = Envoy::launch_as(&bootstrap(upstream.address, &plugin, Headers::Flow), launch).await;
    let talks = (0..CONVERSATIONS).map(|number| Talk { number, turn: 1, previous: json!(null), call: None });
    let waiting = Mutex::new(talks.collect::<Vec<_>>());
    let url = envoy.responses_url();
    let connections = (0..CONNECTIONS).map(|_| async {
        let client = reqwest::Client::new();
        while let Some(talk) = any(&waiting) {
            let talk = talk.go_on(&client, &url).await;
            if !talk.is_over() {
                waiting.lock().unwrap().push(talk);
            }
        }
    });
    futures_util::future::join_all(connections).await;
    let mut requests: Vec<_> = upstream.seen().iter().map(checked).collect();
    requests.sort_unstable();
    // The model gets a question and an output in each turn, after the four messages of each turn before.
    let all = (0..CONVERSATIONS)
        .flat_map(|number| (0..TURNS).flat_map(move |turn| [(number, 4 * turn + 1), (number, 4 * turn + 3)]));
    assert_eq!(requests, all.collect::<Vec<_>>());
    let requests = (2 * TURNS * CONVERSATIONS) as u64;
    assert_eq!(operations(&envoy, "write", "done").await, requests);
    assert_eq!(operations(&envoy, "read", "done").await, requests - CONVERSATIONS as u64);
    envoy.finish();
}

/// One of the conversations for which no request is under way.
fn any(waiting: &Mutex<Vec<Talk>>) -> Option<Talk> {
    let mut waiting = waiting.lock().unwrap();
    (!waiting.is_empty()).then(|| {
        let number = fastrand::usize(..waiting.len());
        waiting.swap_remove(number)
    })
}
