//! A real Envoy with the filter in front of one upstream.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::process::{Process, project};
use super::recording;

/// The limit for the admin interface, which answers at once or never.
const ADMIN: Duration = Duration::from_secs(10);

/// Messages in Envoy's log that a VM has crashed or could not start.
const TRAPS: [&str; 7] = [
    "Function: proxy_on_",
    "Uncaught RuntimeError",
    "wasm trap",
    "panicked at",
    "Proxy-Wasm plugin in-VM backtrace",
    "Failed to load Wasm",
    "has failed with",
];

/// Whether the filter may hold the request's headers until its body has arrived. The plugin configuration must say the
/// same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Headers {
    Flow,
    /// Envoy's `allow_on_headers_stop_iteration`.
    Held,
    /// The filter is the native module, which always holds them.
    Native,
}

impl Headers {
    /// How Envoy can run the filter: in each header mode, and natively if it can.
    pub fn all() -> Vec<Self> {
        let native = (minor_version() >= NATIVE_MINOR).then_some(Self::Native);
        [Self::Flow, Self::Held].into_iter().chain(native).collect()
    }

    /// The same, without the mode in which they do not wait.
    pub fn held() -> Vec<Self> {
        Self::all().into_iter().filter(|headers| *headers != Self::Flow).collect()
    }

    /// Where the plugin configuration is, in the configuration of Envoy's filter.
    pub fn configuration(self) -> &'static str {
        if self == Self::Native { "filter_config/value" } else { "config/configuration/value" }
    }

    /// The component of Envoy that logs what the filter says.
    pub fn component(self) -> &'static str {
        if self == Self::Native { "dynamic_modules" } else { "wasm" }
    }
}

const NATIVE_FILTER: &str =
    "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter";

/// The first Envoy 1.x that loads the native module.
const NATIVE_MINOR: u32 = 38;

/// How Envoy is started.
#[derive(Clone, Copy, Debug)]
pub struct Launch<'a> {
    /// Worker threads.
    pub workers: usize,
    /// The directory of the native modules, if not the one of the built module.
    pub modules: Option<&'a Path>,
    /// Only errors are logged, because there are thousands of exchanges.
    pub quiet: bool,
    /// The native module comes with a listener that Envoy discovers.
    pub discovers_native: bool,
}

impl Default for Launch<'_> {
    fn default() -> Self {
        Self { workers: 1, modules: None, quiet: false, discovers_native: false }
    }
}

#[derive(Debug)]
pub struct Envoy {
    process: Process,
    listener: SocketAddr,
    admin: SocketAddr,
    secrets: Vec<String>,
    finished: bool,
    files: TempDir,
}

impl Envoy {
    pub async fn start(upstream: SocketAddr, plugin_config: &str, headers: Headers) -> Self {
        Self::launch(&bootstrap(upstream, plugin_config, headers)).await
    }

    /// For tests that need other routes or more clusters: what `bootstrap` returns, changed.
    ///
    /// Its ports are 0, so that Envoy chooses free ones and no other process can take them first.
    pub async fn launch(bootstrap: &Value) -> Self {
        let files = TempDir::new().expect("a temporary directory");
        Self::with(&recorded(bootstrap, files.path()), files, Launch::default()).await
    }

    /// The same without a recording, for a bootstrap whose listeners are elsewhere.
    pub async fn launch_plain(bootstrap: &Value) -> Self {
        Self::launch_workers(bootstrap, 1).await
    }

    /// Without a recording, and with so many worker threads.
    pub async fn launch_workers(bootstrap: &Value, workers: usize) -> Self {
        Self::launch_as(bootstrap, Launch { workers, ..Launch::default() }).await
    }

    /// Without a recording.
    pub async fn launch_as(bootstrap: &Value, launch: Launch<'_>) -> Self {
        Self::with(bootstrap, TempDir::new().expect("a temporary directory"), launch).await
    }

    async fn with(bootstrap: &Value, files: TempDir, launch: Launch<'_>) -> Self {
        let path = |name: &str| files.path().join(name);
        let config = bootstrap.to_string();
        std::fs::write(path("envoy.json"), &config).expect("Envoy's configuration");
        let is_native = launch.discovers_native || config.contains(NATIVE_FILTER);
        let mut command = command(is_native);
        command.arg("-c").arg(path("envoy.json"));
        command.args(["--concurrency", &launch.workers.to_string(), "--use-dynamic-base-id"]);
        // So that tests find the access log soon.
        command.args(["--file-flush-interval-msec", "200"]);
        if launch.quiet {
            command.args(["--log-level", "error"]);
        } else {
            command.args(["--log-level", "warning"]);
            command.args(["--component-log-level", "wasm:debug,dynamic_modules:debug,http:info"]);
        }
        if let Some(modules) = launch.modules {
            command.env(MODULES, modules);
        }
        Self::run(command, files).await
    }

