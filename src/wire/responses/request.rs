//! `POST /v1/responses`: the top level of the body.

use crate::json::{JsonStr, TapeValue};
use crate::wire::typed::{RawObject, objects};
use std::borrow::Cow;

objects! {
    /// The request body: the fields that mean something here. Any other is passed on, if the host takes
    /// it, or left out.
    pub struct Request<'a> {
        /// `model`.
        pub model: Cow<'a, str>,
        /// `instructions`.
        pub instructions: Option<JsonStr<'a>>,
        /// A string, or an array of items.
        pub input: TapeValue<'a>,
        /// An array.
        pub tools: Option<TapeValue<'a>>,
        /// A string or an object.
        pub tool_choice: Option<TapeValue<'a>>,
        /// `parallel_tool_calls`.
        pub parallel_tool_calls: Option<bool>,
        /// `max_tool_calls`; counts hosted tools only.
        pub max_tool_calls: Option<u64>,
        /// `reasoning`.
        pub reasoning: Option<Reasoning<'a>>,
        /// `text`.
        pub text: Option<TextOptions<'a>>,
        /// What the reply should hold beside the usual.
        pub include: Option<Vec<Cow<'a, str>>>,
        /// `stream`.
        pub stream: Option<bool>,
        /// `{include_obfuscation}`: padding against eavesdroppers, of which there is none here.
        pub stream_options: Option<RawObject<'a>>,
        /// `max_output_tokens`.
        pub max_output_tokens: Option<u64>,
        /// `temperature`.
        pub temperature: Option<f64>,
        /// `top_p`.
        pub top_p: Option<f64>,
        /// `top_logprobs`.
        pub top_logprobs: Option<u64>,
        /// `auto` or `disabled`.
        pub truncation: Option<Cow<'a, str>>,
        /// `metadata`.
        pub metadata: Option<RawObject<'a>>,
        /// `user`.
        pub user: Option<JsonStr<'a>>,
        /// `service_tier`.
        pub service_tier: Option<JsonStr<'a>>,
        /// `safety_identifier`.
        pub safety_identifier: Option<JsonStr<'a>>,
        /// `prompt_cache_key`.
        pub prompt_cache_key: Option<JsonStr<'a>>,
        /// `store`.
        pub store: Option<bool>,
        /// `previous_response_id`.
        pub previous_response_id: Option<TapeValue<'a>>,
        /// `conversation`.
        pub conversation: Option<TapeValue<'a>>,
        /// `prompt`.
        pub prompt: Option<TapeValue<'a>>,
        /// `background`.
        pub background: Option<bool>,
    }

    /// `reasoning`.
    pub struct Reasoning<'a> {
        /// `none` to `max`.
        pub effort: Option<Cow<'a, str>>,
        /// How much of the reasoning is shown.
        pub summary: Option<JsonStr<'a>>,
    }

    /// `text`.
    pub struct TextOptions<'a> {
        /// An object.
        pub format: Option<TapeValue<'a>>,
        /// `low`, `medium` or `high`.
        pub verbosity: Option<JsonStr<'a>>,
    }

    /// `text.format` with `type: json_schema`.
    pub struct JsonSchemaFormat<'a> {
        /// Its name.
        pub name: JsonStr<'a>,
        /// The schema.
        pub schema: RawObject<'a>,
        /// What it is for.
        pub description: Option<JsonStr<'a>>,
        /// It must be followed to the letter.
        pub strict: Option<bool>,
    }

    /// `tool_choice` with `type: function` or `custom`, and one of the tools of `allowed_tools`.
    pub struct NamedTool<'a> {
        /// The tool.
        pub name: Cow<'a, str>,
        /// The namespace that holds it.
        pub namespace: Option<Cow<'a, str>>,
    }
}

/// Fields that are known here, but mean something to the host only.
const FOR_THE_HOST: &[&str] =
    &["metadata", "user", "service_tier", "safety_identifier", "prompt_cache_key", "store", "truncation"];

impl Request<'_> {
    /// Whether a field is served here: translated, refused, or done without. Any other is for the host, if it takes it.
    pub fn is_served(field: &str) -> bool {
        Self::FIELDS.contains(&field) && !FOR_THE_HOST.contains(&field)
    }
}
