//! The request on its way up: `POST /v1/responses` becomes `POST /v1/chat/completions`.

use super::history;
use super::reply::{Answer, Plan, Reply};
use super::toolbox::Toolbox;
use super::{Context, Translated};
use crate::chat::request as chat;
use crate::items::{self, COMPACTION_INSTRUCTION, Conversation, Entry, Report, Site};
use crate::json::{self, Text};
use crate::responses::{
    ApiError, Echo, EchoedReasoning, EchoedText, FunctionTool, JsonSchemaFormat, Request, Tagged, ToolChoice,
};
use crate::upstream::{JsonSchema, MaxTokensField, Options};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Translates the body of `POST /responses` into a Chat Completions body.
///
/// # Errors
/// What the client is told when the request cannot be served: status 400, with the JSON path in `param`.
pub fn request(body: &[u8], context: &Context<'_>) -> Result<Translated, ApiError> {
    let request = parse(body)?;
    let conversation = read(&request)?;
    translated(&request, conversation, Answer::Response, context)
}

/// Translates the body of `POST /responses/compact`: the model is asked for a summary of the conversation.
///
/// # Errors
/// As [`request`].
pub fn compact(body: &[u8], context: &Context<'_>) -> Result<Translated, ApiError> {
    let request = Request { stream: None, ..parse(body)? };
    let conversation = Conversation { compact: true, ..read(&request)? };
    translated(&request, conversation, Answer::Compaction, context)
}

fn parse(body: &[u8]) -> Result<Request<'_>, ApiError> {
    let body: &RawValue = serde_json::from_slice(body).map_err(|error| {
        ApiError::invalid(format!("We could not parse the JSON body of your request: {error}."))
            .code("invalid_json")
    })?;
    let request: Request<'_> = Site::new(body, "").read()?;
    refuse_state(&request)?;
    Ok(request)
}

fn translated<'a>(
    request: &Request<'a>,
    mut conversation: Conversation<'a>,
    answer: Answer,
    context: &Context<'_>,
) -> Result<Translated, ApiError> {
    let asked =
        request.model.as_ref().filter(|model| !model.is_empty()).ok_or_else(|| missing("model"))?.decode();
    let route = context.config.route(&asked);
    let options = route.options;
    if conversation.compact {
        let text = Text::new(COMPACTION_INSTRUCTION);
        conversation.entries.push(Entry::User(vec![chat::Part::Text { text }]));
        conversation.tools.clear();
    }
    let Conversation { mut entries, tools: declarations, compact, mut report } = conversation;

    let mut toolbox = Toolbox::default();
    let tools =
        declarations.into_iter().filter_map(|tool| toolbox.declare(tool, options.strict_tools)).collect();
    let (tools, tool_choice) = choose(tools, request, &toolbox, compact)?;

    let (response_format, schema_in_words) = response_format(request, options, &mut report)?;
    if let Some(text) = schema_in_words {
        entries.insert(0, Entry::Instructions(vec![chat::Part::Text { text }]));
    }
    if let Some(text) = request.instructions.clone().filter(|text| !text.is_empty()) {
        entries.insert(0, Entry::Instructions(vec![chat::Part::Text { text }]));
    }
    let call_ids = entries.iter().filter_map(call_id).collect();
    let messages = history::messages(entries, options, context.config.history, &mut toolbox, &mut report)?;

    let stream = request.stream == Some(true);
    let logprobs =
        wants(request, "message.output_text.logprobs") || request.top_logprobs.is_some_and(|n| n > 0);
    let (max_tokens, max_completion_tokens) = match options.max_tokens_field {
        MaxTokensField::MaxTokens => (request.max_output_tokens, None),
        MaxTokensField::MaxCompletionTokens => (None, request.max_output_tokens),
    };
    let upstream = chat::Request {
        model: route.model,
        messages,
        parallel_tool_calls: request
            .parallel_tool_calls
            .filter(|_| options.parallel_tool_calls && !tools.is_empty()),
        tools,
        tool_choice,
        response_format,
        max_tokens,
        max_completion_tokens,
        temperature: request.temperature,
        top_p: request.top_p,
        logprobs: logprobs.then_some(true),
        top_logprobs: request.top_logprobs.filter(|&n| n > 0),
        stream: stream.then_some(true),
        stream_options: (stream && options.stream_usage)
            .then_some(chat::StreamOptions { include_usage: true }),
        reasoning: effort(request, options, &mut report),
        passed: passed(request, options, &mut report),
    };
    let body = serde_json::to_vec(&upstream).map_err(|error| ApiError::invalid(error.to_string()))?;
    let plan = Plan {
        echo: echo(request, &asked),
        toolbox,
        call_ids,
        stream,
        answer,
        compact,
        codex: context.codex,
        seal_reasoning: wants(request, "reasoning.encrypted_content"),
        parallel: request.parallel_tool_calls != Some(false),
        limits: context.config.limits,
    };
    Ok(Translated {
        body,
        path: options.path.clone(),
        model: route.model.to_owned(),
        route: route.route.map(str::to_owned),
        report,
        reply: Reply::new(plan, context.seed, context.now),
    })
}

