//! Tables of requests and the errors of strict upstreams.

use serde_json::{Value, json};

use super::{calling, good, result, set, talk, user, without};

/// A request that the upstream rejects, and words of the error.
pub(crate) fn bad_requests() -> Vec<(Value, &'static str)> {
    let long = "x".repeat(65);
    vec![
        (without("/model"), "model: Field required"),
        (without("/messages"), "messages: Field required"),
        (set("/model", json!("")), "model: must be a non-empty string"),
        (set("/store", json!(false)), "Extra inputs are not permitted: store"),
        (set("/reasoning_effort", json!("low")), "Extra inputs are not permitted: reasoning_effort"),
        (set("/max_completion_tokens", json!(1)), "Extra inputs are not permitted: max_completion_tokens"),
        (set("/max_tokens", json!("5")), "max_tokens: must be an integer"),
        (set("/max_tokens", Value::Null), "max_tokens: must be an integer"),
        (set("/temperature", json!(3)), "temperature: must be a number from 0 to 2"),
        (set("/n", json!(2)), "n: must be 1"),
        (set("/stop", json!([])), "stop: must be a string or one to four strings"),
        // Roles and messages.
        (talk(json!([])), "messages: must hold at least one message"),
        (set("/messages/0/role", json!("developer")), "messages[0].role: must be one of"),
        (set("/messages/0/name", json!("x")), "Extra inputs are not permitted: messages[0].name"),
        (
            set("/messages/5/reasoning_content", json!("x")),
            "Extra inputs are not permitted: messages[5].reasoning_content",
        ),
        (set("/messages/3/name", json!("look")), "Extra inputs are not permitted: messages[3].name"),
        (
            talk(json!([user("a"), {"role": "system", "content": "b"}, user("c")])),
            "System message must be at the beginning",
        ),
        (
            talk(json!([{"role": "system", "content": "a"}, {"role": "system", "content": "b"}, user("c")])),
            "messages[1]: System message",
        ),
        (
            talk(json!([user("a"), {"role": "assistant", "content": "b"}])),
            "the last message must be of role user or tool",
        ),
        (
            talk(json!([user("a"), {"role": "assistant", "content": ""}, user("b")])),
            "an assistant message must not be empty",
        ),
        // Content.
        (set("/messages/6/content", Value::Null), "messages[6].content: must not be null"),
        (set("/messages/2/content", Value::Null), "messages[2].content: must not be null"),
        (
            set("/messages/0/content", json!([{"type": "text", "text": "a"}])),
            "must be a string in system messages",
        ),
        (
            set("/messages/3/content", json!([{"type": "text", "text": "a"}])),
            "must be a string in tool messages",
        ),
        (set("/messages/1/content", json!([])), "must hold at least one part"),
        (set("/messages/1/content/0/type", json!("input_text")), "messages[1].content[0].type: no such part"),
        (
            set("/messages/1/content/0/cache_control", json!({})),
            "Extra inputs are not permitted: messages[1].content[0].cache_control",
        ),
        (set("/messages/1/content/1/image_url/url", json!("http://a/b.png")), "must be a data: URL"),
        (
            set("/messages/1/content/1/image_url/detail", json!("original")),
            "detail: must be one of auto, low, high",
        ),
        (
            set("/messages/1/content/1/image_url", json!("data:image/png;base64,AAAA")),
            "image_url: must be an object",
        ),
        // Calls.
        (set("/messages/2/tool_calls", json!([])), "messages[2].tool_calls: must not be an empty list"),
        (set("/messages/2/tool_calls/0/id", json!("")), "tool_calls[0].id: must be a non-empty string"),
        (set("/messages/2/tool_calls/0/id", json!("call_b")), "Duplicate tool call id 'call_b'"),
        (
            set("/messages/2/tool_calls/0/type", json!("custom")),
            "tool_calls[0].type: must be one of function",
        ),
        (
            set("/messages/2/tool_calls/0/index", json!(0)),
            "Extra inputs are not permitted: messages[2].tool_calls[0].index",
        ),
        (set("/messages/2/tool_calls/0/function/arguments", json!({})), "arguments: must be a string"),
        (
            set("/messages/2/tool_calls/0/function/arguments", json!("")),
            "must be a string that holds a JSON object",
        ),
        (
            set("/messages/2/tool_calls/0/function/arguments", json!("[1]")),
            "must be a string that holds a JSON object",
        ),
        (
            set("/messages/2/tool_calls/0/function/arguments", json!("{\"a\":")),
            "must be a string that holds a JSON object",
        ),
        (set("/messages/2/tool_calls/0/function/name", json!("a.b")), "does not match"),
        (set("/messages/2/tool_calls/0/function/namespace", json!("a")), "Extra inputs are not permitted"),
        // Order.
        (talk(json!([user("a"), result("x")])), "no preceding assistant message waits for the result of 'x'"),
        (talk(json!([user("a"), calling("x"), user("b")])), "responding to each id: x"),
        (talk(json!([user("a"), calling("x"), user("b"), result("x")])), "responding to each id: x"),
        (talk(json!([user("a"), calling("x"), result("x"), result("x")])), "waits for the result of 'x'"),
        (talk(json!([user("a"), calling("x"), result("y")])), "waits for the result of 'y'"),
        (
            talk(json!([user("a"), calling("x"), result("x"), calling("x"), result("x")])),
            "Duplicate tool call id 'x'",
        ),
        (without("/messages/3"), "responding to each id: call_b"),
        // Tools.
        (set("/tools", json!([])), "tools: must not be an empty list"),
        (set("/tools/0/function/parameters/properties/at", json!({"$ref": "#"})), "'$ref' is not supported"),
        (
            set("/tools/0/function/parameters/properties/at/anyOf", json!([])),
            "type should be defined in anyOf items",
        ),
        (set("/tools/0/function/parameters/properties/at/items", json!([])), "items must be an object"),
        (set("/tools/0/function/parameters/properties/at", json!(true)), "a schema must be an object"),
        (without("/tools"), "tool_choice: is only allowed when 'tools' are specified"),
        (set("/tools/0/type", json!("custom")), "tools[0].type: must be one of function"),
        (set("/tools/0/name", json!("look")), "Extra inputs are not permitted: tools[0].name"),
        (
            set("/tools/0/function/strict", json!(false)),
            "Extra inputs are not permitted: tools[0].function.strict",
        ),
        (set("/tools/0/function/name", json!("mcp.look")), "does not match"),
        (set("/tools/0/function/name", json!(long)), "does not match"),
        (set("/tools/1/function/name", json!("look")), "Tool names must be unique: 'look'"),
        (set("/tools/0/function/parameters", json!({})), "must be a schema of type \"object\""),
        (set("/tools/0/function/parameters", Value::Null), "parameters: must be an object"),
        (set("/tools/0/function/parameters/type", json!("string")), "must be a schema of type \"object\""),
        (set("/tool_choice", json!("any")), "tool_choice: must be one of"),
        (
            set("/tool_choice", json!({"type": "function", "name": "look"})),
            "Extra inputs are not permitted: tool_choice.name",
        ),
        (
            set("/tool_choice", json!({"type": "function", "function": {"name": "x"}})),
            "'x' is not among the tools",
        ),
        (set("/tool_choice", Value::Null), "tool_choice: must be an object"),
        // The rest.
        (without("/stream"), "stream_options: is only allowed when stream is true"),
        (set("/stream_options", Value::Null), "stream_options: must be an object"),
        (set("/stream_options/x", json!(1)), "Extra inputs are not permitted: stream_options.x"),
        (set("/response_format/type", json!("json")), "response_format.type: must be one of"),
        (set("/response_format/type", json!("text")), "not permitted with type text"),
        (set("/response_format/name", json!("s")), "Extra inputs are not permitted: response_format.name"),
        (without("/response_format/json_schema"), "json_schema: Field required"),
        (without("/response_format/json_schema/name"), "json_schema.name: Field required"),
    ]
}

