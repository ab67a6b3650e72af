//! One file for each kind of thing a conversation holds. Both directions stand side by side in it:
//! how it is declared upstream, how it stands in the history, and how it comes back.
//!
//! A new kind is one new file and one line in a table below.

mod builtin;
mod compaction;
mod content;
mod conversation;
mod custom_tool;
mod encrypted_content;
mod event_writer;
mod function;
mod message;
mod namespace;
mod reasoning;
mod reference;
mod tool_search;

pub use compaction::{INSTRUCTION as COMPACTION_INSTRUCTION, OpenCompaction};
pub use conversation::{Call, Conversation, Declaration, Entry, OpenCall, Output, Thought, ToolKind};
pub use custom_tool::{FORM as CUSTOM_TOOL, input_of as custom_input};
pub use encrypted_content::ReplayState;
pub use event_writer::{CallHead, EventWriter};
pub use function::FORM as FUNCTION;
pub use message::{ContentKind, OpenMessage, annotation};
pub use reasoning::OpenReasoning;

use crate::error::ApiError;
use crate::report::Dropped;
use crate::wire::typed::{Located, Object};
use std::borrow::Cow;

/// Reads one item or one tool into the conversation.
type Read = for<'a> fn(&Object<'_, 'a>, &mut Conversation<'a>) -> Result<(), ApiError>;

/// The types of `input` items. Whatever is not here is dropped and reported.
const ITEMS: &[(&str, Read)] = &[
    ("message", message::read),
    ("reasoning", reasoning::read),
    ("function_call", function::read_call),
    ("function_call_output", function::read_output),
    ("custom_tool_call", custom_tool::read_call),
    ("custom_tool_call_output", function::read_output),
    ("tool_search_call", tool_search::read_call),
    ("tool_search_output", tool_search::read_output),
    ("shell_call", builtin::read_shell),
    ("shell_call_output", builtin::read_shell_output),
    ("local_shell_call", builtin::read_local_shell),
    ("local_shell_call_output", builtin::read_local_shell_output),
    ("apply_patch_call", builtin::read_apply_patch),
    ("apply_patch_call_output", builtin::read_apply_patch_output),
    ("additional_tools", namespace::read_additional_tools),
    ("agent_message", message::read_agent_message),
    ("compaction", compaction::read),
    ("context_compaction", compaction::read),
    ("compaction_trigger", compaction::read_trigger),
    ("item_reference", reference::read_reference),
];

/// The types of `tools`. Whatever is not here runs on OpenAI's servers: dropped and reported.
const TOOLS: &[(&str, Read)] = &[
    ("function", function::declare),
    ("custom", custom_tool::declare),
    ("namespace", namespace::declare),
    ("tool_search", tool_search::declare),
    ("shell", builtin::declare_shell),
    ("local_shell", builtin::declare_local_shell),
    ("apply_patch", builtin::declare_apply_patch),
];

/// The types of `tools` that have no name but their type.
const NAMELESS: &[&str] = &["tool_search", "shell", "local_shell", "apply_patch"];

/// Whether a tool of this type is called by its type.
pub fn is_nameless(kind: &str) -> bool {
    NAMELESS.contains(&kind)
}

/// Reads one item of `input`.
///
/// # Errors
/// 400, naming the field.
pub fn read<'a>(item: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    // An item without a type is a message: "EasyInputMessage" of the API reference.
    let kind = item.get::<Option<Cow<'_, str>>>("type")?.unwrap_or(Cow::Borrowed("message"));
    match lookup(ITEMS, &kind) {
        Some(read) => read(item, conversation),
        None => {
            conversation.report.dropped(Dropped::Item, &kind);
            Ok(())
        }
    }
}

/// Reads `tools`, wherever they stand.
///
/// # Errors
/// 400, naming the field.
pub fn declare_all<'a>(
    tools: Option<Located<'_, 'a>>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let Some(tools) = tools else { return Ok(()) };
    tools.elements("an array")?.try_for_each(|tool| declare(tool, conversation))
}

fn declare<'a>(site: Located<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    let tool = site.object()?;
    let kind: Cow<'_, str> = tool.get("type")?;
    match lookup(TOOLS, &kind) {
        Some(declare) => declare(&tool, conversation),
        None => {
            conversation.report.dropped(Dropped::Tool, &kind);
            Ok(())
        }
    }
}

/// The types of `input` items that are known.
pub fn item_types() -> impl Iterator<Item = &'static str> {
    ITEMS.iter().map(|(kind, _)| *kind)
}

/// The types of `tools` that are known.
pub fn tool_types() -> impl Iterator<Item = &'static str> {
    TOOLS.iter().map(|(kind, _)| *kind)
}

/// The types of content parts that are known.
pub fn part_types() -> impl Iterator<Item = &'static str> {
    content::PARTS.iter().map(|(kind, _)| *kind)
}

fn lookup<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}
