//! A real Envoy with the filter in front of one upstream.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::bootstrap::{NATIVE_FILTER, bootstrap, manager_of};
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
        self.command(&format!("logging?{component}={level}")).await;
    }

    /// Makes Envoy drain its connections, as before a restart.
    pub async fn drain(&self) {
        self.command("drain_listeners?graceful").await;
    }

    /// Tells Envoy to do something, by a path of its admin interface.
    async fn command(&self, path: &str) {
        let client = reqwest::Client::builder().timeout(ADMIN).build().expect("a client");
        let reply = client.post(format!("http://{}/{path}", self.admin)).send().await;
        reply.expect("the admin interface").error_for_status().expect("a command that Envoy knows");
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
            self.process.terminate(); // a script that has started Envoy ends it too
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
        let filters = manager_of(listener)["http_filters"].as_array_mut().expect("HTTP filters");
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
    let listener = listener_statuses(address).await?.iter().find_map(listening)?;
    // Envoy is not ready before the plugin is configured.
    let ready = admin(&format!("http://{address}/ready")).await?;
    (ready.trim() == "LIVE").then_some(listener)
}

async fn listener_addresses(address: SocketAddr) -> Option<BTreeMap<String, SocketAddr>> {
    let statuses = listener_statuses(address).await?;
    let named = |status: &Value| Some((status.get("name")?.as_str()?.to_owned(), listening(status)?));
    statuses.iter().map(named).collect()
}

async fn listener_statuses(address: SocketAddr) -> Option<Vec<Value>> {
    let listeners = admin(&format!("http://{address}/listeners?format=json")).await?;
    let mut listeners: Value = serde_json::from_str(&listeners).ok()?;
    serde_json::from_value(listeners.get_mut("listener_statuses")?.take()).ok()
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
