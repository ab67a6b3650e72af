//! Reads a request into the items and settings of its conversation.

use super::refusals;
use super::stored::{self, StoredItems};
use crate::config::History;
use crate::error::{ApiError, Code, Path};
use crate::items::{self, COMPACTION_INSTRUCTION, Conversation, Entry, Settings};
use crate::json::JsonStr;
use crate::store::ResponseId;
use crate::wire::chat::request as chat;
use crate::wire::responses::{Reasoning, Request, TextOptions};
use crate::wire::typed::{Located, Object};
use std::borrow::Cow;

/// Reads the fields of the request.
pub(super) fn request<'a>(body: &Object<'_, 'a>) -> Result<Request<'a>, ApiError> {
    refusals::state(body)?;
    let request = Request::of(body)?;
    if request.model.is_empty() {
        return Err(ApiError::missing(Path::top("model")));
    }
    refusals::values(&request)?;
    Ok(request)
}

/// What an item of the history sets takes precedence over the request's own fields.
pub(super) fn apply<'a>(settings: Settings<'a>, request: &mut Request<'a>) {
    if let Some(effort) = settings.effort {
        let reasoning = request.reasoning.get_or_insert(Reasoning { effort: None, summary: None });
        reasoning.effort = Some(effort);
    }
    if let Some(format) = settings.format {
        let text = request.text.get_or_insert(TextOptions { format: None, verbosity: None });
        text.format = Some(format);
    }
}

/// Reads `tools` and `input`.
pub(super) fn conversation<'a>(
    body: &Object<'_, 'a>,
    request: &Request<'a>,
) -> Result<Conversation<'a>, ApiError> {
    let mut conversation = with_tools(body, request)?;
    let input = request.input.ok_or_else(|| ApiError::missing(Path::top("input")))?;
    let input = body.located("input", input);
    match input.value.text() {
        Some(text) => conversation.entries.push(Entry::User(chat::Content::Text(text))),
        None => {
            let items = input.elements("a string or an array")?;
            conversation.entries.reserve(input.value.elements().map_or(0, Iterator::count));
            read_items(items, &mut conversation)?;
        }
    }
    conversation.mark_async_calls();
    Ok(conversation)
}

fn with_tools<'a>(body: &Object<'_, 'a>, request: &Request<'a>) -> Result<Conversation<'a>, ApiError> {
    let mut conversation = Conversation::default();
    items::declare_all(request.tools.map(|tools| body.located("tools", tools)), &mut conversation)?;
    Ok(conversation)
}

/// The same with stored items. Also returns the conversation for the `record` of the response, if it gets one.
pub(super) fn stored_conversation<'a>(
    body: &Object<'_, 'a>,
    request: &Request<'a>,
    stored: &StoredItems<'a>,
    policy: History,
    record: Option<ResponseId>,
) -> Result<(Conversation<'a>, Option<String>), ApiError> {
    let mut conversation = with_tools(body, request)?;
    let input = request.input.map(|input| body.located("input", input));
    if input.is_none() && stored.is_empty() {
        return Err(ApiError::missing(Path::top("input")));
    }
    let text = input.as_ref().and_then(|input| input.value.text());
    let items = match input.as_ref().filter(|_| text.is_none()) {
        Some(input) => stored.with(input.elements("a string or an array")?, policy, body)?,
        None => stored.with(std::iter::empty(), policy, body)?,
    };
    let record = record.map(|id| stored::conversation(&items, text.as_ref(), id));
    read_items(items.into_iter(), &mut conversation)?;
    conversation.entries.extend(text.map(|text| Entry::User(chat::Content::Text(text))));
    conversation.mark_async_calls();
    Ok((conversation, record))
}

fn read_items<'p, 'a: 'p>(
    items: impl Iterator<Item = Located<'p, 'a>>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let (mut unknown, mut any_known) = (None, false);
    for item in items {
        let item = item.object()?;
        if items::read(&item, conversation)? {
            any_known = true;
        } else {
            unknown = unknown.or(Some(unknown_item(&item)?));
        }
    }
    // Otherwise an empty conversation would be sent, and would cost money.
    match unknown.filter(|_| !any_known) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// The error for `input` in which no item has a known type.
fn unknown_item(item: &Object<'_, '_>) -> Result<ApiError, ApiError> {
    let item_type: Cow<'_, str> = item.get("type")?;
    let message = format!("'input' has no item of a known type: '{item_type}' is unknown.");
    Ok(ApiError::invalid(message).code(Code::UnsupportedValue).at(item.path_to("type")))
}

/// Asks for a summary at the end of the conversation. It is plain text, so no tools are offered.
pub(super) fn ask_for_summary(conversation: &mut Conversation<'_>) {
    conversation.entries.push(Entry::User(chat::Content::Text(JsonStr::new(COMPACTION_INSTRUCTION))));
    conversation.tools.clear();
}
