//! The parts of the requests: messages, tools, formats, and a history with a tool call.

use serde_json::{Map, Value, json};

/// The token limit of a request: enough for one tool call, and cheap.
const LIMIT: u64 = 300;

/// What every request depends on. It is found out before the questions.
#[derive(Clone, Copy, Default)]
pub(super) struct Settled {
    /// `max_tokens` or `max_completion_tokens`.
    pub(super) limit: &'static str,
    /// `content` next to tool calls: `""` (`empty`), `null`, `absent`, or `alone`: absent, because the calls would be lost beside text.
    pub(super) content: &'static str,
    /// The field that a past tool call requires, if there is one.
    pub(super) must_replay: Option<&'static str>,
    /// The upstream rejects a past tool call without the signature that it sent with the call.
    pub(super) must_sign: bool,
    /// Ids of tool calls must be nine letters and digits.
    pub(super) short_ids: bool,
}

pub(super) fn base(settled: &Settled) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("messages".to_owned(), json!([user("Say the word ok.")]));
    fields.insert(settled.limit.to_owned(), json!(LIMIT));
    fields
}

pub(super) fn with(settled: &Settled, more: Value) -> Value {
    let mut fields = base(settled);
    if let Value::Object(more) = more {
        fields.extend(more);
    }
    Value::Object(fields)
}

pub(super) fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

pub(super) fn system(text: &str) -> Value {
    json!({"role": "system", "content": text})
}

pub(super) fn tools() -> Value {
    tool(json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}))
}

pub(super) fn two_tools() -> Value {
    let list_files = json!({"name": "list_files", "description": "The files in the current directory.",
        "parameters": {"type": "object", "properties": {}}});
    let mut tools = tools();
    if let Value::Array(tools) = &mut tools {
        tools.push(json!({"type": "function", "function": list_files}));
    }
    tools
}

pub(super) fn tool(parameters: Value) -> Value {
    let function =
        json!({"name": "get_weather", "description": "The weather in a city.", "parameters": parameters});
    json!([{"type": "function", "function": function}])
}

pub(super) fn strict_tool() -> Value {
    let function = json!({"name": "get_weather", "parameters": schema(), "strict": true});
    json!([{"type": "function", "function": function}])
}

/// A conversation with a tool call and its result.
pub(super) fn history(settled: &Settled, id: &str, more: &[Value]) -> Value {
    let mut past = Map::new();
    past.insert("id".to_owned(), json!(id));
    past.insert("type".to_owned(), json!("function"));
    past.insert("function".to_owned(), json!({"name": "get_weather", "arguments": "{\"city\":\"Paris\"}"}));
    if settled.must_sign {
        past.insert("extra_content".to_owned(), any_signature());
    }
    let mut call = Map::new();
    call.insert("role".to_owned(), json!("assistant"));
    call.insert("tool_calls".to_owned(), json!([past]));
    match settled.content {
        "absent" | "alone" => None,
        "text" => call.insert("content".to_owned(), json!("Ok.")),
        "null" => call.insert("content".to_owned(), Value::Null),
        _ => call.insert("content".to_owned(), json!("")),
    };
    if let Some(field) = settled.must_replay {
        call.insert(field.to_owned(), json!("I should look it up."));
    }
    let result = json!({"role": "tool", "tool_call_id": id, "content": "sunny"});
    let mut messages = vec![user("How is the weather in Paris?"), call.into(), result];
    messages.extend_from_slice(more);
    json!({"messages": messages, "tools": tools()})
}

pub(super) const ID: &str = "abcDEF123";

/// Gemini accepts this signature for a call that another model made.
pub(super) fn any_signature() -> Value {
    json!({"google": {"thought_signature": "skip_thought_signature_validator"}})
}

/// A tool call id in the form that OpenAI and vLLM generate.
pub(super) const USUAL_ID: &str = "call_0123456789abcdefABCDEF01";

pub(super) fn schema() -> Value {
    json!({"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"], "additionalProperties": false})
}

pub(super) fn format_of(kind: &str) -> Value {
    match kind {
        "json_schema" => {
            json!({"type": kind, "json_schema": {"name": "answer", "strict": true, "schema": schema()}})
        }
        _ => json!({"type": kind}),
    }
}

pub(super) fn effort(effort: &str) -> Value {
    json!({"reasoning_effort": effort})
}

pub(super) fn replayed(settled: &Settled, field: &'static str) -> Value {
    history(&Settled { must_replay: Some(field), ..*settled }, ID, &[])
}

/// A PNG image of one white pixel.
pub(super) const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==";
