//! Replies: a `chat.completion`, or one `chat.completion.chunk` of a stream. One set of types reads both.
//!
//! Upstreams differ in nearly every field. So a value with more than one form is kept raw here, and parsed where its
//! meaning is known; every field may be absent or `null`.
//!
//! References: [the object](https://platform.openai.com/docs/api-reference/chat/object),
//! [the chunk](https://platform.openai.com/docs/api-reference/chat-streaming/streaming).

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A completion or a chunk of one.
///
/// ```json
/// {"choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": null}],
///  "usage": {"prompt_tokens": 5, "completion_tokens": 1}, "service_tier": "default"}
/// ```
///
/// Ollama's own API: `{"message": {"content": "Hi"}, "done": true, "done_reason": "stop", "eval_count": 1}`.
/// Cloudflare's own API: `{"result": {"response": "Hi", "tool_calls": [], "finish_reason": "stop"}}`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
#[allow(missing_docs)]
pub struct Completion<'a> {
    /// Usually one. All are parts of one answer.
    pub choices: Option<Vec<Choice<'a>>>,
    pub usage: Option<&'a RawValue>,
    pub service_tier: Option<&'a RawValue>,
    /// An error instead of a chunk, or together with one.
    pub error: Option<&'a RawValue>,
    pub x_groq: Option<GroqExtras<'a>>,
    /// Ollama: a message or a delta. In other upstreams' errors: their text.
    pub message: Option<&'a RawValue>,
    /// Ollama: whether this is the last chunk.
    pub done: Option<&'a RawValue>,
    /// Ollama: the finish reason.
    pub done_reason: Option<&'a RawValue>,
    /// Ollama: the number of input tokens.
    pub prompt_eval_count: Option<&'a RawValue>,
    /// Ollama: the number of output tokens.
    pub eval_count: Option<&'a RawValue>,
    /// Cloudflare: the text.
    pub response: Option<&'a RawValue>,
    /// Cloudflare: the tool calls.
    pub tool_calls: Option<ToolCalls<'a>>,
    /// Cloudflare: the finish reason.
    pub finish_reason: Option<&'a RawValue>,
    /// Cloudflare: an envelope around the three fields above.
    pub result: Option<&'a RawValue>,
    /// Perplexity: the URLs of the sources.
    pub citations: Option<&'a RawValue>,
    /// Perplexity: the sources with their titles.
    pub search_results: Option<&'a RawValue>,
}

/// Groq repeats the usage here: `{"usage": {"prompt_tokens": 5, "completion_tokens": 1}}`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
#[allow(missing_docs)]
pub struct GroqExtras<'a> {
    pub usage: Option<&'a RawValue>,
}

/// An element of `choices`.
///
/// ```json
/// {"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop", "logprobs": null}
/// ```
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
#[allow(missing_docs)]
pub struct Choice<'a> {
    /// A number; some upstreams leave it out.
    pub index: Option<&'a RawValue>,
    /// Chunks only.
    pub delta: Option<Message<'a>>,
    /// Completions only.
    pub message: Option<Message<'a>>,
    pub finish_reason: Option<&'a RawValue>,
    /// Usually [`Logprobs`].
    pub logprobs: Option<&'a RawValue>,
    /// OpenRouter: an error within the choice.
    pub error: Option<&'a RawValue>,
    /// Moonshot: the usage.
    pub usage: Option<&'a RawValue>,
    /// Gateways: the calls beside the message instead of in it.
    pub tool_calls: Option<ToolCalls<'a>>,
}

/// `logprobs` of a choice. Either `content`, or the two lists of the legacy Completions API.
///
/// ```json
/// {"content": [{"token": "Hi", "logprob": -0.1, "bytes": [72, 105], "top_logprobs": []}]}
/// {"tokens": ["Hi"], "token_logprobs": [-0.1]}
/// ```
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
#[allow(missing_docs)]
pub struct Logprobs<'a> {
    pub content: Option<Vec<Logprob<'a>>>,
    pub tokens: Option<Vec<Cow<'a, str>>>,
    pub token_logprobs: Option<Vec<Option<f64>>>,
}