    /// An Envoy that a command starts, to which Envoy's own options can be added.
    pub async fn run(mut command: Command, files: TempDir) -> Self {
        let admin_file = files.path().join("admin");
        if !command.get_envs().any(|(name, _)| name == MODULES) {
            command.env(MODULES, native_module().parent().expect("a directory"));
        }
        command.arg("--admin-address-path").arg(&admin_file);
        let mut process = Process::start(&mut command, files.path().join("envoy.log"));
        let admin: SocketAddr = process
            .until("Envoy's admin interface", || {
                let text = std::fs::read_to_string(&admin_file).unwrap_or_default();
                async move { text.trim().parse().ok() }
            })
            .await;
        let listener = process.until("Envoy's listener", || listener_address(admin)).await;
        Self { process, listener, admin, secrets: Vec::new(), finished: false, files }
    }

    pub fn address(&self) -> SocketAddr {
        self.listener
    }

    /// The address of each listener, by its name.
    pub async fn listeners(&self) -> BTreeMap<String, SocketAddr> {
        listener_addresses(self.admin).await.expect("Envoy's listeners")
    }

    /// The admin interface.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    /// The base URL for a Responses client.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.listener)
    }

    pub fn responses_url(&self) -> String {
        format!("{}/responses", self.base_url())
    }

    /// Secrets: words of bodies, tokens and arguments. `finish` fails if one of them is in the log.
    pub fn plant_secret(&mut self, secret: &str) {
        self.secrets.push(secret.to_owned());
    }

    /// The memory of the process, its VMs included.
    pub fn resident_megabytes(&self) -> u64 {
        let ps = Command::new("ps").args(["-o", "rss=", "-p", &self.process.id().to_string()]).output();
        let kilobytes = String::from_utf8(ps.expect("ps").stdout).expect("a number");
        kilobytes.trim().parse::<u64>().expect("a number of kilobytes") / 1024
    }

    /// Sets the log level of one of Envoy's components.
    pub async fn set_log_level(&self, component: &str, level: &str) {
        let url = format!("http://{}/logging?{component}={level}", self.admin);
        let client = reqwest::Client::builder().timeout(ADMIN).build().expect("a client");
        client
            .post(&url)
            .send()
            .await
            .expect("the admin interface")
            .error_for_status()
            .expect("a known level");
    }

    /// Makes Envoy drain its connections, as before a restart.
    pub async fn drain(&self) {
        let url = format!("http://{}/drain_listeners?graceful", self.admin);
        let client = reqwest::Client::builder().timeout(ADMIN).build().expect("a client");
        client.post(&url).send().await.expect("the admin interface").error_for_status().expect("a drain");
    }

    pub fn logged(&self) -> String {
        self.process.logged()
    }

    /// The value of a counter or gauge, by its full name. One that does not exist is 0.
    pub async fn stat(&self, name: &str) -> u64 {
        let all = self.stats("").await;
        let found = all.into_iter().find(|(stat, _)| stat == name);
        found.map_or(0, |(_, value)| value)
    }

    /// Counters and gauges whose names contain the word.
    pub async fn stats(&self, word: &str) -> Vec<(String, u64)> {
        let url = format!("http://{}/stats", self.admin);
        let text = admin(&url).await.expect("Envoy's statistics");
        text.lines()
            .filter_map(|line| line.split_once(": "))
            .filter(|(name, _)| name.contains(word))
            .filter_map(|(name, value)| Some((name.to_owned(), value.parse().ok()?)))
            .collect()
    }

    /// No trap, no panic, no secret in the log, and Envoy still runs.
    pub fn assert_healthy(&mut self) {
        let log = self.logged();
        for trap in TRAPS {
            assert!(!log.contains(trap), "`{trap}` in Envoy's log:\n{log}");
        }
        for secret in &self.secrets {
            assert!(!log.contains(secret), "a planted secret is in Envoy's log");
        }
        assert!(self.process.is_running(), "Envoy has ended:\n{log}");
    }

    /// Every test should end with this, because a value that is only dropped checks nothing if the test has failed
    /// already.
    ///
    /// Checks every reply again as Envoy recorded it. Returns their number.
    pub fn finish(mut self) -> usize {
        self.close()
    }

    /// Ends a test that made the VM trap.
    pub fn finish_after_trap(mut self) {
        assert!(TRAPS.iter().any(|trap| self.logged().contains(trap)), "no trap in Envoy's log");
        self.finished = true;
        assert!(self.process.is_running(), "Envoy has ended:\n{}", self.logged());
        self.process.kill();
    }

    fn close(&mut self) -> usize {
        self.finished = true;
        self.assert_healthy();
        self.process.terminate();
        let cut = self.logged().matches("reply cut:").count();
        recording::check(self.files.path(), cut)
    }

    pub fn files(&self) -> &Path {
        self.files.path()
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("Envoy's log:\n{}", self.logged());
        } else if !self.finished {
            self.close();
        }
    }
}

