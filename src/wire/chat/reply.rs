//! What comes back: one `chat.completion`, or `chat.completion.chunk`s. One set of types reads both.
//!
//! Hosts differ in nearly every field, so nearly all that has more than one form is kept raw here
//! and read where its meaning is known.

use serde::{Deserialize, Deserializer};
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
    /// Where Groq puts the usage, too.
    #[serde(borrow)]
    pub x_groq: Option<GroqExtras<'a>>,
    /// The message or the next piece of it, in Ollama's own form; the words of an error elsewhere.
    #[serde(borrow)]
    pub message: Option<&'a RawValue>,
    /// Whether that was the last piece.
    #[serde(borrow)]
    pub done: Option<&'a RawValue>,
    /// The finish reason, in Ollama's own form.
    #[serde(borrow)]
    pub done_reason: Option<&'a RawValue>,
    /// The tokens of the prompt, in Ollama's own form.
    #[serde(borrow)]
    pub prompt_eval_count: Option<&'a RawValue>,
    /// The tokens of the answer, in Ollama's own form.
    #[serde(borrow)]
    pub eval_count: Option<&'a RawValue>,
    /// The text, in Cloudflare's own form.
    #[serde(borrow)]
    pub response: Option<&'a RawValue>,
    /// The tool calls, in Cloudflare's own form.
    #[serde(borrow)]
    pub tool_calls: Option<ToolCalls<'a>>,
    /// The finish reason, in Cloudflare's own form.
    #[serde(borrow)]
    pub finish_reason: Option<&'a RawValue>,
    /// All of the above, in Cloudflare's envelope.
    #[serde(borrow)]
    pub result: Option<&'a RawValue>,
}

/// `x_groq`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct GroqExtras<'a> {
    /// `usage`.
    #[serde(borrow)]
    pub usage: Option<&'a RawValue>,
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
    /// An error within the choice (OpenRouter).
    #[serde(borrow)]
    pub error: Option<&'a RawValue>,
    /// `usage`, where Moonshot puts it.
    #[serde(borrow)]
    pub usage: Option<&'a RawValue>,
}

/// `logprobs` of a choice: `content`, or the lists of the API of old.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Logprobs<'a> {
    /// One for each token of the content.
    #[serde(borrow)]
    pub content: Option<Vec<Logprob<'a>>>,
    /// The tokens.
    #[serde(borrow)]
    pub tokens: Option<Vec<Cow<'a, str>>>,
    /// The logprob of each.
    pub token_logprobs: Option<Vec<Option<f64>>>,
}

/// The logprob of one token.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Logprob<'a> {
    /// The token.
    #[serde(borrow)]
    pub token: Cow<'a, str>,
    /// Its logarithmic probability.
    pub logprob: Option<f64>,
    /// Its bytes, as some hosts say it: others leave them out, or `null`.
    pub bytes: Option<Vec<u8>>,
    /// What else could have stood there.
    #[serde(borrow)]
    pub top_logprobs: Option<Vec<Logprob<'a>>>,
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
    /// The reasoning, as Ollama names it in its own API.
    #[serde(borrow)]
    pub thinking: Option<&'a RawValue>,
    /// The reasoning in pieces that the host wants back as they are: an array of objects.
    #[serde(borrow)]
    pub reasoning_details: Option<&'a RawValue>,
    /// A refusal.
    #[serde(borrow)]
    pub refusal: Option<&'a RawValue>,
    /// Citations: an array of objects.
    #[serde(borrow)]
    pub annotations: Option<&'a RawValue>,
    /// The calls, or pieces of them.
    #[serde(borrow)]
    pub tool_calls: Option<ToolCalls<'a>>,
    /// The tool call of old.
    #[serde(borrow)]
    pub function_call: Option<Function<'a>>,
}

/// `tool_calls`: an array; with some hosts a single object, or an empty string.
#[derive(Debug)]
pub enum ToolCalls<'a> {
    /// The calls, without the `null`s among them.
    Read(Vec<ToolCall<'a>>),
    /// Something else, which must not be lost without a word.
    Unreadable,
}

impl<'de: 'a, 'a> Deserialize<'de> for ToolCalls<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = <&'de RawValue>::deserialize(deserializer)?.get();
        // By the first byte: serde would take an array that it cannot read for the fields of one call.
        let read = match json.as_bytes() {
            b"\"\"" => Ok(Vec::new()),
            [b'{', ..] => serde_json::from_str(json).map(|one| vec![one]),
            _ => serde_json::from_str(json)
                .map(|calls: Vec<Option<ToolCall<'_>>>| calls.into_iter().flatten().collect()),
        };
        Ok(read.map_or(Self::Unreadable, Self::Read))
    }
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
    /// The call of a tool that the host knows as `custom`.
    #[serde(borrow)]
    pub custom: Option<Custom<'a>>,
    /// What the host wants back with the call, e.g. Gemini's thought signature.
    #[serde(borrow)]
    pub extra_content: Option<&'a RawValue>,
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

/// The custom tool that is called.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Custom<'a> {
    /// Its name, or a piece of it.
    #[serde(borrow)]
    pub name: Option<Cow<'a, str>>,
    /// A string or a piece of it: the raw text.
    #[serde(borrow)]
    pub input: Option<&'a RawValue>,
}
