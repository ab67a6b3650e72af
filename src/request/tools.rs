//! `tools`: the functions and custom tools that the upstream is offered.

use crate::items::Declaration;
use crate::items::Toolbox;
use crate::tools::schema;
use crate::upstream::{CustomTools, Options};
use crate::wire::chat::request as chat;
use std::borrow::Cow;

/// Registers a tool that the client declared, and renders it for the upstream.
pub(super) fn chat_tool<'a>(
    tool: Declaration<'a>,
    toolbox: &mut Toolbox,
    options: &Options,
) -> Option<chat::Tool<'a>> {
    let name = Cow::Owned(toolbox.register(&tool)?.to_owned());
    Some(match tool.custom {
        Some(custom) if options.custom_tools == CustomTools::Native => {
            chat::Tool::Custom { custom: chat::Custom { name, ..custom } }
        }
        _ => chat::Tool::Function {
            function: chat::Function {
                name,
                description: tool.description,
                parameters: schema::of_arguments(tool.parameters, options.schema_dialect),
                strict: tool.strict.filter(|&strict| strict && options.strict_tools),
            },
        },
    })
}
