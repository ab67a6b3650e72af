//! The fields of the request that the response repeats.

use crate::bounds;
use crate::error::ApiError;
use crate::items::Origin;
use crate::json::{JsonStr, RawJson, TapeValue};
use crate::report::{Dropped, Report};
use crate::wire::responses::{
    Echo, EchoedReasoning, EchoedText, FunctionTool, InputTransformation, Request, TextFormat,
};
use crate::wire::typed::{Located, Object, RawObject};
use std::borrow::Cow;

/// `text.format` if the request has none.
const PLAIN_TEXT: &str = r#"{"type":"text"}"#;

/// The fields that the response repeats, with OpenAI's defaults.
///
/// Each event that contains the response repeats all of them, so their size is limited. A field that exceeds the limit
/// gets its default, and is reported. Codex gets no instructions, no tools and no list of what was withheld: it never
/// reads them, and they would be nine tenths of a short reply.
pub(super) fn echo(
    body: &Object<'_, '_>,
    request: &Request<'_>,
    withheld: Vec<Origin<'_>>,
    is_codex: bool,
    report: &mut Report,
) -> Result<Echo, ApiError> {
    let mut echo = plain(request)?;
    echo.previous_response_id = body.site("previous_response_id").map(|id| id.value.raw().into_owned());
    if !is_codex {
        echo.instructions = own(&request.instructions);
        echo.tools = tools(body)?;
        echo.input_transformations = transformations(withheld);
    }
    let withheld_bytes =
        echo.input_transformations.iter().map(|one| one.id.len() + TRANSFORMATION_BYTES).sum();
    let mut budget = ByteBudget { left: bounds::ECHO_BYTES, report };
    for (name, field) in [
        ("user", &mut echo.user),
        ("safety_identifier", &mut echo.safety_identifier),
        ("prompt_cache_key", &mut echo.prompt_cache_key),
        ("previous_response_id", &mut echo.previous_response_id),
        ("text.verbosity", &mut echo.text.verbosity),
        ("reasoning.summary", &mut echo.reasoning.summary),
        ("instructions", &mut echo.instructions),
    ] {
        if !budget.takes(name, field.as_ref().map_or(0, |raw| raw.get().len())) {
            *field = None;
        }
    }
    if !budget.takes("input_transformations", withheld_bytes) {
        echo.input_transformations.clear();
    }
    if !budget.takes("model", echo.model.len()) {
        echo.model.clear();
    }
    for (name, field, default) in [
        ("tool_choice", &mut echo.tool_choice, r#""auto""#),
        ("service_tier", &mut echo.service_tier, r#""default""#),
        ("metadata", &mut echo.metadata, "{}"),
        ("text.format", &mut echo.text.format, PLAIN_TEXT),
    ] {
        if !budget.takes(name, field.get().len()) {
            *field = RawJson::literal(default);
        }
    }
    if !budget.takes("tools", echo.tools.iter().map(|tool| tool.get().len()).sum()) {
        echo.tools.clear();
    }
    Ok(echo)
}

/// The length of an [`InputTransformation`] in JSON without its id.
const TRANSFORMATION_BYTES: usize = 80;

/// The reasoning that was withheld, in the order of the input. An item may be withheld for two reasons.
fn transformations(mut withheld: Vec<Origin<'_>>) -> Vec<InputTransformation> {
    withheld.sort_by_key(|origin| origin.position);
    withheld.dedup();
    let ids = withheld.into_iter().filter_map(|origin| origin.id);
    ids.map(|id| InputTransformation {
        r#type: "reasoning",
        id: id.into_owned(),
        action: "removed",
        reason: "model_mismatch",
    })
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
}

fn own(text: &Option<JsonStr<'_>>) -> Option<RawJson<'static>> {
    text.clone().map(|text| text.into_raw().into_owned())
}

/// All but the instructions and the tools.
fn plain(request: &Request<'_>) -> Result<Echo, ApiError> {
    let or = |raw: Option<RawJson<'_>>, default| {
        raw.map_or_else(|| RawJson::literal(default), RawJson::into_owned)
    };
    let text = request.text.as_ref();
    let reasoning = request.reasoning.as_ref();
    Ok(Echo {
        model: request.model.clone().into_owned(),
        instructions: None,
        tools: Vec::new(),
        tool_choice: or(request.tool_choice.map(TapeValue::raw), r#""auto""#),
        parallel_tool_calls: request.parallel_tool_calls.unwrap_or(true),
        reasoning: EchoedReasoning {
            effort: reasoning.and_then(|reasoning| reasoning.effort.clone()).map(Cow::into_owned),
            summary: reasoning.and_then(|reasoning| own(&reasoning.summary)),
        },
        text: EchoedText {
            format: format(text.and_then(|text| text.format.as_ref())),
            verbosity: text.and_then(|text| own(&text.verbosity)),
        },
        temperature: request.temperature.unwrap_or(1.0),
        top_p: request.top_p.unwrap_or(1.0),
        presence_penalty: 0.0,
        frequency_penalty: 0.0,
        top_logprobs: request.top_logprobs.unwrap_or(0),
        max_output_tokens: request.max_output_tokens,
        max_tool_calls: request.max_tool_calls,
        truncation: request.truncation.as_deref().unwrap_or("disabled").to_owned(),
        metadata: or(request.metadata.map(|RawObject(metadata)| metadata.raw()), "{}"),
        service_tier: own(&request.service_tier).unwrap_or_else(|| RawJson::literal(r#""default""#)),
        user: own(&request.user),
        safety_identifier: own(&request.safety_identifier),
        prompt_cache_key: own(&request.prompt_cache_key),
        input_transformations: Vec::new(),
        previous_response_id: None,
        store: false,
        background: false,
    })
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

fn tools(body: &Object<'_, '_>) -> Result<Vec<RawJson<'static>>, ApiError> {
    let Some(tools) = body.site("tools") else { return Ok(Vec::new()) };
    tools.elements("an array")?.map(echoed_tool).collect()
}

/// Open Responses requires `description`, `parameters` and `strict` in a function tool, null if absent.
fn echoed_tool(tool: Located<'_, '_>) -> Result<RawJson<'static>, ApiError> {
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
        return Ok(tool.value.raw().into_owned());
    }
    let FunctionTool { name, description, parameters, strict, .. } = FunctionTool::of(&object)?;
    let parameters = parameters.map(|RawObject(schema)| schema.raw());
    Ok(RawJson::new(&Function { r#type: "function", name, description, parameters, strict }))
}
