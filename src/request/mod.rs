//! Translates `POST /v1/responses` into `POST /v1/chat/completions`.
//!
//! A request is read into a [`Conversation`], and that is translated in five steps, each of which is one
//! value: the [`Target`], the [`ToolPlan`], the [`OutputFormat`], the messages, and the upstream's request.

mod body;
mod count;
mod echo;
mod fields;
mod history;
mod native;
mod output_format;
mod read;
mod refusals;
mod stored;
mod target;
mod tool_choice;
mod tools;

use crate::config::{Config, Price};
use crate::error::ApiError;
use crate::items::{Conversation, Origin};
use crate::json::{self, JsonText};
use crate::markup::{ReplyStart, Scanner};
use crate::report::{Dropped, Report};
use crate::response::context::{
    CallIds, ItemRules, ReplyContext, ReplyKind, ResponseRules, TextRules, UpstreamRules,
};
use crate::response::{self, Reply};
use crate::store::ResponseId;
use crate::upstream::ThinkTags;
use crate::wire::chat::request as chat;
use crate::wire::responses::{Echo, Request};
use crate::wire::typed::{Located, Object, UnreadKeys};
pub(crate) use count::cannot_count;
pub use native::{NativeBody, without_own_items};
use output_format::OutputFormat;
use std::mem;
pub(crate) use stored::{Needs, StoredRecords, previous_not_found};
use stored::{StoredItems, Tapes};
use target::Target;
use tools::ToolPlan;

/// The inputs of a translation in addition to the body. Time and seed are arguments, so that the same input gives the
/// same output, byte for byte.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The plugin's configuration.
    pub config: &'a Config,
    /// A number that differs between exchanges. All ids of the reply are derived from it.
    pub seed: u128,
    /// Seconds since the Unix epoch, for `created_at`.
    pub now: u64,
    /// Whether the client is Codex (`originator: codex*`), which reads some things differently.
    pub codex: bool,
}

/// A translated request, and the translator for its reply.
#[derive(Debug)]
pub struct Translated {
    /// The Chat Completions body, in JSON.
    pub body: Vec<u8>,
    /// The upstream's `:path`.
    pub path: String,
    /// The model in the client's request.
    pub asked_model: String,
    /// The model in the upstream's request.
    pub model: String,
    /// The preset of the upstream's options.
    pub preset: &'static str,
    /// The value of `x-transponder-upstream`, if a rule for the model matched and has a `route`.
    pub route: Option<String>,
    /// What the reply's tokens cost, with the `match` of the rule that says so.
    pub price: Option<(String, Price)>,
    /// The request header that identifies the conversation for the upstream, if it reads one.
    pub session_header: Option<String>,
    /// The client's `prompt_cache_key`, which is equal for requests with the same beginning.
    pub prompt_cache_key: Option<String>,
    /// The complete reply, if the client wants no output (`prompt_cache_options.prewarm`). Nothing is sent upstream then.
    pub answer: Option<Vec<u8>>,
    /// The conversation up to the reply, as a JSON array, if the response is to be stored.
    pub conversation: Option<String>,
    /// What was dropped, for `x-transponder-dropped` (e.g. `tool:web_search`), and what was repaired.
    pub report: Report,
    /// Translates the reply.
    pub reply: Reply,
}

/// An endpoint whose requests are translated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// `POST /responses`.
    Create,
    /// `POST /responses/compact`.
    Compact,
    /// `POST /responses/input_tokens`.
    InputTokens,
}

impl Endpoint {
    /// What its path has after `/responses`.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Create => "",
            Self::Compact => "/compact",
            Self::InputTokens => "/input_tokens",
        }
    }
}

/// Translates the body of `POST /responses`.
///
/// # Errors
/// The error for the client, if the request is invalid or cannot be served: a 4xx, with the JSON path of the
/// field in `param`.
pub fn translate(body: &[u8], context: &Context<'_>) -> Result<Translated, ApiError> {
    translate_for(Endpoint::Create, body, context, None)
}

/// Translates the body of `POST /responses/compact`: the model is asked to summarize the conversation.
///
/// # Errors
/// As [`translate`].
pub fn translate_compact(body: &[u8], context: &Context<'_>) -> Result<Translated, ApiError> {
    translate_for(Endpoint::Compact, body, context, None)
}

/// Translates the body of a request. `stored`: what the store has for it, if responses are stored.
pub(crate) fn translate_for(
    endpoint: Endpoint,
    body: &[u8],
    context: &Context<'_>,
    stored: Option<&StoredRecords>,
) -> Result<Translated, ApiError> {
    match endpoint {
        Endpoint::Create => translate_to(ReplyKind::Items, body, context, stored),
        Endpoint::Compact => translate_to(ReplyKind::CompactionObject, body, context, stored),
        Endpoint::InputTokens => {
            count::only(translate_to(ReplyKind::Items, body, context, stored)?, context.config)
        }
    }
}