/// The bootstrap, with every listener recording its exchanges.
fn recorded(bootstrap: &Value, directory: &Path) -> Value {
    let mut bootstrap = bootstrap.clone();
    let listeners = bootstrap["static_resources"]["listeners"].as_array_mut().expect("listeners");
    for listener in listeners {
        let filters = listener.pointer_mut("/filter_chains/0/filters/0/typed_config/http_filters");
        let filters = filters.and_then(Value::as_array_mut).expect("HTTP filters");
        filters.insert(0, recording::tap(directory));
    }
    bootstrap
}

async fn admin(url: &str) -> Option<String> {
    let client = reqwest::Client::builder().timeout(ADMIN).build().ok()?;
    client.get(url).send().await.ok()?.text().await.ok()
}

/// One of the listeners, once Envoy is ready. Others may be sockets of the file system, for what is behind the first.
async fn listener_address(address: SocketAddr) -> Option<SocketAddr> {
    let listeners = admin(&format!("http://{address}/listeners?format=json")).await?;
    let listeners: Value = serde_json::from_str(&listeners).ok()?;
    let listener = listeners.get("listener_statuses")?.as_array()?.iter().find_map(listening)?;
    // Envoy is not ready before the plugin is configured.
    let ready = admin(&format!("http://{address}/ready")).await?;
    (ready.trim() == "LIVE").then_some(listener)
}

async fn listener_addresses(address: SocketAddr) -> Option<BTreeMap<String, SocketAddr>> {
    let listeners = admin(&format!("http://{address}/listeners?format=json")).await?;
    let listeners: Value = serde_json::from_str(&listeners).ok()?;
    let statuses = listeners.get("listener_statuses")?.as_array()?.iter();
    statuses.map(|status| Some((status.get("name")?.as_str()?.to_owned(), listening(status)?))).collect()
}

fn listening(status: &Value) -> Option<SocketAddr> {
    let local = status.pointer("/local_address/socket_address")?;
    let (host, port) = (local.get("address")?.as_str()?, local.get("port_value")?);
    Some(SocketAddr::new(host.parse().ok()?, u16::try_from(port.as_u64()?).ok()?))
}

pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("TRANSPONDER_ENVOY") {
        return path.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|directory| directory.join("envoy"))
        .find(|file| file.is_file())
        .expect("no Envoy in TRANSPONDER_ENVOY or on the PATH: run `make test`, which fetches one")
}

/// The Envoy that runs the native module, or else the WebAssembly filter. The first may be for another machine: then an
/// emulator runs it.
pub fn command(is_native: bool) -> Command {
    if !is_native {
        return Command::new(binary());
    }
    match std::env::var_os("TRANSPONDER_EMULATOR") {
        None => Command::new(native_binary()),
        Some(emulator) => {
            let mut command = Command::new(emulator);
            command.arg(native_binary());
            command
        }
    }
}

/// The Envoy that runs the native module.
pub fn native_binary() -> PathBuf {
    std::env::var_os("TRANSPONDER_NATIVE_ENVOY").map_or_else(binary, PathBuf::from)
}

pub fn module() -> PathBuf {
    let usual = || project().join("target/transponder.wasm");
    let module = std::env::var_os("TRANSPONDER_WASM").map_or_else(usual, PathBuf::from);
    assert!(module.is_file(), "{} is missing: run `make test`, or `make wasm`", module.display());
    module
}

/// The native module.
pub fn native_module() -> PathBuf {
    let usual = || project().join("target/libtransponder.so");
    std::env::var_os("TRANSPONDER_MODULE").map_or_else(usual, PathBuf::from)
}

