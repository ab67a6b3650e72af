//! Each scripted reply is sent as the script says.

use serde_json::{Value, json};

use super::{complete, good, user};
use support::{Answer, Upstream};

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
    deltas.flat_map(|delta| delta["tool_calls"].as_array().cloned().unwrap_or_default()).collect()
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
        chunk(json!([{"index": 0, "delta": delta, "finish_reason": finish}]), Value::Null)
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

/// Two parallel calls in pieces of four characters, as each provider sends them.
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
        (json!({"shape": "mistral"}), whole([Value::Null, Value::Null])),
        (json!({"shape": {"like": "ollama", "index": "from_one"}}), whole([json!(1), json!(2)])),
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
async fn calls_come_in_the_shape_of_each_provider() {
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
        (json!({"tool_calls": called, "shape": "tgi"}), json!("stop"), 1),
        (json!({"tool_calls": called, "finish": "length"}), json!("length"), 1),
        (json!({"text": "a", "finish": null}), Value::Null, 1),
        (json!({"text": "a", "usage": null}), json!("stop"), 0),
        (json!({"text": "a", "shape": "deepseek"}), json!("stop"), 1),
        (json!({"text": "a", "shape": {"usage": "every_chunk"}}), json!("stop"), 3),
        (json!({"text": "a", "shape": {"usage": "in_choice"}}), json!("stop"), 1),
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
        let places = |chunk: &&Value| chunk["usage"].is_object() || chunk["choices"][0]["usage"].is_object();
        assert_eq!(data.iter().filter(places).count(), usages, "{reply}");
        assert_eq!(data.contains(&json!("[DONE]")), reply["done"] != false, "{reply}");
    }
}

#[tokio::test]
async fn the_frame_is_as_scripted() {
    let upstream = Upstream::start().await;
    let tgi = streamed(&upstream, json!({"text": "a", "shape": "tgi"})).await.text();
    assert!(tgi.starts_with("data:{") && tgi.ends_with("data: [DONE]\n\n"));
    assert!(tgi.contains(r#""delta":{"content":"a","role":"assistant"}"#));

    let crlf = streamed(&upstream, json!({"text": "a", "shape": {"line_end": "\r\n"}})).await.text();
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
    assert_eq!((answer.text().as_str(), answer.header("x-request-id")), (raw, Some("7")));
    // One write for each byte, though a busy machine may read two at once.
    assert!(answer.chunks.len() > 1);
    assert!(answer.chunks[0].0.as_millis() >= 50);
    let last = answer.chunks.last().unwrap().0;
    assert!(last.as_millis() >= 50 + 15 * (raw.len() as u128 - 1));
}

#[tokio::test]
async fn a_cut_connection_is_not_a_regular_end() {
    let upstream = Upstream::start().await;
    let answer = streamed(
        &upstream,
        json!({"text": "abc", "chunking": {"text": 1}, "abort_after": 2, "delay_ms": 10}),
    )
    .await;
    assert_eq!(answer.events().len(), 2);
    assert!(answer.broken.is_some(), "the client sees that the body is not whole");
}

#[tokio::test]
async fn a_hang_up_sends_nothing_and_ends_nothing_else() {
    let upstream = Upstream::start().await;
    upstream.script(json!({"replies": [{"hang_up": true}]})).await;
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
    assert_eq!((answer.status, answer.header("retry-after")), (429, Some("1")));
    assert_eq!(answer.json()["error"]["message"], "slow");

    let answer = streamed(&upstream, json!({"error": {"status": 502, "body": "<html>"}})).await;
    assert_eq!((answer.status, answer.text().as_str()), (502, "<html>"));
    assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));

    let answer = streamed(&upstream, json!({"json": {"object": "error"}, "status": 207})).await;
    assert_eq!((answer.status, answer.json()), (207, json!({"object": "error"})));
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
    let answer = complete(&upstream, &ask(json!([user("Rain?")]))).await.json();
    let call = &answer["choices"][0]["message"]["tool_calls"][0];
    assert_eq!(call["function"]["name"], "weather");
    let arguments: Value = serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(arguments, json!({"city": "example", "days": 1, "unit": "c", "tags": [true]}));

    let result = json!({"role": "tool", "tool_call_id": call["id"], "content": "Rain."});
    let history = json!([user("Rain?"), {"role": "assistant", "tool_calls": [call]}, result]);
    let answer = complete(&upstream, &ask(history)).await.json();
    assert_eq!(answer["choices"][0]["message"]["content"], "The tool answered: Rain.");

    let mut quiet = ask(json!([user("Hi")]));
    quiet["tool_choice"] = json!("none");
    let answer = complete(&upstream, &quiet).await.json();
    assert_eq!(answer["choices"][0]["message"]["content"], "You said: Hi");
}
