//! Rules about the top-level fields of a request.

use serde_json::Value;

use super::fields::{self, Field, check, types};
use super::look::{contains, demand, text_at};
use super::{Checked, Demands, Refusal};

pub(super) fn top_level(body: &Value, strict: &Demands) -> Checked {
    let optional = fields::OPTIONAL_TOP.iter().filter(|(name, ..)| contains(&strict.allow_fields, name));
    let taken: Vec<Field> = fields::TOP
        .iter()
        .chain(optional)
        .filter(|(name, ..)| !contains(&strict.refuse_fields, name))
        .copied()
        .collect();
    if strict.ignores_unknown {
        return types(body, &taken, "");
    }
    check(body, &taken, &strict.allow_fields, "")
}

pub(super) fn format_beside_tools(body: &Value, strict: &Demands) -> Checked {
    let formatted = body.pointer("/response_format/type").is_some_and(|kind| kind != "text");
    let both = formatted && body.get("tools").is_some();
    demand(!both || strict.json_with_tools, "response_format", || {
        "cannot be combined with tool calling".to_owned()
    })
}

pub(super) fn while_thinking(body: &Value, strict: &Demands) -> Checked {
    let Some(less) = strict.thinking(body) else { return Ok(()) };
    if let Some(choice) = body.get("tool_choice") {
        let form = choice.as_str().unwrap_or("function");
        demand(contains(&less.tool_choices, form), "tool_choice", || {
            format!("'{form}' is incompatible with thinking enabled")
        })?;
    }
    match less.refuse_fields.iter().find(|field| body.get(field.as_str()).is_some()) {
        Some(field) => Err(Refusal::at(field, "is not supported while thinking".to_owned())),
        None => Ok(()),
    }
}

pub(super) fn stream_options(body: &Value, _: &Demands) -> Checked {
    let Some(options) = body.get("stream_options") else {
        return Ok(());
    };
    check(options, fields::STREAM_OPTIONS, &[], "stream_options")?;
    let streams = body.get("stream").and_then(Value::as_bool) == Some(true);
    demand(streams, "stream_options", || "is only allowed when stream is true".to_owned())
}

pub(super) fn response_format(body: &Value, strict: &Demands) -> Checked {
    let Some(format) = body.get("response_format") else {
        return Ok(());
    };
    check(format, fields::RESPONSE_FORMAT, &[], "response_format")?;
    let kind = text_at(format, "/type");
    demand(contains(&strict.response_formats, kind), "response_format.type", || {
        format!("must be one of {}", strict.response_formats.join(", "))
    })?;
    match (kind, format.get("json_schema")) {
        ("json_schema", Some(schema)) => {
            let path = "response_format.json_schema";
            check(schema, fields::JSON_SCHEMA, &[], path)
        }
        ("json_schema", None) => Err(Refusal::at("response_format.json_schema", "Field required".to_owned())),
        (_, None) => Ok(()),
        (_, Some(_)) => {
            Err(Refusal::at("response_format.json_schema", format!("not permitted with type {kind}")))
        }
    }
}

pub(super) fn small_values(body: &Value, strict: &Demands) -> Checked {
    let one = body.get("n").is_none_or(|n| n == 1);
    demand(one, "n", || "must be 1".to_owned())?;

    let effort = text_at(body, "/reasoning_effort");
    let known = effort.is_empty()
        || strict.reasoning_efforts.is_empty()
        || contains(&strict.reasoning_efforts, effort);
    demand(known, "reasoning_effort", || format!("must be one of {}", strict.reasoning_efforts.join(", ")))?;

    let stops = body.get("stop").is_none_or(|stop| match stop {
        Value::String(_) => true,
        Value::Array(list) => (1..=4).contains(&list.len()) && list.iter().all(Value::is_string),
        _ => false,
    });
    demand(stops, "stop", || "must be a string or one to four strings".to_owned())
}
