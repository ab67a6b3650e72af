//! The script: the replies that a test sets. `stream` and `answer` write them.
//!
//! Unknown keys are errors, so that a misspelt script fails when it is set.
//!
//! ```json
//! {
//!   "strict": {"allow_fields": ["reasoning_effort"], "assistant_fields": ["reasoning_content"]},
//!   "replies": [
//!     {"reasoning": "Hm.", "tool_calls": [{"id": "call_1", "name": "f", "arguments": {"x": 1}}],
//!      "chunking": {"arguments": 1}, "shape": "tgi"},
//!     {"steps": [{"text": "One."}, {"comment": "keep-alive"}, {"tool_calls": [{"name": "g", "arguments": "{\"y\": "}]}],
//!      "finish": "length", "usage": null},
//!     {"raw_sse": "data: {\"choices\": []}\n\n", "split": 1, "delay_ms": 5},
//!     {"error": {"status": 429, "headers": {"retry-after": "1"}, "body": {"error": {"message": "slow down"}}}},
//!     {"text": "You will not hear the end of", "abort_after": 2}
//!   ]
//! }
//! ```

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::shape::Shape;
use crate::strict::Strictness;

/// The state that `POST /_/script` replaces. Absent keys get their defaults.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Script {
    /// One reply for each request, in order. After the last, the server improvises.
    pub(crate) replies: Vec<Reply>,
    pub(crate) strict: Strictness,
}

/// One scripted answer.
///
/// Its content is `raw_sse`, `json`, `error` or `steps`, or a shorthand: one text, reasoning, refusal and group of calls.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Reply {
    pub(crate) status: Option<u16>,
    pub(crate) headers: BTreeMap<String, String>,

    /// Sent verbatim, whether the client requested a stream or not.
    pub(crate) raw_sse: Option<String>,
    /// A raw JSON body.
    pub(crate) json: Option<Value>,
    pub(crate) error: Option<Failure>,
    pub(crate) steps: Option<Vec<Step>>,

    pub(crate) text: Option<String>,
    pub(crate) reasoning: Option<String>,
    pub(crate) refusal: Option<String>,
    pub(crate) tool_calls: Vec<Call>,
    /// The order of the shorthand's parts. A part that is not listed is not sent.
    pub(crate) order: Option<Vec<Part>>,

    /// The finish reason. Absent: derived from the content. `null`: never sent.
    #[serde(deserialize_with = "given")]
    pub(crate) finish: Option<Option<String>>,
    /// The token usage. Absent: an estimate. `null`: never sent.
    #[serde(deserialize_with = "given")]
    pub(crate) usage: Option<Option<Value>>,
    /// Whether `[DONE]` ends the stream.
    pub(crate) done: Option<bool>,

    pub(crate) reasoning_field: Option<String>,
    pub(crate) chunking: Chunking,
    pub(crate) shape: Shape,
    /// Splits the whole body into pieces of this many bytes.
    pub(crate) split: Option<usize>,
    /// The delay before each write of the body but the first.
    pub(crate) delay_ms: u64,
    /// The delay before the response headers.
    pub(crate) headers_delay_ms: u64,
    /// Aborts the connection after this many writes of the body.
    pub(crate) abort_after: Option<usize>,
    /// Closes the connection without an answer.
    pub(crate) hang_up: bool,
}

/// An HTTP error, or another reply whose body is not a completion.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Failure {
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// A string is sent as plain text, any other value as JSON.
    #[serde(default)]
    pub(crate) body: Value,
}

/// One step of a reply: output of the model, or raw bytes around it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Step {
    Text(String),
    Reasoning(String),
    Refusal(String),
    /// Parallel calls; their fragments are interleaved if `chunking` says so.
    ToolCalls(Vec<Call>),
    /// One SSE event with this JSON as its data.
    Data(Value),
    /// Bytes written unchanged.
    Raw(String),
    /// An SSE comment, which providers send to keep the connection open.
    Comment(String),
    WaitMs(u64),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Call {
    /// If absent, an id is generated that is unique within this server.
    pub(crate) id: Option<String>,
    pub(crate) name: String,
    /// A string is sent unchanged, so it may be invalid JSON. An object is written as compact JSON.
    #[serde(default)]
    pub(crate) arguments: Value,
    /// Data that the client must send back with the call, e.g. Gemini's thought signature.
    pub(crate) extra_content: Option<Value>,
}

impl Call {
    pub(crate) fn arguments_text(&self) -> String {
        match &self.arguments {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }
    }
}

/// A part of the shorthand.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Part {
    Reasoning,
    Text,
    Refusal,
    ToolCalls,
}

const USUAL_ORDER: [Part; 4] = [Part::Reasoning, Part::Text, Part::Refusal, Part::ToolCalls];

/// The length of the text in one delta, in characters.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Chunking {
    /// For text, reasoning and refusals.
    pub(crate) text: usize,
    pub(crate) arguments: usize,
    /// Whether the fragments of parallel calls are interleaved.
    pub(crate) interleave: bool,
}

impl Default for Chunking {
    fn default() -> Self {
        Self { text: 12, arguments: 16, interleave: false }
    }
}

impl Reply {
    /// The steps, or the shorthand spelt out as steps.
    pub(crate) fn steps(&self) -> Vec<Step> {
        if let Some(steps) = &self.steps {
            return steps.clone();
        }
        let order = self.order.as_deref().unwrap_or(&USUAL_ORDER);
        order.iter().filter_map(|part| self.part(*part)).collect()
    }

    fn part(&self, part: Part) -> Option<Step> {
        match part {
            Part::Reasoning => self.reasoning.clone().map(Step::Reasoning),
            Part::Text => self.text.clone().map(Step::Text),
            Part::Refusal => self.refusal.clone().map(Step::Refusal),
            Part::ToolCalls => {
                (!self.tool_calls.is_empty()).then(|| Step::ToolCalls(self.tool_calls.clone()))
            }
        }
    }

    /// The `reasoning_field` of the reply, else of its shape.
    pub(crate) fn reasoning_field(&self) -> &str {
        self.reasoning_field.as_deref().unwrap_or(&self.shape.reasoning_field)
    }

    pub(crate) fn finish_reason(&self, calls_seen: bool) -> Option<String> {
        match &self.finish {
            Some(said) => said.clone(),
            None if calls_seen && !self.shape.finish_hides_calls => Some("tool_calls".to_owned()),
            None => Some("stop".to_owned()),
        }
    }

    /// Describes a contradiction within this reply, if there is one.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let shorthand = self.text.is_some()
            || self.reasoning.is_some()
            || self.refusal.is_some()
            || !self.tool_calls.is_empty();
        let bodies = [
            self.raw_sse.is_some(),
            self.json.is_some(),
            self.error.is_some(),
            self.steps.is_some(),
            shorthand,
        ];
        if bodies.iter().filter(|given| **given).count() > 1 {
            return Some(
                "a reply is one of: raw_sse, json, error, steps, or text/reasoning/refusal/tool_calls",
            );
        }
        if self.split == Some(0) || self.chunking.text == 0 || self.chunking.arguments == 0 {
            return Some("split and chunking are at least 1");
        }
        None
    }
}

/// Distinguishes a key that is `null` (`Some(None)`) from an absent one (`None`).
fn given<'de, D, T>(input: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(input).map(Some)
}
