//! Rules about declared tools and `tool_choice`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::fields::{self, check, join};
use super::look::{contains, demand, text_at};
use super::{Checked, Demands};

pub(super) fn tools(body: &Value, strict: &Demands) -> Checked {
    let Some(tools) = body.get("tools").and_then(Value::as_array) else {
        return Ok(());
    };
    demand(!tools.is_empty(), "tools", || "must not be an empty list".to_owned())?;
    let mut names = BTreeSet::new();
    tools.iter().enumerate().try_for_each(|(at, tool)| {
        let path = format!("tools[{at}]");
        let custom = strict.custom_tools && text_at(tool, "/type") == "custom";
        let kind = if custom { "custom" } else { "function" };
        let declared = tool.get(kind).unwrap_or(&Value::Null);
        check(tool, if custom { fields::CUSTOM_TOOL } else { fields::TOOL }, &[], &path)?;
        let path = join(&path, kind);
        if custom {
            check(declared, fields::CUSTOM, &[], &path)?;
            tool_name(declared, &path)?;
        } else {
            declaration(declared, strict, &path)?;
        }
        let name = text_at(declared, "/name");
        demand(names.insert(name), &join(&path, "name"), || format!("Tool names must be unique: '{name}'"))
    })
}

fn declaration(function: &Value, strict: &Demands, path: &str) -> Checked {
    let mut taken = fields::FUNCTION.to_vec();
    if strict.strict_tools {
        taken.push(fields::FUNCTION_STRICT);
    }
    check(function, &taken, &[], path)?;
    tool_name(function, path)?;
    let Some(parameters) = function.get("parameters") else {
        return Ok(());
    };
    let path = join(path, "parameters");
    demand(text_at(parameters, "/type") == "object", &path, || {
        "must be a schema of type \"object\"".to_owned()
    })?;
    let properties = parameters.get("properties");
    demand(properties.is_none_or(Value::is_object), &path, || "properties must be an object".to_owned())?;
    Ok(())
}

/// OpenAI: "Must be a-z, A-Z, 0-9, or contain underscores and dashes, with a maximum length of 64."
pub(super) fn tool_name(function: &Value, path: &str) -> Checked {
    let name = text_at(function, "/name");
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    demand(plain && (1..=64).contains(&name.len()), &join(path, "name"), || {
        format!("'{name}' does not match ^[a-zA-Z0-9_-]{{1,64}}$")
    })
}

pub(super) fn tool_choice(body: &Value, strict: &Demands) -> Checked {
    let offered: Vec<&str> = body
        .get("tools")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|tool| text_at(tool, "/function/name"))
        .collect();
    for name in ["tool_choice", "parallel_tool_calls"] {
        let alone = body.get(name).is_some() && offered.is_empty();
        demand(!alone, name, || "is only allowed when 'tools' are specified".to_owned())?;
    }
    let Some(choice) = body.get("tool_choice") else {
        return Ok(());
    };
    let form = choice.as_str().or_else(|| choice.get("type")?.as_str()).unwrap_or("function");
    demand(contains(&strict.tool_choices, form), "tool_choice", || {
        format!("must be one of {}", strict.tool_choices.join(", "))
    })?;
    if choice.is_string() {
        return demand(form != "function", "tool_choice", || "a function is chosen by an object".to_owned());
    }
    if form == "allowed_tools" {
        check(choice, fields::CHOSEN_AMONG, &[], "tool_choice")?;
        let allowed = choice.get("allowed_tools").unwrap_or(&Value::Null);
        return check(allowed, fields::ALLOWED_TOOLS, &[], "tool_choice.allowed_tools");
    }
    check(choice, fields::CHOSEN_TOOL, &[], "tool_choice")?;
    let function = choice.get("function").unwrap_or(&Value::Null);
    check(function, fields::CHOSEN_FUNCTION, &[], "tool_choice.function")?;
    let name = text_at(function, "/name");
    demand(offered.contains(&name), "tool_choice.function.name", || {
        format!("'{name}' is not among the tools")
    })
}