fn missing(field: &str) -> ApiError {
    ApiError::invalid(format!("Missing required parameter: '{field}'."))
        .code("missing_required_parameter")
        .at(field)
}

/// The filter keeps no state, so what refers to it can only be refused, by name.
fn refuse_state(request: &Request<'_>) -> Result<(), ApiError> {
    let refusals = [
        (
            request.previous_response_id.is_some(),
            "previous_response_id",
            "previous_response_not_found",
            "Responses are not stored here. Send the whole conversation in `input` instead of `previous_response_id`.",
        ),
        (
            request.conversation.is_some(),
            "conversation",
            "unsupported_parameter",
            "Conversations are not stored here. Send the whole conversation in `input`.",
        ),
        (
            request.prompt.is_some(),
            "prompt",
            "unsupported_parameter",
            "Prompts are not stored here. Send their text in `instructions` or `input`.",
        ),
        (
            request.background == Some(true),
            "background",
            "unsupported_parameter",
            "Responses are not stored here, so none can be made in the background. Use `stream` instead.",
        ),
    ];
    match refusals.into_iter().find(|(present, ..)| *present) {
        Some((_, param, code, message)) => Err(ApiError::invalid(message).code(code).at(param)),
        None => Ok(()),
    }
}

fn read<'a>(request: &Request<'a>) -> Result<Conversation<'a>, ApiError> {
    let mut conversation = Conversation::default();
    for (index, raw) in request.tools.iter().flatten().enumerate() {
        items::declare(&Site::new(raw, format!("tools[{index}]")), &mut conversation)?;
    }
    let input = request.input.ok_or_else(|| missing("input"))?;
    match Text::of(input) {
        Some(text) => conversation.entries.push(Entry::User(vec![chat::Part::Text { text }])),
        None => {
            for item in Site::new(input, "input").elements()? {
                items::read(&item, &mut conversation)?;
            }
        }
    }
    Ok(conversation)
}

fn call_id(entry: &Entry<'_>) -> Option<String> {
    match entry {
        Entry::Call(call) => Some(call.call_id.clone()),
        _ => None,
    }
}

fn wants(request: &Request<'_>, what: &str) -> bool {
    request.include.iter().flatten().any(|included| included == what)
}

/// `tool_choice`, and the tools that it leaves.
type Choice<'a> = (Vec<chat::Tool<'a>>, Option<chat::ToolChoice<'a>>);

