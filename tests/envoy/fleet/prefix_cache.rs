//! What affinity saves: the tokens that real llama.cpp servers evaluate, with and without it. docs/fleet.md has the table.

use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;
use support::{Envoy, Process, fleet, post_with, project};

const THREADS: usize = 6;
const TURNS: usize = 6;

struct LlamaCpp {
    address: SocketAddr,
    _server: Process,
    _files: tempfile::TempDir,
}

async fn llamacpp() -> LlamaCpp {
    let script = project().join("tests/upstreams/llamacpp/run.sh");
    let prepared = tokio::process::Command::new(&script).args(["prepare", "plain"]).status();
    let prepared = tokio::time::timeout(Duration::from_secs(300), prepared).await;
    assert!(prepared.expect("llama.cpp in time").unwrap().success(), "llama.cpp could not be installed");
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let files = tempfile::tempdir().unwrap();
    let mut command = Command::new(&script);
    command.args([&address.port().to_string(), "plain"]);
    let mut server = Process::start(&mut command, files.path().join("log"));
    let health = format!("http://{address}/health");
    server.until("llama.cpp", async || reqwest::get(&health).await.ok()?.error_for_status().ok()).await;
    LlamaCpp { address, _server: server, _files: files }
}

/// What a tool printed, which is what most of a conversation consists of.
fn text(thread: usize, turn: usize, words: usize) -> String {
    (0..words).map(|word| format!("w{} ", (thread * 7919 + turn * 104_729 + word * word) % 9973)).collect()
}

/// The tokens that the servers evaluate in each turn, all threads together.
async fn evaluated(envoy: &Envoy) -> Vec<u64> {
    let mut threads: Vec<Vec<Value>> = (0..THREADS).map(|thread| vec![user(&text(thread, 0, 800))]).collect();
    let mut turns = Vec::new();
    for turn in 0..TURNS {
        let mut evaluated = 0;
        for (thread, input) in threads.iter_mut().enumerate() {
            let id = format!("0199a213-81c0-7800-8aa1-{thread:012}");
            let body = json!({"model": "m", "input": input, "max_output_tokens": 8});
            let answer = post_with(&envoy.responses_url(), &[("session-id", &*id)], body.to_string()).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let response = answer.json();
            let usage = &response["usage"];
            let cached = usage["input_tokens_details"]["cached_tokens"].as_u64().unwrap();
            evaluated += usage["input_tokens"].as_u64().unwrap() - cached;
            input.extend(response["output"].as_array().unwrap().iter().cloned());
            input.push(user(&text(thread, turn + 1, 20)));
        }
        turns.push(evaluated / THREADS as u64);
    }
    turns
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

#[tokio::test]
async fn affinity_saves_most_of_the_evaluation() {
    let mut measured = Vec::new();
    for affinity in [true, false] {
        let servers = [llamacpp().await, llamacpp().await, llamacpp().await];
        let addresses = servers.each_ref().map(|server| server.address);
        let mut config = fleet("affinity", &[("replicas", &addresses)]);
        let cluster = &mut config["static_resources"]["clusters"][0];
        if affinity {
            // The ring depends on the addresses, and the test's are different each time.
            let places = cluster.pointer_mut("/load_assignment/endpoints/0/lb_endpoints").unwrap();
            for (index, place) in places.as_array_mut().unwrap().iter_mut().enumerate() {
                place["metadata"] =
                    json!({"filter_metadata": {"envoy.lb": {"hash_key": format!("replica-{index}")}}});
            }
        } else {
            cluster["lb_policy"] = json!("LEAST_REQUEST");
            cluster.as_object_mut().unwrap().remove("ring_hash_lb_config");
        }
        let envoy = Envoy::launch_plain(&config).await;
        measured.push(evaluated(&envoy).await);
        envoy.finish();
    }
    println!("with affinity {:?}, without {:?}", measured[0], measured[1]);
    let after_the_first = |turns: &Vec<u64>| turns.iter().skip(1).sum::<u64>();
    let (with, without) = (after_the_first(&measured[0]), after_the_first(&measured[1]));
    assert!(without >= 5 * with, "{measured:?}");
}
