//! The fields of the request that the response repeats.

use crate::bounds;
use crate::error::ApiError;
use crate::items::Origin;
use crate::json::{JsonStr, RawJson, TapeValue};
use crate::report::{Dropped, Report};
use crate::wire::responses::{
    Echo, EchoedFields, EchoedReasoning, EchoedText, FirstFields, FunctionTool, InputTransformation,
    LastFields, Request, TextFormat,
};
use crate::wire::typed::{Located, Object, RawObject};
use std::borrow::Cow;

/// `text.format` if the request has none.
const PLAIN_TEXT: &str = r#"{"type":"text"}"#;

/// `tool_choice` if the request has none.
const ANY_TOOL: &str = r#""auto""#;

/// The fields that the response repeats, with OpenAI's defaults.
///
/// Each event that contains the response repeats all of them, so their size is limited. A field that exceeds the limit
/// gets its default, and is reported. Codex gets no instructions, no tools and no list of what was withheld: it never
/// reads them, and they would be nine tenths of a short reply.
pub(super) fn echo<'a>(
    body: &Object<'_, 'a>,
    request: &'a Request<'a>,
    withheld: Vec<Origin<'a>>,
    is_codex: bool,
    report: &mut Report,
) -> Result<EchoedFields<'a>, ApiError> {
    let mut echo = plain(request);
    let EchoedFields { first, metadata, service_tier, last } = &mut echo;
    last.previous_response_id = body.field("previous_response_id").map(|id| id.value.raw());
    if !is_codex {
        first.instructions = shown(&request.instructions);
        first.tools = tools(body)?;
        last.input_transformations = transformations(withheld);
    }
    let withheld_bytes =
        last.input_transformations.iter().map(|one| one.id.len() + TRANSFORMATION_BYTES).sum();
    let mut budget = ByteBudget { left: bounds::ECHO_BYTES, report };
    for (name, field) in [
        ("user", &mut last.user),
        ("safety_identifier", &mut last.safety_identifier),
        ("prompt_cache_key", &mut last.prompt_cache_key),
        ("previous_response_id", &mut last.previous_response_id),
        ("text.verbosity", &mut first.text.verbosity),
        ("reasoning.summary", &mut first.reasoning.summary),
        ("instructions", &mut first.instructions),
    ] {
        budget.limit(name, field, "");
    }
    if !budget.takes("input_transformations", withheld_bytes) {
        last.input_transformations.clear();
    }
    if !budget.takes("model", first.model.len()) {
        first.model = Cow::Borrowed("");
    }
    budget.limit_to("tool_choice", &mut first.tool_choice, ANY_TOOL);
    budget.limit("service_tier", service_tier, Echo::DEFAULT_TIER);
    budget.limit("metadata", metadata, Echo::NO_METADATA);
    budget.limit_to("text.format", &mut first.text.format, PLAIN_TEXT);
    if !budget.takes("tools", first.tools.iter().map(|tool| tool.get().len()).sum()) {
        first.tools.clear();
    }
    Ok(echo)
}

/// The length of an [`InputTransformation`] in JSON without its id.
const TRANSFORMATION_BYTES: usize = 80;

