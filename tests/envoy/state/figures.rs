//! What stored responses cost. The figures of `docs/state.md` are printed with `--nocapture`; nothing here depends on them.

use super::stores::{Kind, StoreServer};
use super::{Conversation, KEY, operations, with_store};
use crate::config;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use support::own_upstream::{OwnUpstream, completion};
use support::{Envoy, Headers};

const TURNS: usize = 200;

/// How often each kind of store serves the same turn.
const ROUNDS: usize = 150;

/// Each turn reads one record and writes one, and a record is as long as its conversation.
#[tokio::test]
async fn a_conversation_of_two_hundred_turns_grows_with_its_length() {
    let upstream = OwnUpstream::start(|| completion("An answer.")).await;
    let store = StoreServer::start(Kind::Nginx).await;
    let plugin = config(Headers::Flow, json!({"store": {"http": store.settings()}}));
    let bootstrap = with_store(upstream.address, &plugin, Headers::Flow, &store.cluster());
    let envoy = Envoy::launch_plain(&bootstrap).await;
    let mut conversation = Conversation::new(&envoy, false);
    let mut times = Vec::new();
    for turn in 1..=TURNS {
        let begin = Instant::now();
        conversation.send(json!(format!("This is question {turn:03}."))).await;
        times.push(begin.elapsed());
    }
    let count = (operations(&envoy, "write", "done").await, operations(&envoy, "read", "done").await);
    assert_eq!(count, (TURNS as u64, TURNS as u64 - 1));
    let mut sizes: Vec<u64> =
        store.records().iter().map(|record| std::fs::metadata(record).unwrap().len()).collect();
    sizes.sort_unstable();
    let growth: Vec<u64> = sizes.windows(2).map(|pair| pair[1] - pair[0]).collect();
    // The first has no `previous_response_id`, which is as long in all others.
    assert!(growth[1..].iter().all(|bytes| *bytes == growth[1]), "{growth:?}");
    println!(
        "{TURNS} turns: the first record has {} bytes, each further one {} more, the last {}; a turn takes {:?} at first, \
         {:?} at the end",
        sizes[0],
        growth[1],
        sizes[TURNS - 1],
        median(&times[..20]),
        median(&times[TURNS - 20..])
    );
    envoy.finish();
}

/// The same turn without a store, with each kind of store, and in each way in which Envoy can run the filter.
#[tokio::test]
async fn a_turn_with_a_store_is_the_same_turn() {
    let upstream = OwnUpstream::start(|| completion("An answer.")).await;
    let store = StoreServer::start(Kind::Nginx).await;
    for headers in Headers::all() {
        let kinds = [json!("off"), json!("memory"), json!({"http": store.settings()})];
        let mut turns = Vec::new();
        for kind in &kinds {
            let plugin = config(headers, json!({"store": kind}));
            let bootstrap = with_store(upstream.address, &plugin, headers, &store.cluster());
            turns.push(Turn::new(Envoy::launch_plain(&bootstrap).await, *kind != json!("off")).await);
        }
        let mut times = vec![Vec::new(); kinds.len()];
        for _ in 0..ROUNDS {
            for (turn, times) in turns.iter().zip(&mut times) {
                times.push(turn.send().await);
            }
        }
        let bodies: Vec<_> = upstream.seen().iter().rev().take(3).map(|seen| seen.body.clone()).collect();
        assert!(bodies.iter().all(|body| *body == bodies[0]), "the upstream sees no difference");
        let [off, memory, http] = [0, 1, 2].map(|kind| median(&times[kind]));
        println!(
            "{headers:?}: a turn takes {off:?}; a store in memory adds {:?}, one over HTTP {:?}",
            memory.saturating_sub(off),
            http.saturating_sub(off)
        );
        turns.into_iter().for_each(|turn| {
            turn.envoy.finish();
        });
    }
}

/// The second turn of a conversation, on one connection.
struct Turn {
    envoy: Envoy,
    client: reqwest::Client,
    body: String,
}

impl Turn {
    async fn new(envoy: Envoy, is_stored: bool) -> Self {
        let body = if is_stored {
            let first = Conversation::new(&envoy, false).send(json!("The first question.")).await;
            json!({"model": "m", "input": "The next one.", "previous_response_id": first["id"]})
        } else {
            json!({"model": "m", "input": [
                {"role": "user", "content": "The first question."},
                {"role": "assistant", "content": "An answer."},
                {"role": "user", "content": "The next one."}
            ]})
        };
        Self { envoy, client: reqwest::Client::new(), body: body.to_string() }
    }

    async fn send(&self) -> Duration {
        let begin = Instant::now();
        let request = self.client.post(self.envoy.responses_url()).header("authorization", KEY);
        let answer = request.timeout(Duration::from_secs(30)).body(self.body.clone()).send().await.unwrap();
        let response: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(response["status"], "completed", "{response}");
        begin.elapsed()
    }
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[times.len() / 2]
}
