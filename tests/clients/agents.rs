//! Coding agents other than Codex, in their headless modes: a tool loop, text, an error.

use serde_json::{Value, json};
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;
use support::{Envoy, Headers, Upstream, project};
use tempfile::TempDir;
use tokio::process::Command;

/// The limit for one run. Agents start within seconds, but the machine may be busy.
const ONE_TURN: Duration = Duration::from_secs(120);

pub struct Agent {
    /// The name that users know.
    pub name: &'static str,
    /// In `package.json`.
    pub package: &'static str,
    program: &'static str,
    arguments: fn(base_url: &str) -> Vec<String>,
    /// Files to write before the start, in the home and the working directory.
    files: fn(base_url: &str) -> Vec<(&'static str, Value)>,
    /// Its tool that runs a command, and the other arguments that the tool requires.
    shell: (&'static str, fn(command: &str) -> Value),
    /// The settings, for the documentation.
    pub needs: &'static str,
}

fn owned(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|argument| (*argument).to_owned()).collect()
}

pub const ALL: &[&Agent] = &[&OPENCODE, &QWEN_CODE];

const OPENCODE: Agent = Agent {
    name: "opencode",
    package: "opencode-ai",
    program: "opencode",
    // Without a title, it asks the model for one.
    arguments: |_| {
        owned(&["run", "--format", "json", "--auto", "--title", "Test", "--model", "transponder/m"])
    },
    files: |base_url| {
        let model = json!({"name": "m", "limit": {"context": 128_000, "output": 8000}});
        let options = json!({"baseURL": base_url, "apiKey": "key"});
        let provider = json!({"npm": "@ai-sdk/openai", "options": options, "models": {"m": model}});
        let config = json!({"autoupdate": false, "share": "disabled", "provider": {"transponder": provider}});
        vec![("work/opencode.json", config)]
    },
    shell: ("bash", |command| json!({"command": command, "description": "Does it."})),
    needs: "a provider with `\"npm\": \"@ai-sdk/openai\"` and `options.baseURL`",
};

const QWEN_CODE: Agent = Agent {
    name: "Qwen Code",
    package: "@qwen-code/qwen-code",
    program: "qwen",
    arguments: |base_url| {
        let connection =
            ["--auth-type", "openai-responses", "--openai-api-key", "key", "--openai-base-url", base_url];
        let mut arguments = owned(&connection);
        arguments.extend(owned(&[
            "--model",
            "m",
            "--approval-mode",
            "yolo",
            "--output-format",
            "json",
            "--prompt",
        ]));
        arguments
    },
    // Otherwise it asks the model after each turn what to remember.
    files: |_| vec![("home/.qwen/settings.json", json!({"memory": {"enableManagedAutoMemory": false}}))],
    shell: (
        "run_shell_command",
        |command| json!({"command": command, "description": "Does it.", "is_background": false}),
    ),
    needs: "`--auth-type openai-responses`, `--openai-base-url`",
};

struct Turn {
    output: Output,
    bodies: Vec<Value>,
    files: TempDir,
}

impl Turn {
    fn said(&self) -> String {
        let streams = [&self.output.stdout, &self.output.stderr];
        streams.map(|stream| String::from_utf8_lossy(stream).into_owned()).concat()
    }
}

fn write(file: &Path, content: &Value) {
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, content.to_string()).unwrap();
}

async fn turn(agent: &Agent, replies: Value) -> Turn {
    let upstream = Upstream::start().await;
    let envoy = Envoy::start(upstream.address(), "{}", Headers::Flow).await;
    upstream.script(json!({ "replies": replies })).await;
    let files = TempDir::new().unwrap();
    let [home, work] = ["home", "work"].map(|name| files.path().join(name));
    for directory in [&home, &work] {
        std::fs::create_dir(directory).unwrap();
    }
    for (file, content) in (agent.files)(&envoy.base_url()) {
        write(&files.path().join(file), &content);
    }
    let node = project().join(".tools/clients/bin");
    let running = Command::new(project().join("tests/clients/node_modules/.bin").join(agent.program))
        .args((agent.arguments)(&envoy.base_url()))
        .arg("Do what I ask.")
        .env_clear()
        .env("HOME", home)
        .env("PATH", format!("{}:/usr/local/bin:/usr/bin:/bin", node.display()))
        .current_dir(work)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the clients are missing: run `tests/clients/setup`");
    let output = tokio::time::timeout(ONE_TURN, running.wait_with_output()).await;
    let output = output.unwrap_or_else(|_| panic!("{} did not end within {ONE_TURN:?}", agent.name)).unwrap();
    let turn = Turn { output, bodies: upstream.bodies().await, files };
    assert_eq!(upstream.left().await, 0, "every reply was asked for: {}", turn.said());
    envoy.finish();
    turn
}

/// On a busy machine Qwen Code loses the output of a command that ends at once, so one goes on for a while.
async fn runs_commands(agent: &Agent) {
    let (name, arguments) = agent.shell;
    let call = |id: &str, command: &str| json!({"id": id, "name": name, "arguments": arguments(command)});
    let turn = turn(
        agent,
        json!([
            {"text": "First.", "tool_calls": [call("call_1", "echo 'Grüße' > made")], "chunking": {"arguments": 3}},
            {"reasoning": "Hm.", "tool_calls": [call("call_2", "cat made && sleep 1")]},
            {"text": "It is done."},
        ]),
    )
    .await;
    assert!(turn.output.status.success() && turn.said().contains("It is done."), "{}", turn.said());
    assert_eq!(std::fs::read_to_string(turn.files.path().join("work/made")).unwrap(), "Grüße\n");
    let messages = turn.bodies[2]["messages"].as_array().unwrap().iter();
    let outputs: Vec<&Value> = messages.filter(|message| message["role"] == "tool").collect();
    assert_eq!(
        outputs.iter().map(|output| &output["tool_call_id"]).collect::<Vec<_>>(),
        ["call_1", "call_2"]
    );
    assert!(outputs[1]["content"].to_string().contains("Grüße"), "{outputs:?}");
}

async fn shows_errors(agent: &Agent) {
    let error =
        json!({"message": "It is wrong.", "type": "some_error", "param": null, "code": "invalid_value"});
    let turn = turn(agent, json!([{"error": {"status": 400, "body": {"error": error}}}])).await;
    assert!(turn.said().contains("It is wrong."), "{}", turn.said());
}

/// Tests for each agent.
macro_rules! agents {
    ($($module:ident: $agent:ident)*) => {
        $(mod $module {
            #[tokio::test] async fn runs_commands() { super::runs_commands(&super::$agent).await }
            #[tokio::test] async fn shows_errors() { super::shows_errors(&super::$agent).await }
        })*
    };
}
agents! { opencode: OPENCODE qwen_code: QWEN_CODE }
