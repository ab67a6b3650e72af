//! Tries the configuration with two turns of an agent, translated as the filter does it.

use super::upstream::Upstream;
use serde_json::{Value, json};
use transponder::config::Config;
use transponder::request::{self, Context};

/// A short form of what Codex sends for an unknown model: instructions, a developer message, two user messages in a row,
/// a function, a tool in a namespace, a custom tool and a hosted tool.
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

/// Plays both turns. The second repeats the model's calls, or a made-up call if the model called nothing.
pub(crate) fn play(upstream: &Upstream, config: &Config) -> Result<(), String> {
    let mut request = first(upstream.model());
    let mut items = turn(upstream, config, &request)?;
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
    turn(upstream, config, &request).map(|_| ())
}

/// Sends one request. Returns the items of the response.
fn turn(upstream: &Upstream, config: &Config, request: &Value) -> Result<Vec<Value>, String> {
    let context = Context { config, seed: 1, now: 0, codex: true };
    let translated =
        request::translate(request.to_string().as_bytes(), &context).map_err(|error| error.message)?;
    let answer = upstream.send(&translated.body)?;
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
    let last = events.next_back().ok_or("the reply has no event")?;
    Ok(last.pointer("/response/output").and_then(Value::as_array).cloned().unwrap_or_default())
}
