//! `tool_choice`: which of the tools that go up the model may or must call.

use crate::error::{ApiError, Code, Path};
use crate::items;
use crate::items::Toolbox;
use crate::json::TapeValue;
use crate::report::{Dropped, Report};
use crate::upstream::{AllowedTools, ChoiceForm, Options};
use crate::wire::chat::request as chat;
use crate::wire::responses::NamedTool;
use crate::wire::typed::{Located, Object};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// `tool_choice`, and the tools that it leaves.
pub(super) type Choice<'a> = (Vec<chat::Tool<'a>>, Option<chat::ToolChoice<'a>>);

const PATH: Path<'static> = Path::top("tool_choice");

pub(super) fn choose<'a>(
    mut tools: Vec<chat::Tool<'a>>,
    options: &Options,
    choice: Option<TapeValue<'_>>,
    toolbox: &Toolbox,
    report: &mut Report,
) -> Result<Choice<'a>, ApiError> {
    let Some(value) = choice else { return Ok((tools, None)) };
    if let Some(mode) = value.string() {
        return with_mode(tools, mode_of(&mode, PATH, &["none", "auto", "required"])?);
    }
    let site = Located::new(value, PATH);
    let choice = site.object().map_err(|_| site.wrong_type("a string or an object"))?;
    let kind: Cow<'_, str> = choice.get("type")?;
    if kind == "allowed_tools" {
        let allowed = allowed(&choice, toolbox, report)?;
        let mode: Option<Cow<'_, str>> = choice.get("mode")?;
        let mode = mode_of(mode.as_deref().unwrap_or("auto"), choice.path_to("mode"), &["auto", "required"])?;
        let is_allowed = |tool: &chat::Tool<'_>| allowed.contains(tool.name());
        let tools_chosen: Vec<_> = tools.iter().filter(|tool| is_allowed(tool)).map(chosen).collect();
        if options.allowed_tools == AllowedTools::Native && !tools_chosen.is_empty() {
            let allowed_tools = chat::AllowedTools { mode, tools: tools_chosen };
            return Ok((tools, Some(chat::ToolChoice::Allowed { r#type: "allowed_tools", allowed_tools })));
        }
        // To offer no others says the same.
        tools.retain(is_allowed);
        return with_mode(tools, mode);
    }
    let Some(name) = named(&choice, &kind, toolbox)? else {
        return Err(ApiError::invalid(format!(
            "The upstream has no tool of the type '{kind}', so it cannot be chosen."
        ))
        .code(Code::UnsupportedValue)
        .at(PATH));
    };
    // Some hosts take the object as `required` and ignore the name, so no other tool is offered.
    tools.retain(|tool| tool.name() == name);
    let choice = tools.first().map(|tool| chat::ToolChoice::Named(chosen(tool)));
    Ok((tools, choice))
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

fn with_mode<'a>(tools: Vec<chat::Tool<'a>>, mode: &'static str) -> Result<Choice<'a>, ApiError> {
    if mode == "required" && tools.is_empty() {
        return Err(ApiError::invalid(
            "Tool choice 'required' must be specified with 'tools' that the upstream can be offered.",
        )
        .at(PATH));
    }
    let choice = (!tools.is_empty()).then_some(chat::ToolChoice::Mode(mode));
    Ok((tools, choice))
}

fn mode_of(mode: &str, path: Path<'_>, known: &[&'static str]) -> Result<&'static str, ApiError> {
    let found = known.iter().find(|known| **known == mode);
    found.copied().ok_or_else(|| ApiError::wrong_value(path, mode, known))
}

/// The upstream's names of the tools that may be called.
fn allowed<'t>(
    choice: &Object<'_, '_>,
    toolbox: &'t Toolbox,
    report: &mut Report,
) -> Result<BTreeSet<&'t str>, ApiError> {
    let tools = choice.site("tools").ok_or_else(|| ApiError::missing(choice.path_to("tools")))?;
    let mut allowed = BTreeSet::new();
    for tool in tools.elements("an array")? {
        let tool = tool.object()?;
        let kind: Cow<'_, str> = tool.get("type")?;
        match named(&tool, &kind, toolbox)? {
            Some(name) => drop(allowed.insert(name)),
            None => report.dropped(Dropped::Tool, &kind),
        }
    }
    Ok(allowed)
}

/// The upstream's name of a tool; nothing if tools of its type do not go up.
fn named<'t>(tool: &Object<'_, '_>, kind: &str, toolbox: &'t Toolbox) -> Result<Option<&'t str>, ApiError> {
    let NamedTool { name, namespace } = match kind {
        "function" | "custom" => NamedTool::of(tool)?,
        _ if items::is_nameless(kind) => NamedTool { name: Cow::Borrowed(kind), namespace: None },
        _ => return Ok(None),
    };
    let declared = toolbox.declared(namespace.as_deref(), &name);
    declared.map(Some).ok_or_else(|| {
        ApiError::invalid(format!("Tool choice '{name}' not found in 'tools' parameter.")).at(tool.path())
    })
}

/// The nearest to a choice that the host takes.
pub(super) fn fit<'a>(
    (mut tools, choice): Choice<'a>,
    taken: &[ChoiceForm],
    report: &mut Report,
) -> Choice<'a> {
    let form = match &choice {
        None => return (tools, None),
        Some(chat::ToolChoice::Allowed { .. }) => return (tools, choice),
        Some(chat::ToolChoice::Named(_)) => ChoiceForm::Named,
        Some(chat::ToolChoice::Mode("none")) => ChoiceForm::None,
        Some(chat::ToolChoice::Mode("required")) => ChoiceForm::Required,
        Some(chat::ToolChoice::Mode(_)) => ChoiceForm::Auto,
    };
    if taken.contains(&form) {
        return (tools, choice);
    }
    let mut instead = |mode, tools| fit((tools, Some(chat::ToolChoice::Mode(mode))), taken, report);
    match form {
        ChoiceForm::Auto => (tools, None),
        // What is not offered is not called.
        ChoiceForm::None => {
            tools.clear();
            (tools, None)
        }
        // Only the named tool is left, so this says the same.
        ChoiceForm::Named => instead("required", tools),
        ChoiceForm::Required => {
            let weaker = instead("auto", tools);
            report.dropped(Dropped::Field, "tool_choice");
            weaker
        }
    }
}
