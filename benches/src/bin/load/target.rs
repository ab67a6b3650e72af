//! The compared targets: each is an address for requests, most with a process behind it.

use crate::process::Process;
use serde_json::{Value, json};
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

const CODEX_RELAY: &str = "codex-relay";

/// The filter that an Envoy is started with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Filter {
    None,
    Passthrough,
    /// The calls to Envoy that Transponder makes, and nothing else.
    HostCalls,
    /// Transponder, with the request's headers held or not.
    Transponder {
        held: bool,
    },
    /// The Transponder of an earlier commit, which shows what has changed since.
    Before,
}

/// The limit for the start of a target.
const START: Duration = Duration::from_secs(90);

impl Target {
    /// The upstream itself.
    pub fn mock(address: SocketAddr) -> Self {
        Self { name: "upstream alone", address, process: None, started_in: Duration::ZERO }
    }

    /// An Envoy with one worker. `http2`: HTTP/2 to the upstream, so that many streams need few sockets.
    pub async fn envoy(filter: Filter, upstream: SocketAddr, http2: bool, files: &Path) -> Self {
        let name = match filter {
            Filter::None => "Envoy alone",
            Filter::Passthrough => "do-nothing filter",
            Filter::HostCalls => "host calls alone",
            Filter::Transponder { held: false } => "Transponder",
            Filter::Transponder { held: true } => "Transponder, headers held",
            Filter::Before => "Transponder before",
        };
        let address = free_port();
        let admin = free_port();
        let path = |ending: &str| files.join(format!("{}-{http2}.{ending}", name.replace([' ', ','], "-")));
        std::fs::write(path("json"), envoy_config(filter, address, admin, upstream, http2).to_string())
            .expect("Envoy's configuration");
        let envoy = std::env::var_os("TRANSPONDER_ENVOY").expect("TRANSPONDER_ENVOY: `make bench` sets it");
        let mut command = Command::new(envoy);
        command.arg("-c").arg(path("json")).args(["--concurrency", "1", "--disable-hot-restart"]);
        command.args(["--log-level", "error"]);
        Self::start(name, address, admin, "/ready", &mut command, &path("log"))
            .await
            .unwrap_or_else(|why| panic!("{why}"))
    }

    /// `codex-relay`, if it was installed.
    pub async fn codex_relay(upstream: SocketAddr, files: &Path) -> Option<Self> {
        let binary = tool("BENCH_CODEX_RELAY")?;
        let address = free_port();
        let mut command = Command::new(binary);
        command.env("CODEX_RELAY_UPSTREAM", format!("http://{upstream}/v1"));
        command.env("CODEX_RELAY_PORT", address.port().to_string()).env("CODEX_RELAY_API_KEY", "none");
        let log = files.join("codex-relay.log");
        or_say(Self::start(CODEX_RELAY, address, address, "/", &mut command, &log).await)
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
        or_say(Self::start("LiteLLM", address, address, "/health/liveliness", &mut command, &log).await)
    }

    /// Whether the target can handle this case. codex-relay needs minutes for 10 MB.
    pub fn takes(&self, bytes: usize) -> bool {
        self.name != CODEX_RELAY || bytes <= 1_000_000
    }

    async fn start(
        name: &'static str,
        address: SocketAddr,
        asked: SocketAddr,
        path: &str,
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

fn free_port() -> SocketAddr {
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

fn envoy_config(
    filter: Filter,
    listen: SocketAddr,
    admin: SocketAddr,
    upstream: SocketAddr,
    http2: bool,
) -> Value {
    let held = filter == Filter::Transponder { held: true };
    let mut filters = Vec::new();
    let module = match filter {
        Filter::None => None,
        Filter::Passthrough => Some("BENCH_PASSTHROUGH"),
        Filter::HostCalls => Some("BENCH_HOST_CALLS"),
        Filter::Transponder { .. } => Some("TRANSPONDER_WASM"),
        Filter::Before => Some("BENCH_BEFORE_WASM"),
    };
    if let Some(module) = module {
        let module = std::env::var(module).unwrap_or_else(|_| panic!("{module}: `make bench` sets it"));
        filters.push(json!({"name": "wasm", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
            "config": {
                "name": "wasm", "allow_on_headers_stop_iteration": held,
                "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue",
                                  "value": json!({"hold_request_headers": held}).to_string()},
                "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": {"local": {"filename": module}}}
            }
        }}));
    }
    filters.push(json!({"name": "router", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}));
    let many = 100_000;
    let mut cluster = json!({
        "name": "upstream", "type": "STATIC", "connect_timeout": "5s",
        "circuit_breakers": {"thresholds": [
            {"max_connections": many, "max_pending_requests": many, "max_requests": many}]},
        "load_assignment": {"cluster_name": "upstream", "endpoints": [{"lb_endpoints": [
            {"endpoint": {"address": socket(upstream)}}]}]}
    });
    if http2 {
        cluster["typed_extension_protocol_options"] = json!({
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {"max_concurrent_streams": 100}}
            }
        });
    }
    json!({
        "admin": {"address": socket(admin)},
        "static_resources": {
            "listeners": [{"name": "clients", "address": socket(listen), "filter_chains": [{"filters": [{
                "name": "http", "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                    "stat_prefix": "http",
                    "route_config": {"virtual_hosts": [{
                        "name": "all", "domains": ["*"], "request_body_buffer_limit": 128 << 20,
                        "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream", "timeout": "0s"}}]
                    }]},
                    "http_filters": filters
                }
            }]}]}],
            "clusters": [cluster]
        }
    })
}

fn socket(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip().to_string(), "port_value": address.port()}})
}
