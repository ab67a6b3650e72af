//! Replies to requests without a scripted reply: first a tool call, then a text about its result. The same request always gets
//! the same reply.

use serde_json::{Map, Value, json};

use crate::script::{Call, Reply};

/// How much of the conversation an improvised answer quotes, in characters.
const QUOTE: usize = 80;

/// `signs`: each call carries a signature, which the client must send back.
pub(crate) fn reply(body: &Value, signs: bool) -> Reply {
    let last = body.get("messages").and_then(Value::as_array).and_then(|messages| messages.last());
    let said = quote(last.and_then(|message| message.get("content")));
    let from_tool = last.and_then(|message| message.get("role")) == Some(&json!("tool"));
    if from_tool {
        return text(format!("The tool answered: {said}"));
    }
    if let Some(call) = call(body) {
        let extra_content = signs.then(|| json!({"google": {"thought_signature": "c2lnbmVk"}}));
        return Reply { tool_calls: vec![Call { extra_content, ..call }], ..Reply::default() };
    }
    if let Some(schema) = body.pointer("/response_format/json_schema/schema") {
        return text(example(schema, 0).to_string());
    }
    text(format!("You said: {said}"))
}

fn text(text: String) -> Reply {
    Reply { text: Some(text), ..Reply::default() }
}

/// Calls the tool that `tool_choice` names, else the first tool.
fn call(body: &Value) -> Option<Call> {
    let choice = body.get("tool_choice");
    if choice == Some(&json!("none")) {
        return None;
    }
    let chosen = choice.and_then(|choice| choice.pointer("/function/name"));
    let function = body
        .get("tools")?
        .as_array()?
        .iter()
        .filter_map(|tool| tool.get("function"))
        .find(|function| chosen.is_none() || function.get("name") == chosen)?;
    let parameters = function.get("parameters").unwrap_or(&Value::Null);
    Some(Call {
        id: None,
        name: function.get("name")?.as_str()?.to_owned(),
        arguments: object(parameters, 0),
        extra_content: None,
    })
}

/// The depth at which a value made from a nested schema stops.
const DEEPEST: usize = 8;

/// A value that fits the schema: the first of an enum, else any of the type.
fn example(schema: &Value, depth: usize) -> Value {
    if let Some(fixed) = schema.get("const").or_else(|| schema.pointer("/enum/0")) {
        return fixed.clone();
    }
    if let Some(first) =
        ["/anyOf/0", "/oneOf/0", "/allOf/0"].iter().find_map(|pointer| schema.pointer(pointer))
        && depth < DEEPEST
    {
        return example(first, depth + 1);
    }
    let kind = match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
        kind => kind.and_then(Value::as_str),
    };
    match kind {
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(true),
        Some("null") => Value::Null,
        Some("array") if depth < DEEPEST => match schema.get("items") {
            Some(items) => json!([example(items, depth + 1)]),
            None => json!([]),
        },
        Some("object") if depth < DEEPEST => object(schema, depth),
        _ => json!("example"),
    }
}

/// An object with the required properties only.
fn object(schema: &Value, depth: usize) -> Value {
    let required = schema.get("required").and_then(Value::as_array);
    let names = required.into_iter().flatten().filter_map(Value::as_str);
    let value_of = |name: &str| {
        let property = schema.get("properties").and_then(|all| all.get(name));
        example(property.unwrap_or(&Value::Null), depth + 1)
    };
    Value::Object(Map::from_iter(names.map(|name| (name.to_owned(), value_of(name)))))
}

/// The beginning of a message's text.
fn quote(content: Option<&Value>) -> String {
    let whole = match content {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(|part| part.get("text")?.as_str()).collect::<Vec<_>>().join(" ")
        }
        _ => String::new(),
    };
    whole.chars().take(QUOTE).collect()
}
