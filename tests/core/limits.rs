//! Limits: a value at the limit is accepted, and one above it is an error that names the limit.

use crate::grammar::Transcript;
use crate::support::*;
use serde_json::{Value, json};
use transponder::error::ApiError;
use transponder::request::Translated;

fn code_of(result: Result<Translated, ApiError>) -> Option<String> {
    result.err().map(|error| {
        assert_eq!(error.status, 400, "{error:?}");
        error.code.expect("a code").into_owned()
    })
}

/// The response to a plain request for a reply in these pieces.
fn reply(config: &Value, pieces: impl IntoIterator<Item = String>) -> Value {
    Transcript::of(&stream(config, pieces)).response().clone()
}

fn stream(config: &Value, pieces: impl IntoIterator<Item = String>) -> Vec<u8> {
    let include = ["message.output_text.logprobs"];
    let request = json!({"input": "hi", "stream": true, "tools": [function("f")], "include": include});
    let mut reply = ask(request).config(config).reply();
    let mut out = Vec::new();
    for piece in pieces {
        reply.push(piece.as_bytes(), &mut out);
    }
    reply.end(&mut out);
    out
}

/// A chunk as it is sent.
fn event(chunk: &Value) -> String {
    format!("data: {chunk}\n\n")
}

fn end() -> String {
    events(&[finish("stop")])
}

fn assert_fits(response: &Value) {
    assert_eq!(response["status"], "completed", "{}", response["error"]);
}

fn assert_refused(response: &Value, word: &str) {
    assert_eq!(response["status"], "failed");
    assert!(response["error"]["message"].as_str().unwrap().contains(word), "{}", response["error"]);
}

