//! The request on its way up: `POST /v1/responses` becomes `POST /v1/chat/completions`.
//!
//! The way of the whole is here; what a field becomes is in a room of its own.

mod echo;
mod fields;
mod format;
mod history;
mod refusals;
mod tool_choice;
mod tools;

use crate::bounds;
use crate::config::Config;
use crate::config::Upstream;
use crate::error::{ApiError, Code, Path};
use crate::items::Toolbox;
use crate::items::{self, COMPACTION_INSTRUCTION, Conversation, Entry};
use crate::json::{self, JsonStr, ParseError, Tape};
use crate::markup::{OfferedTools, ReplyStart, Scanner};
use crate::report::Report;
use crate::response::Reply;
use crate::response::context::{Answer, CallIds, ReplyContext};
use crate::upstream::ThinkTags;
use crate::wire::chat::request as chat;
use crate::wire::responses::Request;
use crate::wire::typed::{Located, Object};
use serde::de::IgnoredAny;
use std::fmt::Display;

/// What the translation needs to know besides the body. Time and chance come in from outside,
/// so that the same input gives the same output, byte for byte.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The plugin's configuration.
    pub config: &'a Config,
    /// Differs from exchange to exchange; every id of the reply derives from it.
    pub seed: u128,
    /// Seconds since the Unix epoch, for `created_at`.
    pub now: u64,
    /// The client is Codex (`originator: codex*`), which needs a few things said differently.
    pub codex: bool,
}

/// A request as it goes up, and what is needed to bring its reply back.
#[derive(Debug)]
pub struct Translated {
    /// The Chat Completions body.
    pub body: Vec<u8>,
    /// The upstream's `:path`.
    pub path: String,
    /// The model that the client asked for.
    pub asked_model: String,
    /// The model asked of the upstream.
    pub model: String,
    /// The preset of the upstream's options.
    pub preset: &'static str,
    /// The value for `x-transponder-upstream`: the rule's `route`, if a rule matched and has one.
    pub route: Option<String>,
    /// What could not be expressed upstream, for `x-transponder-dropped`, and what was mended.
    pub report: Report,
    /// Translates the reply.
    pub reply: Reply,
}

/// Translates the body of `POST /responses` into a Chat Completions body.
///
/// # Errors
/// What the client is told when the request cannot be served: status 400, with the JSON path in `param`.
pub fn translate(body: &[u8], context: &Context<'_>) -> Result<Translated, ApiError> {
    read_body(body, |body| {
        let request = read(body)?;
        let conversation = converse(body)?;
        translated(body, &request, conversation, Answer::Response, context)
    })
}

/// Translates the body of `POST /responses/compact`: the model is asked for a summary of the conversation.
///
/// # Errors
/// As [`translate`].
pub fn translate_compact(body: &[u8], context: &Context<'_>) -> Result<Translated, ApiError> {
    read_body(body, |body| {
        let request = Request { stream: None, ..read(body)? };
        let conversation = Conversation { compact: true, ..converse(body)? };
        translated(body, &request, conversation, Answer::Compaction, context)
    })
}

/// Does something with the object that the body is. Whatever goes up or is repeated is a piece of it, so lone
/// surrogates are mended here for all.
fn read_body<T>(
    body: &[u8],
    take: impl FnOnce(&Object<'_, '_>) -> Result<T, ApiError>,
) -> Result<T, ApiError> {
    let text = std::str::from_utf8(body).map_err(|error| not_json(&error))?;
    let document = parse(text)?;
    let mended = document.has_surrogates().then(|| json::without_lone_surrogates(text));
    let document = match &mended {
        Some(text) => parse(text)?,
        None => document,
    };
    take(&Located::new(document.root(), Path::Root).object()?)
}

fn parse(body: &str) -> Result<Tape<'_>, ApiError> {
    bounds::document(body).map_err(|flaw| match flaw {
        ParseError::TooDeep => bounds::too_deep(),
        ParseError::TooMany => bounds::too_many_values(),
        // Once more, to find out what is wrong.
        ParseError::Syntax => match serde_json::from_str::<IgnoredAny>(body) {
            Err(error) => not_json(&error),
            Ok(_) => not_json(&"it is no JSON"),
        },
    })
}

fn not_json(error: &dyn Display) -> ApiError {
    ApiError::invalid(format!("We could not parse the JSON body of your request: {error}."))
        .code(Code::InvalidJson)
}

fn read<'a>(body: &Object<'_, 'a>) -> Result<Request<'a>, ApiError> {
    refusals::state(body)?;
    let request = Request::of(body)?;
    if request.model.is_empty() {
        return Err(ApiError::missing(Path::top("model")));
    }
    refusals::values(&request)?;
    Ok(request)
}

/// What was said so far, and the tools.
fn converse<'a>(body: &Object<'_, 'a>) -> Result<Conversation<'a>, ApiError> {
    let mut conversation = Conversation::default();
    items::declare_all(body.site("tools"), &mut conversation)?;
    let input = body.site("input").ok_or_else(|| ApiError::missing(Path::top("input")))?;
    match input.value.text() {
        Some(text) => conversation.entries.push(said(Entry::User, text)),
        None => {
            for item in input.elements("a string or an array")? {
                items::read(&item.object()?, &mut conversation)?;
            }
        }
    }
    Ok(conversation)
}

