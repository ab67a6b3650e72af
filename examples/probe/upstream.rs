//! Sends requests to the upstream and reads its answers.

use serde_json::{Value, json};
use std::time::Duration;

/// A model on a small machine may need minutes for its first token.
const TIMEOUT: Duration = Duration::from_secs(300);

/// How often a request is sent while the upstream answers 429.
const TRIES: usize = 4;

/// The longest `retry-after` that is obeyed, in seconds.
const MAX_WAIT: u64 = 60;

/// The longest answer that is read, in bytes. No answer to a small question comes near it.
const MAX_ANSWER: u64 = 64 << 20;

pub(crate) struct Upstream {
    url: String,
    path: String,
    model: String,
    key: Option<String>,
    agent: ureq::Agent,
}

/// The status and body of a reply.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Upstream {
    pub(crate) fn new(base_url: &str, model: &str, key: Option<String>) -> Result<Self, String> {
        let url = format!("{}/chat/completions", base_url.trim_end_matches('/'));
        let parsed: Option<ureq::http::Uri> = url.parse().ok();
        let path = parsed.filter(|url| url.host().is_some()).map(|url| url.path().to_owned());
        let path =
            path.ok_or_else(|| format!("{base_url} is not a base URL such as http://127.0.0.1:8000/v1"))?;
        let tls = ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::PlatformVerifier).build();
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            // uvicorn closes a connection after a 500 without saying so. The next request on it would fail.
            .max_idle_connections(0)
            .tls_config(tls);
        Ok(Self { path, model: model.to_owned(), key, agent: agent.build().new_agent(), url })
    }

    /// The `:path` of Chat Completions.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn model(&self) -> &str {
        &self.model
    }

    /// Sends a body unchanged.
    pub(crate) fn send(&self, body: &[u8]) -> Result<Answer, String> {
        self.send_to(&self.url, body)
    }

    /// After a 429 it waits as long as `retry-after` asks, and tries again.
    fn send_to(&self, url: &str, body: &[u8]) -> Result<Answer, String> {
        for left in (0..TRIES).rev() {
            // The questions change nothing upstream, so one without an answer is sent once more.
            let (answer, wait) = self
                .send_once(url, body)
                .or_else(|error| match error {
                    ureq::Error::Timeout(_) => Err(error),
                    _ => self.send_once(url, body),
                })
                .map_err(|error| format!("{url}: {error}"))?;
            if answer.status != 429 || left == 0 {
                return Ok(answer);
            }
            std::thread::sleep(Duration::from_secs(wait.unwrap_or(5).min(MAX_WAIT)));
        }
        Err("too many requests".to_owned())
    }

    /// Sends a body on a new connection. Returns the reply and its `retry-after`.
    fn send_once(&self, url: &str, body: &[u8]) -> Result<(Answer, Option<u64>), ureq::Error> {
        let request = self.agent.post(url).header("content-type", "application/json");
        let request = match &self.key {
            Some(key) => request.header("authorization", format!("Bearer {key}")),
            None => request,
        };
        let mut response = request.send(body)?;
        let status = response.status().as_u16();
        let wait = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let read = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec()?;
        Ok((Answer { status, text: String::from_utf8_lossy(&read).into_owned() }, wait))
    }

    /// Sends a request with these fields; `null` stands for no field.
    pub(crate) fn ask(&self, fields: Value) -> Result<Answer, String> {
        self.ask_at(&self.path, fields)
    }

    /// The same at another path of the server.
    pub(crate) fn ask_at(&self, path: &str, mut fields: Value) -> Result<Answer, String> {
        if let Some(fields) = fields.as_object_mut() {
            fields.entry("model").or_insert_with(|| json!(self.model));
            fields.retain(|_, value| !value.is_null());
        }
        let server = self.url.strip_suffix(&self.path).unwrap_or(&self.url);
        self.send_to(&format!("{server}{path}"), fields.to_string().as_bytes())
    }
}

impl Answer {
    /// Whether the request succeeded. Some upstreams send an error with status 200.
    pub(crate) fn is_good(&self) -> bool {
        let is_error = |value: &Value| value.get("error").is_some_and(|error| !error.is_null());
        (200..300).contains(&self.status) && !self.values().iter().any(is_error)
    }

    /// The JSON document, or the chunks of the stream.
    pub(crate) fn values(&self) -> Vec<Value> {
        match serde_json::from_str(&self.text) {
            Ok(value) => vec![value],
            Err(_) => {
                let data = self.text.lines().filter_map(|line| line.strip_prefix("data:"));
                data.filter_map(|data| serde_json::from_str(data.trim()).ok()).collect()
            }
        }
    }

    /// The messages or deltas of the first choice.
    pub(crate) fn messages(&self) -> Vec<Value> {
        let values = self.values();
        let choices = values.iter().filter_map(|value| value.pointer("/choices/0"));
        choices.filter_map(|choice| choice.get("message").or(choice.get("delta")).cloned()).collect()
    }

    /// The text of a field, joined over all deltas.
    pub(crate) fn text_of(&self, field: &str) -> String {
        self.messages().iter().filter_map(|message| message.get(field)?.as_str()).collect()
    }

    /// Whether the answer calls this tool.
    pub(crate) fn calls(&self, name: &str) -> bool {
        let messages = self.messages();
        let calls = messages.iter().filter_map(|message| message.get("tool_calls")?.as_array());
        calls.flatten().any(|call| call.pointer("/function/name").is_some_and(|called| called == name))
    }

    /// The tokens of the request, if the upstream counts them.
    pub(crate) fn prompt_tokens(&self) -> Option<u64> {
        self.values().iter().find_map(|value| value.pointer("/usage/prompt_tokens")?.as_u64())
    }

    pub(crate) fn calls_a_tool(&self) -> bool {
        let calls = |message: &Value| {
            message.get("tool_calls").and_then(Value::as_array).is_some_and(|all| !all.is_empty())
        };
        self.messages().iter().any(calls)
    }

    /// The status and the beginning of the body, for the printed findings.
    pub(crate) fn brief(&self) -> String {
        let line: String = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{} {}", self.status, line.chars().take(160).collect::<String>())
    }
}
