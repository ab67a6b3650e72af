//! Namespaces: named groups of tools. Each of their tools becomes a function of its own upstream;
//! its calls come back with `namespace` and the inner `name`, whatever form the tool has.

use super::{Conversation, Site};
use crate::responses::{AdditionalTools, ApiError, NamespaceTool};

/// Declared: `namespace`.
pub(super) fn declare<'a>(site: &Site<'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    let namespace: NamespaceTool<'a> = site.read()?;
    let first = conversation.tools.len();
    declare_all(site, &namespace.tools, conversation)?;
    for tool in conversation.tools.iter_mut().skip(first) {
        tool.namespace.get_or_insert_with(|| namespace.name.clone());
    }
    Ok(())
}

/// In the history: `additional_tools`, by which Codex declares its tools for some models.
pub(super) fn read_additional_tools<'a>(
    site: &Site<'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let item: AdditionalTools<'a> = site.read()?;
    declare_all(site, &item.tools, conversation)
}

fn declare_all<'a>(
    site: &Site<'a>,
    tools: &[&'a serde_json::value::RawValue],
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    for (index, raw) in tools.iter().enumerate() {
        super::declare(&site.child(&format!("tools[{index}]"), raw), conversation)?;
    }
    Ok(())
}
