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
    /// Gateways: the calls under other names.
    pub tool_call: Option<ToolCalls<'a>>,
    #[serde(rename = "toolCalls")]
    pub tool_calls_in_camel_case: Option<ToolCalls<'a>>,
    pub function_calls: Option<ToolCalls<'a>>,
    /// The deprecated form of a single call.
    pub function_call: Option<Function<'a>>,
    /// Gateways: an error within the message.
    pub error: Option<&'a RawValue>,
}

impl<'a> Message<'a> {
    /// The calls under each of their names.
    pub fn tool_calls(&self) -> [Option<&ToolCalls<'a>>; 4] {
        [&self.tool_calls, &self.tool_call, &self.tool_calls_in_camel_case, &self.function_calls]
            .map(Option::as_ref)
    }
}

/// `tool_calls`: an array. Some upstreams send a single object, or an object of calls with their positions or ids as keys.
#[derive(Debug)]
pub enum ToolCalls<'a> {
    /// The calls, without `null` elements.
    Read(Vec<ToolCall<'a>>),
    /// Anything else. It must not be lost silently.
    Unreadable,
}

impl<'de: 'a, 'a> Deserialize<'de> for ToolCalls<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&'de RawValue>::deserialize(deserializer)?;
        // Decided by the first byte, because serde would read an array as the fields of a single call.
        let read = match json.get().as_bytes() {
            [b'{', ..] => one_or_by_key(json),
            [b'[', ..] => list(json.get()),
            _ if NO_CALLS.contains(&json.get()) => Ok(Some(Vec::new())),
            _ => Ok(None),
        };
        match read {
            // The reader of the chunk handles repeated keys.
            Err(problem) if problem.to_string().starts_with("duplicate field") => {
                Err(D::Error::custom(problem))
            }
            read => Ok(read.ok().flatten().map_or(Self::Unreadable, Self::Read)),
        }
    }
}

/// What some upstreams send instead of an empty list.
const NO_CALLS: &[&str] = &["\"\"", "\"none\"", "\"null\"", "false", "0"];

fn list(json: &str) -> serde_json::Result<Option<Vec<ToolCall<'_>>>> {
    let calls: Vec<Option<ToolCall<'_>>> = serde_json::from_str(json)?;
    if calls.iter().flatten().all(ToolCall::has_arguments) {
        return Ok(Some(calls.into_iter().flatten().collect()));
    }
    let elements: Vec<Option<&RawValue>> = serde_json::from_str(json)?;
    elements.into_iter().flatten().map(ToolCall::of_element).collect::<serde_json::Result<_>>().map(Some)
}

/// The call that an object is, or the calls that it holds. `None`: neither.
fn one_or_by_key(json: &RawValue) -> serde_json::Result<Option<Vec<ToolCall<'_>>>> {
    if serde_json::from_str::<ToolCall<'_>>(json.get())?.has_any_field() {
        return ToolCall::of_element(json).map(|call| Some(vec![call]));
    }
    let values = fields(json)?;
    let is_empty = values.is_empty();
    let mut calls: Vec<(u64, ToolCall<'_>)> = Vec::new();
    for (key, value) in values.into_iter().filter(|(_, value)| is_object(value)) {
        let call = ToolCall::of_element(value)?;
        let position = key.parse().ok();
        let index = call.index.or(position.and_then(|_: u64| serde_json::from_str(key).ok()));
        calls.push((position.unwrap_or(u64::MAX), ToolCall { index, ..call }));
    }
    calls.sort_by_cached_key(|(position, _)| *position);
    let calls: Vec<_> = calls.into_iter().map(|(_, call)| call).collect();
    Ok((is_empty || !calls.is_empty()).then_some(calls))
}

fn fields(object: &RawValue) -> serde_json::Result<BTreeMap<&str, &RawValue>> {
    serde_json::from_str(object.get())
}

fn is_object(raw: &RawValue) -> bool {
    raw.get().starts_with('{')
}