/// The log probability of a token, and of the most likely alternatives.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
#[allow(missing_docs)]
pub struct Logprob<'a> {
    #[serde(borrow)]
    pub token: Cow<'a, str>,
    pub logprob: Option<f64>,
    pub bytes: Option<Vec<u8>>,
    pub top_logprobs: Option<Vec<Logprob<'a>>>,
}

/// A message, or a delta of one. Reasoning has four names: `reasoning_content` (DeepSeek), `reasoning` (vLLM),
/// `reasoning_text` (a few others) and `thinking` (Ollama's own API).
///
/// ```json
/// {"content": "Hi", "reasoning_content": "They greet me.",
///  "tool_calls": [{"index": 0, "id": "call_1", "function": {"name": "f", "arguments": "{}"}}]}
/// ```
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
#[allow(missing_docs)]
pub struct Message<'a> {
    /// A string. Some upstreams send a number or an array of parts.
    pub content: Option<&'a RawValue>,
    pub reasoning_content: Option<&'a RawValue>,
    pub reasoning: Option<&'a RawValue>,
    pub reasoning_text: Option<&'a RawValue>,
    pub thinking: Option<&'a RawValue>,
    /// Reasoning as an array of objects, which the upstream needs back unchanged.
    pub reasoning_details: Option<&'a RawValue>,
    pub refusal: Option<&'a RawValue>,
    /// Citations: an array of objects.
    pub annotations: Option<&'a RawValue>,
    /// OpenRouter, LiteLLM: generated images, an array of objects.
    pub images: Option<&'a RawValue>,
    pub tool_calls: Option<ToolCalls<'a>>,
    /// Gateways: the calls under another name.
    #[serde(alias = "toolCalls", alias = "function_calls")]
    pub tool_call: Option<ToolCalls<'a>>,
    /// The deprecated form of a single call.
    pub function_call: Option<Function<'a>>,
    /// Gateways: an error within the message.
    pub error: Option<&'a RawValue>,
}

/// `tool_calls`: an array. Some upstreams send a single object, an object with the positions as keys, or an empty string.
#[derive(Debug)]
pub enum ToolCalls<'a> {
    /// The calls, without `null` elements.
    Read(Vec<ToolCall<'a>>),
    /// Anything else. It must not be lost silently.
    Unreadable,
}

impl<'de: 'a, 'a> Deserialize<'de> for ToolCalls<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&'de RawValue>::deserialize(deserializer)?.get();
        // Decided by the first byte, because serde would read an array as the fields of a single call.
        let read = match json.as_bytes() {
            b"\"\"" => Ok(Vec::new()),
            [b'{', ..] if has_positions(json) => by_position(json),
            [b'{', ..] => serde_json::from_str(json).map(|one| vec![one]),
            _ => serde_json::from_str(json)
                .map(|calls: Vec<Option<ToolCall<'_>>>| calls.into_iter().flatten().collect()),
        };
        let read = read.map(|mut calls: Vec<ToolCall<'_>>| {
            mark_unread(&mut calls, json);
            calls
        });
        match read {
            // The reader of the chunk handles repeated keys.
            Err(problem) if problem.to_string().starts_with("duplicate field") => {
                Err(D::Error::custom(problem))
            }
            read => Ok(read.map_or(Self::Unreadable, Self::Read)),
        }
    }
}

/// Whether the first key of an object is a number.
fn has_positions(object: &str) -> bool {
    let first_key = object.trim_start_matches(['{', ' ', '\t', '\r', '\n']);
    first_key.strip_prefix('"').is_some_and(|key| key.starts_with(|digit: char| digit.is_ascii_digit()))
}

/// The calls of `{"0": {...}, "1": {...}}` in their order.
fn by_position(json: &str) -> serde_json::Result<Vec<ToolCall<'_>>> {
    let calls: BTreeMap<&str, ToolCall<'_>> = serde_json::from_str(json)?;
    let mut calls: Vec<(u64, ToolCall<'_>)> = calls
        .into_iter()
        .map(|(key, call)| {
            let index: &RawValue = serde_json::from_str(key)?;
            let position = serde_json::from_str(key)?;
            Ok((position, ToolCall { index: call.index.or(Some(index)), ..call }))
        })
        .collect::<serde_json::Result<_>>()?;
    calls.sort_by_key(|(position, _)| *position);
    Ok(calls.into_iter().map(|(_, call)| call).collect())
}

