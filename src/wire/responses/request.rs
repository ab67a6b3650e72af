//! The body of `POST /v1/responses`.
//!
//! Reference: <https://platform.openai.com/docs/api-reference/responses/create>

use crate::error::ApiError;
use crate::json::{JsonStr, TapeValue};
use crate::wire::typed::{Checked, Located, RawObject, Read, objects};
use std::borrow::Cow;

objects! {
    /// The fields that are translated or checked. The upstream options decide about all others.
    ///
    /// ```json
    /// {"model": "m", "instructions": "Be brief.", "input": "Hi", "stream": true,
    ///  "tools": [{"type": "function", "name": "f", "parameters": {"type": "object"}}],
    ///  "reasoning": {"effort": "low", "summary": "auto"}, "text": {"verbosity": "low"}}
    /// ```
    #[allow(missing_docs)]
    pub struct Request<'a> {
        pub model: Cow<'a, str>,
        pub instructions: Option<JsonStr<'a>>,
        /// A string, or an array of items. Only a stored conversation can go on without it.
        pub input: Option<TapeValue<'a>>,
        /// An array.
        pub tools: Option<TapeValue<'a>>,
        /// A string or an object.
        pub tool_choice: Option<TapeValue<'a>>,
        pub parallel_tool_calls: Option<bool>,
        /// Counts hosted tools only, so it is echoed and has no other effect.
        pub max_tool_calls: Option<u64>,
        pub reasoning: Option<Reasoning<'a>>,
        pub text: Option<TextOptions<'a>>,
        /// Optional parts of the response, e.g. `reasoning.encrypted_content`.
        pub include: Option<Vec<Cow<'a, str>>>,
        pub stream: Option<bool>,
        pub stream_options: Checked<StreamOptions>,
        pub max_output_tokens: Option<u64>,
        pub temperature: Option<f64>,
        pub top_p: Option<f64>,
        pub top_logprobs: Option<u64>,
        /// `auto` or `disabled`.
        pub truncation: Option<Cow<'a, str>>,
        pub metadata: Option<RawObject<'a>>,
        pub user: Option<JsonStr<'a>>,
        pub service_tier: Option<JsonStr<'a>>,
        pub safety_identifier: Option<JsonStr<'a>>,
        pub prompt_cache_key: Option<JsonStr<'a>>,
        pub prompt_cache_options: Option<RawObject<'a>>,
        /// Whether the response may be kept. Absent means yes.
        pub store: Option<bool>,
    }

    /// `reasoning`.
    #[allow(missing_docs)]
    pub struct Reasoning<'a> {
        /// `none` to `max`.
        pub effort: Option<Cow<'a, str>>,
        pub summary: Option<JsonStr<'a>>,
    } besides ["generate_summary"]

    /// `text`.
    #[allow(missing_docs)]
    pub struct TextOptions<'a> {
        pub format: Option<TextFormat<'a>>,
        /// `low`, `medium` or `high`.
        pub verbosity: Option<JsonStr<'a>>,
    }

    /// `text.format` with `"type": "json_schema"`.
    ///
    /// ```json
    /// {"type": "json_schema", "name": "answer", "schema": {"type": "object"}, "strict": true}
    /// ```
    #[allow(missing_docs)]
    pub struct JsonSchemaFormat<'a> {
        pub name: JsonStr<'a>,
        pub schema: RawObject<'a>,
        pub description: Option<JsonStr<'a>>,
        pub strict: Option<bool>,
    }

    /// `tool_choice` with `"type": "function"` or `"custom"`, and an element of the `tools` of `allowed_tools`.
    #[allow(missing_docs)]
    pub struct NamedTool<'a> {
        pub name: Cow<'a, str>,
        pub namespace: Option<Cow<'a, str>>,
    } besides ["mode", "tools"]
}

/// `stream_options`: `{"include_obfuscation": true}` asks for padding against eavesdroppers. No padding is added here.
#[derive(Debug, Clone, Copy)]
pub struct StreamOptions;

impl Read<'_> for StreamOptions {
    fn read(located: Located<'_, '_>) -> Result<Self, ApiError> {
        located.object()?.note_all_but(&["include_obfuscation"]);
        Ok(Self)
    }
}

/// `text.format`.
#[derive(Debug, Clone)]
pub enum TextFormat<'a> {
    /// `{"type": "text"}`, the default.
    Text,
    /// `{"type": "json_object"}`
    JsonObject,
    /// `{"type": "json_schema", ...}`
    JsonSchema(JsonSchemaFormat<'a>),
}

impl<'a> Read<'a> for TextFormat<'a> {
    fn read(located: Located<'_, 'a>) -> Result<Self, ApiError> {
        let format = located.object()?;
        match &*format.get::<Cow<'_, str>>("type")? {
            "text" => Ok(Self::Text),
            "json_object" => Ok(Self::JsonObject),
            "json_schema" => JsonSchemaFormat::of(&format).map(Self::JsonSchema),
            other => Err(ApiError::wrong_value(
                format.path_to("type"),
                other,
                &["text", "json_object", "json_schema"],
            )),
        }
    }
}

/// Fields that need stored state. `request::refusals` rejects them before the others are read.
const STATEFUL: &[&str] = &["previous_response_id", "conversation", "prompt", "background"];

/// Fields that are checked here, but only have a meaning upstream.
const FOR_UPSTREAM: &[&str] = &[
    "metadata",
    "user",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_options",
    "store",
    "truncation",
];

impl Request<'_> {
    /// The names of all fields that are translated, checked or rejected.
    pub fn known_fields() -> impl Iterator<Item = &'static str> {
        Self::FIELDS.iter().chain(STATEFUL).copied()
    }

    /// Whether the filter itself handles a field. The others may be passed on (option `pass_fields`).
    pub fn is_served(field: &str) -> bool {
        Self::known_fields().any(|known| known == field) && !FOR_UPSTREAM.contains(&field)
    }
}
