//! Two turns of an agent, translated as the filter would: whatever else was found out, this must work.

use super::host::Host;
use serde_json::{Value, json};
use transponder::config::Config;
use transponder::request::{self, Context};

/// What Codex sends with a model that it does not know, in small: instructions and developer messages, two user
/// messages in a row, a function, a tool of a namespace, a custom tool, a hosted one.
fn first(model: &str) -> Value {
    let text = |role: &str, text: &str| json!({"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]});
    let command = json!({"type": "object", "properties": {"cmd": {"type": "string"}}, "required": ["cmd"], "additionalProperties": false});
    json!({
        "model": model, "stream": true, "store": false, "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "low", "summary": "auto"}, "tool_choice": "auto", "parallel_tool_calls": true,
        "prompt_cache_key": "probe", "max_output_tokens": 300,
        "instructions": "You are an agent. Use the tools.",
        "input": [
            text("developer", "The sandbox is read-only."),
            text("user", "The working directory is /tmp."),
            text("user", "Which files are here? Call exec_command.")
        ],
        "tools": [
            {"type": "function", "name": "exec_command", "description": "Runs a command.", "strict": false, "parameters": command},
            {"type": "namespace", "name": "mcp__tiny", "description": "A server.", "tools": [
                {"type": "function", "name": "add", "parameters": {"type": "object", "properties": {"a": {"type": "number"}}}}
            ]},
            {"type": "custom", "name": "apply_patch", "description": "Applies a patch.", "format": {"type": "text"}},
            {"type": "web_search"}
        ]
    })
}

/// The second turn repeats what the model called, or a call of our own if it called nothing.
pub(crate) fn play(host: &Host, config: &Config) -> Result<(), String> {
    let mut request = first(host.model());
    let mut items = turn(host, config, &request)?;
    let id_of = |item: &Value| item.get("call_id").cloned();
    if items.iter().filter_map(id_of).next().is_none() {
        items.push(json!({
            "type": "function_call", "call_id": "call_of_the_probe",
            "name": "exec_command", "arguments": "{\"cmd\":\"ls\"}"
        }));
    }
    let outputs = items.iter().filter_map(|item| {
        let custom = item.get("type").and_then(Value::as_str) == Some("custom_tool_call");
        let kind = if custom { "custom_tool_call_output" } else { "function_call_output" };
        Some(json!({"type": kind, "call_id": id_of(item)?, "output": "README.md"}))
    });
    let outputs: Vec<Value> = outputs.collect();
    if let Some(input) = request.get_mut("input").and_then(Value::as_array_mut) {
        input.extend(items);
        input.extend(outputs);
        input.push(json!({"type": "message", "role": "user", "content": "And what is in it?"}));
    }
    turn(host, config, &request).map(|_| ())
}

/// One request and its reply: the items of the response.
fn turn(host: &Host, config: &Config, request: &Value) -> Result<Vec<Value>, String> {
    let context = Context { config, seed: 1, now: 0, codex: true };
    let translated =
        request::translate(request.to_string().as_bytes(), &context).map_err(|error| error.message)?;
    let answer = host.send(&translated.body)?;
    let (mut reply, mut out) = (translated.reply, Vec::new());
    reply.begin(answer.status);
    reply.push(answer.text.as_bytes(), &mut out);
    reply.end(&mut out);
    if let Some(error) = reply.error() {
        return Err(format!("{} {}", error.status, error.message));
    }
    let out = String::from_utf8_lossy(&out).into_owned();
    let events = out.lines().filter_map(|line| line.strip_prefix("data: "));
    let mut events = events.filter_map(|data| serde_json::from_str::<Value>(data).ok());
    let last = events.next_back().ok_or("no event came")?;
    Ok(last.pointer("/response/output").and_then(Value::as_array).cloned().unwrap_or_default())
}
