//! The turns of a conversation meet the replica that has its beginning.

use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use support::{Envoy, Upstream, fleet, post_with};

const THREADS: usize = 30;

/// Each replica's threads, by the number of turns of each that it got.
async fn threads(replicas: &[Option<Upstream>]) -> Vec<BTreeMap<String, usize>> {
    let mut all = Vec::new();
    for replica in replicas {
        let mut threads = BTreeMap::new();
        for body in if let Some(replica) = replica { replica.bodies().await } else { Vec::new() } {
            let thread = body["messages"][0]["content"].as_str().unwrap().to_owned();
            *threads.entry(thread).or_insert(0) += 1;
        }
        all.push(threads);
    }
    all
}

/// A turn of each thread, in another order each time.
async fn turns(envoy: &Envoy, count: usize) {
    for turn in 0..count {
        for step in 0..THREADS {
            let thread = (step * 7 + turn) % THREADS;
            let id = format!("0199a213-81c0-7800-8aa1-{thread:012}");
            // Codex has a window id too, which changes within a thread.
            let window = format!("{id}:{turn}");
            let headers = [("session-id", &*id), ("thread-id", &*id), ("x-codex-window-id", &*window)];
            let body = json!({"model": "m", "instructions": format!("thread {thread}"), "input": format!("turn {turn}")});
            let answer = post_with(&envoy.responses_url(), &headers, body.to_string()).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }
}

fn names(threads: &BTreeMap<String, usize>) -> BTreeSet<String> {
    threads.keys().cloned().collect()
}

#[tokio::test]
async fn a_thread_stays_at_its_replica_and_moves_only_if_that_is_gone() {
    let mut replicas = Vec::new();
    for _ in 0..3 {
        replicas.push(Some(Upstream::start().await));
    }
    let addresses: Vec<_> = replicas.iter().flatten().map(Upstream::address).collect();
    let envoy = Envoy::launch(&fleet("affinity", &[("replicas", &addresses)])).await;

    turns(&envoy, 10).await;
    let before = threads(&replicas).await;
    for (replica, threads) in before.iter().enumerate() {
        assert!(threads.len() > 2, "replica {replica} got {threads:?}");
        assert!(threads.values().all(|turns| *turns == 10), "replica {replica} got {threads:?}");
    }
    for seen in replicas[0].as_ref().unwrap().requests().await {
        let told: Vec<_> = seen.headers.iter().filter(|(_, value)| value.contains("0199a213")).collect();
        assert!(told.is_empty() && seen.headers["x-transponder-session"].len() == 32, "{seen:?}");
    }

    let gone = (0..3).max_by_key(|replica| before[*replica].len()).unwrap();
    replicas[gone] = None;
    for replica in replicas.iter().flatten() {
        replica.clear().await;
    }
    turns(&envoy, 10).await;
    let after = threads(&replicas).await;
    let mut moved = BTreeSet::new();
    for replica in (0..3).filter(|replica| *replica != gone) {
        assert!(
            after[replica].values().all(|turns| *turns == 10),
            "replica {replica} got {:?}",
            after[replica]
        );
        assert!(
            names(&after[replica]).is_superset(&names(&before[replica])),
            "replica {replica} lost threads"
        );
        moved.extend(names(&after[replica]).difference(&names(&before[replica])).cloned());
    }
    assert_eq!(moved, names(&before[gone]));
    envoy.finish();
}
