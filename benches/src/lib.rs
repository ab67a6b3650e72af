//! The requests and replies of the benchmarks. They are the same bytes in every run.

use serde_json::{Value, json};

/// A recorded request of Codex, without history.
const SHORT: &str = include_str!("../../tests/fixtures/codex/q-misc.review.01.json");
/// A recorded request with all tools of Codex.
const LONG: &str = include_str!("../../tests/fixtures/codex/b-exec.02.json");

/// The kind of output that the model produces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `content`.
    Text,
    /// `reasoning_content`.
    Reasoning,
    /// A function's arguments.
    Arguments,
    /// A custom tool's input, within a function's arguments.
    CustomInput,
}

/// A request of Codex with a history that makes it about this long, in bytes.
pub fn request(bytes: usize, stream: bool) -> Vec<u8> {
    let recorded = if bytes < LONG.len() { SHORT } else { LONG };
    let mut request: Value = serde_json::from_str(recorded).expect("a recorded request");
    request["stream"] = json!(stream);
    request["tools"].as_array_mut().expect("tools").push(json!({
        "type": "custom", "name": "apply_patch", "description": "Edits files.", "format": {"type": "text"}
    }));
    let mut size = request.to_string().len();
    let input = request["input"].as_array_mut().expect("items");
    for number in 0.. {
        let turn = turn(number);
        size += turn.iter().map(|item| item.to_string().len() + 1).sum::<usize>();
        if size > bytes {
            break;
        }
        input.extend(turn);
    }
    request.to_string().into_bytes()
}

/// The same request, whose response is stored.
pub fn stored(request: &[u8]) -> Vec<u8> {
    changed(request, |request| request["store"] = json!(true))
}

/// The turn after it, which goes on from the response with this id.
pub fn next_turn(request: &[u8], id: &str, words: &str) -> Vec<u8> {
    changed(request, |request| {
        request["store"] = json!(true);
        request["previous_response_id"] = json!(id);
        request["input"] = json!([{"type": "message", "role": "user", "content": words}]);
    })
}

fn changed(request: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut request: Value = serde_json::from_slice(request).expect("a request");
    change(&mut request);
    request.to_string().into_bytes()
}

/// One turn: a text of the model, a call, and its output.
fn turn(number: usize) -> Vec<Value> {
    let (id, words) = (call_id(number), words(number));
    let call = match number % 4 {
        3 => json!({"type": "custom_tool_call", "call_id": id, "name": "apply_patch",
                    "input": format!("*** Begin Patch\n*** Update File: src/{number}.rs\n-old\n+\"{words}\"\n*** End Patch")}),
        _ => json!({"type": "function_call", "call_id": id, "name": "exec_command",
                    "arguments": json!({"cmd": format!("rg -n \"{words}\" src"), "yield_time_ms": 1000}).to_string()}),
    };
    let kind = if number % 4 == 3 { "custom_tool_call_output" } else { "function_call_output" };
    let output: String =
        (0..16).map(|line| format!("src/{number}.rs:{line}:\tlet {words} = \"né {line}\";\n")).collect();
    vec![
        json!({"type": "reasoning", "summary": [{"type": "summary_text", "text": words}],
               "encrypted_content": format!("gAAAAA{}", "Zm9v".repeat(60))}),
        json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": words}]}),
        call,
        json!({"type": kind, "call_id": id, "output": output}),
    ]
}

