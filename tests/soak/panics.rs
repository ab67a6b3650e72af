//! The native module with panics injected into one of ten requests: each costs its own exchange, and nothing else.

use crate::replies::{KINDS, ask};
use crate::upstream::Upstream;
use crate::{CLIENTS, mean, seconds};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::{Envoy, Headers, Launch, bootstrap, post_with, trap_module};

/// A part of the mixed load's: ten minutes of `make soak`.
fn length() -> Duration {
    Duration::from_secs(seconds() / 3)
}

const PLACES: [&str; 4] = ["request headers", "request body", "response headers", "response body"];

async fn start(upstream: &Upstream) -> Envoy {
    let plan = bootstrap(upstream.address, "{}", Headers::Native);
    let modules = trap_module();
    Envoy::launch_as(
        &plan,
        Launch { workers: 2, modules: modules.parent(), quiet: true, ..Launch::default() },
    )
    .await
}

/// Asks for a panic. The client gets an error, or a transfer that is seen to be broken: the upstream streams, so a reply
/// has begun when its body arrives.
async fn panics(url: &str, place: &str, stream: bool) {
    let body = json!({"model": "text", "input": "hi", "stream": stream}).to_string();
    let answer = post_with(url, &[("x-transponder-trap", place)], body).await;
    if place == "response body" {
        assert!(answer.broken.is_some(), "{place}: {answer:?}");
    } else {
        assert_eq!((answer.status, &answer.broken), (500, &None), "{place}: {answer:?}");
        assert_eq!(answer.json()["error"]["code"], "internal_error", "{place}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn panics_cost_their_own_exchanges_and_nothing_else() {
    let upstream = Upstream::start().await;
    let envoy = start(&upstream).await;
    let (turn, panicked) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let end = Instant::now() + length();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (turn, panicked, url) = (Arc::clone(&turn), Arc::clone(&panicked), envoy.responses_url());
            tokio::spawn(async move {
                let client = reqwest::Client::new();
                while Instant::now() < end {
                    let turn = turn.fetch_add(1, Ordering::Relaxed);
                    let stream = !(turn / 10).is_multiple_of(3);
                    if turn.is_multiple_of(10) {
                        let place = PLACES[(turn / 10) as usize % PLACES.len()];
                        panics(&url, place, stream).await;
                        panicked.fetch_add(1, Ordering::Relaxed);
                    } else {
                        let kind = &KINDS[turn as usize % KINDS.len()];
                        ask(&client, &url, kind, stream).await;
                    }
                }
            })
        })
        .collect();
    let mut memory = Vec::new();
    for _ in 0..6 {
        tokio::time::sleep(length() / 6).await;
        memory.push(envoy.resident_megabytes());
    }
    for client in clients {
        client.await.unwrap();
    }
    let (all, panicked) = (turn.load(Ordering::Relaxed), panicked.load(Ordering::Relaxed));
    println!("{all} replies as they must be, {panicked} panics among them; memory in MB: {memory:?}");
    assert!(panicked > 20, "{panicked} panics");
    assert_eq!(envoy.stat("wasmcustom.transponder_panics_total").await, panicked);
    assert_eq!(envoy.stat("wasmcustom.preset=.=generic;.;transponder_open_exchanges").await, 0);
    let (early, late) = (mean(&memory[1..3]), mean(&memory[4..]));
    assert!(late <= early + early / 10 + 16, "memory grew from {early} MB to {late} MB: {memory:?}");
    envoy.finish_after_trap();
}
