//! The compared targets: each is an address for requests, most with a process behind it.

use crate::known::{CODEX_RELAY, LITELLM, UPSTREAM};
use crate::process::Process;
use serde_json::json;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// One target.
pub struct Target {
    pub name: &'static str,
    pub address: SocketAddr,
    pub process: Option<Process>,
    /// Time from its start to its first reply.
    pub started_in: Duration,
}

/// The limit for the start of a target.
const START: Duration = Duration::from_secs(90);

impl Target {
    /// The upstream itself.
    pub fn upstream(address: SocketAddr) -> Self {
        Self { name: UPSTREAM, address, process: None, started_in: Duration::ZERO }
    }

    /// `codex-relay`, if it was installed.
    pub async fn codex_relay(upstream: SocketAddr, files: &Path) -> Option<Self> {
        let binary = tool("BENCH_CODEX_RELAY")?;
        let address = free_port();
        let mut command = Command::new(binary);
        command.env("CODEX_RELAY_UPSTREAM", format!("http://{upstream}/v1"));
        command.env("CODEX_RELAY_PORT", address.port().to_string()).env("CODEX_RELAY_API_KEY", "none");
        let log = files.join("codex-relay.log");
        or_say(Self::start(CODEX_RELAY, address, (address, "/"), &mut command, &log).await)
    }

    /// LiteLLM's proxy with one worker, if it was installed.
    pub async fn litellm(upstream: SocketAddr, files: &Path) -> Option<Self> {
        let binary = tool("BENCH_LITELLM")?;
        let address = free_port();
        let config = files.join("litellm.json");
        // A provider for which LiteLLM translates. To others it passes Responses requests on.
        let model = json!({"model_list": [{"model_name": "*", "litellm_params": {
            "model": "together_ai/m", "api_base": format!("http://{upstream}/v1"), "api_key": "none"}}]});
        std::fs::write(&config, model.to_string()).ok()?;
        let mut command = Command::new(binary);
        command.arg("--config").arg(config).args(["--host", "127.0.0.1", "--num_workers", "1"]);
        command.args(["--port", &address.port().to_string()]).env("LITELLM_LOG", "ERROR");
        command.env("LITELLM_LOCAL_MODEL_COST_MAP", "True");
        // It only accepts connections from this machine.
        command.env("LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY", "true");
        let log = files.join("litellm.log");
        or_say(Self::start(LITELLM, address, (address, "/health/liveliness"), &mut command, &log).await)
    }

    /// Whether the target can handle a request of this size. codex-relay needs minutes for 10 MB.
    pub fn takes(&self, bytes: usize) -> bool {
        self.name != CODEX_RELAY || bytes <= 1_000_000
    }

    /// Whether the target can hold this many streams. LiteLLM needs minutes to open ten thousand, and codex-relay has a
    /// connection to the upstream for each.
    pub fn holds(&self, streams: usize) -> bool {
        ![CODEX_RELAY, LITELLM].contains(&self.name) || streams <= 1000
    }

    /// Resident memory in bytes.
    pub fn memory(&self) -> Option<u64> {
        self.process.as_ref().map(Process::memory)
    }

    pub fn cpu(&self) -> Duration {
        self.process.as_ref().map(Process::cpu).unwrap_or_default()
    }

    /// Waits until it is idle.
    pub async fn quiet(&self) {
        if let Some(process) = &self.process {
            process.quiet().await;
        }
    }

    /// Starts a program, and waits until a GET gets a reply.
    pub async fn start(
        name: &'static str,
        address: SocketAddr,
        (asked, path): (SocketAddr, &str),
        command: &mut Command,
        log: &Path,
    ) -> Result<Self, String> {
        let begin = Instant::now();
        let mut process = Process::start(command, log).map_err(|error| format!("{name}: {error}"))?;
        while !answers(asked, path).await {
            if !process.is_running() || begin.elapsed() > START {
                return Err(format!("{name} did not start; see {}", log.display()));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(Self { name, address, started_in: begin.elapsed(), process: Some(process) })
    }
}

fn or_say(started: Result<Target, String>) -> Option<Target> {
    started.map_err(|why| eprintln!("{why}: left out")).ok()
}

fn tool(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_file())
}

pub fn free_port() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    listener.local_addr().expect("its address")
}

/// Whether a GET gets a reply other than a server error.
async fn answers(address: SocketAddr, path: &str) -> bool {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let Ok(mut stream) = tokio::net::TcpStream::connect(address).await else { return false };
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    let mut answer = [0; 12];
    stream.write_all(request.as_bytes()).await.is_ok()
        && stream.read_exact(&mut answer).await.is_ok()
        && !answer.ends_with(b"503")
}
