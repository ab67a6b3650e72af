//! `tools`: which functions and custom tools the upstream is offered.

use super::tool_choice::{self, Choice};
use crate::bounds;
use crate::error::ApiError;
use crate::items::{Declaration, Toolbox};
use crate::markup::OfferedTools;
use crate::report::{Dropped, Report};
use crate::tools::schema;
use crate::upstream::{CustomTools, Options};
use crate::wire::chat::request::{ChoiceMode, Custom, Function, Tool, ToolChoice};
use crate::wire::typed::Located;
use std::borrow::Cow;

/// The tools of one request.
pub(super) struct ToolPlan<'a> {
    /// All tools, for translating the history and the reply.
    pub(super) toolbox: Toolbox,
    /// The tools that the upstream is offered. `tool_choice` may have excluded some.
    pub(super) offered: Vec<Tool<'a>>,
    pub(super) choice: Option<ToolChoice<'a>>,
    /// The tools whose calls are read in the reply's text.
    pub(super) in_text: OfferedTools,
    /// The tools whose calls are only noticed in the reply's text.
    pub(super) unread_in_text: OfferedTools,
}

impl<'a> ToolPlan<'a> {
    /// Plans the tools. `thinks`: whether the model will reason, since some upstreams then restrict `tool_choice`.
    ///
    /// # Errors
    /// 400 if there are too many tools, or if `tool_choice` is invalid.
    pub(super) fn build(
        declared: Vec<Declaration<'a>>,
        choice: Option<Located<'_, '_>>,
        thinks: bool,
        options: &Options,
        report: &mut Report,
    ) -> Result<Self, ApiError> {
        bounds::check_tools(declared.len())?;
        let mut toolbox = Toolbox::default();
        let tools =
            declared.into_iter().filter_map(|tool| render(tool, &mut toolbox, options, report)).collect();
        let choice = tool_choice::choose(tools, choice, &toolbox, options, report)?;
        let Choice { tools: offered, choice } = tool_choice::fit(choice, options.tool_choice(thinks), report);
        let none = OfferedTools::default;
        let may_call = !offered.is_empty() && !matches!(choice, Some(ToolChoice::Mode(ChoiceMode::None)));
        let (in_text, unread_in_text) = if !may_call {
            (none(), none())
        } else if options.text_tool_calls {
            (names_and_schemas(&offered, &toolbox), none())
        } else {
            (none(), toolbox.names().into())
        };
        Ok(Self { toolbox, offered, choice, in_text, unread_in_text })
    }

    /// The tools whose calls are found in text, whatever becomes of these.
    pub(super) fn any_in_text(&self) -> OfferedTools {
        let tools = if self.in_text.is_empty() { &self.unread_in_text } else { &self.in_text };
        tools.clone()
    }

    /// Whether the model must call a tool.
    pub(super) fn must_call(&self) -> bool {
        self.choice.as_ref().is_some_and(ToolChoice::forces_a_call)
    }
}

/// Registers a tool and renders it for the upstream. A second tool of the same name is not offered.
fn render<'a>(
    tool: Declaration<'a>,
    toolbox: &mut Toolbox,
    options: &Options,
    report: &mut Report,
) -> Option<Tool<'a>> {
    let name = match toolbox.register(&tool)? {
        upstream if upstream == tool.name => tool.name.clone(),
        upstream => Cow::Owned(upstream.to_owned()),
    };
    let strict = tool.strict.filter(|&strict| strict);
    if strict.is_some() && !options.strict_tools {
        report.dropped(Dropped::Field, "tools.strict");
    }
    Some(match tool.custom {
        Some(custom) if options.custom_tools == CustomTools::Native => {
            Tool::Custom { custom: Custom { name, ..custom } }
        }
        _ => Tool::Function {
            function: Function {
                name,
                description: tool.description,
                parameters: schema::of_arguments(tool.parameters, options.schema_dialect),
                strict: strict.filter(|_| options.strict_tools),
            },
        },
    })
}

fn names_and_schemas(tools: &[Tool<'_>], toolbox: &Toolbox) -> OfferedTools {
    let functions = tools.iter().filter_map(|tool| match tool {
        Tool::Function { function } => {
            Some((toolbox.resolve(&function.name)?.clone(), function.parameters.clone().into_owned()))
        }
        Tool::Custom { .. } => None,
    });
    functions.collect()
}
