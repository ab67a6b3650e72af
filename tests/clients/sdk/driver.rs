//! A real client, driven by a small program in `tests/clients/drivers`.

use serde_json::Value;
use std::process::Stdio;
use std::time::Duration;
use support::project;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// Loading an SDK takes seconds where others keep the machine busy; a job itself does not.
const ONE_JOB: Duration = Duration::from_secs(90);

/// It takes one job after the other: a line of JSON each.
pub struct Driver {
    jobs: ChildStdin,
    outcomes: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

impl Driver {
    /// Starts a program: `openai_python.py`, `ai_sdk.mjs`, ...
    pub fn start(program: &str) -> Self {
        let interpreter = if program.ends_with(".py") { "python" } else { "node" };
        let interpreter = project().join(".tools/clients/bin").join(interpreter);
        assert!(interpreter.exists(), "the clients are missing: run `tests/clients/setup`");
        let mut process = Command::new(interpreter)
            .arg(project().join("tests/clients/drivers").join(program))
            .env_remove("OPENAI_BASE_URL")
            .env("OPENAI_API_KEY", "sk-test")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("cannot start the driver");
        let outcomes = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { jobs: process.stdin.take().unwrap(), outcomes, _process: process }
    }

    /// Does a job: what the client said of it.
    pub async fn ask(&mut self, job: &Value) -> Value {
        self.jobs.write_all(format!("{job}\n").as_bytes()).await.expect("the driver takes a job");
        let line = tokio::time::timeout(ONE_JOB, self.outcomes.next_line()).await;
        let line = line.unwrap_or_else(|_| panic!("no outcome within {ONE_JOB:?}: {job}"));
        let line = line.unwrap().unwrap_or_else(|| panic!("the driver ended: {job}"));
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}