#[test]
fn a_request_may_be_128_levels_deep() {
    let deep = |levels: usize| {
        let nested = "[".repeat(levels - 1) + &"]".repeat(levels - 1);
        format!(r#"{{"model":"m","input":"hi","metadata_of_somebody":{nested}}}"#)
    };
    assert_eq!(code_of(ask_text(deep(128)).translate()), None);
    for levels in [129, 1_000_000] {
        assert_eq!(code_of(ask_text(deep(levels)).translate()).as_deref(), Some("json_too_deep"));
    }
}

#[test]
fn a_request_may_hold_half_a_million_values() {
    // The object, its three values, and those of the array.
    let many = |values: usize| format!(r#"{{"model":"m","input":"hi","x":[{}1]}}"#, "1,".repeat(values - 5));
    assert_eq!(code_of(ask_text(many(500_000)).translate()), None);
    assert_eq!(code_of(ask_text(many(500_001)).translate()).as_deref(), Some("json_too_many_values"));
}

#[test]
fn a_request_may_declare_20000_tools() {
    let tool = |number: usize| json!({"type": "function", "name": format!("f{number}")});
    let declared = |top: usize, nested: usize| {
        let mut tools: Vec<Value> = (0..top).map(tool).collect();
        let nested: Vec<Value> = (0..nested).map(tool).collect();
        tools.push(json!({"type": "namespace", "name": "n", "tools": nested}));
        json!({"input": "hi", "tools": tools})
    };
    assert_eq!(code_of(ask(declared(19_000, 1000)).translate()), None);
    let error = ask(declared(19_000, 1001)).translate().unwrap_err();
    assert_eq!((error.code.as_deref(), error.param.as_deref()), (Some("too_many_tools"), Some("tools")));
}

#[test]
fn an_event_repeats_up_to_a_megabyte_of_the_request() {
    let instructions = |length: usize| {
        let asked = ask(json!({"input": "hi", "stream": true, "instructions": "x".repeat(length)}));
        let response = asked.received(&[text("hi"), finish("stop")]);
        (response["instructions"].as_str().map(str::len), asked.sent().1)
    };
    let (within, beyond) = ((1 << 20) - 2, (1 << 20) - 1);
    // The other repeated fields take a few bytes.
    assert_eq!(instructions(within - 100), (Some(within - 100), vec![]));
    assert_eq!(instructions(beyond), (None, vec!["echo:instructions".to_owned()]));
    assert_eq!(instructions(5 << 20).0, None);
}

#[test]
fn a_reply_may_hold_512_calls_and_the_next_is_named() {
    let number = |number: usize| event(&call(number as u64, &format!("c{number}"), "f", "{}"));
    let calls = |count: usize| reply(&json!({}), (0..count).map(number).chain([end()]));
    let response = calls(512);
    assert_fits(&response);
    assert_eq!(response["output"].as_array().unwrap().len(), 512);
    assert_refused(&calls(513), "'c512'");
}

#[test]
fn a_reply_may_hold_ten_thousand_items() {
    let turn = |number: usize| match number % 2 {
        0 => event(&text("a")),
        _ => event(&delta(json!({"reasoning": "b"}))),
    };
    // The grammar compares each item with every other, which is too slow here.
    let items = |count: usize| {
        let out = stream(&json!({}), (0..count).map(turn).chain([end()]));
        let last = String::from_utf8(out).unwrap();
        let last = last.rsplit("data: ").nth(1).unwrap().to_owned();
        serde_json::from_str::<Value>(&last).unwrap()["response"].clone()
    };
    assert_fits(&items(10_000));
    assert_refused(&items(10_010), "items");
}

#[test]
fn kept_text_arguments_ids_and_logprobs_have_a_limit() {
    let config = &json!({"limits": {"reply_bytes": 1000}});
    type Kind = (&'static str, fn(usize) -> Value); // A chunk of about this many bytes.
    let kinds: [Kind; 5] = [
        ("text", |length| text(&"x".repeat(length))),
        ("reasoning", |length| delta(json!({"reasoning": "x".repeat(length)}))),
        ("arguments", |length| call(0, "a", "f", &format!("{{\"a\":\"{}\"}}", "x".repeat(length - 14)))),
        ("an id", |length| call(0, &"x".repeat(length - 10), "f", "{\"a\":1}")),
        ("a name", |length| call(0, "ab", &"x".repeat(length - 11), "{\"a\":1}")),
    ];
    for (what, chunk) in kinds {
        let sent = |length: usize| reply(config, [event(&chunk(length)), end()]);
        let at_cap = (900..=1010).rev().find(|length| sent(*length)["status"] == "completed");
        let at_cap = at_cap.unwrap_or_else(|| panic!("{what}"));
        assert!((990..=1000).contains(&at_cap), "{what}: {at_cap}");
        assert_refused(&sent(at_cap + 1), "1000 bytes");
    }
    let logprobs = |length: usize| {
        let entry = json!({"token": "x".repeat(length), "logprob": 0});
        json!({"choices": [{"index": 0, "delta": {"content": "xx"}, "logprobs": {"content": [entry]}}]})
    };
    let sent = |length: usize| reply(config, [event(&logprobs(length)), end()]);
    assert_fits(&sent(100));
    assert_refused(&sent(300), "1000 bytes");
}

#[test]
fn documents_and_events_have_a_limit() {
    let document = |length: usize| {
        let empty = json!({"choices": [{"message": {"content": ""}}]}).to_string();
        empty.replace("\"\"", &format!("\"{}\"", "x".repeat(length - empty.len())))
    };
    let config = &json!({"limits": {"reply_bytes": 1000}});
    let whole = |length: usize| reply(config, [document(length)]);
    assert_fits(&whole(1000));
    // In two pieces, so that the limit is reached before the document is complete.
    let cut = document(1100);
    let (head, tail) = cut.split_at(1050);
    assert_refused(&reply(config, [head.to_owned(), tail.to_owned()]), "1000 bytes");

    let sized = |length: usize| {
        let empty = event(&text(""));
        let empty = empty.trim_end();
        empty.replace("\"content\":\"\"", &format!("\"content\":\"{}\"", "x".repeat(length - empty.len())))
            + "\n\n"
    };
    let config = &json!({"limits": {"event_bytes": 1000}});
    assert_fits(&reply(config, [sized(1000), end()]));
    assert_refused(&reply(config, [sized(1001), end()]), "1000 bytes");
}

/// A comment has two bytes, but the event that it becomes repeats the request.
/// Each envelope was opened by a call within the one before.
#[test]
fn envelopes_in_envelopes_do_not_fill_the_stack() {
    let nested = r#"{"result":"#.repeat(100_000) + "{}" + &"}".repeat(100_000);
    for body in [nested.clone(), format!("data: {nested}\n\n")] {
        let response = reply(&json!({}), [body]);
        assert_eq!(response["status"], "failed");
    }
}

#[test]
fn comments_keep_the_client_awake_once_a_second() {
    let request = json!({"input": "hi", "stream": true, "instructions": "x".repeat(100_000)});
    let mut reply = ask(request).reply();
    let mut out = Vec::new();
    for second in 0..3 {
        reply.set_time(200 + second);
        reply.push(&b":\n".repeat(10_000), &mut out);
    }
    reply.push((event(&text("hi")) + &end()).as_bytes(), &mut out);
    reply.end(&mut out);
    // One at the start, and one in each later second.
    assert_eq!(Transcript::of(&out).of_type("response.in_progress").count(), 3);
}
