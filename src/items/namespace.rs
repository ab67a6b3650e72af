//! `namespace`: a named group of tools.
//!
//! <https://developers.openai.com/api/docs/guides/tools-tool-search>
//!
//! ```json
//! {"type": "namespace", "name": "crm", "tools": [{"type": "function", "name": "find"}]}
//! {"type": "additional_tools", "tools": [{"type": "function", "name": "find"}]}
//! ```
//!
//! Each tool of a namespace becomes a function of its own upstream. Its calls return to the client with
//! `namespace` and the tool's own `name`.

use super::{Conversation, NAMESPACE};
use crate::error::ApiError;
use crate::json::JsonStr;
use crate::report::Dropped;
use crate::wire::responses::NamespaceTool;
use crate::wire::typed::{Located, Object};
use std::borrow::Cow;

/// Reads a `namespace` of `tools`.
pub(super) fn declare<'a>(
    tool: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let namespace = NamespaceTool::of(tool)?;
    let first = conversation.tools.len();
    if let Some(tools) = tool.field("tools") {
        for inner in tools.elements("an array")? {
            refuse_namespace(inner)?;
            super::declare(inner, conversation)?;
        }
    }
    for tool in conversation.tools.iter_mut().skip(first) {
        tool.namespace = Some(namespace.name.clone());
    }
    let description = namespace.description.filter(|description| !description.is_empty());
    if let Some(description) = description {
        match conversation.tools.get_mut(first) {
            Some(tool) => tool.describe(about_all(&namespace.name, description)),
            None => conversation.report.dropped(Dropped::Field, "tools.namespace.description"),
        }
    }
    Ok(())
}

/// The description of a namespace, for the description of its first tool. It may be long: Codex writes an MCP server's
/// instructions there. So the other tools do not repeat it.
fn about_all<'a>(namespace: &str, description: JsonStr<'a>) -> JsonStr<'a> {
    JsonStr::joined([JsonStr::new(&format!("About all `{namespace}` tools:")), description], " ")
}

/// Rejects a namespace within a namespace: a call has only one `namespace`.
fn refuse_namespace(tool: Located<'_, '_>) -> Result<(), ApiError> {
    let tool = tool.object()?;
    match tool.get::<Option<Cow<'_, str>>>("type")?.as_deref() {
        Some(NAMESPACE) => {
            Err(ApiError::wrong_value(tool.path_to("type"), NAMESPACE, &["function", "custom"]))
        }
        _ => Ok(()),
    }
}

/// Reads an `additional_tools` item, by which Codex declares its tools for some models.
pub(super) fn read_additional_tools<'a>(
    item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    item.note_all_but(&["role", "tools"]);
    super::declare_all(item.field("tools"), conversation)
}
