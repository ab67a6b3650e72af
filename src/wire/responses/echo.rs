//! The fields of the request that the `response` object repeats.

use crate::json::{RawFields, RawJson};
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use std::borrow::Cow;

/// The fields of the request that the response repeats, with the API's defaults for absent ones.
#[derive(Debug)]
#[allow(missing_docs)]
pub struct EchoedFields<'a> {
    pub first: FirstFields<'a>,
    /// `None`: there is none.
    pub metadata: Option<RawJson<'a>>,
    /// `None`: the default one.
    pub service_tier: Option<RawJson<'a>>,
    pub last: LastFields<'a>,
}

/// Those before `metadata`.
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct FirstFields<'a> {
    /// The model as the client named it.
    pub model: Cow<'a, str>,
    pub instructions: Option<RawJson<'a>>,
    pub tools: Vec<RawJson<'a>>,
    pub tool_choice: RawJson<'a>,
    pub parallel_tool_calls: bool,
    pub reasoning: EchoedReasoning<'a>,
    pub text: EchoedText<'a>,
    pub temperature: f64,
    pub top_p: f64,
    /// A field of Chat Completions that the Open Responses schema requires: always 0.
    pub presence_penalty: f64,
    /// Always 0, like `presence_penalty`.
    pub frequency_penalty: f64,
    pub top_logprobs: u64,
    pub max_output_tokens: Option<u64>,
    pub max_tool_calls: Option<u64>,
    pub truncation: Cow<'a, str>,
}

/// Those between `service_tier` and `store`.
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct LastFields<'a> {
    pub user: Option<RawJson<'a>>,
    pub safety_identifier: Option<RawJson<'a>>,
    pub prompt_cache_key: Option<RawJson<'a>>,
    /// The reasoning that the model did not get.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub input_transformations: Vec<InputTransformation<'a>>,
    /// The request's, or `null`.
    pub previous_response_id: Option<RawJson<'a>>,
}

/// `{"type": "reasoning", "id": "rs_1", "action": "removed", "reason": "model_mismatch"}`
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct InputTransformation<'a> {
    /// `reasoning`.
    pub r#type: &'static str,
    /// The `id` of the item.
    pub id: Cow<'a, str>,
    /// `removed`.
    pub action: &'static str,
    /// `model_mismatch`: a different model produced it, or the upstream does not accept reasoning.
    pub reason: &'static str,
}

/// `{"effort": "low", "summary": null}`
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct EchoedReasoning<'a> {
    pub effort: Option<Cow<'a, str>>,
    pub summary: Option<RawJson<'a>>,
}

/// `{"format": {"type": "text"}, "verbosity": "low"}`
#[derive(Debug, Serialize)]
#[allow(missing_docs)]
pub struct EchoedText<'a> {
    pub format: RawJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verbosity: Option<RawJson<'a>>,
}

/// The same in JSON, which each event with the response copies. The fields that a reply can change stand alone.
#[derive(Debug, Clone)]
pub struct Echo {
    first: RawFields,
    /// `None`: there is none.
    pub metadata: Option<RawJson<'static>>,
    /// `None`: the default one.
    pub service_tier: Option<RawJson<'static>>,
    last: RawFields,
    /// Whether the response is kept.
    pub store: bool,
}

impl Echo {
    /// `metadata` if there is none.
    pub const NO_METADATA: &str = "{}";
    /// `service_tier` if there is none.
    pub const DEFAULT_TIER: &str = r#""default""#;

    /// Writes the fields.
    pub fn new(fields: EchoedFields<'_>, store: bool) -> Self {
        Self {
            first: RawFields::of("model", &fields.first),
            metadata: fields.metadata.map(RawJson::into_owned),
            service_tier: fields.service_tier.map(RawJson::into_owned),
            last: RawFields::of("user", &fields.last),
            store,
        }
    }
}

impl Serialize for Echo {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("model", &self.first)?;
        fields.serialize_entry(
            "metadata",
            self.metadata.as_ref().unwrap_or(&RawJson::literal(Self::NO_METADATA)),
        )?;
        fields.serialize_entry(
            "service_tier",
            self.service_tier.as_ref().unwrap_or(&RawJson::literal(Self::DEFAULT_TIER)),
        )?;
        fields.serialize_entry("user", &self.last)?;
        fields.serialize_entry("store", &self.store)?;
        fields.serialize_entry("background", &false)?;
        fields.end()
    }
}