/// What is read, or is known to be no arguments.
const NO_ARGUMENTS: &[&str] = &[
    "function",
    "custom",
    "extra_content",
    "provider_specific_fields",
    "caller",
    "cache_control",
    "metadata",
    "_meta",
    "google",
];

/// Whether a call has something under a key that is not read.
fn has_unread(call: &RawValue) -> bool {
    let may_be_arguments = |raw: &RawValue| match serde_json::from_str(raw.get()) {
        Ok(Value::Object(fields)) => !fields.is_empty(),
        Ok(Value::String(text)) => text.trim_start().starts_with('{') && text.trim() != "{}",
        _ => false,
    };
    let Ok(outer) = fields(call) else { return true };
    let inner = outer.get("function").filter(|function| is_object(function)).and_then(|raw| fields(raw).ok());
    inner.unwrap_or(outer).iter().any(|(key, value)| !NO_ARGUMENTS.contains(key) && may_be_arguments(value))
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
    /// The arguments, as Anthropic's API names them.
    pub input: Option<&'a RawValue>,
    /// The arguments, as others name them.
    pub parameters: Option<&'a RawValue>,
    pub args: Option<&'a RawValue>,
    /// It has no arguments, but something under a key that is not read.
    #[serde(skip)]
    pub is_unread: bool,
}

impl<'a> ToolCall<'a> {
    /// A call, or one in a wrapper: `{"type": "tool_call", "tool_call": {"name": "f", "arguments": {}}}`.
    ///
    /// # Errors
    ///
    /// A field of a call has the wrong type.
    pub fn of_element(json: &'a RawValue) -> serde_json::Result<Self> {
        let call: Self = serde_json::from_str(json.get())?;
        if call.has_arguments() {
            return Ok(call);
        }
        if call.name().is_some() {
            return Ok(Self { is_unread: has_unread(json), ..call });
        }
        let objects = fields(json)?.into_values().filter(|value| is_object(value));
        let mut wrapped = objects.filter_map(|value| serde_json::from_str(value.get()).ok());
        match wrapped.find(|call: &Self| call.name().is_some()) {
            Some(inner) => Ok(Self { index: call.index, id: call.id.or(inner.id), ..inner }),
            None => Ok(Self { is_unread: has_unread(json), ..call }),
        }
    }

    /// The name, or a piece of it.
    pub fn name(&self) -> Option<&str> {
        let function = self.function.as_ref().and_then(|function| function.name.as_deref());
        let custom = || self.custom.as_ref().and_then(|custom| custom.name.as_deref());
        function.or_else(custom).or(self.name.as_deref())
    }

    /// The arguments under each of their names.
    pub fn arguments(&self) -> impl Iterator<Item = &'a RawValue> {
        let inside = self.function.as_ref().map_or([None; 4], Function::arguments);
        let custom = self.custom.as_ref().and_then(|custom| custom.input);
        let outside = [self.arguments, self.input, self.parameters, self.args];
        inside.into_iter().chain([custom]).chain(outside).flatten()
    }

    fn has_arguments(&self) -> bool {
        self.arguments().next().is_some()
    }

    fn has_any_field(&self) -> bool {
        let given = [self.index, self.id, self.extra_content];
        self.name().is_some() || self.has_arguments() || given.iter().any(Option::is_some)
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
    /// The arguments, as early releases of TGI name them.
    pub parameters: Option<&'a RawValue>,
    /// The arguments, as others name them.
    pub args: Option<&'a RawValue>,
    pub input: Option<&'a RawValue>,
}

impl<'a> Function<'a> {
    /// The arguments under each of their names.
    pub fn arguments(&self) -> [Option<&'a RawValue>; 4] {
        [self.arguments, self.parameters, self.args, self.input]
    }
}

/// The called custom tool: `{"name": "apply_patch", "input": "*** Begin Patch\n"}`. Both may come in pieces.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
#[allow(missing_docs)]
pub struct Custom<'a> {
    pub name: Option<Cow<'a, str>>,
    pub input: Option<&'a RawValue>,
}
