//! Namespaces: named groups of tools. Each of their tools becomes a function of its own upstream;
//! its calls come back with `namespace` and the inner `name`, whatever form the tool has.

use super::Conversation;
use crate::error::ApiError;
use crate::wire::responses::NamespaceTool;
use crate::wire::typed::{Located, Object};
use std::borrow::Cow;

/// Declared: `namespace`.
pub(super) fn declare<'a>(
    tool: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let namespace = NamespaceTool::of(tool)?;
    let first = conversation.tools.len();
    if let Some(tools) = tool.site("tools") {
        for inner in tools.elements("an array")? {
            refuse_namespace(inner)?;
            super::declare(inner, conversation)?;
        }
    }
    for tool in conversation.tools.iter_mut().skip(first) {
        tool.namespace = Some(namespace.name.clone());
    }
    Ok(())
}

/// A call has one `namespace`, so there is no way to say that one lies within another.
fn refuse_namespace(tool: Located<'_, '_>) -> Result<(), ApiError> {
    let tool = tool.object()?;
    match tool.get::<Option<Cow<'_, str>>>("type")?.as_deref() {
        Some(kind @ "namespace") => {
            Err(ApiError::wrong_value(tool.path_to("type"), kind, &["function", "custom"]))
        }
        _ => Ok(()),
    }
}

/// In the history: `additional_tools`, by which Codex declares its tools for some models.
pub(super) fn read_additional_tools<'a>(
    item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    super::declare_all(item.site("tools"), conversation)
}