/// The reasoning that was withheld, in the order of the input. An item may be withheld for two reasons.
fn transformations(mut withheld: Vec<Origin<'_>>) -> Vec<InputTransformation<'_>> {
    withheld.sort_by_cached_key(|origin| origin.position as u64);
    withheld.dedup();
    let ids = withheld.into_iter().filter_map(|origin| origin.id);
    ids.map(|id| InputTransformation { r#type: "reasoning", id, action: "removed", reason: "model_mismatch" })
        .collect()
}

/// The bytes that may still be repeated.
struct ByteBudget<'r> {
    left: usize,
    report: &'r mut Report,
}

impl ByteBudget<'_> {
    fn takes(&mut self, field: &str, bytes: usize) -> bool {
        let left = self.left.checked_sub(bytes);
        match left {
            Some(left) => self.left = left,
            None => self.report.dropped(Dropped::Echo, field),
        }
        left.is_some()
    }

    /// Leaves out a field that has no room. One that is absent takes that of its default.
    fn limit(&mut self, name: &str, field: &mut Option<RawJson<'_>>, default: &str) {
        if !self.takes(name, field.as_ref().map_or(default.len(), |raw| raw.get().len())) {
            *field = None;
        }
    }

    /// The same for a field that is always there.
    fn limit_to(&mut self, name: &str, field: &mut RawJson<'_>, default: &'static str) {
        if !self.takes(name, field.get().len()) {
            *field = RawJson::literal(default);
        }
    }
}

fn shown<'a>(text: &'a Option<JsonStr<'a>>) -> Option<RawJson<'a>> {
    text.as_ref().map(|text| text.borrowed().into_raw())
}

/// All but the instructions and the tools.
fn plain<'a>(request: &'a Request<'a>) -> EchoedFields<'a> {
    let text = request.text.as_ref();
    let reasoning = request.reasoning.as_ref();
    EchoedFields {
        first: FirstFields {
            model: Cow::Borrowed(&request.model),
            instructions: None,
            tools: Vec::new(),
            tool_choice: request.tool_choice.map_or_else(|| RawJson::literal(ANY_TOOL), TapeValue::raw),
            parallel_tool_calls: request.parallel_tool_calls.unwrap_or(true),
            reasoning: EchoedReasoning {
                effort: reasoning.and_then(|reasoning| reasoning.effort.as_deref()).map(Cow::Borrowed),
                summary: reasoning.and_then(|reasoning| shown(&reasoning.summary)),
            },
            text: EchoedText {
                format: format(text.and_then(|text| text.format.as_ref())),
                verbosity: text.and_then(|text| shown(&text.verbosity)),
            },
            temperature: request.temperature.unwrap_or(1.0),
            top_p: request.top_p.unwrap_or(1.0),
            presence_penalty: 0.0,
            frequency_penalty: 0.0,
            top_logprobs: request.top_logprobs.unwrap_or(0),
            max_output_tokens: request.max_output_tokens,
            max_tool_calls: request.max_tool_calls,
            truncation: Cow::Borrowed(request.truncation.as_deref().unwrap_or("disabled")),
        },
        metadata: request.metadata.map(|RawObject(metadata)| metadata.raw()),
        service_tier: shown(&request.service_tier),
        last: LastFields {
            user: shown(&request.user),
            safety_identifier: shown(&request.safety_identifier),
            prompt_cache_key: shown(&request.prompt_cache_key),
            input_transformations: Vec::new(),
            previous_response_id: None,
        },
    }
}

/// Open Responses requires `description` and `strict` in a `json_schema` format.
fn format(format: Option<&TextFormat<'_>>) -> RawJson<'static> {
    #[derive(serde::Serialize)]
    struct Schema<'a> {
        r#type: &'static str,
        name: &'a JsonStr<'a>,
        description: Option<&'a JsonStr<'a>>,
        schema: &'a RawJson<'a>,
        strict: bool,
    }
    match format {
        None | Some(TextFormat::Text) => RawJson::literal(PLAIN_TEXT),
        Some(TextFormat::JsonObject) => RawJson::literal(r#"{"type":"json_object"}"#),
        Some(TextFormat::JsonSchema(format)) => RawJson::new(&Schema {
            r#type: "json_schema",
            name: &format.name,
            description: format.description.as_ref(),
            schema: &format.schema.0.raw(),
            strict: format.strict.unwrap_or(false),
        }),
    }
}

fn tools<'a>(body: &Object<'_, 'a>) -> Result<Vec<RawJson<'a>>, ApiError> {
    let Some(tools) = body.field("tools") else { return Ok(Vec::new()) };
    tools.elements("an array")?.map(echoed_tool).collect()
}

/// Open Responses requires `description`, `parameters` and `strict` in a function tool, null if absent.
fn echoed_tool<'a>(tool: Located<'_, 'a>) -> Result<RawJson<'a>, ApiError> {
    #[derive(serde::Serialize)]
    struct Function<'a> {
        r#type: &'static str,
        name: Cow<'a, str>,
        description: Option<JsonStr<'a>>,
        parameters: Option<RawJson<'a>>,
        strict: Option<bool>,
    }
    let object = tool.object()?;
    if object.get::<Cow<'_, str>>("type")? != "function" {
        return Ok(tool.value.raw());
    }
    let FunctionTool { name, description, parameters, strict, .. } = FunctionTool::of(&object)?;
    let parameters = parameters.map(|RawObject(schema)| schema.raw());
    Ok(RawJson::new(&Function { r#type: "function", name, description, parameters, strict }))
}
