//! Codex, Envoy with the filter, and the scripted upstream, set up for one scenario.

use serde_json::{Value, json};
use support::{Codex, Envoy, Headers, Turn, Upstream};

/// A model that is not in Codex's catalogue, so it gets plain functions.
pub const PLAIN: &str = "qwen3-coder";
/// A model for which Codex sends `apply_patch` as a custom tool, and `tool_search`.
pub const CUSTOM_TOOLS: &str = "gpt-5.5";
/// A model for which Codex declares its tools in the input, with the custom tool `exec`.
pub const CODE_MODE: &str = "gpt-5.6-sol";

/// The header mode, and one of the pinned versions of Codex.
#[derive(Clone, Copy)]
pub struct Setup {
    headers: Headers,
    codex: &'static str,
}

impl Setup {
    pub const OLDER_CODEX: Self = Self { headers: Headers::Flow, codex: "codex-0.169" };
}

impl From<Headers> for Setup {
    fn from(headers: Headers) -> Self {
        Self { headers, codex: "@openai/codex" }
    }
}

pub struct Stage {
    pub upstream: Upstream,
    pub envoy: Envoy,
    pub codex: Codex,
}

impl Stage {
    pub async fn new(setup: impl Into<Setup>) -> Self {
        Self::with(setup, json!({})).await
    }

    /// Starts with a plugin configuration, to which the header mode is added.
    pub async fn with(setup: impl Into<Setup>, mut config: Value) -> Self {
        let Setup { headers, codex } = setup.into();
        config["hold_request_headers"] = json!(headers == Headers::Held);
        let upstream = Upstream::start().await;
        let envoy = Envoy::start(upstream.address(), &config.to_string(), headers).await;
        let codex = Codex::new(&envoy.base_url()).package(codex);
        Self { upstream, envoy, codex }
    }

    /// Adds configuration for Codex.
    pub fn codex(mut self, set_up: impl FnOnce(Codex) -> Codex) -> Self {
        self.codex = set_up(self.codex);
        self
    }

    /// Scripts the upstream: one reply per request.
    pub async fn replies(&self, replies: Value) {
        self.upstream.script(json!({ "replies": replies })).await;
    }

    /// One turn of Codex, which must complete.
    pub async fn completes(&self, model: &str) -> Turn {
        let turn = self.codex.exec(model, "Do what I ask.").await;
        turn.assert_completed();
        turn
    }

    /// One turn of Codex, which must fail. Returns its output.
    pub async fn fails(&self, model: &str) -> String {
        let turn = self.codex.exec(model, "Do what I ask.").await;
        assert!(!turn.status.success(), "Codex should have failed: {turn:#?}");
        format!("{}\n{}", turn.stdout, turn.stderr)
    }

    /// Checks that the upstream rejected no request and that Envoy had no fault. Returns the bodies that the upstream
    /// received.
    pub async fn finish(self) -> Vec<Value> {
        let bodies = self.upstream.bodies().await;
        assert_eq!(self.upstream.left().await, 0, "every scripted reply was asked for");
        self.envoy.finish();
        bodies
    }
}

/// A call of a tool, as the scripted upstream makes it.
pub fn call(id: &str, name: &str, arguments: Value) -> Value {
    json!({"id": id, "name": name, "arguments": arguments})
}

/// A reply that only calls `exec_command`.
pub fn runs(id: &str, command: &str) -> Value {
    json!({"tool_calls": [call(id, "exec_command", json!({"cmd": command}))]})
}

/// The tool messages of a body: id and content.
pub fn tool_outputs(body: &Value) -> Vec<(&str, &str)> {
    let messages = body["messages"].as_array().unwrap().iter();
    let outputs = messages.filter(|message| message["role"] == "tool");
    outputs.map(|m| (m["tool_call_id"].as_str().unwrap(), m["content"].as_str().unwrap())).collect()
}

/// The names of the functions that a body offers.
pub fn offered(body: &Value) -> Vec<&str> {
    let tools = body["tools"].as_array().into_iter().flatten();
    tools.map(|tool| tool["function"]["name"].as_str().unwrap()).collect()
}
