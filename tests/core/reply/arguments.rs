//! Arguments that are not an object, in streams and documents.

use crate::support::*;
use serde_json::{Value, json};

/// The response to a call of `f` with these arguments, in a stream of two pieces or in a document.
fn called(tool: Value, arguments: &str, stream: bool) -> Value {
    let asked = ask(json!({"input": "hi", "stream": stream, "tools": [tool]}));
    let part = |index, name: &str, arguments: &str| json!({"index": index, "id": "c", "function": {"name": name, "arguments": arguments}});
    if !stream {
        let message = json!({"tool_calls": [part(0, "f", arguments)]});
        let choice = json!({"message": message, "finish_reason": "tool_calls"});
        return asked.document(&json!({"choices": [choice]}).to_string());
    }
    let (head, tail) = arguments.split_at(1);
    let pieces =
        [("f", head), ("", tail)].map(|(name, piece)| delta(json!({"tool_calls": [part(0, name, piece)]})));
    asked.received(&[pieces.as_slice(), &[finish("tool_calls")]].concat())
}

/// vLLM sends such a string under `parallel_tool_calls: false`. No client can read it.
#[test]
fn a_function_call_without_an_object_fails_and_is_named() {
    for arguments in [r#""ls -l""#, r#""null""#, "42", "true", r#"["ls"]"#, "[]", "ls -l"] {
        for stream in [true, false] {
            let got = called(function("f"), arguments, stream);
            assert_eq!(got["status"], "failed", "{arguments}: {got}");
            assert_eq!(got["error"]["code"], "tool_call_lost", "{arguments}");
            assert!(got["error"]["message"].as_str().unwrap().contains("tool 'f' (id 'c')"), "{got}");
            assert_eq!(got["output"], json!([]), "{arguments}");
        }
    }
}

/// A call that no client could tell from another is lost too.
#[test]
fn a_call_whose_name_is_blank_is_lost() {
    for name in ["", " ", "\n"] {
        let call = json!({"index": 0, "id": "c", "function": {"name": name, "arguments": r#"{"q":1}"#}});
        let chunks = [delta(json!({"tool_calls": [call]})), finish("tool_calls")];
        let got = ask(json!({"input": "hi", "stream": true, "tools": [function("f")]})).received(&chunks);
        assert_eq!(got["error"]["code"], "tool_call_lost", "{name:?}: {got}");
        assert_eq!(got["output"], json!([]), "{name:?}");
    }
}

#[test]
fn arguments_that_mean_an_object_are_that_object() {
    for (arguments, meant) in
        [("null", "{}"), ("\n ", "{}"), (r#""{\"q\":1}""#, r#"{"q":1}"#), ("{'q': 1}", "{'q': 1}")]
    {
        for stream in [true, false] {
            let got = called(function("f"), arguments, stream);
            assert_eq!(got["output"][0]["arguments"], meant, "{arguments}: {got}");
            assert_eq!(got["output"][0]["status"], "completed", "{arguments}");
        }
    }
}

/// A custom tool takes any text, so its input must arrive in whatever form it was written.
#[test]
fn the_input_of_a_custom_tool_may_be_anything() {
    for (arguments, input) in [
        (r#""ls -l""#, "ls -l"),
        (r#""{\"input\":\"ls\"}""#, "ls"),
        (r#""null""#, "null"),
        ("42", "42"),
        ("true", "true"),
        (r#"["ls"]"#, r#"["ls"]"#),
        ("ls -l", "ls -l"),
    ] {
        for stream in [true, false] {
            let got = called(json!({"type": "custom", "name": "f"}), arguments, stream);
            assert_eq!(got["output"][0]["input"], input, "{arguments}: {got}");
            assert_eq!(got["metadata"]["x-transponder-repaired"], "arguments:f", "{arguments}");
        }
    }
}

/// The first piece of a name may be the name of another tool, also if other calls begin before the rest arrives.
#[test]
fn names_that_arrive_in_turns_are_complete_before_their_call_opens() {
    let tools = json!([function("look_up"), function("look_up_all"), function("find")]);
    let asked = ask(json!({"input": "hi", "stream": true, "tools": tools}));
    let response = asked.received(&[
        call(0, "a", "look_up", ""),
        call(1, "b", "fi", ""),
        call(0, "", "_all", "{}"),
        call(1, "", "nd", "{}"),
        finish("tool_calls"),
    ]);
    let names: Vec<_> = response["output"].as_array().unwrap().iter().map(|item| &item["name"]).collect();
    assert_eq!(names, ["look_up_all", "find"]);
}
