//! `tool_choice`: which of the tools the model may or must call.

use crate::error::{ApiError, Code, Path};
use crate::items::{self, Toolbox};
use crate::report::{Dropped, Report};
use crate::upstream::{AllowedTools, ChoiceForm, NamedChoiceTools, Options};
use crate::wire::chat::request::{self as chat, ChoiceMode};
use crate::wire::responses::NamedTool;
use crate::wire::typed::{Located, Object};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// The tools that are offered, and the upstream's `tool_choice`.
pub(super) struct Choice<'a> {
    pub(super) tools: Vec<chat::Tool<'a>>,
    pub(super) choice: Option<chat::ToolChoice<'a>>,
}

const PATH: Path<'static> = Path::top("tool_choice");

/// Translates the client's `tool_choice`.
pub(super) fn choose<'a>(
    tools: Vec<chat::Tool<'a>>,
    choice: Option<Located<'_, '_>>,
    toolbox: &Toolbox,
    options: &Options,
    report: &mut Report,
) -> Result<Choice<'a>, ApiError> {
    let Some(located) = choice else { return Ok(Choice { tools, choice: None }) };
    if let Some(mode) = located.value.string() {
        let modes = [ChoiceMode::None, ChoiceMode::Auto, ChoiceMode::Required];
        return with_mode(tools, mode_of(&mode, PATH, &modes)?);
    }
    let choice = located.object().map_err(|_| located.wrong_type("a string or an object"))?;
    let tool_type: Cow<'_, str> = choice.get("type")?;
    if tool_type == "allowed_tools" {
        allow(tools, &choice, toolbox, options, report)
    } else {
        require_one(tools, &choice, &tool_type, toolbox, options)
    }
}

/// `{"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]}`.
fn allow<'a>(
    mut tools: Vec<chat::Tool<'a>>,
    choice: &Object<'_, '_>,
    toolbox: &Toolbox,
    options: &Options,
    report: &mut Report,
) -> Result<Choice<'a>, ApiError> {
    let allowed = allowed(choice, toolbox, report)?;
    let mode: Option<Cow<'_, str>> = choice.get("mode")?;
    let mode = match mode {
        Some(mode) => mode_of(&mode, choice.path_to("mode"), &[ChoiceMode::Auto, ChoiceMode::Required])?,
        None => ChoiceMode::Auto,
    };
    let is_allowed = |tool: &chat::Tool<'_>| allowed.contains(tool.name());
    let chosen: Vec<_> = tools.iter().filter(|tool| is_allowed(tool)).map(chosen).collect();
    if options.allowed_tools == AllowedTools::Native && !chosen.is_empty() {
        let allowed_tools = chat::AllowedTools { mode, tools: chosen };
        let choice = chat::ToolChoice::Allowed { r#type: "allowed_tools", allowed_tools };
        return Ok(Choice { tools, choice: Some(choice) });
    }
    // Offering only the allowed tools has the same effect.
    tools.retain(is_allowed);
    with_mode(tools, mode)
}

/// `{"type": "function", "name": "f"}`, or the type alone of a tool that has no name.
fn require_one<'a>(
    mut tools: Vec<chat::Tool<'a>>,
    choice: &Object<'_, '_>,
    tool_type: &str,
    toolbox: &Toolbox,
    options: &Options,
) -> Result<Choice<'a>, ApiError> {
    let Some(name) = named(choice, tool_type, toolbox)? else {
        return Err(ApiError::invalid(format!(
            "The upstream has no tool of the type '{tool_type}', so it cannot be chosen."
        ))
        .code(Code::UnsupportedValue)
        .at(PATH));
    };
    let choice = tools.iter().find(|tool| tool.name() == name);
    let choice = choice.map(|tool| chat::ToolChoice::Named(chosen(tool)));
    if options.named_choice_tools == NamedChoiceTools::Named {
        tools.retain(|tool| tool.name() == name);
    }
    Ok(Choice { tools, choice })
}

fn chosen<'a>(tool: &chat::Tool<'a>) -> chat::Chosen<'a> {
    match tool {
        chat::Tool::Function { function } => {
            chat::Chosen::Function { function: chat::Name { name: function.name.clone() } }
        }
        chat::Tool::Custom { custom } => {
            chat::Chosen::Custom { custom: chat::Name { name: custom.name.clone() } }
        }
    }
}