/// Marks the calls that have a name and, instead of arguments, something under a key that is not read.
fn mark_unread(calls: &mut [ToolCall<'_>], json: &str) {
    if calls.iter().all(|call| !call.lacks_arguments()) {
        return;
    }
    let written = match serde_json::from_str(json) {
        Ok(Value::Array(calls)) => calls.into_iter().filter(|call| !call.is_null()).collect(),
        Ok(Value::Object(calls)) if has_positions(json) => {
            let mut calls: Vec<_> = calls.into_iter().collect();
            calls.sort_by_key(|(key, _)| key.parse::<u64>().unwrap_or(0));
            calls.into_iter().map(|(_, call)| call).collect()
        }
        Ok(call) => vec![call],
        Err(_) => Vec::new(),
    };
    for (call, written) in calls.iter_mut().zip(&written) {
        call.is_unread = call.lacks_arguments() && has_unread(written);
    }
}

/// What is read, or is known to be no arguments.
const NO_ARGUMENTS: &[&str] = &["function", "custom", "extra_content", "provider_specific_fields"];

fn has_unread(call: &Value) -> bool {
    let fields = call.get("function").filter(|function| function.is_object()).unwrap_or(call).as_object();
    let may_be_arguments = |value: &Value| match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::String(text) => text.trim_start().starts_with('{') && text.trim() != "{}",
        _ => false,
    };
    fields
        .into_iter()
        .flatten()
        .any(|(key, value)| !NO_ARGUMENTS.contains(&&**key) && may_be_arguments(value))
}

/// An element of `tool_calls`: a call, or a fragment of one.
///
/// ```json
/// {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
/// ```
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
#[allow(missing_docs)]
pub struct ToolCall<'a> {
    /// Identifies the call to which a fragment belongs.
    pub index: Option<&'a RawValue>,
    /// A string. `null`, empty or absent in the fragments after the first.
    pub id: Option<&'a RawValue>,
    pub function: Option<Function<'a>>,
    pub custom: Option<Custom<'a>>,
    /// State that the upstream needs back with the call, e.g. Gemini's thought signature.
    pub extra_content: Option<&'a RawValue>,
    /// Cloudflare: the name of the function.
    pub name: Option<Cow<'a, str>>,
    /// Cloudflare: the arguments.
    pub arguments: Option<&'a RawValue>,
    /// The arguments, as Anthropic's API and others name them.
    #[serde(alias = "parameters", alias = "args")]
    pub input: Option<&'a RawValue>,
    /// It has no arguments, but something under a key that is not read.
    #[serde(skip)]
    pub is_unread: bool,
}

impl ToolCall<'_> {
    /// Whether it has a name and no arguments.
    fn lacks_arguments(&self) -> bool {
        let function = self.function.as_ref();
        let is_named = self.name.is_some() || function.is_some_and(|function| function.name.is_some());
        let inside = function.and_then(|function| function.arguments.or(function.parameters));
        is_named && inside.or(self.arguments).or(self.input).is_none()
    }
}

/// The called function. The name may come in pieces too.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
#[allow(missing_docs)]
pub struct Function<'a> {
    pub name: Option<Cow<'a, str>>,
    /// A string, or a piece of it. Some upstreams send the object itself.
    pub arguments: Option<&'a RawValue>,
    /// The arguments, as early releases of TGI and others name them.
    #[serde(alias = "args", alias = "input")]
    pub parameters: Option<&'a RawValue>,
}

/// The called custom tool: `{"name": "apply_patch", "input": "*** Begin Patch\n"}`. Both may come in pieces.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
#[allow(missing_docs)]
pub struct Custom<'a> {
    pub name: Option<Cow<'a, str>>,
    pub input: Option<&'a RawValue>,
}
