//! The scripted upstream itself: that it refuses what the strictest hosts refuse, and answers in every shape that hosts have.
//!
//! Scenario tests rest on it. A server that lets a bad request pass would hide the filter's faults.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod support;

use serde_json::{Value, json};
use support::{Answer, Upstream, post, post_with};

/// All that a generic request may hold: system, text and image, parallel calls and their results, and each plain field.
fn good() -> Value {
    json!({
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "high"}}
            ]},
            {"role": "assistant", "content": "", "tool_calls": [
                {"id": "call_a", "type": "function", "function": {"name": "look", "arguments": "{}"}},
                {"id": "call_b", "type": "function", "function": {"name": "look", "arguments": "{\"at\": 1}"}}
            ]},
            {"role": "tool", "tool_call_id": "call_b", "content": "a cat"},
            {"role": "tool", "tool_call_id": "call_a", "content": "a dog"},
            {"role": "assistant", "content": "A dog."},
            {"role": "user", "content": "Sure?"}
        ],
        "tools": [
            {"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": {
                "type": "object", "properties": {"at": {"type": "integer"}}
            }}},
            {"type": "function", "function": {"name": "think"}}
        ],
        "tool_choice": {"type": "function", "function": {"name": "look"}},
        "parallel_tool_calls": true,
        "stream": true,
        "stream_options": {"include_usage": true},
        "max_tokens": 5,
        "temperature": 0.5,
        "top_p": 1,
        "n": 1,
        "stop": ["."],
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}, "strict": true}}
    })
}

/// Puts a value where the pointer says, or takes away what is there.
fn changed(pointer: &str, value: Option<Value>) -> Value {
    let mut body = good();
    let (parent, key) = pointer.rsplit_once('/').expect("a JSON pointer");
    let parent = body
        .pointer_mut(parent)
        .expect("a place in the good request");
    match (parent, value) {
        (Value::Object(map), Some(value)) => drop(map.insert(key.to_owned(), value)),
        (Value::Object(map), None) => drop(map.remove(key)),
        (Value::Array(list), Some(value)) => list[key.parse::<usize>().unwrap()] = value,
        (Value::Array(list), None) => drop(list.remove(key.parse::<usize>().unwrap())),
        _ => panic!("{pointer} is in neither object nor array"),
    }
    body
}

fn set(pointer: &str, value: Value) -> Value {
    changed(pointer, Some(value))
}

fn without(pointer: &str) -> Value {
    changed(pointer, None)
}

/// The good request with other messages.
fn talk(messages: Value) -> Value {
    set("/messages", messages)
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

fn calling(id: &str) -> Value {
    json!({"role": "assistant", "content": "", "tool_calls": [
        {"id": id, "type": "function", "function": {"name": "look", "arguments": "{}"}}
    ]})
}

fn result(id: &str) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": "done"})
}

async fn complete(upstream: &Upstream, body: &Value) -> Answer {
    post(&format!("{}/chat/completions", upstream.base_url()), body).await
}