fn with_mode<'a>(tools: Vec<chat::Tool<'a>>, mode: ChoiceMode) -> Result<Choice<'a>, ApiError> {
    if mode == ChoiceMode::Required && tools.is_empty() {
        return Err(ApiError::invalid(
            "Tool choice 'required' must be specified with 'tools' that the upstream can be offered.",
        )
        .at(PATH));
    }
    let choice = (!tools.is_empty()).then_some(chat::ToolChoice::Mode(mode));
    Ok(Choice { tools, choice })
}

fn mode_of(name: &str, path: Path<'_>, known: &[ChoiceMode]) -> Result<ChoiceMode, ApiError> {
    let found = known.iter().copied().find(|mode| mode.name() == name);
    found.ok_or_else(|| {
        let known: Vec<&str> = known.iter().map(|mode| mode.name()).collect();
        ApiError::wrong_value(path, name, &known)
    })
}

/// The upstream names of the tools in `allowed_tools`.
fn allowed<'t>(
    choice: &Object<'_, '_>,
    toolbox: &'t Toolbox,
    report: &mut Report,
) -> Result<BTreeSet<&'t str>, ApiError> {
    let tools = choice.field("tools").ok_or_else(|| ApiError::missing(choice.path_to("tools")))?;
    let mut allowed = BTreeSet::new();
    for tool in tools.elements("an array")? {
        let tool = tool.object()?;
        let tool_type: Cow<'_, str> = tool.get("type")?;
        match named(&tool, &tool_type, toolbox)? {
            Some(name) => {
                allowed.insert(name);
            }
            None => report.dropped(Dropped::Tool, &tool_type),
        }
    }
    Ok(allowed)
}

/// The upstream name of a tool. `None` if the upstream is never offered tools of its type.
fn named<'t>(
    tool: &Object<'_, '_>,
    tool_type: &str,
    toolbox: &'t Toolbox,
) -> Result<Option<&'t str>, ApiError> {
    let NamedTool { name, namespace } = match items::is_named(tool_type) {
        Some(true) => NamedTool::of(tool)?,
        Some(false) => NamedTool { name: Cow::Borrowed(tool_type), namespace: None },
        None => return Ok(None),
    };
    let declared = toolbox.declared(namespace.as_deref(), &name);
    declared.map(Some).ok_or_else(|| {
        ApiError::invalid(format!("Tool choice '{name}' not found in 'tools' parameter.")).at(tool.path())
    })
}

/// Weakens a choice until the upstream accepts its form.
pub(super) fn fit<'a>(choice: Choice<'a>, accepted: &[ChoiceForm], report: &mut Report) -> Choice<'a> {
    let Choice { mut tools, mut choice } = choice;
    while let Some(form) = choice.as_ref().and_then(form_of).filter(|form| !accepted.contains(form)) {
        choice = match form {
            ChoiceForm::Auto => None,
            // Without tools, the model cannot call any.
            ChoiceForm::None => {
                tools.clear();
                None
            }
            // Offering only the named tool has the same effect.
            ChoiceForm::Named => {
                tools.retain(|tool| choice.as_ref().is_some_and(|choice| choice.names(tool)));
                Some(chat::ToolChoice::Mode(ChoiceMode::Required))
            }
            ChoiceForm::Required => {
                report.dropped(Dropped::Field, "tool_choice");
                Some(chat::ToolChoice::Mode(ChoiceMode::Auto))
            }
        };
    }
    Choice { tools, choice }
}

/// The form of a choice. `allowed_tools` has none, because a separate option controls it.
fn form_of(choice: &chat::ToolChoice<'_>) -> Option<ChoiceForm> {
    match choice {
        chat::ToolChoice::Allowed { .. } => None,
        chat::ToolChoice::Named(_) => Some(ChoiceForm::Named),
        chat::ToolChoice::Mode(ChoiceMode::None) => Some(ChoiceForm::None),
        chat::ToolChoice::Mode(ChoiceMode::Auto) => Some(ChoiceForm::Auto),
        chat::ToolChoice::Mode(ChoiceMode::Required) => Some(ChoiceForm::Required),
    }
}