/// Only OpenAI and Azure limit the length of an id.
pub(crate) fn long_id() -> Value {
    let id = "x".repeat(41);
    talk(json!([user("a"), calling(&id), result(&id)]))
}

/// A script that makes the upstream less strict, and a request that only then passes.
pub(crate) fn loosened() -> Vec<(Value, Value)> {
    let with_system = |at: usize| {
        let mut messages = vec![user("a"), user("b")];
        messages.insert(at, json!({"role": "system", "content": "s"}));
        talk(Value::Array(messages))
    };
    vec![
        (json!({"allow_fields": ["reasoning_effort"]}), set("/reasoning_effort", json!("low"))),
        (json!({"allow_fields": ["thinking"]}), set("/thinking", json!({"type": "enabled"}))),
        (json!({"allow_fields": ["max_completion_tokens"]}), set("/max_completion_tokens", json!(7))),
        (json!({"assistant_fields": ["reasoning"]}), set("/messages/2/reasoning", json!("x"))),
        (json!({"tool_message_fields": ["name"]}), set("/messages/3/name", json!("look"))),
        (
            json!({"tool_call_fields": ["extra_content"]}),
            set("/messages/2/tool_calls/0/extra_content", json!({})),
        ),
        (
            json!({"roles": ["developer", "user", "assistant", "tool"]}),
            set("/messages/0/role", json!("developer")),
        ),
        (
            json!({"parts_in": ["user", "tool"]}),
            set("/messages/3/content", json!([{"type": "text", "text": "a"}])),
        ),
        (json!({"null_content": true}), set("/messages/2/content", Value::Null)),
        (json!({"late_system": true}), with_system(1)),
        (json!({"prefill": true}), talk(json!([user("a"), {"role": "assistant", "content": "b"}]))),
        (
            json!({"repeated_ids": true}),
            talk(json!([user("a"), calling("0"), result("0"), calling("0"), result("0")])),
        ),
        (json!({"strict_tools": true}), set("/tools/0/function/strict", json!(true))),
        (json!({"ignores_unknown": true}), set("/messages/0/name", json!("x"))),
        (
            json!({"any_schema": true}),
            set("/tools/0/function/parameters/properties/at", json!({"$ref": "#"})),
        ),
        (json!({"like": "openai", "refuse_fields": []}), set("/verbosity", json!("low"))),
    ]
}

