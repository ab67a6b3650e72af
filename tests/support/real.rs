//! What the tests of real servers share: starting one, and the requests that each must serve.

use super::{Answer, Codex, Envoy, Headers, Process, example, http_filters, post, project};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

/// A server that a script in `tests/upstreams` installs and runs.
pub struct Server {
    pub address: SocketAddr,
    process: Process,
    _files: tempfile::TempDir,
}

impl Server {
    /// The script gets the port, a path at which it may write, and `more`. The server is up when it answers GET `health`.
    pub async fn start(name: &str, more: &[&str], health: &str) -> Self {
        let script = project().join("tests/upstreams").join(name).join("run.sh");
        let prepared = tokio::process::Command::new(&script).arg("prepare").status();
        let prepared = tokio::time::timeout(Duration::from_secs(600), prepared).await;
        assert!(prepared.expect("in time").unwrap().success(), "{name} could not be installed");

        let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let files = tempfile::tempdir().unwrap();
        let mut command = Command::new(&script);
        command.arg(address.port().to_string()).arg(files.path().join("written")).args(more);
        let mut process = Process::start(&mut command, files.path().join("log"));
        let health = format!("http://{address}{health}");
        process.until(name, async || reqwest::get(&health).await.ok()?.error_for_status().ok()).await;
        Self { address, process, _files: files }
    }

    /// For a server that has to end processes of its own.
    pub fn terminate(&mut self) {
        self.process.terminate();
    }

    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Codex works with the configuration that `make run` finds without a preset. It names this one.
    pub async fn works_with_make_run(&self, preset: &str, model: &str) {
        let (bootstrap, plugin) = found(&self.base_url()).await;
        assert_eq!(plugin["upstream"]["preset"], preset);
        let envoy = Envoy::launch(&bootstrap).await;
        codex_runs_every_call(&envoy, model).await;
        envoy.finish();
    }

    /// Codex works with this plugin configuration, such as the one that `probe` prints.
    pub async fn works_with(&self, config: &Value, model: &str) {
        let envoy = Envoy::start(self.address, &config.to_string(), Headers::Flow).await;
        codex_runs_every_call(&envoy, model).await;
        envoy.finish();
    }

    /// The configuration that `examples/probe` prints, and its messages.
    pub async fn probe(&self, model: &str) -> (Value, String) {
        let mut command = Command::new(example("probe"));
        command.args([&self.base_url(), model]);
        let output = run(command).await;
        let told = String::from_utf8(output.stderr).unwrap();
        let config = serde_json::from_slice(&output.stdout);
        (config.unwrap_or_else(|error| panic!("no configuration: {error}\n{told}")), told)
    }
}

/// The configurations of Envoy and of the plugin that `make run` writes for an upstream without a preset.
pub async fn found(base_url: &str) -> (Value, Value) {
    let mut command = Command::new(project().join("envoy/run.py"));
    command.args(["--print", "--upstream", base_url, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]);
    let mut bootstrap: Value = serde_yaml_ng::from_slice(&run(command).await.stdout).unwrap();
    let plugin = http_filters(&mut bootstrap)
        .iter()
        .find_map(|filter| filter.pointer("/typed_config/config/configuration/value"));
    let plugin = serde_json::from_str(plugin.unwrap().as_str().unwrap()).unwrap();
    (bootstrap, plugin)
}

async fn run(mut command: Command) -> std::process::Output {
    tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap()
}

/// Sends a request with this question. `fields` are added to its body and may replace `input`.
pub async fn ask(envoy: &Envoy, model: &str, question: &str, fields: &Value) -> Answer {
    let mut body = json!({"model": model, "input": question});
    body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    post(&envoy.responses_url(), &body).await
}

/// The same as a stream. Returns the name of its last event, and the response in it.
pub async fn stream(envoy: &Envoy, model: &str, question: &str, fields: &Value) -> (String, Value) {
    let mut fields = fields.clone();
    fields["stream"] = json!(true);
    let answer = ask(envoy, model, question, &fields).await;
    let last = answer.events().into_iter().rfind(|(name, _)| !name.is_empty());
    let (name, mut data) = last.unwrap_or_else(|| panic!("no event: {answer:?}"));
    (name, data["response"].take())
}

/// The response as a document and as a stream, each completed.
pub async fn completed(envoy: &Envoy, model: &str, question: &str, fields: &Value) -> [Value; 2] {
    let whole = ask(envoy, model, question, fields).await.json();
    let (event, streamed) = stream(envoy, model, question, fields).await;
    assert_eq!(event, "response.completed", "{streamed}");
    let responses = [whole, streamed];
    for response in &responses {
        assert_eq!(response["status"], "completed", "{response}");
    }
    responses
}

pub fn tools() -> Value {
    json!({"tools": [{"type": "function", "name": "exec_command", "strict": false,
        "parameters": {"type": "object", "properties": {"cmd": {"type": "string"}}, "required": ["cmd"]}}]})
}

/// Type, and text or arguments, of each output item.
pub fn said(response: &Value) -> Vec<(&str, &str)> {
    let items = response["output"].as_array().unwrap_or_else(|| panic!("{response}"));
    items.iter().map(|item| (item["type"].as_str().unwrap(), words(item))).collect()
}

fn words(item: &Value) -> &str {
    let places = ["/arguments", "/content/0/text", "/summary/0/text"];
    let found = places.iter().find_map(|place| item.pointer(place)?.as_str());
    found.unwrap_or_else(|| panic!("{item}"))
}

/// Three turns of the model: one call, then two at once, then an answer. Each call runs once.
pub async fn codex_runs_every_call(envoy: &Envoy, model: &str) {
    let codex = Codex::new(&envoy.base_url());
    let turn = codex.exec(model, "Do what I ask.").await;
    turn.assert_completed();
    assert_eq!(turn.messages().last(), Some(&"All done."), "{turn:#?}");
    assert_eq!(turn.items("command_execution").len(), 3, "{turn:#?}");
    for file in ["one", "two", "three"] {
        assert!(codex.workdir().join(file).exists(), "{file}");
    }
}