fn choose<'a>(
    mut tools: Vec<chat::Tool<'a>>,
    request: &Request<'a>,
    toolbox: &Toolbox,
    compact: bool,
) -> Result<Choice<'a>, ApiError> {
    let Some(raw) = request.tool_choice.filter(|_| !compact) else { return Ok((tools, None)) };
    if let Some(mode) = Text::of(raw) {
        let mode = mode_of(&mode.decode(), "tool_choice")?;
        if mode == "required" && tools.is_empty() {
            return Err(ApiError::invalid(
                "Tool choice 'required' must be specified with 'tools' that the upstream can be offered.",
            )
            .at("tool_choice"));
        }
        let choice = (!tools.is_empty()).then_some(chat::ToolChoice::Mode(mode));
        return Ok((tools, choice));
    }
    let choice: ToolChoice<'a> = Site::new(raw, "tool_choice").read()?;
    let kind = choice.r#type.as_deref().unwrap_or_default();
    if kind == "allowed_tools" {
        let mode = mode_of(choice.mode.as_deref().unwrap_or("auto"), "tool_choice.mode")?;
        let mut allowed = Vec::new();
        for (index, raw) in choice.tools.iter().flatten().enumerate() {
            let site = Site::new(raw, format!("tool_choice.tools[{index}]"));
            allowed.push(named(&site.read()?, toolbox, &site.path)?);
        }
        // Only OpenAI knows `allowed_tools`; to offer no others says the same.
        tools.retain(|tool| allowed.iter().any(|name| *name == tool.function.name));
        let choice = (!tools.is_empty()).then_some(chat::ToolChoice::Mode(mode));
        return Ok((tools, choice));
    }
    let name = named(&choice, toolbox, "tool_choice")?;
    // Some hosts take the object as `required` and ignore the name, so no other tool is offered.
    tools.retain(|tool| tool.function.name == name);
    let function = chat::Name { name: Cow::Owned(name) };
    Ok((tools, Some(chat::ToolChoice::Named { r#type: "function", function })))
}

fn mode_of(mode: &str, param: &str) -> Result<&'static str, ApiError> {
    ["none", "auto", "required"].into_iter().find(|known| *known == mode).ok_or_else(|| {
        ApiError::invalid(format!(
            "Invalid value: '{mode}'. Supported values are: 'none', 'auto', and 'required'."
        ))
        .code("invalid_value")
        .at(param)
    })
}

fn named(choice: &ToolChoice<'_>, toolbox: &Toolbox, param: &str) -> Result<String, ApiError> {
    let kind = choice.r#type.as_deref().unwrap_or_default();
    let name = match (kind, &choice.name) {
        ("function" | "custom", Some(name)) => name,
        ("tool_search", _) => kind,
        _ => {
            return Err(ApiError::invalid(format!(
                "The tool '{kind}' runs on OpenAI's servers; the upstream has no such tool, so it cannot be chosen."
            ))
            .code("unsupported_value")
            .at(param));
        }
    };
    let declared = toolbox.declared(choice.namespace.as_deref(), name);
    declared.map(str::to_owned).ok_or_else(|| {
        ApiError::invalid(format!("Tool choice '{name}' not found in 'tools' parameter.")).at(param)
    })
}

/// `response_format`, and what has to be said in words for want of it.
type Format<'a> = (Option<chat::ResponseFormat<'a>>, Option<Text<'static>>);

fn response_format<'a>(
    request: &Request<'a>,
    options: &Options,
    report: &mut Report,
) -> Result<Format<'a>, ApiError> {
    let Some(raw) = request.text.as_ref().and_then(|text| text.format) else { return Ok((None, None)) };
    let site = Site::new(raw, "text.format");
    match site.read::<Tagged>()?.r#type.as_deref() {
        Some("text") => Ok((None, None)),
        Some("json_object") => match options.json_schema {
            JsonSchema::Off => {
                report.dropped("field", "text.format");
                Ok((None, Some(Text::new("Answer with one JSON object, and nothing else."))))
            }
            _ => Ok((Some(chat::ResponseFormat::JsonObject), None)),
        },
        Some("json_schema") => {
            let format: JsonSchemaFormat<'a> = site.read()?;
            let in_words = || {
                Text::new(&format!(
                    "Answer with one JSON object, and nothing else. It must follow this JSON schema:\n{}",
                    format.schema.get()
                ))
            };
            Ok(match options.json_schema {
                JsonSchema::JsonObject => (Some(chat::ResponseFormat::JsonObject), Some(in_words())),
                JsonSchema::Off => (None, Some(in_words())),
                JsonSchema::Native => {
                    let JsonSchemaFormat { name, schema, description, strict } = format;
                    let json_schema = chat::NamedSchema { name, description, schema, strict };
                    (Some(chat::ResponseFormat::JsonSchema { json_schema }), None)
                }
            })
        }
        other => Err(ApiError::invalid(format!(
            "Invalid value: '{}'. Supported values are: 'text', 'json_object', and 'json_schema'.",
            other.unwrap_or_default()
        ))
        .code("invalid_value")
        .at("text.format.type")),
    }
}

