//! The helpers of the core tests: a request is made with `ask`, its body is `sent`, a reply is `received`.
//!
//! ```ignore
//! let asked = ask(json!({"input": "hi", "stream": true, "tools": [function("f")]})).upstream(&json!("vllm"));
//! let (body, dropped) = asked.sent();
//! let reply = asked.received(&[call(0, "c", "f", "{}"), finish("tool_calls")]);
//! assert_eq!(reply["output"][0]["name"], "f");
//! ```

use crate::grammar::{self, Transcript};
use serde_json::{Value, json};
use transponder::config::Config;
use transponder::error::ApiError;
use transponder::request::{self, Context, Translated};
use transponder::response::Reply;

/// A request, the configuration, and the client.
#[derive(Clone)]
pub(crate) struct Ask {
    config: Value,
    body: Vec<u8>,
    codex: bool,
}

/// A request with these fields. The default model is `m`.
pub(crate) fn ask(mut fields: Value) -> Ask {
    if fields.get("model").is_none() {
        fields["model"] = json!("m");
    }
    ask_text(fields.to_string())
}

/// A request with this body, which need not be valid JSON.
pub(crate) fn ask_text(body: impl AsRef<[u8]>) -> Ask {
    Ask { config: json!({}), body: body.as_ref().to_vec(), codex: false }
}

impl Ask {
    /// Sets the upstream: a preset's name or options.
    pub(crate) fn upstream(mut self, upstream: &Value) -> Self {
        self.config["upstream"] = upstream.clone();
        self
    }

    /// Sets the plugin configuration.
    pub(crate) fn config(mut self, config: &Value) -> Self {
        self.config = config.clone();
        self
    }

    /// Makes Codex the client.
    pub(crate) fn codex(mut self) -> Self {
        self.codex = true;
        self
    }

    pub(crate) fn translate(&self) -> Result<Translated, ApiError> {
        self.translate_by(request::translate)
    }

    /// As a request to the endpoint that compacts a conversation.
    pub(crate) fn compact(&self) -> Result<Translated, ApiError> {
        self.translate_by(request::translate_compact)
    }

    fn translate_by(
        &self,
        translate: fn(&[u8], &Context<'_>) -> Result<Translated, ApiError>,
    ) -> Result<Translated, ApiError> {
        let config = Config::parse(self.config.to_string().as_bytes()).unwrap();
        translate(&self.body, &Context { config: &config, seed: 1, now: 1, codex: self.codex })
    }

    fn accepted(&self) -> Translated {
        self.translate().unwrap_or_else(|error| panic!("{error:?}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The body that the upstream receives, and what was dropped.
    pub(crate) fn sent(&self) -> (Value, Vec<String>) {
        let Translated { body, report, .. } = self.accepted();
        (serde_json::from_slice(&body).unwrap(), report.all_dropped().to_vec())
    }

    /// The error that rejects the request.
    pub(crate) fn refusal(&self) -> ApiError {
        let accepted = || panic!("it is accepted: {}", String::from_utf8_lossy(&self.body));
        self.translate().err().unwrap_or_else(accepted)
    }

    /// The reply to it, whose headers have the status 200.
    pub(crate) fn reply(&self) -> Reply {
        let mut reply = self.accepted().reply;
        reply.begin(200);
        reply
    }

    /// The stream that the client receives for these chunks. The request must ask for a stream.
    pub(crate) fn stream(&self, chunks: &[Value]) -> Transcript {
        Transcript::of(&pushed(self.reply(), [events(chunks).as_bytes()]))
    }

    /// The response at the end of that stream.
    pub(crate) fn received(&self, chunks: &[Value]) -> Value {
        self.stream(chunks).response().clone()
    }

    /// The document that the client receives for these bytes. The request must not ask for a stream.
    pub(crate) fn document(&self, body: &str) -> Value {
        grammar::document(&pushed(self.reply(), [body.as_bytes()]))
    }
}

/// The client's bytes for an upstream body that comes in these pieces.
pub(crate) fn pushed<'a>(mut reply: Reply, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in pieces {
        reply.push(piece, &mut out);
    }
    reply.end(&mut out);
    assert!(reply.is_done());
    out
}

/// The upstream's stream of these chunks, `[DONE]` included.
pub(crate) fn events(chunks: &[Value]) -> String {
    let events: String = chunks.iter().map(|chunk| format!("data: {chunk}\n\n")).collect();
    events + "data: [DONE]\n\n"
}

/// A chunk with this delta.
pub(crate) fn delta(delta: Value) -> Value {
    json!({"choices": [{"index": 0, "delta": delta}]})
}

/// A chunk with text.
pub(crate) fn text(text: &str) -> Value {
    delta(json!({ "content": text }))
}

/// A chunk with a call of a function.
pub(crate) fn call(index: u64, id: &str, name: &str, arguments: &str) -> Value {
    let function = json!({"name": name, "arguments": arguments});
    delta(json!({"tool_calls": [{"index": index, "id": id, "function": function}]}))
}

/// The chunk with the finish reason.
pub(crate) fn finish(reason: &str) -> Value {
    json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
}

/// The messages that the upstream receives for this input.
pub(crate) fn messages(upstream: &Value, input: Value) -> Value {
    ask(json!({ "input": input })).upstream(upstream).sent().0["messages"].take()
}

/// A user's message, as an item and as a chat message.
pub(crate) fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

/// The item of a function call.
pub(crate) fn function_call(id: &str, name: &str, arguments: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": name, "arguments": arguments})
}

/// The item of a function call's output.
pub(crate) fn function_call_output(id: &str, output: Value) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": output})
}

/// A function tool.
pub(crate) fn function(name: &str) -> Value {
    json!({"type": "function", "name": name})
}

/// The roles of chat messages.
pub(crate) fn roles(messages: &Value) -> Vec<&str> {
    messages.as_array().unwrap().iter().map(|message| message["role"].as_str().unwrap()).collect()
}

/// The names of the tools that a chat request declares.
pub(crate) fn declared(body: &Value) -> Vec<&str> {
    let tools = body["tools"].as_array().into_iter().flatten();
    tools.map(|tool| tool["function"]["name"].as_str().unwrap()).collect()
}
