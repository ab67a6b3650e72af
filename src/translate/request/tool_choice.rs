//! `tool_choice`: which of the tools that go up the model may or must call.

use crate::chat::request as chat;
use crate::items::Site;
use crate::json::Text;
use crate::responses::{ApiError, Request, ToolChoice};
use crate::translate::toolbox::Toolbox;
use std::borrow::Cow;

/// `tool_choice`, and the tools that it leaves.
pub(super) type Choice<'a> = (Vec<chat::Tool<'a>>, Option<chat::ToolChoice<'a>>);

pub(super) fn choose<'a>(
    mut tools: Vec<chat::Tool<'a>>,
    request: &Request<'a>,
    toolbox: &Toolbox,
    compact: bool,
) -> Result<Choice<'a>, ApiError> {
    let Some(raw) = request.tool_choice.filter(|_| !compact) else { return Ok((tools, None)) };
    if let Some(mode) = Text::of(raw) {
        let mode = mode_of(&mode.decode(), "tool_choice")?;
        if mode == "required" && tools.is_empty() {
            return Err(ApiError::invalid(
                "Tool choice 'required' must be specified with 'tools' that the upstream can be offered.",
            )
            .at("tool_choice"));
        }
        let choice = (!tools.is_empty()).then_some(chat::ToolChoice::Mode(mode));
        return Ok((tools, choice));
    }
    let choice: ToolChoice<'a> = Site::new(raw, "tool_choice").read()?;
    let kind = choice.r#type.as_deref().unwrap_or_default();
    if kind == "allowed_tools" {
        let mode = mode_of(choice.mode.as_deref().unwrap_or("auto"), "tool_choice.mode")?;
        let mut allowed = Vec::new();
        for (index, raw) in choice.tools.iter().flatten().enumerate() {
            let site = Site::new(raw, format!("tool_choice.tools[{index}]"));
            allowed.push(named(&site.read()?, toolbox, &site.path)?);
        }
        // Only OpenAI knows `allowed_tools`; to offer no others says the same.
        tools.retain(|tool| allowed.iter().any(|name| *name == tool.function.name));
        let choice = (!tools.is_empty()).then_some(chat::ToolChoice::Mode(mode));
        return Ok((tools, choice));
    }
    let name = named(&choice, toolbox, "tool_choice")?;
    // Some hosts take the object as `required` and ignore the name, so no other tool is offered.
    tools.retain(|tool| tool.function.name == name);
    let function = chat::Name { name: Cow::Owned(name) };
    Ok((tools, Some(chat::ToolChoice::Named { r#type: "function", function })))
}

fn mode_of(mode: &str, param: &str) -> Result<&'static str, ApiError> {
    ["none", "auto", "required"].into_iter().find(|known| *known == mode).ok_or_else(|| {
        ApiError::invalid(format!(
            "Invalid value: '{mode}'. Supported values are: 'none', 'auto', and 'required'."
        ))
        .code("invalid_value")
        .at(param)
    })
}

fn named(choice: &ToolChoice<'_>, toolbox: &Toolbox, param: &str) -> Result<String, ApiError> {
    let kind = choice.r#type.as_deref().unwrap_or_default();
    let name = match (kind, &choice.name) {
        ("function" | "custom", Some(name)) => name,
        ("tool_search", _) => kind,
        _ => {
            return Err(ApiError::invalid(format!(
                "The tool '{kind}' runs on OpenAI's servers; the upstream has no such tool, so it cannot be chosen."
            ))
            .code("unsupported_value")
            .at(param));
        }
    };
    let declared = toolbox.declared(choice.namespace.as_deref(), name);
    declared.map(str::to_owned).ok_or_else(|| {
        ApiError::invalid(format!("Tool choice '{name}' not found in 'tools' parameter.")).at(param)
    })
}
