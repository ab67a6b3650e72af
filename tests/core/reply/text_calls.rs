//! Calls that stay in the text, because `text_tool_calls` is off: the client gets the text unchanged, and the calls are
//! counted.

use crate::grammar::Transcript;
use crate::support::*;
use serde_json::{Value, json};
use transponder::response::ReplyStats;

/// Sends a text in pieces of `piece` characters. Returns the bytes for the client, and the counts.
fn told(request: Value, upstream: &Value, text: &str, piece: usize, end: &str) -> (Vec<u8>, ReplyStats) {
    let mut reply = ask(request).upstream(upstream).reply();
    let characters: Vec<char> = text.chars().collect();
    let pieces = characters.chunks(piece).map(|piece| self::text(&piece.iter().collect::<String>()));
    let (mut out, chunks) = (Vec::new(), pieces.chain([finish(end)]).collect::<Vec<_>>());
    reply.push(events(&chunks).as_bytes(), &mut out);
    assert!(reply.is_done());
    (out, reply.stats())
}

fn declaring(name: &str) -> Value {
    let city = json!({"type": "object", "properties": {"city": {"type": "string"}}});
    json!({"input": "hi", "stream": true, "tools": [{"type": "function", "name": name, "parameters": city}]})
}

const HERMES: &str = r#"<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>"#;