/// Random like a real id: the first characters differ.
fn call_id(number: usize) -> String {
    let random = (number as u128 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    format!("call_{:024x}", random >> 32)
}

fn words(number: usize) -> String {
    const WORDS: [&str; 8] = ["look", "where", "the", "decoder", "holds", "its", "last", "line"];
    (0..12).map(|at| WORDS[(number * 7 + at * 3) % WORDS.len()]).collect::<Vec<_>>().join(" ")
}

/// A Chat Completions stream, frame by frame: a first chunk with the role, `events` chunks with a short piece each, and
/// the end with the usage.
pub fn stream(kind: Kind, events: usize) -> Vec<Vec<u8>> {
    let mut frames = vec![chunk(&first(kind), None)];
    frames.extend((0..events).map(|number| chunk(&delta(kind, &piece(kind, number)), None)));
    let last = match kind {
        Kind::CustomInput => delta(kind, "\"}"),
        Kind::Arguments => delta(kind, "0]}"),
        Kind::Text | Kind::Reasoning => json!({}),
    };
    frames.push(chunk(&last, Some(if first(kind)["tool_calls"].is_null() { "stop" } else { "tool_calls" })));
    frames.push(usage(events));
    frames
}

/// A chunk with a piece of text.
pub fn text_chunk(piece: &str) -> Vec<u8> {
    chunk(&delta(Kind::Text, piece), None)
}

/// The end of a stream of text.
pub fn end(events: usize) -> Vec<u8> {
    [chunk(&json!({}), Some("stop")), usage(events)].concat()
}

fn usage(events: usize) -> Vec<u8> {
    let usage = json!({"id": ID, "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": [],
                       "usage": {"prompt_tokens": 9000, "completion_tokens": events, "total_tokens": 9000 + events}});
    format!("data: {usage}\n\ndata: [DONE]\n\n").into_bytes()
}

/// The same as one document.
pub fn document(kind: Kind, events: usize) -> Vec<u8> {
    let text: String = (0..events).map(|number| piece(kind, number)).collect();
    let message = match kind {
        Kind::Text => json!({"role": "assistant", "content": text}),
        Kind::Reasoning => json!({"role": "assistant", "reasoning_content": text}),
        Kind::Arguments | Kind::CustomInput => {
            let mut call = first(kind)["tool_calls"][0].clone();
            let begin = call["function"]["arguments"].as_str().unwrap_or_default();
            let end = if kind == Kind::Arguments { "0]}" } else { "\"}" };
            call["function"]["arguments"] = json!(format!("{begin}{text}{end}"));
            json!({"role": "assistant", "content": null, "tool_calls": [call]})
        }
    };
    json!({"id": ID, "object": "chat.completion", "created": 1, "model": MODEL,
           "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"}],
           "usage": {"prompt_tokens": 9000, "completion_tokens": events, "total_tokens": 9000 + events}})
    .to_string()
    .into_bytes()
}

const ID: &str = "chatcmpl-5b0a4fd3b7b54f6b9f6c2f0e2ab0d9a1";
const MODEL: &str = "Qwen/Qwen3-Coder-480B-A35B-Instruct";

/// In the form of vLLM.
fn chunk(delta: &Value, finish_reason: Option<&str>) -> Vec<u8> {
    let finish_reason = json!(finish_reason);
    format!(
        "data: {{\"id\":\"{ID}\",\"object\":\"chat.completion.chunk\",\"created\":1764000000,\"model\":\"{MODEL}\",\
         \"choices\":[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\"finish_reason\":{finish_reason}}}]}}\n\n"
    )
    .into_bytes()
}

fn first(kind: Kind) -> Value {
    let call = |name: &str, begin: &str| {
        json!({"role": "assistant", "content": null, "tool_calls": [
            {"index": 0, "id": "call_0123456789", "type": "function", "function": {"name": name, "arguments": begin}}
        ]})
    };
    match kind {
        Kind::Text | Kind::Reasoning => json!({"role": "assistant", "content": ""}),
        Kind::Arguments => call("exec_command", "{\"cmd\":["),
        Kind::CustomInput => call("apply_patch", "{\"input\": \""),
    }
}

fn piece(kind: Kind, number: usize) -> String {
    match (kind, number % 10) {
        (Kind::Arguments, _) => format!("\"{number}\","),
        (Kind::CustomInput, 9) => "\\n".to_owned(),
        (_, 9) => "\n".to_owned(),
        (_, 5) => " \"né\"".replace('"', if kind == Kind::CustomInput { "\\\"" } else { "\"" }),
        _ => " token".to_owned(),
    }
}

fn delta(kind: Kind, piece: &str) -> Value {
    match kind {
        Kind::Text => json!({"content": piece}),
        Kind::Reasoning => json!({"reasoning_content": piece}),
        Kind::Arguments | Kind::CustomInput => {
            json!({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]})
        }
    }
}