/// A request that no strict host takes, and words of the answer that name the fault.
fn bad_requests() -> Vec<(Value, &'static str)> {
    let long = "x".repeat(65);
    vec![
        (without("/model"), "model: Field required"),
        (without("/messages"), "messages: Field required"),
        (
            set("/model", json!("")),
            "model: must be a non-empty string",
        ),
        (
            set("/store", json!(false)),
            "Extra inputs are not permitted: store",
        ),
        (
            set("/reasoning_effort", json!("low")),
            "Extra inputs are not permitted: reasoning_effort",
        ),
        (
            set("/max_completion_tokens", json!(1)),
            "Extra inputs are not permitted: max_completion_tokens",
        ),
        (
            set("/max_tokens", json!("5")),
            "max_tokens: must be an integer",
        ),
        (
            set("/max_tokens", Value::Null),
            "max_tokens: must be an integer",
        ),
        (
            set("/temperature", json!(3)),
            "temperature: must be a number from 0 to 2",
        ),
        (set("/n", json!(2)), "n: must be 1"),
        (
            set("/stop", json!([])),
            "stop: must be a string or one to four strings",
        ),
        // Roles and messages.
        (talk(json!([])), "messages: must hold at least one message"),
        (
            set("/messages/0/role", json!("developer")),
            "messages[0].role: must be one of",
        ),
        (
            set("/messages/0/name", json!("x")),
            "Extra inputs are not permitted: messages[0].name",
        ),
        (
            set("/messages/5/reasoning_content", json!("x")),
            "Extra inputs are not permitted: messages[5].reasoning_content",
        ),
        (
            set("/messages/3/name", json!("look")),
            "Extra inputs are not permitted: messages[3].name",
        ),
        (
            talk(json!([user("a"), {"role": "system", "content": "b"}, user("c")])),
            "System message must be at the beginning",
        ),
        (
            talk(
                json!([{"role": "system", "content": "a"}, {"role": "system", "content": "b"}, user("c")]),
            ),
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
        (
            set("/messages/6/content", Value::Null),
            "messages[6].content: must not be null",
        ),
        (
            set("/messages/2/content", Value::Null),
            "messages[2].content: must not be null",
        ),
        (
            set(
                "/messages/0/content",
                json!([{"type": "text", "text": "a"}]),
            ),
            "must be a string in system messages",
        ),
        (
            set(
                "/messages/3/content",
                json!([{"type": "text", "text": "a"}]),
            ),
            "must be a string in tool messages",
        ),
        (
            set("/messages/1/content", json!([])),
            "must hold at least one part",
        ),
        (
            set("/messages/1/content/0/type", json!("input_text")),
            "messages[1].content[0].type: no such part",
        ),
        (
            set("/messages/1/content/0/cache_control", json!({})),
            "Extra inputs are not permitted: messages[1].content[0].cache_control",
        ),
        (
            set(
                "/messages/1/content/1/image_url/url",
                json!("http://a/b.png"),
            ),
            "must be a data: URL",
        ),
        (
            set("/messages/1/content/1/image_url/detail", json!("original")),
            "detail: must be one of auto, low, high",
        ),
        (
            set(
                "/messages/1/content/1/image_url",
                json!("data:image/png;base64,AAAA"),
            ),
            "image_url: must be an object",
        ),
        // Calls.
        (
            set("/messages/2/tool_calls", json!([])),
            "messages[2].tool_calls: must not be an empty list",
        ),
        (
            set("/messages/2/tool_calls/0/id", json!("")),
            "tool_calls[0].id: must be a non-empty string",
        ),
        (
            set("/messages/2/tool_calls/0/id", json!("x".repeat(41))),
            "must not be longer than 40",
        ),
        (
            set("/messages/2/tool_calls/0/id", json!("call_b")),
            "Duplicate tool call id 'call_b'",
        ),
        (
            set("/messages/2/tool_calls/0/type", json!("custom")),
            "tool_calls[0].type: must be one of function",
        ),
        (
            set("/messages/2/tool_calls/0/index", json!(0)),
            "Extra inputs are not permitted: messages[2].tool_calls[0].index",
        ),
        (
            set("/messages/2/tool_calls/0/function/arguments", json!({})),
            "arguments: must be a string",
        ),
        (
            set("/messages/2/tool_calls/0/function/arguments", json!("")),
            "must be a string that holds a JSON object",
        ),
        (
            set("/messages/2/tool_calls/0/function/arguments", json!("[1]")),
            "must be a string that holds a JSON object",
        ),
        (
            set(
                "/messages/2/tool_calls/0/function/arguments",
                json!("{\"a\":"),
            ),
            "must be a string that holds a JSON object",
        ),
        (
            set("/messages/2/tool_calls/0/function/name", json!("a.b")),
            "does not match",
        ),
        (
            set("/messages/2/tool_calls/0/function/namespace", json!("a")),
            "Extra inputs are not permitted",
        ),
        // Order.
        (
            talk(json!([user("a"), result("x")])),
            "no preceding assistant message waits for the result of 'x'",
        ),
        (
            talk(json!([user("a"), calling("x"), user("b")])),
            "responding to each id: x",
        ),
        (
            talk(json!([user("a"), calling("x"), user("b"), result("x")])),
            "responding to each id: x",
        ),
        (
            talk(json!([user("a"), calling("x"), result("x"), result("x")])),
            "waits for the result of 'x'",
        ),
        (
            talk(json!([user("a"), calling("x"), result("y")])),
            "waits for the result of 'y'",
        ),
        (
            talk(json!([
                user("a"),
                calling("x"),
                result("x"),
                calling("x"),
                result("x")
            ])),
            "Duplicate tool call id 'x'",
        ),
        (without("/messages/3"), "responding to each id: call_b"),
        // Tools.
        (set("/tools", json!([])), "tools: must not be an empty list"),
        (
            without("/tools"),
            "tool_choice: is only allowed when 'tools' are specified",
        ),
        (
            set("/tools/0/type", json!("custom")),
            "tools[0].type: must be one of function",
        ),
        (
            set("/tools/0/name", json!("look")),
            "Extra inputs are not permitted: tools[0].name",
        ),
        (
            set("/tools/0/function/strict", json!(false)),
            "Extra inputs are not permitted: tools[0].function.strict",
        ),
        (
            set("/tools/0/function/name", json!("mcp.look")),
            "does not match",
        ),
        (set("/tools/0/function/name", json!(long)), "does not match"),
        (
            set("/tools/1/function/name", json!("look")),
            "Tool names must be unique: 'look'",
        ),
        (
            set("/tools/0/function/parameters", json!({})),
            "must be a schema of type \"object\"",
        ),
        (
            set("/tools/0/function/parameters", Value::Null),
            "parameters: must be an object",
        ),
        (
            set("/tools/0/function/parameters/type", json!("string")),
            "must be a schema of type \"object\"",
        ),
        (
            set("/tool_choice", json!("any")),
            "tool_choice: must be one of",
        ),
        (
            set("/tool_choice", json!({"type": "function", "name": "look"})),
            "Extra inputs are not permitted: tool_choice.name",
        ),
        (
            set(
                "/tool_choice",
                json!({"type": "function", "function": {"name": "x"}}),
            ),
            "'x' is not among the tools",
        ),
        (
            set("/tool_choice", Value::Null),
            "tool_choice: must be an object",
        ),
        // The rest.
        (
            without("/stream"),
            "stream_options: is only allowed when stream is true",
        ),
        (
            set("/stream_options", Value::Null),
            "stream_options: must be an object",
        ),
        (
            set("/stream_options/x", json!(1)),
            "Extra inputs are not permitted: stream_options.x",
        ),
        (
            set("/response_format/type", json!("json")),
            "response_format.type: must be one of",
        ),
        (
            set("/response_format/type", json!("text")),
            "not permitted with type text",
        ),
        (
            set("/response_format/name", json!("s")),
            "Extra inputs are not permitted: response_format.name",
        ),
        (
            without("/response_format/json_schema"),
            "json_schema: Field required",
        ),
        (
            without("/response_format/json_schema/name"),
            "json_schema.name: Field required",
        ),
    ]
}

/// What a script loosens, and the request that passes only then.
fn loosened() -> Vec<(Value, Value)> {
    let with_system = |at: usize| {
        let mut messages = vec![user("a"), user("b")];
        messages.insert(at, json!({"role": "system", "content": "s"}));
        talk(Value::Array(messages))
    };
    vec![
        (
            json!({"allow_fields": ["reasoning_effort"]}),
            set("/reasoning_effort", json!("low")),
        ),
        (
            json!({"allow_fields": ["thinking"]}),
            set("/thinking", json!({"type": "enabled"})),
        ),
        (
            json!({"allow_fields": ["max_completion_tokens"]}),
            set("/max_completion_tokens", json!(7)),
        ),
        (
            json!({"assistant_fields": ["reasoning"]}),
            set("/messages/2/reasoning", json!("x")),
        ),
        (
            json!({"tool_message_fields": ["name"]}),
            set("/messages/3/name", json!("look")),
        ),
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
            set(
                "/messages/3/content",
                json!([{"type": "text", "text": "a"}]),
            ),
        ),
        (
            json!({"null_content": true}),
            set("/messages/2/content", Value::Null),
        ),
        (json!({"late_system": true}), with_system(1)),
        (
            json!({"prefill": true}),
            talk(json!([user("a"), {"role": "assistant", "content": "b"}])),
        ),
        (
            json!({"repeated_ids": true}),
            talk(json!([
                user("a"),
                calling("0"),
                result("0"),
                calling("0"),
                result("0")
            ])),
        ),
        (
            json!({"strict_tools": true}),
            set("/tools/0/function/strict", json!(true)),
        ),
    ]
}

