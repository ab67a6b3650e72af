//! What comes back: one `chat.completion`, or `chat.completion.chunk`s. One set of types reads both.
//!
//! Hosts differ in nearly every field, so whatever has more than one form is kept raw here
//! and read where its meaning is known.

use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A completion or a chunk of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Completion<'a> {
    /// `choices`; only the one with index 0 is ours.
    #[serde(borrow)]
    pub choices: Option<Vec<Choice<'a>>>,
    /// `usage`.
    #[serde(borrow)]
    pub usage: Option<&'a RawValue>,
    /// The model that answers.
    #[serde(borrow)]
    pub model: Option<&'a RawValue>,
    /// `service_tier`.
    #[serde(borrow)]
    pub service_tier: Option<&'a RawValue>,
    /// An error in place of a chunk or beside one.
    #[serde(borrow)]
    pub error: Option<&'a RawValue>,
    /// The text, in Cloudflare's own form.
    #[serde(borrow)]
    pub response: Option<&'a RawValue>,
    /// The tool calls, in Cloudflare's own form.
    #[serde(borrow)]
    pub tool_calls: Option<&'a RawValue>,
    /// The finish reason, in Cloudflare's own form.
    #[serde(borrow)]
    pub finish_reason: Option<&'a RawValue>,
    /// All of the above, in Cloudflare's envelope.
    #[serde(borrow)]
    pub result: Option<&'a RawValue>,
}

/// One of `choices`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Choice<'a> {
    /// Its number; some hosts leave it out.
    #[serde(borrow)]
    pub index: Option<&'a RawValue>,
    /// In a chunk.
    #[serde(borrow)]
    pub delta: Option<Message<'a>>,
    /// In a completion.
    #[serde(borrow)]
    pub message: Option<Message<'a>>,
    /// Why it ended.
    #[serde(borrow)]
    pub finish_reason: Option<&'a RawValue>,
    /// `logprobs`: [`Logprobs`] with most hosts.
    #[serde(borrow)]
    pub logprobs: Option<&'a RawValue>,
    /// `usage`, where Moonshot puts it.
    #[serde(borrow)]
    pub usage: Option<&'a RawValue>,
}

/// `logprobs` of a choice.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Logprobs<'a> {
    /// One for each token of the content.
    #[serde(borrow)]
    pub content: Option<Vec<&'a RawValue>>,
}

/// A message or a delta of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Message<'a> {
    /// A string; with some hosts a number or an array of parts.
    #[serde(borrow)]
    pub content: Option<&'a RawValue>,
    /// The reasoning, as DeepSeek names it.
    #[serde(borrow)]
    pub reasoning_content: Option<&'a RawValue>,
    /// The reasoning, as vLLM names it.
    #[serde(borrow)]
    pub reasoning: Option<&'a RawValue>,
    /// The reasoning, as a few others name it.
    #[serde(borrow)]
    pub reasoning_text: Option<&'a RawValue>,
    /// A refusal.
    #[serde(borrow)]
    pub refusal: Option<&'a RawValue>,
    /// An array; with some hosts a single object.
    #[serde(borrow)]
    pub tool_calls: Option<&'a RawValue>,
    /// The tool call of old.
    #[serde(borrow)]
    pub function_call: Option<Function<'a>>,
}

/// One of `tool_calls`, or a piece of one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ToolCall<'a> {
    /// Which call the piece belongs to.
    #[serde(borrow)]
    pub index: Option<&'a RawValue>,
    /// Its id: a string, `null`, or empty on continuations.
    #[serde(borrow)]
    pub id: Option<&'a RawValue>,
    /// The function.
    #[serde(borrow)]
    pub function: Option<Function<'a>>,
    /// The name, in Cloudflare's own form.
    #[serde(borrow)]
    pub name: Option<Cow<'a, str>>,
    /// The arguments, in Cloudflare's own form.
    #[serde(borrow)]
    pub arguments: Option<&'a RawValue>,
}

/// The function that is called.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Function<'a> {
    /// Its name, or a piece of it.
    #[serde(borrow)]
    pub name: Option<Cow<'a, str>>,
    /// A string or a piece of it; with some hosts the object itself.
    #[serde(borrow)]
    pub arguments: Option<&'a RawValue>,
}
