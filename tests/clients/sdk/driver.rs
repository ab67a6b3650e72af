//! A real client, driven by a small program in `tests/clients/drivers`.

use serde_json::Value;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use support::project;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The limit for one job. Loading an SDK takes seconds on a busy machine; a job itself does not.
const ONE_JOB: Duration = Duration::from_secs(90);

/// Without these, the frameworks send telemetry and fetch lists of models.
const QUIET: [(&str, &str); 5] = [
    ("CREWAI_DISABLE_TELEMETRY", "true"),
    ("HAYSTACK_TELEMETRY_ENABLED", "false"),
    ("LITELLM_LOCAL_MODEL_COST_MAP", "True"),
    ("MASTRA_TELEMETRY_DISABLED", "1"),
    ("OTEL_SDK_DISABLED", "true"),
];

/// The driver's language and environment.
#[derive(Clone, Copy, Debug)]
pub enum Program {
    Node(&'static str),
    Python(&'static str),
    /// With openai-python 2.
    OlderPython(&'static str),
    /// A program of `tests/clients/rust`.
    Rust(&'static str),
    /// A program of `tests/clients/go`.
    Go(&'static str),
    /// A class of `tests/clients/java`.
    Java(&'static str),
}

impl Program {
    fn command(self) -> Command {
        let (interpreter, driver) = match self {
            Self::Rust(driver) => return Command::new(built("rust-clients/debug", driver, "`make test`")),
            Self::Go(driver) => return Command::new(built("go-clients", driver, GO_JAVA)),
            Self::Java(class) => return java(class),
            Self::Node(driver) => ("clients/bin/node", driver),
            Self::Python(driver) => ("clients/bin/python", driver),
            Self::OlderPython(driver) => ("clients-openai-2/bin/python", driver),
        };
        let interpreter = project().join(".tools").join(interpreter);
        assert!(interpreter.exists(), "the clients are missing: run `tests/clients/setup`");
        let mut command = Command::new(interpreter);
        command.arg(project().join("tests/clients/drivers").join(driver));
        command
    }
}

const GO_JAVA: &str = "`make test-go-java`, with Go 1.26, Maven and a JDK 17,";

fn built(directory: &str, name: &str, builder: &str) -> PathBuf {
    let path = project().join("target").join(directory).join(name);
    assert!(path.exists(), "{} is missing: {builder} builds it", path.display());
    path
}

fn java(class: &str) -> Command {
    let mut classes = built("java-clients", "classes", GO_JAVA).into_os_string();
    classes.push(":");
    classes.push(built("java-clients", "libraries", GO_JAVA).join("*"));
    let mut command = Command::new("java");
    command.arg("-cp").arg(classes).arg(format!("clients.{class}"));
    command
}

/// It reads jobs one after the other: a line of JSON each.
pub struct Driver {
    jobs: ChildStdin,
    outcomes: Lines<BufReader<ChildStdout>>,
    _process: Child,
    _home: TempDir,
}

impl Driver {
    /// Starts a driver with its own home directory.
    pub fn start(program: Program) -> Self {
        let home = TempDir::new().expect("a home");
        let mut process = program
            .command()
            .env("HOME", home.path())
            .env_remove("OPENAI_BASE_URL")
            .envs(QUIET.iter().copied())
            .env("OPENAI_API_KEY", "sk-test")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("cannot start the driver");
        let outcomes = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { jobs: process.stdin.take().unwrap(), outcomes, _process: process, _home: home }
    }

    /// Runs a job, and returns what the client printed.
    pub async fn ask(&mut self, job: &Value) -> Value {
        self.jobs.write_all(format!("{job}\n").as_bytes()).await.expect("the driver takes a job");
        let line = tokio::time::timeout(ONE_JOB, self.outcomes.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("no outcome within {ONE_JOB:?}: {job}"));
        let line = line.unwrap().unwrap_or_else(|| panic!("the driver ended: {job}"));
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}
