//! The real Codex CLI, pinned in `tests/clients`, with its own home directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use tokio::process::Command;

use super::process::{project, scratch};

/// Codex itself starts within a second or two; its retries of a broken stream take longer.
const WHOLE_TURN: Duration = Duration::from_secs(120);

/// A user of Codex: settings, a home directory that keeps sessions for `resume`, and a working directory.
#[derive(Debug)]
pub struct Codex {
    settings: BTreeMap<String, String>,
    provider: BTreeMap<String, String>,
    tables: String,
    environment: Vec<(String, String)>,
    arguments: Vec<String>,
    limit: Duration,
    package: &'static str,
    home: TempDir,
    work: TempDir,
}

/// The result of one `codex exec`.
#[derive(Debug)]
pub struct Turn {
    pub status: ExitStatus,
    /// The JSON lines of stdout.
    pub events: Vec<Value>,
    pub stdout: String,
    pub stderr: String,
}

impl Codex {
    /// The environment variable with the bearer token, as in the README.
    pub const KEY: &str = "TRANSPONDER_TEST_KEY";

    pub fn new(base_url: &str) -> Self {
        let owned = |lines: &[(&str, &str)]| {
            let pairs = lines.iter().copied();
            pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
        };
        let base_url = format!("{base_url:?}");
        let key = format!("{:?}", Self::KEY);
        Self {
            settings: owned(&[
                ("model_provider", r#""transponder""#),
                ("model_context_window", "128000"),
                ("check_for_update_on_startup", "false"),
            ]),
            provider: owned(&[
                ("name", r#""Transponder""#),
                ("base_url", &base_url),
                ("wire_api", r#""responses""#),
                ("env_key", &key),
                // Enough to show that Codex retries. The default of five takes longer.
                ("request_max_retries", "1"),
                ("stream_max_retries", "2"),
                ("stream_idle_timeout_ms", "30000"),
            ]),
            tables: String::new(),
            environment: vec![(Self::KEY.to_owned(), "sk-transponder-test".to_owned())],
            arguments: Vec::new(),
            limit: WHOLE_TURN,
            package: "@openai/codex",
            // Codex makes no helper programs under a system's temporary directory, and warns.
            home: TempDir::new_in(scratch()).expect("a home"),
            // Outside the project, so that its AGENTS.md and git state do not influence Codex.
            work: TempDir::new().expect("a temporary directory"),
        }
    }

    /// A line at the top of `config.toml`, added or replaced: `("web_search", r#""disabled""#)`.
    pub fn setting(mut self, key: &str, value: &str) -> Self {
        self.settings.insert(key.to_owned(), value.to_owned());
        self
    }

    /// A line of the provider's table, added or replaced: `("supports_websockets", "true")`.
    pub fn provider(mut self, key: &str, value: &str) -> Self {
        self.provider.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Further tables of `config.toml`, e.g. `[mcp_servers.tiny]`, with their content.
    pub fn table(mut self, lines: &str) -> Self {
        self.tables = format!("{}\n{lines}\n", self.tables);
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Arguments of `codex exec`, e.g. `--output-schema FILE`.
    pub fn args(mut self, arguments: &[&str]) -> Self {
        self.arguments.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        self
    }

    /// Another of the pinned versions, by its name in `tests/clients/package.json`.
    pub fn package(mut self, name: &'static str) -> Self {
        self.package = name;
        self
    }

    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Codex's working directory, for preparing files and checking the result.
    pub fn workdir(&self) -> &Path {
        self.work.path()
    }

    /// The value of the bearer token.
    pub fn key(&self) -> &str {
        let last = self.environment.iter().rfind(|(name, _)| name == Self::KEY);
        last.map_or("", |(_, value)| value)
    }

    /// `codex exec` with a new session.
    pub async fn exec(&self, model: &str, prompt: &str) -> Turn {
        self.write_config();
        self.run(&["-m", model], &[prompt]).await
    }

    /// `codex exec` with the current content of the home directory, and with these arguments.
    pub async fn exec_as_configured(&self, arguments: &[&str], prompt: &str) -> Turn {
        self.run(arguments, &[prompt]).await
    }

    /// `codex exec resume --last`: the whole history is sent again.
    pub async fn resume(&self, model: &str, prompt: &str) -> Turn {
        self.write_config();
        self.run(&["-m", model], &["resume", "--last", prompt]).await
    }

    /// The directory of Codex's configuration.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// What Codex has recorded of its sessions, line by line.
    pub fn records(&self) -> Vec<Value> {
        let mut directories = vec![self.home().join("sessions")];
        let mut records = Vec::new();
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(directory).into_iter().flatten().filter_map(Result::ok) {
                if entry.path().is_dir() {
                    directories.push(entry.path());
                } else {
                    let text = std::fs::read_to_string(entry.path()).expect("a record");
                    records
                        .extend(text.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")));
                }
            }
        }
        records
    }

    fn write_config(&self) {
        std::fs::write(self.home().join("config.toml"), self.config()).expect("Codex's configuration");
    }

    async fn run(&self, first: &[&str], last: &[&str]) -> Turn {
        let home = self.home.path();
        let binary = Binary::find(self.package);
        let mut command = Command::new(&binary.codex);
        command
            .args(["exec", "--json", "--skip-git-repo-check"])
            .arg("--dangerously-bypass-approvals-and-sandbox")
            .args(first)
            .arg("-C")
            .arg(self.work.path())
            .args(&self.arguments)
            .args(last)
            .env_clear()
            .env("HOME", home)
            .env("CODEX_HOME", home)
            .env("PATH", binary.path())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(self.work.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let running = command.spawn().expect("cannot start Codex");
        let output = tokio::time::timeout(self.limit, running.wait_with_output()).await;
        let output = output
            .unwrap_or_else(|_| panic!("Codex did not end within {:?}", self.limit))
            .expect("Codex's output");
        Turn::of(output.status, &output.stdout, &output.stderr)
    }

    fn config(&self) -> String {
        let lines = |table: &BTreeMap<String, String>| -> String {
            let lines = table.iter();
            lines.map(|(key, value)| format!("{key} = {value}\n")).collect()
        };
        format!(
            "{}\n[analytics]\nenabled = false\n\n[model_providers.transponder]\n{}{}",
            lines(&self.settings),
            lines(&self.provider),
            self.tables
        )
    }
}

impl Turn {
    fn of(status: ExitStatus, stdout: &[u8], stderr: &[u8]) -> Self {
        let stdout = String::from_utf8_lossy(stdout).into_owned();
        let lines = stdout.lines().map(serde_json::from_str);
        Self {
            status,
            events: lines.filter_map(Result::ok).collect(),
            stderr: String::from_utf8_lossy(stderr).into_owned(),
            stdout,
        }
    }

    /// Fails the test, with all output of Codex, unless the turn completed.
    pub fn assert_completed(&self) {
        let completed = self.of_type("turn.completed").len() == 1;
        assert!(self.status.success() && completed, "Codex failed: {self:#?}");
    }

    pub fn of_type(&self, kind: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event["type"] == kind).collect()
    }

    /// The finished items of a kind: `agent_message`, `reasoning`, `command_execution`, `file_change`, `mcp_tool_call`, ...
    pub fn items(&self, kind: &str) -> Vec<&Value> {
        self.of_type("item.completed")
            .into_iter()
            .map(|event| &event["item"])
            .filter(|item| item["type"] == kind)
            .collect()
    }

    /// The texts of the finished messages.
    pub fn messages(&self) -> Vec<&str> {
        let messages = self.items("agent_message").into_iter();
        messages.filter_map(|item| item["text"].as_str()).collect()
    }
}

/// The native program inside the npm package. Without node around it, there is only one process to kill.
struct Binary {
    codex: PathBuf,
    /// Programs that the package includes, such as `rg`.
    beside: PathBuf,
}

impl Binary {
    /// npm installs the program next to its package, or inside it if another version is already there.
    fn find(package: &str) -> Self {
        let modules = project().join("tests/clients/node_modules");
        let vendor = [modules.join(package).join("node_modules/@openai"), modules.join("@openai")]
            .iter()
            .flat_map(|packages| subdirectories(packages))
            .flat_map(|package| subdirectories(&package.join("vendor")))
            .find(|vendor| vendor.join("bin/codex").is_file())
            .expect("Codex is missing: run `tests/clients/setup`");
        Self { codex: vendor.join("bin/codex"), beside: vendor.join("codex-path") }
    }

    fn path(&self) -> std::ffi::OsString {
        let usual = std::env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(self.beside.clone()).chain(std::env::split_paths(&usual));
        std::env::join_paths(all).expect("a PATH")
    }
}

fn subdirectories(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|entry| Some(entry.ok()?.path())).collect()
}