/// What the effort adds to the body of this host.
fn effort(
    request: &Request<'_>,
    options: &Options,
    report: &mut Report,
) -> serde_json::Map<String, serde_json::Value> {
    let Some(effort) = request.reasoning.as_ref().and_then(|reasoning| reasoning.effort.as_deref()) else {
        return serde_json::Map::new();
    };
    let table = &options.reasoning;
    table.efforts.get(effort).or(table.unknown.as_ref()).cloned().unwrap_or_else(|| {
        report.dropped("field", "reasoning.effort");
        serde_json::Map::new()
    })
}

/// Fields that mean the same in both APIs, and that few hosts know.
fn passed<'a>(
    request: &Request<'a>,
    options: &'a Options,
    report: &mut Report,
) -> BTreeMap<&'a str, &'a RawValue> {
    let verbosity = request.text.as_ref().and_then(|text| text.verbosity);
    let fields = [
        ("verbosity", "text.verbosity", verbosity),
        ("metadata", "metadata", request.metadata),
        ("user", "user", request.user),
        ("service_tier", "service_tier", request.service_tier),
        ("safety_identifier", "safety_identifier", request.safety_identifier),
        ("prompt_cache_key", "prompt_cache_key", request.prompt_cache_key),
        ("prompt_cache_retention", "prompt_cache_retention", request.prompt_cache_retention),
    ];
    let mut passed = BTreeMap::new();
    for (name, path, value) in fields {
        let Some(value) = value else { continue };
        match options.pass_fields.iter().any(|field| field == name) {
            true => {
                passed.insert(name, value);
            }
            false => report.dropped("field", path),
        }
    }
    passed
}

/// What the response repeats of the request, defaults filled in as OpenAI does.
fn echo(request: &Request<'_>, model: &str) -> Echo {
    let own = |raw: Option<&RawValue>| raw.map(ToOwned::to_owned);
    let or =
        |raw: Option<&RawValue>, default: serde_json::Value| own(raw).unwrap_or_else(|| json::raw(&default));
    let text = request.text.as_ref();
    let reasoning = request.reasoning.as_ref();
    Echo {
        model: model.to_owned(),
        instructions: request.instructions.as_ref().map(json::raw),
        tools: request.tools.iter().flatten().map(|raw| echoed_tool(raw)).collect(),
        tool_choice: or(request.tool_choice, "auto".into()),
        parallel_tool_calls: request.parallel_tool_calls.unwrap_or(true),
        reasoning: EchoedReasoning {
            effort: reasoning.and_then(|reasoning| reasoning.effort.clone()),
            summary: own(reasoning.and_then(|reasoning| reasoning.summary)),
        },
        text: EchoedText {
            format: or(text.and_then(|text| text.format), serde_json::json!({"type": "text"})),
            verbosity: own(text.and_then(|text| text.verbosity)),
        },
        temperature: request.temperature.unwrap_or(1.0),
        top_p: request.top_p.unwrap_or(1.0),
        presence_penalty: 0.0,
        frequency_penalty: 0.0,
        top_logprobs: request.top_logprobs.unwrap_or(0),
        max_output_tokens: request.max_output_tokens,
        max_tool_calls: request.max_tool_calls,
        truncation: request.truncation.clone().unwrap_or_else(|| "disabled".into()),
        metadata: or(request.metadata, serde_json::json!({})),
        service_tier: or(request.service_tier, "default".into()),
        user: own(request.user),
        safety_identifier: own(request.safety_identifier),
        prompt_cache_key: own(request.prompt_cache_key),
        previous_response_id: None,
        store: false,
        background: false,
    }
}

/// Open Responses: a function tool has `description`, `parameters` and `strict`, null if need be.
fn echoed_tool(raw: &RawValue) -> Box<RawValue> {
    #[derive(serde::Serialize)]
    struct Function<'a> {
        r#type: &'static str,
        name: String,
        description: Option<Text<'a>>,
        parameters: Option<&'a RawValue>,
        strict: Option<bool>,
    }
    let site = Site::new(raw, "");
    match (site.read::<Tagged>(), site.read::<FunctionTool<'_>>()) {
        (Ok(Tagged { r#type: Some(kind) }), Ok(tool)) if kind == "function" => json::raw(&Function {
            r#type: "function",
            name: tool.name,
            description: tool.description,
            parameters: tool.parameters,
            strict: tool.strict,
        }),
        _ => raw.to_owned(),
    }
}