fn translate_to(
    mut kind: ReplyKind,
    body: &[u8],
    context: &Context<'_>,
    stored: Option<&StoredRecords>,
) -> Result<Translated, ApiError> {
    let text = body::utf8(body)?;
    let mut tape = body::parse(text)?;
    // All that is sent upstream or repeated in the response is a slice of the body, so it is repaired here, once.
    let repaired;
    if tape.has_surrogates() {
        repaired = json::without_lone_surrogates(text);
        tape = body::parse(&repaired)?;
    }
    let unread = UnreadKeys::default();
    let body = Located::body(tape.root(), &unread).object()?;
    if stored.is_none_or(|stored| stored.previous.is_none()) {
        refusals::previous_response(&body, stored.is_some())?;
    }
    let mut request = read::request(&body)?;
    let tapes = stored.map(Tapes::read).transpose()?;
    let items = tapes.as_ref().map(StoredItems::of);
    let (mut conversation, record) = match &items {
        None => (read::conversation(&body, &request)?, None),
        Some(items) => {
            let record = (kind == ReplyKind::Items && request.store != Some(false))
                .then(|| ResponseId::of_seed(context.seed));
            read::stored_conversation(&body, &request, items, context.config.history, record)?
        }
    };
    read::apply(mem::take(&mut conversation.settings), &mut request);
    if kind == ReplyKind::CompactionObject {
        request.stream = None;
    } else if conversation.compact {
        kind = ReplyKind::Summary;
    }
    if kind != ReplyKind::Items {
        read::ask_for_summary(&mut conversation);
    }
    let record = record
        .map(|conversation| Recorded { conversation, bytes: stored.map_or(0, |stored| stored.record_bytes) });
    translate_conversation(conversation, &Source { body, request, kind }, record, context)
}

/// What the record of the response will hold.
struct Recorded {
    /// The conversation up to the reply.
    conversation: String,
    /// How many bytes the record may have.
    bytes: usize,
}

impl Recorded {
    /// How many bytes are left for the response.
    fn room(&self) -> usize {
        self.bytes.saturating_sub(self.conversation.len())
    }
}

/// The request as it was read.
struct Source<'a> {
    body: Object<'a, 'a>,
    request: Request<'a>,
    kind: ReplyKind,
}

impl Source<'_> {
    /// Whether the client only wants the prompt cache filled. Chat Completions has no request for that.
    fn wants_no_output(&self) -> Result<bool, ApiError> {
        let prewarm: Option<bool> = match self.body.field("prompt_cache_options") {
            Some(options) if self.kind != ReplyKind::CompactionObject => options.object()?.get("prewarm")?,
            _ => None,
        };
        Ok(prewarm == Some(true))
    }
}

fn translate_conversation<'a>(
    conversation: Conversation<'a>,
    source: &'a Source<'a>,
    record: Option<Recorded>,
    context: &Context<'a>,
) -> Result<Translated, ApiError> {
    let request = &source.request;
    let target = Target::for_model(context.config, &request.model)?;
    let options = target.options;
    let Conversation { entries, tools, mut withheld, mut report, .. } = conversation;
    // A summary calls no tool and has no format.
    let wanted = (source.kind == ReplyKind::Items).then_some(request);

    let choice = wanted.and_then(|request| request.tool_choice);
    let choice = choice.map(|choice| source.body.located("tool_choice", choice));
    let thinks = fields::thinks(request, options);
    let mut tools = ToolPlan::build(tools, choice, thinks, options, &mut report)?;

    let format = wanted.and_then(|request| request.text.as_ref()?.format.as_ref());
    let OutputFormat { response_format, instruction } =
        OutputFormat::build(format, &tools, options, &mut report);

    let call_ids = history::call_ids(&entries);
    // The upstream's request is about as long as the client's; the calls of custom tools become longer.
    let bytes = source.body.json().len();
    let mut json = JsonText::with_capacity(bytes + bytes / 8);
    json.raw("{\"model\":");
    json.string(target.model);
    json.raw(",\"messages\":[");
    let history = history::Translation {
        policy: context.config.history,
        options,
        toolbox: &mut tools.toolbox,
        withheld: &mut withheld,
        report: &mut report,
    };
    let instructions = request.instructions.clone().into_iter().chain(instruction);
    let mut json = history.write(instructions, entries, json)?;
    json.raw("]");

    // What is only to be cached is no response that a client goes on from.
    let record = if source.wants_no_output()? { None } else { record };
    let parts = Parts { target, tools, response_format, json, call_ids, withheld, record };
    parts.into_translated(source, context, report)
}