/// A script that makes the upstream stricter, and a request that it then rejects.
pub(crate) fn tightened() -> Vec<(Value, Value, &'static str)> {
    vec![
        (
            json!({"refuse_fields": ["stream_options"]}),
            good(),
            "Extra inputs are not permitted: stream_options",
        ),
        (json!({"images": false}), good(), "this is not a multimodal model"),
        (
            json!({"content_hides_calls": true}),
            set("/messages/2/content", json!("")),
            "no preceding assistant message waits",
        ),
        (json!({"alternate": true}), talk(json!([user("a"), user("b")])), "roles must alternate"),
        (json!({"longest_id": 40}), long_id(), "must not be longer than 40"),
        (json!({"like": "azure", "refuse_fields": []}), long_id(), "must not be longer than 40"),
        (json!({"id_length": 9}), good(), "with a length of 9"),
        (json!({"assistant_must_have": ["reasoning_content"]}), good(), "messages[2].reasoning_content"),
        (json!({"tool_choices": ["auto"]}), good(), "tool_choice: must be one of auto"),
        (
            json!({"response_formats": ["json_object"]}),
            good(),
            "response_format.type: must be one of json_object",
        ),
        (
            json!({"allow_fields": ["reasoning_effort"], "reasoning_efforts": ["high"]}),
            set("/reasoning_effort", json!("xhigh")),
            "reasoning_effort: must be one of high",
        ),
        (json!({"json_with_tools": false}), good(), "cannot be combined with tool calling"),
        (
            json!({"user_after_tool": false}),
            talk(json!([user("a"), calling("x"), result("x"), user("b")])),
            "Unexpected role 'user' after role 'tool'",
        ),
        (json!({"tool_call_must_have": ["extra_content"]}), good(), "missing a thought_signature"),
        (json!("mistral"), good(), "with a length of 9"),
        (json!({"like": "dashscope", "response_formats": ["json_schema"]}), good(), "thinking enabled"),
        (
            json!({"one_type": true}),
            set("/tools/0/function/parameters/properties/at/type", json!(["integer", "null"])),
            "type must be one type",
        ),
        (
            json!({"any_schema": true, "composed_root": false}),
            set("/tools/0/function/parameters/oneOf", json!([])),
            "the root must not have 'oneOf'",
        ),
        (
            json!({"schema_refuses": ["additionalProperties"]}),
            set("/tools/0/function/parameters/additionalProperties", json!(false)),
            "the keyword 'additionalProperties' is not supported",
        ),
    ]
}
