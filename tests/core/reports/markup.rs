//! Reasoning and calls that new models write into their text.

use super::outcome;
use crate::support::*;
use serde_json::{Value, json};

/// Reasoning, text and calls of a reply with this content, streamed in pieces and in one document.
fn read(content: &str, options: &Value) -> (String, String, Vec<(Value, Value)>) {
    let request = |stream: bool| {
        let tools = json!([{"type": "function", "name": "look_up", "parameters": {"type": "object", "properties": {"q": {"type": "string"}}}}]);
        let asked = ask(json!({"input": "Hi", "stream": stream, "tools": tools})).upstream(options);
        asked.translate().unwrap()
    };
    let pieces = content.chars().map(|char| text(&char.to_string()));
    let chunks: Vec<Value> = pieces.chain([finish("stop")]).collect();
    let stream = events(&chunks);
    let message = json!({"role": "assistant", "content": content});
    let document =
        json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).to_string();
    let replies = [(true, stream), (false, document)].map(|(stream, upstream)| {
        let outcome = outcome(request(stream), 200, upstream.as_bytes());
        let calls = outcome.calls().into_iter().map(|call| (call["name"].clone(), call["arguments"].clone()));
        (outcome.text("reasoning", "summary"), outcome.text("message", "content"), calls.collect::<Vec<_>>())
    });
    let [streamed, document] = replies;
    assert_eq!(streamed, document, "{content}");
    streamed
}

#[test]
fn reasoning_in_tags_of_new_models_is_reasoning() {
    for (content, reasoning, text) in [
        ("<reasoning>a</reasoning>b", "a", "b"),
        ("<reasoning>a</reasoning><reasoning> b</reasoning>c", "a b", "c"),
        ("<mm:think>a</mm:think>b", "a", "b"),
        ("◁think▷a◁/think▷b", "a", "b"),
        ("<THINK>a</THINK>b", "a", "b"),
        ("<|channel>thought\na\n<channel|>b", "a", "b"),
        ("b <reasoning>a</reasoning>", "", "b <reasoning>a</reasoning>"),
    ] {
        let expected = (reasoning.to_owned(), text.to_owned(), vec![]);
        assert_eq!(read(content, &json!({"think_tags": "on"})), expected, "{content}");
        assert_eq!(read(content, &json!({})), (String::new(), content.to_owned(), vec![]), "{content}");
    }
}

#[test]
fn calls_in_the_markup_of_new_models_are_calls() {
    let both = json!({"think_tags": "on", "text_tool_calls": true});
    for (content, reasoning, arguments) in [
        (
            "<|open|>think<|sep|>Hm.<|close|>think<|sep|><|open|>response<|sep|><|close|>response<|sep|><|open|>tools<|sep|><|open|>call tool=\"look_up\" index=\"1\"<|sep|><|open|>argument key=\"q\" type=\"string\"<|sep|>x\ny<|close|>argument<|sep|><|close|>call<|sep|><|close|>tools<|sep|><|close|>message<|sep|>",
            "Hm.",
            r#"{"q":"x\ny"}"#,
        ),
        (
            "<|channel>thought\nHm.<channel|><|tool_call>call:look_up{q:<|\"|>x \"y\"<|\"|>}<tool_call|>",
            "Hm.",
            r#"{"q":"x \"y\""}"#,
        ),
    ] {
        let call = (json!("look_up"), json!(arguments));
        assert_eq!(read(content, &both), (reasoning.to_owned(), String::new(), vec![call]), "{content}");
    }
    for content in ["Write `<|tool_call>call:other{}<tool_call|>`.", "<|open|>tools<|sep|>"] {
        assert_eq!(read(content, &both), (String::new(), content.to_owned(), vec![]), "{content}");
    }
}

#[test]
fn calls_without_a_tag_are_calls_at_the_start() {
    for content in [
        r#"{"name": "look_up", "arguments": {"q": "x"}}"#,
        r#"[{"name": "look_up", "arguments": {"q": "x"}}]"#,
        r#"functools[{"name": "look_up", "arguments": {"q": "x"}}]"#,
        "[look_up(q='x')]",
    ] {
        let (_, text, calls) = read(content, &json!({"text_tool_calls": true}));
        assert_eq!((text.as_str(), calls.len()), ("", 1), "{content}");
        let beginning = format!("Look: {content}");
        assert_eq!(read(&beginning, &json!({"text_tool_calls": true})).1, beginning);
    }
}