/// What a script tightens, and the request that passes no longer.
fn tightened() -> Vec<(Value, Value, &'static str)> {
    vec![
        (
            json!({"refuse_fields": ["stream_options"]}),
            good(),
            "Extra inputs are not permitted: stream_options",
        ),
        (
            json!({"images": false}),
            good(),
            "this is not a multimodal model",
        ),
        (
            json!({"alternate": true}),
            talk(json!([user("a"), user("b")])),
            "roles must alternate",
        ),
        (json!({"id_length": 9}), good(), "with a length of 9"),
        (
            json!({"assistant_must_have": ["reasoning_content"]}),
            good(),
            "messages[2].reasoning_content",
        ),
        (
            json!({"tool_choices": ["auto"]}),
            good(),
            "tool_choice: must be one of auto",
        ),
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
        (
            json!({"schema_refuses": ["additionalProperties"]}),
            set(
                "/tools/0/function/parameters/additionalProperties",
                json!(false),
            ),
            "the keyword 'additionalProperties' is not supported",
        ),
    ]
}

fn assert_refused(answer: &Answer, words: &str, body: &Value) {
    assert_eq!(answer.status, 400, "{words}: not refused: {body}");
    let error = &answer.json()["error"];
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains(words), "`{words}` is not in `{message}`");
    assert_eq!(error["type"], "invalid_request_error");
    assert!(error["param"].is_string() && error["code"].is_string());
}

