//! The scripted Chat Completions server of `examples/chat_upstream`, as a separate process.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;

use super::process::{Process, example};

/// Control calls are small.
const CONTROL: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    client: reqwest::Client,
    _process: Process,
    _files: TempDir,
}

/// A request as the upstream saw it.
#[derive(Clone, Debug, Deserialize)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub headers: BTreeMap<String, String>,
    /// A string if it was not JSON.
    pub body: Value,
    /// `ok`, or `refused: why`.
    pub outcome: String,
}

impl Upstream {
    pub async fn start() -> Self {
        Self::start_on("127.0.0.1:0").await
    }

    pub async fn start_on(address: &str) -> Self {
        let files = TempDir::new().expect("a temporary directory");
        let mut process = Process::start(
            Command::new(example("chat_upstream")).args(["--listen", address]),
            files.path().join("upstream.log"),
        );
        let log = process.log.clone();
        let address = process
            .until("the scripted upstream", || {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                async move { address_in(&said) }
            })
            .await;
        Self { address, client: reqwest::Client::new(), _process: process, _files: files }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL that a Chat Completions client would be given.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Sets the replies and the strictness of the server. What the script does not name gets its default again.
    pub async fn script(&self, script: Value) {
        let refused = self.try_script(script).await.err();
        assert_eq!(refused, None, "the script was refused");
    }

    pub async fn try_script(&self, script: Value) -> Result<(), String> {
        let request = self.client.post(self.control("script")).json(&script);
        let response = request.timeout(CONTROL).send().await.expect("an answer");
        if response.status().is_success() {
            return Ok(());
        }
        Err(response.text().await.expect("a reason"))
    }

    /// The number of scripted replies that were not requested.
    pub async fn left(&self) -> u64 {
        self.get("script").await["left"].as_u64().expect("a count")
    }

    pub async fn requests(&self) -> Vec<Seen> {
        serde_json::from_value(self.get("requests").await).expect("the list of requests")
    }

    /// Checks that no request was rejected. Returns their bodies.
    pub async fn bodies(&self) -> Vec<Value> {
        let requests = self.requests().await;
        for request in &requests {
            assert_eq!(request.outcome, "ok", "the upstream refused: {request:#?}");
        }
        requests.into_iter().map(|request| request.body).collect()
    }

    pub async fn clear(&self) {
        let request = self.client.delete(self.control("requests"));
        let response = request.timeout(CONTROL).send().await.expect("an answer");
        assert!(response.status().is_success());
    }

    async fn get(&self, what: &str) -> Value {
        let request = self.client.get(self.control(what)).timeout(CONTROL);
        let response = request.send().await.expect("an answer");
        response.json().await.expect("JSON")
    }

    fn control(&self, what: &str) -> String {
        format!("http://{}/_/{what}", self.address)
    }
}

fn address_in(said: &str) -> Option<SocketAddr> {
    let line = said.lines().find(|_| said.ends_with('\n'))?;
    line.strip_prefix("listening on http://")?.strip_suffix("/v1")?.parse().ok()
}
