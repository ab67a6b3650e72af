//! Two thousand streams at once, then mixed load with injected faults: every reply is correct, none is
//! lost, and Envoy's memory stays where it was. A third of the load goes through the smallest buffer that a listener can have,
//! and a third through the native module.
//!
//! `SOAK_SECONDS` is the length of the mixed load: two minutes with the hold in `make test`, half an hour in `make soak`.

mod panics;
mod replies;
mod upstream;

use replies::{KINDS, Kind, ask};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use support::{Envoy, Headers, Launch, bootstrap};
use upstream::Upstream;

/// Streams at once.
const HELD: usize = 2000;

/// How long these streams stay open.
const HOLD: Duration = Duration::from_secs(10);

/// The VM memory that a stream may take when it has just begun, in addition to its request.
const STREAM_BYTES: u64 = 16 << 10;

/// The memory of all VMs.
const VM_MEMORY: &str = "wasmcustom.transponder_vm_memory_bytes";

/// The number of clients in the mixed load.
const CLIENTS: u64 = 16;

fn seconds() -> u64 {
    std::env::var("SOAK_SECONDS").ok().map_or(100, |seconds| seconds.parse().expect("a number of seconds"))
}

/// `listener` with Envoy's defaults, `small`, which holds headers and allows the smallest buffer, and `native`.
async fn start(upstream: &Upstream) -> Envoy {
    let mut plan = bootstrap(upstream.address, "{}", Headers::Flow);
    let held = bootstrap(upstream.address, r#"{"hold_request_headers": true}"#, Headers::Held);
    let mut small = held["static_resources"]["listeners"][0].clone();
    small["name"] = json!("small");
    small["per_connection_buffer_limit_bytes"] = json!(1024);
    let native = bootstrap(upstream.address, "{}", Headers::Native);
    let mut native = native["static_resources"]["listeners"][0].clone();
    native["name"] = json!("native");
    plan["static_resources"]["listeners"].as_array_mut().unwrap().extend([small, native]);
    let much = json!([{"max_connections": 10_000, "max_requests": 10_000, "max_pending_requests": 10_000}]);
    plan["static_resources"]["clusters"][0]["circuit_breakers"] = json!({"thresholds": much});
    Envoy::launch_as(&plan, Launch { workers: 2, quiet: true, ..Launch::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_and_memory_stays_flat() {
    // Two connections for each stream, and both ends of each are in this process or its child.
    rlimit::increase_nofile_limit(u64::MAX).expect("more open files");
    let upstream = Upstream::start().await;
    let envoy = start(&upstream).await;
    let at_start = envoy.resident_megabytes();

    let vms_at_start = envoy.stat(VM_MEMORY).await;
    assert!(vms_at_start > 0, "the VMs say how much memory they have");
    hold(&envoy, &upstream).await;
    let held = envoy.resident_megabytes();
    let for_each = (envoy.stat(VM_MEMORY).await - vms_at_start) / HELD as u64;
    println!("memory of the VMs: {vms_at_start} bytes at the start, {for_each} more for each open stream");
    assert!(for_each < STREAM_BYTES, "an open stream takes {for_each} bytes of its VM");
    let (counts, memory) = mixed_load(&envoy).await;

    let total: u64 = counts.values().sum();
    println!("memory in MB: {at_start} at the start, {held} after {HELD} streams at once, then {memory:?}");
    println!("{total} replies as they must be: {counts:?}");
    assert!(KINDS.iter().all(|kind| counts.contains_key(kind.model)), "every kind came: {counts:?}");
    let (early, late) = (mean(&memory[2..4]), mean(&memory[memory.len() - 2..]));
    assert!(late <= early + early / 10 + 16, "memory grew from {early} MB to {late} MB: {memory:?}");
    envoy.finish();
}

fn mean(values: &[u64]) -> u64 {
    values.iter().sum::<u64>() / values.len() as u64
}

/// All streams are open at once, and then all complete.
async fn hold(envoy: &Envoy, upstream: &Upstream) {
    let client = reqwest::Client::new();
    let slow = Kind { model: "slow", ..KINDS[0] };
    let url = format!("http://{}/v1/responses", envoy.listeners().await["listener"]);
    let streams: Vec<_> = (0..HELD)
        .map(|_| {
            let (client, url) = (client.clone(), url.clone());
            tokio::spawn(async move { ask(&client, &url, &slow, true).await })
        })
        .collect();
    let begin = Instant::now();
    while upstream.open() < HELD {
        assert!(begin.elapsed() < Duration::from_secs(120), "{} of {HELD} streams are open", upstream.open());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tokio::time::sleep(HOLD).await;
    assert_eq!(upstream.open(), HELD, "all streams are still open");
    upstream.release();
    for stream in streams {
        stream.await.unwrap();
    }
}

/// The number of replies of each kind, and Envoy's memory at twelve points in time.
async fn mixed_load(envoy: &Envoy) -> (BTreeMap<&'static str, u64>, Vec<u64>) {
    let counts = Arc::new(Mutex::new(BTreeMap::new()));
    let end = Instant::now() + Duration::from_secs(seconds());
    let turn = Arc::new(AtomicU64::new(0));
    let listeners = envoy.listeners().await;
    let urls: Vec<_> = listeners.values().map(|address| format!("http://{address}/v1/responses")).collect();
    assert_eq!(urls.len(), 3);
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (counts, turn, urls) = (Arc::clone(&counts), Arc::clone(&turn), urls.clone());
            tokio::spawn(async move {
                let client = reqwest::Client::new();
                while Instant::now() < end {
                    let turn = turn.fetch_add(1, Ordering::Relaxed);
                    let kind = &KINDS[turn as usize % KINDS.len()];
                    // Two of three requests ask for a stream, through each listener.
                    let round = turn / KINDS.len() as u64;
                    let url = &urls[round as usize % urls.len()];
                    ask(&client, url, kind, !(round / 3).is_multiple_of(3)).await;
                    *counts.lock().unwrap().entry(kind.model).or_default() += 1;
                }
            })
        })
        .collect();
    let mut memory = Vec::new();
    for _ in 0..12 {
        tokio::time::sleep(Duration::from_secs_f64(seconds() as f64 / 12.0)).await;
        memory.push(envoy.resident_megabytes());
    }
    for client in clients {
        client.await.unwrap();
    }
    let counts = counts.lock().unwrap().clone();
    (counts, memory)
}