#[tokio::test]
async fn a_good_request_is_answered() {
    let upstream = Upstream::start().await;
    let answer = complete(&upstream, &good()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    // Calls need no content, and nothing but model and messages must be there.
    for body in [
        without("/messages/2/content"),
        json!({"model": "m", "messages": [user("a"), user("b")]}),
    ] {
        let answer = complete(&upstream, &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(upstream.bodies().await.len(), 3);
}

#[tokio::test]
async fn each_bad_request_is_refused_by_name() {
    let upstream = Upstream::start().await;
    for (body, words) in bad_requests() {
        assert_refused(&complete(&upstream, &body).await, words, &body);
    }
    for (seen, (body, words)) in upstream.requests().await.iter().zip(bad_requests()) {
        assert_eq!(seen.body, body);
        assert!(seen.outcome.starts_with("refused: ") && seen.outcome.contains(words));
    }
}

#[tokio::test]
async fn a_script_loosens_and_tightens() {
    let upstream = Upstream::start().await;
    for (strict, body) in loosened() {
        upstream.script(json!({})).await;
        assert_eq!(complete(&upstream, &body).await.status, 400, "{strict}");
        upstream.script(json!({"strict": strict})).await;
        let answer = complete(&upstream, &body).await;
        assert_eq!(answer.status, 200, "{strict}: {}", answer.text());
    }
    for (strict, body, words) in tightened() {
        upstream.script(json!({"strict": strict})).await;
        assert_refused(&complete(&upstream, &body).await, words, &body);
    }
}

#[tokio::test]
async fn what_is_not_a_completion_is_refused_too() {
    let upstream = Upstream::start().await;
    let url = format!("{}/chat/completions", upstream.base_url());
    let status = |answer: Answer| answer.status;
    assert_eq!(status(post_with(&url, &[], "{").await), 400);
    assert_eq!(
        status(post_with(&url, &[("content-type", "text/plain")], "{}").await),
        415
    );
    let responses = format!("{}/responses", upstream.base_url());
    assert_eq!(status(post_with(&responses, &[], "{}").await), 404);
    let prefixed = format!(
        "http://{}/inference/v1/chat/completions",
        upstream.address()
    );
    assert_eq!(status(post(&prefixed, &good()).await), 200);

    let seen = upstream.requests().await;
    assert_eq!(
        seen[0].body,
        json!("{"),
        "what is no JSON is kept as a string"
    );
    assert_eq!(seen[1].headers["content-type"], "text/plain");
    assert_eq!(seen[3].path, "/inference/v1/chat/completions");
    upstream.clear().await;
    assert!(upstream.requests().await.is_empty());
}

#[tokio::test]
async fn a_misspelt_script_is_refused() {
    let upstream = Upstream::start().await;
    for (script, words) in [
        (
            json!({"replies": [{"tekst": "a"}]}),
            "unknown field `tekst`",
        ),
        (
            json!({"replies": [{"text": "a", "json": {}}]}),
            "a reply is one of",
        ),
        (
            json!({"replies": [{"text": "a", "split": 0}]}),
            "at least 1",
        ),
        (
            json!({"replies": [{"shape": "nobody"}]}),
            "no shape is named",
        ),
        (
            json!({"replies": [{"shape": {"idz": "empty"}}]}),
            "unknown field `idz`",
        ),
        (
            json!({"replies": [{"steps": [{"say": "a"}]}]}),
            "unknown variant `say`",
        ),
        (
            json!({"strict": {"developer": true}}),
            "unknown field `developer`",
        ),
    ] {
        let refused = upstream.try_script(script).await.unwrap_err();
        assert!(refused.contains(words), "`{words}` is not in `{refused}`");
    }
}

/// Sends a short streaming request with that one reply scripted.
async fn streamed(upstream: &Upstream, reply: Value) -> Answer {
    upstream.script(json!({"replies": [reply]})).await;
    let body = json!({
        "model": "m", "messages": [user("a")], "stream": true, "stream_options": {"include_usage": true}
    });
    let answer = complete(upstream, &body).await;
    assert_eq!(upstream.left().await, 0);
    answer
}

/// The deltas, without those that only open or close.
fn deltas(answer: &Answer) -> Vec<Value> {
    let events = answer.events().into_iter();
    let deltas = events.map(|(_, data)| data["choices"][0]["delta"].clone());
    deltas
        .filter(|delta| delta.as_object().is_some_and(|delta| !delta.is_empty()))
        .filter(|delta| *delta != json!({"role": "assistant", "content": ""}))
        .collect()
}

/// Every fragment of a call, in the order in which it came.
fn fragments(answer: &Answer) -> Vec<Value> {
    let deltas = deltas(answer).into_iter();
    deltas
        .flat_map(|delta| delta["tool_calls"].as_array().cloned().unwrap_or_default())
        .collect()
}

#[tokio::test]
async fn the_plain_stream_is_that_of_openai() {
    let upstream = Upstream::start().await;
    let reply = json!({"text": "Grüße!", "chunking": {"text": 3}, "usage": {"total_tokens": 9}});
    let answer = streamed(&upstream, reply).await;
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    let chunk = |choices: Value, usage: Value| {
        json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "m",
            "choices": choices, "usage": usage
        })
    };
    let choice = |delta: Value, finish: Value| {
        chunk(
            json!([{"index": 0, "delta": delta, "finish_reason": finish}]),
            Value::Null,
        )
    };
    let data: Vec<Value> = answer.events().into_iter().map(|(_, data)| data).collect();
    let expected = [
        choice(json!({"role": "assistant", "content": ""}), Value::Null),
        choice(json!({"content": "Grü"}), Value::Null),
        choice(json!({"content": "ße!"}), Value::Null),
        choice(json!({}), json!("stop")),
        chunk(json!([]), json!({"total_tokens": 9})),
        json!("[DONE]"),
    ];
    assert_eq!(data, expected);
}

/// Two parallel calls in pieces of four characters, as each host writes them.
fn call_shapes() -> Vec<(Value, Value)> {
    let openai = json!([
        {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 0, "function": {"arguments": "{\"x\""}},
        {"index": 0, "function": {"arguments": ":1}"}},
        {"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": ""}},
        {"index": 1, "function": {"arguments": "{}"}}
    ]);
    let whole = |index: [Value; 2]| {
        let [mut first, mut second] = [
            json!({"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}}),
            json!({"id": "b", "type": "function", "function": {"name": "g", "arguments": "{}"}}),
        ];
        for (call, index) in [&mut first, &mut second].into_iter().zip(index) {
            if !index.is_null() {
                call["index"] = index;
            }
        }
        json!([first, second])
    };
    vec![
        (json!({"shape": "openai"}), openai.clone()),
        (
            json!({"chunking": {"arguments": 4, "interleave": true}}),
            json!([openai[0], openai[3], openai[1], openai[4], openai[2]]),
        ),
        (
            json!({"shape": "tgi"}),
            json!([
                {"index": 0, "id": "0", "type": "function", "function": {"name": "f", "arguments": "{\"x\""}},
                {"index": 0, "id": "0", "function": {"name": null, "arguments": ":1}"}},
                {"index": 1, "id": "0", "type": "function", "function": {"name": "g", "arguments": "{}"}}
            ]),
        ),
        (
            json!({"shape": {"first_arguments": "omit", "later_id": "empty", "later_name": "repeat"}}),
            json!([
                {"index": 0, "id": "a", "type": "function", "function": {"name": "f"}},
                {"index": 0, "id": "", "function": {"name": "f", "arguments": "{\"x\""}},
                {"index": 0, "id": "", "function": {"name": "f", "arguments": ":1}"}},
                {"index": 1, "id": "b", "type": "function", "function": {"name": "g"}},
                {"index": 1, "id": "", "function": {"name": "g", "arguments": "{}"}}
            ]),
        ),
        (json!({"shape": "ollama"}), whole([json!(0), json!(1)])),
        (json!({"shape": "gemini"}), whole([json!(0), json!(0)])),
        (
            json!({"shape": "mistral"}),
            whole([Value::Null, Value::Null]),
        ),
        (
            json!({"shape": {"like": "ollama", "index": "from_one"}}),
            whole([json!(1), json!(2)]),
        ),
        (
            json!({"shape": {"ids": "omit", "arguments_object": true}}),
            json!([
                {"index": 0, "type": "function", "function": {"name": "f", "arguments": {"x": 1}}},
                {"index": 1, "type": "function", "function": {"name": "g", "arguments": {}}}
            ]),
        ),
    ]
}

#[tokio::test]
async fn calls_come_in_the_shape_of_each_host() {
    let upstream = Upstream::start().await;
    for (change, expected) in call_shapes() {
        let mut reply = json!({
            "tool_calls": [{"id": "a", "name": "f", "arguments": {"x": 1}}, {"id": "b", "name": "g", "arguments": "{}"}],
            "chunking": {"arguments": 4}
        });
        for (key, value) in change.as_object().unwrap() {
            reply[key] = value.clone();
        }
        let answer = streamed(&upstream, reply).await;
        assert_eq!(Value::from(fragments(&answer)), expected, "{change}");
    }
}

#[tokio::test]
async fn the_parts_of_a_turn_come_in_their_order() {
    let upstream = Upstream::start().await;
    let call = json!({"id": "a", "name": "f"});
    let opened = json!({"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]});
    let cases = [
        (
            json!({"text": "t", "reasoning": "r", "tool_calls": [call]}),
            json!([{"reasoning_content": "r"}, {"content": "t"}, opened]),
        ),
        (
            json!({"text": "t", "reasoning": "r", "tool_calls": [call], "order": ["tool_calls", "text"]}),
            json!([opened, {"content": "t"}]),
        ),
        (
            json!({"reasoning": "r", "refusal": "no", "reasoning_field": "reasoning"}),
            json!([{"reasoning": "r"}, {"refusal": "no"}]),
        ),
        (
            json!({"steps": [{"text": "t"}, {"tool_calls": [call]}, {"reasoning": "r"}], "shape": "vllm", "finish": null}),
            json!([{"content": "t"}, {"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f"}}]}, {"reasoning": "r"}]),
        ),
    ];
    for (reply, expected) in cases {
        let answer = streamed(&upstream, reply.clone()).await;
        assert_eq!(Value::from(deltas(&answer)), expected, "{reply}");
    }
}

#[tokio::test]
async fn the_end_is_as_scripted() {
    let upstream = Upstream::start().await;
    let called = json!([{"id": "a", "name": "f", "arguments": {}}]);
    // The reply, the finish reason, and how many chunks have usage.
    let cases = [
        (json!({"tool_calls": called}), json!("tool_calls"), 1),
        (
            json!({"tool_calls": called, "shape": "tgi"}),
            json!("stop"),
            1,
        ),
        (
            json!({"tool_calls": called, "finish": "length"}),
            json!("length"),
            1,
        ),
        (json!({"text": "a", "finish": null}), Value::Null, 1),
        (json!({"text": "a", "usage": null}), json!("stop"), 0),
        (json!({"text": "a", "shape": "deepseek"}), json!("stop"), 1),
        (
            json!({"text": "a", "shape": {"usage": "every_chunk"}}),
            json!("stop"),
            3,
        ),
        (
            json!({"text": "a", "shape": {"usage": "in_choice"}}),
            json!("stop"),
            1,
        ),
        (json!({"text": "a", "done": false}), json!("stop"), 1),
    ];
    for (reply, finish, usages) in cases {
        let answer = streamed(&upstream, reply.clone()).await;
        let data: Vec<Value> = answer.events().into_iter().map(|(_, data)| data).collect();
        let said = data
            .iter()
            .map(|chunk| chunk["choices"][0]["finish_reason"].clone())
            .find(|reason| !reason.is_null());
        assert_eq!(said.unwrap_or_default(), finish, "{reply}");
        let places =
            |chunk: &&Value| chunk["usage"].is_object() || chunk["choices"][0]["usage"].is_object();
        assert_eq!(data.iter().filter(places).count(), usages, "{reply}");
        assert_eq!(
            data.contains(&json!("[DONE]")),
            reply["done"] != false,
            "{reply}"
        );
    }
}

#[tokio::test]
async fn the_frame_is_as_scripted() {
    let upstream = Upstream::start().await;
    let tgi = streamed(&upstream, json!({"text": "a", "shape": "tgi"}))
        .await
        .text();
    assert!(tgi.starts_with("data:{") && tgi.ends_with("data: [DONE]\n\n"));
    assert!(tgi.contains(r#""delta":{"content":"a","role":"assistant"}"#));

    let crlf = streamed(
        &upstream,
        json!({"text": "a", "shape": {"line_end": "\r\n"}}),
    )
    .await
    .text();
    assert!(crlf.contains("}\r\n\r\ndata: ") && !crlf.contains("\n\n"));

    let azure = streamed(&upstream, json!({"text": "a", "shape": "azure"})).await;
    assert_eq!(azure.events()[0].1["choices"], json!([]));

    let steps = json!({"steps": [{"comment": "wait"}, {"data": {"error": "x"}}, {"raw": "data: {\n"}, {"wait_ms": 1}]});
    let steps = streamed(&upstream, steps).await.text();
    assert!(steps.contains(": wait\n\ndata: {\"error\":\"x\"}\n\ndata: {\ndata: {"));
}

#[tokio::test]
async fn raw_bytes_are_cut_and_paced_as_scripted() {
    let upstream = Upstream::start().await;
    let raw = "data: ü\n\n";
    let reply = json!({"raw_sse": raw, "split": 1, "delay_ms": 15, "headers_delay_ms": 50, "headers": {"x-request-id": "7"}});
    let answer = streamed(&upstream, reply).await;
    assert_eq!(
        (answer.text().as_str(), answer.header("x-request-id")),
        (raw, Some("7"))
    );
    // One write for each byte, though a busy machine may read two at once.
    assert!(answer.chunks.len() > 1);
    assert!(answer.chunks[0].0.as_millis() >= 50);
    let last = answer.chunks.last().unwrap().0;
    assert!(last.as_millis() >= 50 + 15 * (raw.len() as u128 - 1));
}

#[tokio::test]
async fn a_cut_connection_is_no_end() {
    let upstream = Upstream::start().await;
    let answer = streamed(
        &upstream,
        json!({"text": "abc", "chunking": {"text": 1}, "abort_after": 2, "delay_ms": 10}),
    )
    .await;
    assert_eq!(answer.events().len(), 2);
    assert!(
        answer.broken.is_some(),
        "the client sees that the body is not whole"
    );
}

#[tokio::test]
async fn a_hang_up_is_no_answer_and_ends_nothing_else() {
    let upstream = Upstream::start().await;
    upstream
        .script(json!({"replies": [{"hang_up": true}]}))
        .await;
    let url = format!("{}/chat/completions", upstream.base_url());
    let request = reqwest::Client::new().post(url).json(&good());
    assert!(request.send().await.is_err());
    assert_eq!(complete(&upstream, &good()).await.status, 200);
}

#[tokio::test]
async fn errors_and_other_bodies_are_as_scripted() {
    let upstream = Upstream::start().await;
    let slow_down = json!({"error": {"status": 429, "headers": {"retry-after": "1"}, "body": {"error": {"message": "slow"}}}});
    let answer = streamed(&upstream, slow_down).await;
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (429, Some("1"))
    );
    assert_eq!(answer.json()["error"]["message"], "slow");

    let answer = streamed(
        &upstream,
        json!({"error": {"status": 502, "body": "<html>"}}),
    )
    .await;
    assert_eq!((answer.status, answer.text().as_str()), (502, "<html>"));
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=utf-8")
    );

    let answer = streamed(
        &upstream,
        json!({"json": {"object": "error"}, "status": 207}),
    )
    .await;
    assert_eq!(
        (answer.status, answer.json()),
        (207, json!({"object": "error"}))
    );
}

#[tokio::test]
async fn without_stream_the_same_reply_is_one_completion() {
    let upstream = Upstream::start().await;
    let reply = json!({
        "steps": [{"reasoning": "r"}, {"text": "a"}, {"tool_calls": [{"id": "x", "name": "f", "arguments": {"b": 1}}]}, {"text": "c"}],
        "usage": {"total_tokens": 3}, "reasoning_field": "reasoning"
    });
    upstream.script(json!({"replies": [reply]})).await;
    let answer = complete(&upstream, &json!({"model": "m", "messages": [user("a")]})).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let expected = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "m",
        "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {
            "role": "assistant", "content": "ac", "reasoning": "r",
            "tool_calls": [{"id": "x", "type": "function", "function": {"name": "f", "arguments": "{\"b\":1}"}}]
        }}],
        "usage": {"total_tokens": 3}
    });
    assert_eq!(answer.json(), expected);
}

