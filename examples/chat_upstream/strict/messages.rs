//! Rules about messages: roles, order and content.

use serde_json::Value;

use super::fields::{self, check, join, types};
use super::look::{calls, contains, demand, each_message, messages, role};
use super::{Checked, Demands, Refusal};

pub(super) fn some_messages(body: &Value, _: &Demands) -> Checked {
    demand(!messages(body).is_empty(), "messages", || "must hold at least one message".to_owned())
}

pub(super) fn known_roles(body: &Value, strict: &Demands) -> Checked {
    each_message(body, |message, path| {
        let role = role(message);
        demand(contains(&strict.roles, role), &join(path, "role"), || {
            format!("must be one of {}, not '{role}'", strict.roles.join(", "))
        })
    })
}

pub(super) fn message_fields(body: &Value, strict: &Demands) -> Checked {
    each_message(body, |message, path| {
        let (fields, also): (_, &[String]) = match role(message) {
            "assistant" => (fields::ASSISTANT_MESSAGE, &strict.assistant_fields),
            "tool" => (fields::TOOL_MESSAGE, &strict.tool_message_fields),
            "user" => (fields::USER_MESSAGE, &[]),
            _ => (fields::SYSTEM_MESSAGE, &[]),
        };
        if strict.ignores_unknown { types(message, fields, path) } else { check(message, fields, also, path) }
    })
}

pub(super) fn one_system_first(body: &Value, strict: &Demands) -> Checked {
    let late = messages(body).iter().skip(1).position(|message| role(message) == "system");
    match late {
        Some(at) if !strict.late_system => Err(Refusal::at(
            &format!("messages[{}]", at + 1),
            "System message must be at the beginning".to_owned(),
        )),
        _ => Ok(()),
    }
}

pub(super) fn contents(body: &Value, strict: &Demands) -> Checked {
    each_message(body, |message, path| {
        let path = &join(path, "content");
        let (role, called) = (role(message), !calls(message).is_empty());
        match message.get("content") {
            Some(Value::String(_)) => Ok(()),
            None if called => Ok(()),
            Some(Value::Null) if called && strict.null_content => Ok(()),
            None | Some(Value::Null) => Err(Refusal::at(path, "must not be null".to_owned())),
            Some(Value::Array(parts)) if contains(&strict.parts_in, role) => {
                content_parts(parts, role, strict, path)
            }
            Some(_) => Err(Refusal::at(path, format!("must be a string in {role} messages"))),
        }
    })
}

fn content_parts(parts: &[Value], role: &str, strict: &Demands, path: &str) -> Checked {
    demand(!parts.is_empty(), path, || "must hold at least one part".to_owned())?;
    parts.iter().enumerate().try_for_each(|(at, part)| {
        let path = &format!("{path}[{at}]");
        match part.get("type").and_then(Value::as_str) {
            Some("text") => check(part, fields::TEXT_PART, &[], path),
            Some("image_url") if role == "user" && strict.images => image(part, path),
            Some("image_url") if role == "user" => {
                Err(Refusal::at(path, "this is not a multimodal model".to_owned()))
            }
            _ => Err(Refusal::at(&join(path, "type"), format!("no such part in {role} messages"))),
        }
    })
}

fn image(part: &Value, path: &str) -> Checked {
    check(part, fields::IMAGE_PART, &[], path)?;
    let path = join(path, "image_url");
    let image = part.get("image_url").unwrap_or(&Value::Null);
    check(image, fields::IMAGE_URL, &[], &path)?;
    let url = image.get("url").and_then(Value::as_str).unwrap_or_default();
    let data = url.starts_with("data:image/") && url.contains(";base64,");
    demand(data || url.starts_with("https://"), &join(&path, "url"), || {
        "must be a data: URL of an image in base64, or an https: URL".to_owned()
    })
}

pub(super) fn assistant_is_not_empty(body: &Value, _: &Demands) -> Checked {
    each_message(body, |message, path| {
        let has_content = message.get("content").is_some_and(|content| match content {
            Value::String(text) => !text.is_empty(),
            other => other.is_array(),
        });
        let is_empty = role(message) == "assistant" && !has_content && message.get("tool_calls").is_none();
        demand(!is_empty, path, || "an assistant message must not be empty".to_owned())
    })
}

pub(super) fn assistant_has_what_it_must(body: &Value, strict: &Demands) -> Checked {
    each_message(body, |message, path| {
        let missing = strict.assistant_must_have.iter().find(|name| message.get(name.as_str()).is_none());
        match missing {
            Some(name) if !calls(message).is_empty() => Err(Refusal::at(
                &join(path, name),
                "thinking is enabled, but the field is missing beside tool calls".to_owned(),
            )),
            _ => Ok(()),
        }
    })
}

pub(super) fn turns_alternate(body: &Value, strict: &Demands) -> Checked {
    if !strict.alternate {
        return Ok(());
    }
    let mut before = "";
    each_message(body, |message, path| {
        let now = role(message);
        let repeated = now == before && matches!(now, "user" | "assistant");
        before = now;
        demand(!repeated, path, || "Conversation roles must alternate user/assistant".to_owned())
    })
}

pub(super) fn user_after_tool(body: &Value, strict: &Demands) -> Checked {
    let mut before = "";
    each_message(body, |message, path| {
        let now = role(message);
        let after_tool = before == "tool" && now == "user";
        before = now;
        demand(!after_tool || strict.user_after_tool, path, || {
            "Unexpected role 'user' after role 'tool'".to_owned()
        })
    })
}

pub(super) fn last_is_not_assistant(body: &Value, strict: &Demands) -> Checked {
    let assistant = messages(body).last().map(role) == Some("assistant");
    demand(!assistant || strict.prefill, "messages", || {
        "the last message must be of role user or tool".to_owned()
    })
}