/// The module that panics where a request says so. It is built for these tests.
pub fn trap_module() -> PathBuf {
    let module = std::env::var_os("TRANSPONDER_TRAP_MODULE")
        .map_or_else(|| project().join("target/trap/libtransponder.so"), PathBuf::from);
    assert!(module.exists(), "{} is missing: run `envoy/build-module.sh trap`", module.display());
    module
}

/// Where Envoy looks for native modules.
pub const MODULES: &str = "ENVOY_DYNAMIC_MODULES_SEARCH_PATH";

/// The version of the Envoy in use, e.g. 40 for 1.40.0.
pub fn minor_version() -> u32 {
    static MINOR: OnceLock<u32> = OnceLock::new();
    *MINOR.get_or_init(|| {
        let output = Command::new(binary()).arg("--version").output().expect("Envoy's version");
        // "envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL"
        let output = String::from_utf8(output.stdout).expect("Envoy's version");
        let version = output.split('/').find_map(|part| part.strip_prefix("1.")).expect("Envoy 1.x");
        version.split('.').next().and_then(|minor| minor.parse().ok()).expect("a minor version")
    })
}

/// One listener with the filter, one route, one cluster.
pub fn bootstrap(upstream: SocketAddr, plugin_config: &str, headers: Headers) -> Value {
    let filters = json!([
        {"name": "transponder", "typed_config": filter(plugin_config, headers)},
        {"name": "router", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
        }}
    ]);
    json!({
        "admin": {"address": socket("127.0.0.1:0".parse().expect("an address"))},
        "static_resources": {
            "listeners": [{
                "name": "listener",
                "address": socket("127.0.0.1:0".parse().expect("an address")),
                "filter_chains": [{"filters": [{"name": "http", "typed_config": connection_manager(&filters)}]}]
            }],
            "clusters": [cluster("upstream", upstream)]
        }
    })
}

fn filter(config: &str, headers: Headers) -> Value {
    let config = json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": config});
    if headers == Headers::Native {
        let module = native_module();
        assert!(module.is_file(), "{} is missing: run `make test`, or `make module`", module.display());
        return json!({
            "@type": NATIVE_FILTER,
            "dynamic_module_config": {"name": "transponder", "metrics_namespace": "wasmcustom"},
            "filter_name": "transponder",
            "filter_config": config
        });
    }
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": plugin(&config, headers)
    })
}

fn plugin(config: &Value, headers: Headers) -> Value {
    let mut plugin = json!({
        "name": "transponder",
        "failure_policy": "FAIL_RELOAD",
        "configuration": config,
        // In vm_config it needs Envoy 1.40.
        "capability_restriction_config": {"allowed_capabilities": capabilities()},
        "vm_config": {
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": module()}}
        }
    });
    if headers == Headers::Held {
        plugin["allow_on_headers_stop_iteration"] = json!(true);
    }
    plugin
}

/// The functions that the module may import and export, as in `envoy/envoy.yaml`. The tests show that no others are
/// needed.
pub fn capabilities() -> serde_json::Map<String, Value> {
    let example = std::fs::read_to_string(project().join("envoy/envoy.yaml")).expect("the example");
    let (_, list) = example.split_once("allowed_capabilities:").expect("a list of capabilities");
    let entries = list.lines().skip(1).map_while(|line| line.trim().strip_suffix(": {}"));
    entries.map(|name| (name.to_owned(), json!({}))).collect()
}

/// The format of Envoy's local replies, as in `envoy/envoy.yaml`.
pub fn local_reply_config() -> Value {
    let example = std::fs::read_to_string(project().join("envoy/envoy.yaml")).expect("the example");
    let (_, rest) = example.split_once("local_reply_config:\n").expect("a configuration of local replies");
    let (mappers, _) = rest.split_once("          http_filters:").expect("the next field");
    serde_yaml_ng::from_str(mappers).expect("YAML")
}

fn connection_manager(filters: &Value) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "http",
        // Without it Envoy itself rejects an upgrade, and clients never get the filter's 426.
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "route_config": {"virtual_hosts": [{
            "name": "all", "domains": ["*"],
            // As in envoy/envoy.yaml: without it Envoy retries no long request.
            "request_body_buffer_limit": 128 << 20,
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream", "timeout": "0s"}}]
        }]},
        "local_reply_config": local_reply_config(),
        "http_filters": filters
    })
}

pub fn cluster(name: &str, address: SocketAddr) -> Value {
    json!({
        "name": name, "type": "STATIC", "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [
            {"endpoint": {"address": socket(address)}}
        ]}]}
    })
}

fn socket(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip().to_string(), "port_value": address.port()}})
}
