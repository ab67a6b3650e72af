//! The request on its way up: `POST /v1/responses` becomes `POST /v1/chat/completions`.
//!
//! The way of the whole is here; what a field becomes is in a room of its own.

mod echo;
mod fields;
mod format;
mod tool_choice;

use super::history;
use super::reply::{Answer, Plan, Reply};
use super::toolbox::Toolbox;
use super::{Context, Translated};
use crate::chat::request as chat;
use crate::items::{self, COMPACTION_INSTRUCTION, Conversation, Entry, Site};
use crate::json::Text;
use crate::responses::{ApiError, Request};
use crate::upstream::MaxTokensField;
use serde_json::value::RawValue;

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
    let (tools, tool_choice) = tool_choice::choose(tools, request, &toolbox, compact)?;

    let (response_format, schema_in_words) = format::response_format(request, options, &mut report)?;
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
        reasoning: fields::effort(request, options, &mut report),
        passed: fields::passed(request, options, &mut report),
    };
    let body = serde_json::to_vec(&upstream).map_err(|error| ApiError::invalid(error.to_string()))?;
    let plan = Plan {
        echo: echo::echo(request, &asked),
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