#[tokio::test]
async fn without_a_script_it_calls_and_then_speaks() {
    let upstream = Upstream::start().await;
    let tools = json!([{"type": "function", "function": {"name": "weather", "parameters": {
        "type": "object",
        "properties": {
            "city": {"type": "string"}, "days": {"type": "integer"}, "unit": {"enum": ["c", "f"]},
            "tags": {"type": "array", "items": {"type": ["boolean", "null"]}}, "later": {"type": "string"}
        },
        "required": ["city", "days", "unit", "tags"]
    }}}]);
    let ask = |messages: Value| json!({"model": "m", "messages": messages, "tools": tools});
    let answer = complete(&upstream, &ask(json!([user("Rain?")])))
        .await
        .json();
    let call = &answer["choices"][0]["message"]["tool_calls"][0];
    assert_eq!(call["function"]["name"], "weather");
    let arguments: Value =
        serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(
        arguments,
        json!({"city": "example", "days": 1, "unit": "c", "tags": [true]})
    );

    let result = json!({"role": "tool", "tool_call_id": call["id"], "content": "Rain."});
    let history = json!([user("Rain?"), {"role": "assistant", "tool_calls": [call]}, result]);
    let answer = complete(&upstream, &ask(history)).await.json();
    assert_eq!(
        answer["choices"][0]["message"]["content"],
        "The tool answered: Rain."
    );

    let mut quiet = ask(json!([user("Hi")]));
    quiet["tool_choice"] = json!("none");
    let answer = complete(&upstream, &quiet).await.json();
    assert_eq!(answer["choices"][0]["message"]["content"], "You said: Hi");
}