/// The values for the upstream's request and for the reply's context.
struct Parts<'a> {
    target: Target<'a>,
    tools: ToolPlan<'a>,
    response_format: Option<chat::ResponseFormat<'a>>,
    /// The upstream's request up to the end of `messages`.
    json: JsonText,
    call_ids: CallIds,
    /// The items whose reasoning the model does not get.
    withheld: Vec<Origin<'a>>,
    record: Option<Recorded>,
}

impl<'a> Parts<'a> {
    fn into_translated(
        mut self,
        source: &'a Source<'a>,
        context: &Context<'_>,
        mut report: Report,
    ) -> Result<Translated, ApiError> {
        let Source { body, request, .. } = source;
        let Target { options, model, route, price } = self.target;
        let upstream = self.upstream_request(body, request, &mut report);
        let sent = mem::take(&mut self.json).end_object(&upstream);
        let echo = echo::echo(body, request, mem::take(&mut self.withheld), context.codex, &mut report)?;
        let record = self.record.take();
        let record_room = record.as_ref().map(Recorded::room);
        let echo = Echo::new(echo, record_room > Some(0));
        body.unread().take().iter().for_each(|key| report.dropped(Dropped::Field, key));
        let reply_context =
            self.reply_context(source, context, &upstream, ResponseRules { echo, record_room });
        let answer = source
            .wants_no_output()?
            .then(|| response::without_output(&reply_context, context.seed, context.now));
        Ok(Translated {
            body: sent,
            answer,
            conversation: record.map(|record| record.conversation),
            path: options.path.clone(),
            preset: options.preset,
            asked_model: request.model.clone().into_owned(),
            model: model.to_owned(),
            route: route.map(str::to_owned),
            price: price.map(|(rule, price)| (rule.to_owned(), price)),
            session_header: options.session_header.clone(),
            prompt_cache_key: request.prompt_cache_key.as_ref().map(|key| key.decode().into_owned()),
            report,
            reply: Reply::new(reply_context, context.seed, context.now),
        })
    }

    /// Moves the parts that the upstream gets into its request.
    fn upstream_request(
        &mut self,
        body: &Object<'_, 'a>,
        request: &'a Request<'a>,
        report: &mut Report,
    ) -> chat::Request<'a> {
        let Target { options, .. } = self.target;
        let tools = mem::take(&mut self.tools.offered);
        // The field has no meaning without tools.
        let parallel = request.parallel_tool_calls.filter(|_| !tools.is_empty());
        if parallel.is_some() && !options.parallel_tool_calls {
            report.dropped(Dropped::Field, "parallel_tool_calls");
        }
        chat::Request {
            parallel_tool_calls: parallel.filter(|_| options.parallel_tool_calls),
            tools,
            tool_choice: self.tools.choice.take(),
            response_format: self.response_format.take(),
            ..fields::plain(body, request, options, report)
        }
    }

    /// The context for translating the reply.
    fn reply_context(
        self,
        source: &Source<'_>,
        context: &Context<'_>,
        upstream: &chat::Request<'_>,
        response: ResponseRules,
    ) -> ReplyContext {
        let request = &source.request;
        let options = self.target.options;
        let limits = context.config.limits;
        let start = reply_start(options.think_tags);
        ReplyContext {
            kind: source.kind,
            stream: upstream.stream.is_some(),
            response,
            call_ids: self.call_ids,
            text: TextRules {
                in_reasoning: Scanner::of_tagged_calls(self.tools.any_in_text(), limits.event_bytes),
                scanner: Scanner::new(start, self.tools.in_text, limits.event_bytes),
                unread: Scanner::new(None, self.tools.unread_in_text, limits.event_bytes),
                logprobs: upstream.logprobs.is_some(),
            },
            items: ItemRules {
                toolbox: self.tools.toolbox,
                parallel_calls: request.parallel_tool_calls != Some(false),
                is_codex: context.codex,
                encrypted_reasoning: fields::includes(request, "reasoning.encrypted_content"),
            },
            upstream: UpstreamRules {
                replay: options.reasoning_replay.clone(),
                has_finish_reason: options.finish_reason,
            },
            limits,
        }
    }
}

/// Whether the reply may begin with reasoning in tags.
fn reply_start(think_tags: ThinkTags) -> Option<ReplyStart> {
    match think_tags {
        ThinkTags::Off => None,
        ThinkTags::On => Some(ReplyStart::Text),
        ThinkTags::Implied => Some(ReplyStart::Reasoning),
    }
}
