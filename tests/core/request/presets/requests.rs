//! One rich request from Codex, with a turn of the model in its history, one from an SDK, and one for a structured answer.
//!
//! `tests/upstream` also uses this file, so it does not use the helpers of the core tests.

use serde_json::{Value, json};
use transponder::config::Config;
use transponder::request::{self, Context, Translated};

pub(crate) fn translated(preset: &str, request: &Value) -> Translated {
    let config = Config::parse(json!({ "upstream": preset }).to_string().as_bytes()).unwrap();
    let context = Context { config: &config, seed: 1, now: 1, codex: true };
    request::translate(request.to_string().as_bytes(), &context).unwrap()
}

/// The items of a turn of the model, as the client receives and repeats them: reasoning and three calls.
fn turn(preset: &str, request: &Value) -> Vec<Value> {
    let call = |id: &str, name: &str, arguments: Value| {
        json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments.to_string()},
            "extra_content": {"google": {"thought_signature": "c2lnbmVk"}}})
    };
    let message = json!({
        "role": "assistant", "content": "I will look.",
        "reasoning": "Look first.",
        "reasoning_details": [{"type": "reasoning.text", "text": "Look first.", "signature": "c2lnbmVk", "index": 0}],
        "tool_calls": [
            call("call_1", "exec_command", json!({"cmd": "ls"})),
            call("call_2", "mcp__tiny__picture", json!({})),
            call("call_3", "apply_patch", json!({"input": "*** Begin Patch\n*** End Patch\n"})),
        ],
    });
    let mut request = request.clone();
    request["stream"] = json!(false);
    let mut reply = translated(preset, &request).reply;
    let mut out = Vec::new();
    reply.begin(200);
    let body = json!({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]});
    reply.push(body.to_string().as_bytes(), &mut out);
    reply.end(&mut out);
    let response: Value = serde_json::from_slice(&out).unwrap();
    response["output"].as_array().unwrap().clone()
}

pub(crate) fn codex(preset: &str) -> Value {
    let message = |role: &str, text: &str| json!({"type": "message", "role": role, "content": [{"type": "input_text", "text": text}]});
    let mut request = json!({
        "model": "m", "stream": true, "store": false,
        "input": [
            message("developer", "You are Codex."),
            message("developer", "Skills: none."),
            message("user", "<environment_context/>"),
            message("user", "Look around."),
        ],
        "tools": [
            {"type": "function", "name": "exec_command", "description": "Runs a command.", "strict": false,
                "parameters": {"type": "object", "properties": {"cmd": {"type": "string"},
                    "timeout": {"type": ["integer", "null"], "minimum": 1}}, "required": ["cmd"], "additionalProperties": false}},
            {"type": "custom", "name": "apply_patch", "description": "Edits files.",
                "format": {"type": "grammar", "syntax": "lark", "definition": "start: \"*** Begin Patch\""}},
            {"type": "namespace", "name": "mcp__tiny", "description": "Tiny.", "tools": [
                {"type": "function", "name": "picture", "description": "Takes a picture.", "parameters": {
                    "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
                    "properties": {"of": {"$ref": "#/$defs/thing"}, "size": {"enum": ["s", "l", null]}},
                    "$defs": {"thing": {"type": "object", "anyOf": [{"required": ["name"]}, {"required": ["id"]}],
                        "properties": {"name": {"type": "string"}, "id": {"type": "integer"}}}}}},
            ]},
            {"type": "tool_search", "execution": "client", "description": "Finds tools.",
                "parameters": {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}},
            {"type": "web_search"},
        ],
        "tool_choice": "auto", "parallel_tool_calls": true,
        "reasoning": {"effort": "xhigh", "summary": "auto"}, "include": ["reasoning.encrypted_content"],
        "text": {"verbosity": "low"}, "prompt_cache_key": "thread", "client_metadata": {"cwd": "/"},
    });
    let said = turn(preset, &request);
    let input = request["input"].as_array_mut().unwrap();
    input.extend(said);
    input.extend([
        json!({"type": "function_call_output", "call_id": "call_1", "output": "README.md"}),
        json!({"type": "function_call_output", "call_id": "call_2", "output": [
            {"type": "input_text", "text": "A picture."},
            {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "high"}]}),
        json!({"type": "custom_tool_call_output", "call_id": "call_3", "output": "Success."}),
        message("developer", "<content_filter_guidance/>"),
        message("user", "And now?"),
    ]);
    request
}

pub(crate) fn sdk() -> Value {
    json!({
        "model": "m", "instructions": "Answer in JSON.", "input": "Where is the cat?",
        "tools": [
            {"type": "function", "name": "find", "strict": true, "parameters": {"type": "object",
                "properties": {"what": {"const": "cat"}, "where": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "number"}]}},
                "required": ["what", "where"], "additionalProperties": false}},
            {"type": "function", "name": "ask", "parameters": {"type": "object", "oneOf": [
                {"properties": {"who": {"type": "string"}}, "required": ["who"]},
                {"properties": {"id": {"type": "integer", "exclusiveMinimum": 0}}, "required": ["id"]}]}},
            {"type": "function", "name": "give_up"},
        ],
        "tool_choice": {"type": "function", "name": "find"}, "parallel_tool_calls": false,
        "max_output_tokens": 500, "temperature": 0.2, "top_p": 0.9, "top_logprobs": 2,
        "reasoning": {"effort": "low"}, "metadata": {"team": "cats"}, "user": "u", "safety_identifier": "s",
        "service_tier": "auto", "prompt_cache_key": "k",
    })
}

/// A schema together with a tool that the model may call.
pub(crate) fn structured() -> Value {
    json!({
        "model": "m", "instructions": "Answer in JSON.", "input": "Where is the cat?",
        "tools": [{"type": "function", "name": "give_up"}],
        "text": {"format": {"type": "json_schema", "name": "answer", "strict": true, "schema": {"type": "object",
            "properties": {"place": {"type": ["string", "null"]}}, "required": ["place"], "additionalProperties": false}}},
    })
}
