//! Rules about past tool calls and their results.

use std::collections::BTreeSet;

use serde_json::Value;

use super::fields::{self, check, join};
use super::look::{calls, demand, each_message, role, text_at};
use super::tools::tool_name;
use super::{Checked, Demands, Refusal};

pub(super) fn tool_calls(body: &Value, strict: &Demands) -> Checked {
    let mut seen = BTreeSet::new();
    each_message(body, |message, path| {
        let path = join(path, "tool_calls");
        demand(message.get("tool_calls").is_none() || !calls(message).is_empty(), &path, || {
            "must not be an empty list".to_owned()
        })?;
        if strict.repeated_ids {
            seen.clear();
        }
        // Only the first of several parallel calls carries the thought signature.
        if let Some(call) = calls(message).first()
            && let Some(name) =
                strict.tool_call_must_have.iter().find(|name| call.get(name.as_str()).is_none())
        {
            return Err(Refusal::at(
                &join(&path, name),
                "Function call is missing a thought_signature".to_owned(),
            ));
        }
        calls(message).iter().enumerate().try_for_each(|(at, call)| {
            let path = format!("{path}[{at}]");
            tool_call(call, strict, &path)?;
            let id = text_at(call, "/id");
            demand(seen.insert(id.to_owned()), &join(&path, "id"), || {
                format!("Duplicate tool call id '{id}'")
            })
        })
    })
}

fn tool_call(call: &Value, strict: &Demands, path: &str) -> Checked {
    let custom = strict.custom_tools && text_at(call, "/type") == "custom";
    let taken = if custom { fields::CUSTOM_CALL } else { fields::TOOL_CALL };
    check(call, taken, &strict.tool_call_fields, path)?;
    let id = text_at(call, "/id");
    if let Some(longest) = strict.longest_id {
        demand(id.chars().count() <= longest, &join(path, "id"), || {
            format!("must not be longer than {longest} characters")
        })?;
    }
    if let Some(length) = strict.id_length {
        let plain = id.len() == length && id.chars().all(|c| c.is_ascii_alphanumeric());
        demand(plain, &join(path, "id"), || format!("must be a-z, A-Z, 0-9, with a length of {length}"))?;
    }
    if custom {
        return check(
            call.get("custom").unwrap_or(&Value::Null),
            fields::CALLED_CUSTOM,
            &[],
            &join(path, "custom"),
        );
    }
    let path = join(path, "function");
    let function = call.get("function").unwrap_or(&Value::Null);
    check(function, fields::CALLED_FUNCTION, &[], &path)?;
    tool_name(function, &path)?;
    let arguments = text_at(function, "/arguments");
    let object = serde_json::from_str::<Value>(arguments).is_ok_and(|value| value.is_object());
    demand(object, &join(&path, "arguments"), || "must be a string that holds a JSON object".to_owned())
}

pub(super) fn calls_are_answered(body: &Value, strict: &Demands) -> Checked {
    let mut open: BTreeSet<&str> = BTreeSet::new();
    each_message(body, |message, path| {
        if role(message) == "tool" {
            let id = text_at(message, "/tool_call_id");
            return demand(open.remove(id), &join(path, "tool_call_id"), || {
                format!("no preceding assistant message waits for the result of '{id}'")
            });
        }
        all_answered(&open, path)?;
        let lost = strict.content_hides_calls && message.get("content").is_some_and(Value::is_string);
        let read = if lost { &[][..] } else { calls(message) };
        open = read.iter().map(|call| text_at(call, "/id")).collect();
        Ok(())
    })?;
    all_answered(&open, "messages")
}

fn all_answered(open: &BTreeSet<&str>, path: &str) -> Checked {
    demand(open.is_empty(), path, || {
        let ids: Vec<&str> = open.iter().copied().collect();
        format!(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each id: {}",
            ids.join(", ")
        )
    })
}