/// The texts that models wrote, in the markup of each family.
fn recorded() -> Vec<String> {
    let folder = std::fs::read_dir("tests/fixtures/chat/tool-in-text").unwrap();
    let expected = folder
        .map(|file| file.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(".expect.json"));
    let text = |path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    expected.map(|path| text(path)["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn calls_of_declared_tools_are_counted_in_every_markup() {
    let texts = recorded();
    assert!(texts.len() > 10);
    for text in texts {
        for piece in [1, 3, 1000] {
            let (_, stats) = told(declaring("get_weather"), &json!("generic"), &text, piece, "stop");
            assert_eq!((stats.text_calls, stats.lost_calls, stats.calls.len()), (1, 0, 0), "{text}");
        }
    }
}

#[test]
fn the_text_is_neither_changed_nor_delayed() {
    for text in recorded() {
        let deltas = |tool: &str| {
            let (out, _) = told(declaring(tool), &json!("generic"), &text, 3, "stop");
            let transcript = Transcript::of(&out);
            let deltas = transcript.of_type("response.output_text.delta");
            deltas.map(|event| event["delta"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(deltas("get_weather"), deltas("another_tool"), "{text}");
        assert_eq!(deltas("get_weather").concat(), text);
    }
}

#[test]
fn only_what_the_option_would_read_counts() {
    let none = json!({"input": "hi", "stream": true});
    let mut forbidden = declaring("get_weather");
    forbidden["tool_choice"] = json!("none");
    let reads = json!({"text_tool_calls": true});
    let think = json!({"think_tags": "on"});
    let twice = format!("First {HERMES} and then\n{HERMES}.");
    let reasoned = format!("<think>{HERMES}</think>{HERMES}");
    let escaped = HERMES.replace('<', "\\u003c");
    let prose =
        "Write `<tool_call>` before the call, as [TOOL_CALLS] does — in <b>bold</b> \u{201c}type\u{201d}.";
    for (what, request, upstream, text, unread) in [
        ("one", declaring("get_weather"), json!("generic"), HERMES, 1),
        ("two within text", declaring("get_weather"), json!("generic"), &twice, 2),
        ("not the call in reasoning", declaring("get_weather"), think, &reasoned, 1),
        ("another tool", declaring("get_time"), json!("generic"), HERMES, 0),
        ("no tools", none, json!("generic"), HERMES, 0),
        ("calls are forbidden", forbidden, json!("generic"), HERMES, 0),
        ("the option is on", declaring("get_weather"), reads, HERMES, 0),
        ("prose about markup", declaring("get_weather"), json!("generic"), prose, 0),
        ("escaped once more", declaring("get_weather"), json!("generic"), &escaped, 0),
    ] {
        for piece in [1, 7, 1000] {
            let (_, stats) = told(request.clone(), &upstream, text, piece, "stop");
            assert_eq!(stats.text_calls, unread, "{what}");
        }
    }
}

/// If the token limit cuts a call, vLLM leaves its opening tag or its beginning in the text.
#[test]
fn a_call_that_the_token_limit_cut_in_the_text_is_lost() {
    let cut = r#"<tool_call>{"name": "get_weather", "arguments": {"ci"#;
    for (text, end, lost) in [
        ("<tool_call>", "length", 1),
        ("Let me see.\n<tool_call>\n", "length", 1),
        (cut, "length", 1),
        ("<function=get_weather>\n<parameter=city>\nPar", "length", 1),
        ("[TOOL_CALLS]get_weather{\"ci", "length", 1),
        ("I would write <tool_call> first, and th", "length", 0),
        (r#"{"name": "get_weather", "arguments": {"ci"#, "length", 1),
        (r#"[{"name": "get_weather", "#, "length", 1),
        (r#"{"type": "function", "function": {"name": "get_weather", "arg"#, "length", 1),
        (r#"{"id": "c1", "tool_name" : "functions.get_weather", "#, "length", 1),
        (r#"{"parameters": {"city": "Paris"}, "function": "get_weather""#, "length", 1),
        (r#"{"name": "get_weather", "arguments": {"ci"#, "stop", 0),
        // Not a call, or none of a declared tool, as far as it goes.
        (r#"{"name": "Par"#, "length", 0),
        (r#"{"name": "get_wea"#, "length", 0),
        (r#"{"type": "function", "function": {"name": "get_time", "arg"#, "length", 0),
        (r#"{"arguments": {"city": "Par"#, "length", 0),
        (r#"{"city": "Paris", "name": "get_weather", "it"#, "length", 0),
        (r#"It is {"name": "get_weather", "arguments": {"ci"#, "length", 0),
        ("<tool_call>", "stop", 0),
        (cut, "stop", 0),
    ] {
        for upstream in [json!("vllm"), json!({"text_tool_calls": true})] {
            let (out, stats) = told(declaring("get_weather"), &upstream, text, 4, end);
            let response = Transcript::of(&out).response().clone();
            let status = if end == "length" { "incomplete" } else { "completed" };
            assert_eq!(
                (response["status"].as_str(), stats.lost_calls),
                (Some(status), lost),
                "{text} {upstream}"
            );
        }
    }
}

/// vLLM may also drop such a call completely.
#[test]
fn a_reply_of_which_the_token_limit_left_nothing_is_incomplete() {
    for stream in [true, false] {
        let mut request = declaring("get_weather");
        request["stream"] = json!(stream);
        let choice = json!({"index": 0, "message": {"content": null}, "finish_reason": "length"});
        let body =
            json!({"choices": [choice], "usage": {"prompt_tokens": 5, "completion_tokens": 9}}).to_string();
        let response =
            if stream { ask(request).received(&[finish("length")]) } else { ask(request).document(&body) };
        assert_eq!(response["status"], "incomplete");
        assert_eq!(response["incomplete_details"]["reason"], "max_output_tokens");
    }
}

/// With the option on, a call that certainly is one does not become text.
#[test]
fn a_call_in_the_text_whose_arguments_cannot_be_read_is_lost_by_name() {
    let damaged = r#"<tool_call>{"name": "get_weather", "arguments": {"city": "\d"}}</tool_call>"#;
    let (out, stats) = told(
        declaring("get_weather"),
        &json!({"text_tool_calls": true}),
        &format!("Look: {damaged}"),
        5,
        "stop",
    );
    let response = Transcript::of(&out).response().clone();
    assert_eq!((response["status"].as_str(), stats.lost_calls), (Some("failed"), 1));
    assert_eq!(response["error"]["code"], "tool_call_lost");
    assert!(response["error"]["message"].as_str().unwrap().contains("'get_weather'"));

    let quoted = format!("Write `{damaged}`.");
    for upstream in [json!({"text_tool_calls": true}), json!("generic")] {
        let (out, stats) = told(declaring("get_weather"), &upstream, &quoted, 5, "stop");
        assert_eq!(Transcript::of(&out).response()["status"], "completed");
        assert_eq!((stats.lost_calls, stats.text_calls), (0, 0));
    }
}

/// The parser of the upstream leaves the call in the text as well.
#[test]
fn a_call_in_the_text_and_in_tool_calls_is_delivered_once() {
    let call = |index: u64, name: &str, arguments: &str| {
        json!({"index": index, "id": format!("c{index}"), "type": "function",
            "function": {"name": name, "arguments": arguments}})
    };
    let part = |arguments: &str| json!({"index": 0, "function": {"arguments": arguments}});
    let same = r#"{"city":"Paris"}"#;
    let twice = format!("{HERMES}\n{HERMES}");
    let time = r#"<tool_call>{"name": "get_time", "arguments": {}}</tool_call>"#;
    for (text, calls, expected) in [
        (HERMES, vec![call(0, "get_weather", same)], vec!["get_weather Paris"]),
        (
            HERMES,
            vec![call(0, "get_weather", ""), part(r#"{"ci"#), part(r#"ty": "Paris"}"#)],
            vec!["get_weather Paris"],
        ),
        (
            HERMES,
            vec![call(0, "get_weather", ""), part(r#"{"city":"#), part(r#" "Rome"}"#)],
            vec!["get_weather Paris", "get_weather Rome"],
        ),
        (
            HERMES,
            vec![call(0, "get_weather", same), call(1, "get_time", "{}"), call(2, "get_weather", same)],
            vec!["get_weather Paris", "get_time ", "get_weather Paris"],
        ),
        (
            twice.as_str(),
            vec![call(0, "get_weather", same), call(1, "get_weather", same)],
            vec!["get_weather Paris", "get_weather Paris"],
        ),
        (HERMES, vec![call(0, "get_time", "{}")], vec!["get_weather Paris", "get_time "]),
        // In another form.
        (HERMES, vec![call(0, "functions.get_weather", same)], vec!["get_weather Paris"]),
        (
            HERMES,
            vec![call(0, "get_", ""), json!({"index": 0, "function": {"name": "weather"}}), part(same)],
            vec!["get_weather Paris"],
        ),
        (HERMES, vec![call(0, "get_weather", r#""{\"city\":\"Paris\"}""#)], vec!["get_weather Paris"]),
        (time, vec![call(0, "get_time", "null")], vec!["get_time "]),
        (time, vec![call(0, "get_time", "")], vec!["get_time "]),
    ] {
        let mut request = declaring("get_weather");
        request["tools"].as_array_mut().unwrap().push(json!({"type": "function", "name": "get_time"}));
        let mut reply = ask(request).upstream(&json!({"text_tool_calls": true})).reply();
        let deltas =
            calls.iter().map(|call| json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}));
        let chunks: Vec<Value> =
            [self::text(text)].into_iter().chain(deltas).chain([finish("tool_calls")]).collect();
        let mut out = Vec::new();
        reply.push(events(&chunks).as_bytes(), &mut out);
        let said = said(Transcript::of(&out).response());
        assert_eq!(
            (said, reply.stats().lost_calls),
            (expected.iter().map(|call| (*call).to_owned()).collect(), 0),
            "{calls:?}"
        );
    }
}

/// The name and the city of each call.
fn said(response: &Value) -> Vec<String> {
    let calls = response["output"].as_array().unwrap().iter().filter(|item| item["type"] == "function_call");
    calls
        .map(|item| {
            let arguments: Value = serde_json::from_str(item["arguments"].as_str().unwrap()).unwrap();
            let name = item["name"].as_str().unwrap();
            format!("{name} {}", arguments["city"].as_str().unwrap_or_default())
        })
        .collect()
}

/// In a stream, the text may come after the calls. A document has no order.
#[test]
fn a_call_in_tool_calls_and_then_in_the_text_is_delivered_once() {
    let call = json!({"index": 0, "id": "c", "function": {"name": "functions.get_weather", "arguments": "{\"city\": \"Paris\"}"}});
    let rome = HERMES.replace("Paris", "Rome");
    for (text, expected) in [
        (HERMES.to_owned(), &["get_weather Paris"][..]),
        (
            format!("{HERMES}\n{rome}\n{HERMES}"),
            &["get_weather Paris", "get_weather Rome", "get_weather Paris"],
        ),
    ] {
        let message = json!({"content": text, "tool_calls": [call]});
        let chunks = [
            json!({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]}),
            self::text(&text),
            finish("tool_calls"),
        ];
        let read = || ask(declaring("get_weather")).upstream(&json!({"text_tool_calls": true}));
        let mut reply = read().reply();
        let mut out = Vec::new();
        reply.push(events(&chunks).as_bytes(), &mut out);
        assert_eq!(said(Transcript::of(&out).response()), expected, "{text}");
        let body = json!({"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]});
        let mut request = declaring("get_weather");
        request["stream"] = json!(false);
        let document = ask(request).upstream(&json!({"text_tool_calls": true})).document(&body.to_string());
        assert_eq!(said(&document).len(), expected.len(), "{text}");
    }
}

/// The text is about a call, if `tool_calls` has one of that tool.
#[test]
fn a_call_in_the_text_that_cannot_be_read_is_not_lost_if_it_is_in_tool_calls() {
    let damaged = r#"<tool_call>{"name": "get_weather", "arguments": {"city": "\d"}}</tool_call>"#;
    let call = |name: &str| {
        json!({"choices": [{"index": 0, "delta": {"tool_calls": [
            {"index": 0, "id": "c", "function": {"name": name, "arguments": "{\"city\": \"Paris\"}"}}]}}]})
    };
    let about = || text(&format!("As in {damaged}, I call it."));
    for (chunks, status, lost) in [
        (vec![about(), call("get_weather")], "completed", 0),
        (vec![about(), call("functions.get_weather")], "completed", 0),
        (vec![call("get_weather"), about()], "completed", 0),
        // The failure comes before the end of the other call.
        (vec![about(), call("get_time")], "failed", 2),
        (vec![about(), text(HERMES)], "failed", 2),
        (vec![about()], "failed", 1),
    ] {
        let mut request = declaring("get_weather");
        request["tools"].as_array_mut().unwrap().push(json!({"type": "function", "name": "get_time"}));
        let mut reply = ask(request).upstream(&json!({"text_tool_calls": true})).reply();
        let chunks: Vec<Value> = chunks.into_iter().chain([finish("tool_calls")]).collect();
        let mut out = Vec::new();
        reply.push(events(&chunks).as_bytes(), &mut out);
        let response = Transcript::of(&out).response().clone();
        assert_eq!(
            (response["status"].as_str(), reply.stats().lost_calls),
            (Some(status), lost),
            "{chunks:?}"
        );
        if status == "completed" {
            let items = response["output"].as_array().unwrap().iter();
            let said: Vec<&str> = items.filter_map(|item| item["content"][0]["text"].as_str()).collect();
            assert!(said.concat().contains(damaged), "{said:?}");
        }
    }
}

/// A model that forgets to end its reasoning, or a parser that takes a call for a part of it.
#[test]
fn a_call_in_reasoning_counts_if_nothing_else_follows() {
    let reasoned = |text: &str| json!({"choices": [{"index": 0, "delta": {"reasoning_content": text}}]});
    let kimi = "<think>hm\n<|tool_calls_section_begin|><|tool_call_begin|>functions.get_weather:0<|tool_call_argument_begin|>{\"city\":\"Paris\"}<|tool_call_end|><|tool_calls_section_end|>";
    let structured = json!({"choices": [{"index": 0, "delta": {"tool_calls": [
        {"index": 0, "id": "c", "function": {"name": "get_weather", "arguments": "{\"city\":\"Rome\"}"}}]}}]});
    let in_field = || reasoned(&format!("I call {HERMES}"));
    let quoted = reasoned(&format!("The form is `{HERMES}`."));
    let rejected = reasoned(&format!("I could send {HERMES} but that is wrong. I stop."));
    let twice = reasoned(&format!("I call {HERMES}\nYes: {HERMES}</tool_calls>\n</think>"));
    let repeated = reasoned(&format!("I call {HERMES}\n{HERMES}"));
    let bare = reasoned("{\"name\": \"get_weather\", \"arguments\": {}}");
    // The chunks, the finish reason, and how many calls arrive with the option, and are counted without it.
    for (chunks, end, delivered, counted) in [
        (vec![in_field()], "stop", 1, 1),
        (vec![in_field()], "tool_calls", 1, 1),
        (vec![in_field(), text(" \n")], "stop", 1, 1),
        (vec![text(kimi)], "stop", 1, 1),
        (vec![in_field(), text("Done.")], "stop", 0, 0),
        (vec![in_field(), structured], "tool_calls", 1, 0),
        (vec![in_field()], "length", 0, 0),
        (vec![quoted], "stop", 0, 0),
        (vec![bare], "stop", 0, 0),
        (vec![rejected], "stop", 0, 0),
        (vec![in_field(), reasoned(" but"), reasoned(" no.")], "stop", 0, 0),
        (vec![in_field(), reasoned("\n</thi"), reasoned("nk>")], "stop", 1, 1),
        (vec![twice], "stop", 1, 1),
        (vec![repeated], "stop", 1, 1),
    ] {
        let chunks: Vec<Value> = chunks.into_iter().chain([finish(end)]).collect();
        for reads in [true, false] {
            let upstream = json!({"text_tool_calls": reads, "think_tags": "on"});
            let mut reply = ask(declaring("get_weather")).upstream(&upstream).reply();
            let mut out = Vec::new();
            reply.push(events(&chunks).as_bytes(), &mut out);
            let stats = reply.stats();
            if reads {
                assert_eq!((stats.calls.len(), stats.text_calls), (delivered, 0), "{chunks:?}");
            } else {
                assert_eq!(stats.text_calls, counted, "{chunks:?}");
            }
        }
    }
}
