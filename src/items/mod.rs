//! One file for each kind of item and tool, with both directions in it: how it is declared upstream, how it
//! is read from `input`, and how it is written to `output`.
//!
//! Tools that the client runs are rows of [`KINDS`]. All other items are rows of a table below.

mod apply_patch;
mod builtin;
mod compaction;
mod configuration_update;
mod content;
mod conversation;
mod custom_tool;
mod encrypted_content;
mod event_writer;
mod function;
mod ids;
mod kind;
mod local_shell;
mod message;
mod namespace;
mod reasoning;
mod reference;
mod shell;
mod tool_search;
mod toolbox;
mod unseal;

pub use compaction::{INSTRUCTION as COMPACTION_INSTRUCTION, OpenCompaction};
pub use conversation::{Call, Conversation, Declaration, Entry, Origin, Output, Reasoning, Settings};
pub use encrypted_content::{ReplayState, SEAL};
pub use event_writer::EventWriter;
pub use function::KIND as FUNCTION;
pub use ids::id_prefix;
pub use kind::{CALL_ITEMS, CallHead, KINDS, OpenCall, ToolKind, is_named};
pub use message::{ContentKind, OpenMessage, annotation};
pub use reasoning::OpenReasoning;
pub use reference::Referenced;
pub(crate) use toolbox::Toolbox;
pub use unseal::{Marks, Unsealed, unseal};

use crate::error::ApiError;
use crate::report::Dropped;
use crate::wire::typed::{Located, Object};
use kind::Read;
use std::borrow::Cow;

/// The types of items that are neither calls nor outputs.
const ITEMS: &[(&str, Read)] = &[
    ("message", message::read),
    ("reasoning", reasoning::read),
    ("additional_tools", namespace::read_additional_tools),
    ("agent_message", message::read_agent_message),
    ("compaction", compaction::read),
    ("context_compaction", compaction::read),
    ("compaction_trigger", compaction::read_trigger),
    ("configuration_update", configuration_update::read),
    ("item_reference", reference::read),
];

/// A group of tools, which is not a kind: the calls have the kinds of its tools.
const NAMESPACE: &str = "namespace";

/// Reads one item of `input` and returns whether its type is known. An item of an unknown type is dropped and reported.
///
/// # Errors
/// 400 that names the field.
pub fn read<'a>(item: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<bool, ApiError> {
    // An item without a type is a message: "EasyInputMessage" of the API reference.
    let item_type = item.get::<Option<Cow<'_, str>>>("type")?.unwrap_or(Cow::Borrowed("message"));
    match lookup(ITEMS, &item_type).or_else(|| kind::item_reader(&item_type)) {
        Some(read) => read(item, conversation).map(|()| true),
        None => {
            conversation.report.dropped(Dropped::Item, &item_type);
            Ok(false)
        }
    }
}

/// Reads `tools` of the request or of an item.
///
/// # Errors
/// 400 that names the field.
pub fn declare_all<'a>(
    tools: Option<Located<'_, 'a>>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let Some(tools) = tools else { return Ok(()) };
    let mut elements = tools.elements("an array")?;
    conversation.tools.reserve(tools.value.elements().map_or(0, Iterator::count));
    elements.try_for_each(|tool| declare(tool, conversation))
}

/// Reads one tool. A tool of an unknown type runs on OpenAI's servers: it is dropped and reported.
fn declare<'a>(located: Located<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    let tool = located.object()?;
    let tool_type: Cow<'_, str> = tool.get("type")?;
    if tool_type == NAMESPACE {
        return namespace::declare(&tool, conversation);
    }
    match kind::of_tool(&tool_type) {
        Some(kind) => (kind.declare)(&tool, conversation),
        None => {
            conversation.report.dropped(Dropped::Tool, &tool_type);
            Ok(())
        }
    }
}

/// The types of `input` items that are read.
pub fn item_types() -> impl Iterator<Item = &'static str> {
    let of_kinds = KINDS.iter().flat_map(|kind| [kind.call_item, kind.output_item]);
    ITEMS.iter().map(|(item_type, _)| *item_type).chain(of_kinds)
}

/// The types of `tools` that are read.
pub fn tool_types() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|kind| kind.tool_type).chain([NAMESPACE])
}

/// The types of content parts that are read.
pub fn part_types() -> impl Iterator<Item = &'static str> {
    content::PARTS.iter().map(|(part_type, _)| *part_type)
}

fn lookup<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}