/// Asks for a summary, if the client wants one: in plain text, and nothing is called for it.
fn ask_for_summary(conversation: &mut Conversation<'_>) {
    if conversation.compact {
        conversation.entries.push(said(Entry::User, JsonStr::new(COMPACTION_INSTRUCTION)));
        conversation.tools.clear();
    }
}

fn said<'a>(by: fn(Vec<chat::Part<'a>>) -> Entry<'a>, text: JsonStr<'a>) -> Entry<'a> {
    by(vec![chat::Part::Text { text }])
}

/// What was read becomes what goes up, and the plan for what comes down.
fn translated<'a>(
    body: &Object<'_, 'a>,
    request: &Request<'a>,
    mut conversation: Conversation<'a>,
    answer: Answer,
    context: &Context<'_>,
) -> Result<Translated, ApiError> {
    let route = context.config.route(&request.model);
    let options = match route.upstream {
        Upstream::Chat(options) => options,
        Upstream::Native(_) | Upstream::Refuse => return Err(not_served(&request.model)),
    };
    ask_for_summary(&mut conversation);
    let Conversation { mut entries, tools: declarations, compact, mut report } = conversation;
    bounds::check_tools(declarations.len())?;

    let mut toolbox = Toolbox::default();
    let tools =
        declarations.into_iter().filter_map(|tool| tools::chat_tool(tool, &mut toolbox, options)).collect();
    let wanted = (!compact).then_some(request);
    let choice = wanted.and_then(|request| request.tool_choice);
    let choice = tool_choice::choose(tools, options, choice, &toolbox, &mut report)?;
    let taken = options.tool_choice(fields::thinks(request, options));
    let (tools, tool_choice) = tool_choice::fit(choice, taken, &mut report);
    let offer = match (options.text_tool_calls, &tool_choice) {
        (false, _) | (_, Some(chat::ToolChoice::Mode("none"))) => OfferedTools::default(),
        (true, _) => offered_tools(&tools, &toolbox),
    };

    let format = wanted.and_then(|request| request.text.as_ref()?.format);
    let json_schema = options.json_schema(!tools.is_empty());
    let (response_format, schema_in_words) =
        format::response_format(format, json_schema, options.schema_dialect, &mut report)?;
    let instructions = request.instructions.clone().into_iter().chain(schema_in_words);
    let instructions = instructions.map(|text| said(Entry::Instructions, text));
    entries.splice(0..0, instructions);
    let mut call_ids = CallIds::default();
    for id in entries.iter().filter_map(call_id) {
        call_ids.insert(id);
    }
    let messages = history::messages(entries, options, context.config.history, &mut toolbox, &mut report)?;

    let upstream = chat::Request {
        model: route.model,
        messages,
        parallel_tool_calls: request
            .parallel_tool_calls
            .filter(|_| options.parallel_tool_calls && !tools.is_empty()),
        tools,
        tool_choice,
        response_format,
        ..fields::plain(body, request, options, &mut report)
    };
    // What goes up is about as long as what came.
    let mut sent = Vec::with_capacity(body.json().len());
    serde_json::to_writer(&mut sent, &upstream).map_err(|error| ApiError::invalid(error.to_string()))?;
    let plan = ReplyContext {
        echo: echo::echo(request, &mut report)?,
        toolbox,
        call_ids,
        stream: upstream.stream.is_some(),
        answer,
        compact,
        codex: context.codex,
        seal_reasoning: fields::includes(request, "reasoning.encrypted_content"),
        logprobs: upstream.logprobs.is_some(),
        replay: options.reasoning_replay.clone(),
        scanner: Scanner::new(reply_start(options.think_tags), offer, context.config.limits.event_bytes),
        parallel: request.parallel_tool_calls != Some(false),
        limits: context.config.limits,
    };
    Ok(Translated {
        body: sent,
        path: options.path.clone(),
        preset: options.preset,
        asked_model: request.model.clone().into_owned(),
        model: route.model.to_owned(),
        route: route.route.map(str::to_owned),
        report,
        reply: Reply::new(plan, context.seed, context.now),
    })
}

fn offered_tools(tools: &[chat::Tool<'_>], toolbox: &Toolbox) -> OfferedTools {
    let functions = tools.iter().filter_map(|tool| match tool {
        chat::Tool::Function { function } => {
            Some((toolbox.resolve(&function.name)?.clone(), function.parameters.clone().into_owned()))
        }
        chat::Tool::Custom { .. } => None,
    });
    functions.collect()
}

/// In OpenAI's words.
fn not_served(model: &str) -> ApiError {
    ApiError::invalid(format!("The model '{model}' does not exist or you do not have access to it."))
        .status(404)
        .code(Code::ModelNotFound)
        .at(Path::top("model"))
}

/// Whether the reply may begin with reasoning in tags.
fn reply_start(think_tags: ThinkTags) -> Option<ReplyStart> {
    match think_tags {
        ThinkTags::Off => None,
        ThinkTags::On => Some(ReplyStart::Text),
        ThinkTags::Implied => Some(ReplyStart::Reasoning),
    }
}

fn call_id<'e>(entry: &'e Entry<'_>) -> Option<&'e str> {
    match entry {
        Entry::Call(call) => Some(&call.call_id),
        _ => None,
    }
}
