//! Deltas, and the items that they become.

use super::*;
use crate::json::RawJson;
use crate::response::delta::CallFormat;
use serde_json::Value;

fn reasoning(text: &str) -> Delta<'static> {
    Delta::Reasoning(JsonStr::new(text))
}

fn text(text: &str) -> Delta<'static> {
    Delta::Content { kind: ContentKind::Text, text: JsonStr::new(text), logprobs: &[] }
}

fn refusal(text: &str) -> Delta<'static> {
    Delta::Content { kind: ContentKind::Refusal, text: JsonStr::new(text), logprobs: &[] }
}

/// A fragment of the call with this number. Its arguments are complete if the fragment ends with a bracket.
fn call(number: usize, arguments: &str) -> Delta<'static> {
    fragment(number, arguments, CallFormat::Json { complete: arguments.ends_with('}') })
}

/// The same, but its arguments are `{}` unless others follow.
fn placeholder(number: usize) -> Delta<'static> {
    fragment(number, "", CallFormat::Placeholder)
}

fn fragment(number: usize, arguments: &str, format: CallFormat) -> Delta<'static> {
    Delta::Call(Box::leak(Box::new(CallDelta {
        call: number,
        id: "id",
        name: "f",
        label_bytes: 3,
        arguments: JsonStr::new(arguments),
        format,
        extra: None,
    })))
}

fn citation(url: &str) -> Delta<'static> {
    let citation = serde_json::json!({"type": "url_citation", "url": url});
    Delta::Citation(RawJson::new(&citation))
}

/// The items of a complete reply with these deltas, one line each, then what was dropped; or the failure.
fn items(parallel_calls: bool, deltas: impl IntoIterator<Item = Delta<'static>>) -> Vec<String> {
    let rules = ItemRules {
        toolbox: Default::default(),
        parallel_calls,
        is_codex: false,
        encrypted_reasoning: false,
    };
    let replay = crate::upstream::Options::default().reasoning_replay;
    let (budget, writer) = (Budget::new(1000), EventWriter::new(1, false));
    let mut sequencer = ItemSequencer::new(rules, CallIds::default(), replay, budget, writer);
    let result = deltas
        .into_iter()
        .try_for_each(|delta| sequencer.delta(delta))
        .and_then(|()| sequencer.check_calls())
        .and_then(|()| sequencer.complete());
    match result {
        Ok(()) => {}
        Err(Failure::Incomplete(reason)) => return vec![format!("incomplete: {reason}")],
        Err(Failure::Failed(error)) => return vec![error.message],
    }
    sequencer.report_surplus_calls();
    let lines = sequencer.writer.items().iter().map(|item| line(&serde_json::from_str(item.get()).unwrap()));
    lines.chain(sequencer.writer.report().all_dropped().to_vec()).collect()
}

fn line(item: &Value) -> String {
    let parts = item["summary"].as_array().or(item["content"].as_array()).into_iter().flatten();
    let texts = parts.map(|part| {
        let text = part["text"].as_str().or(part["refusal"].as_str()).unwrap();
        let citations = part["annotations"].as_array().into_iter().flatten();
        citations
            .fold(text.to_owned(), |text, citation| format!("{text} [{}]", citation["url"].as_str().unwrap()))
    });
    let arguments = item["arguments"].as_str().map(str::to_owned);
    let content: Vec<String> = texts.chain(arguments).collect();
    format!("{} {}", item["type"].as_str().unwrap(), content.join(" | "))
}

const NO_OBJECT: &str = "The upstream's call of tool 'f' (id 'id') cannot be delivered: its arguments are not a JSON \
                         object, which a function_call requires.";

#[test]
fn deltas_become_items() {
    let table: [(&str, Vec<Delta<'static>>, &[&str]); 29] = [
        (
            "reasoning, text and a call",
            vec![reasoning("t"), text("a"), text("b"), call(0, ""), call(0, "{}")],
            &["reasoning t", "message ab", "function_call {}"],
        ),
        ("text and a refusal are parts of one message", vec![text("a"), refusal("b")], &["message a | b"]),
        (
            "the message ends before more text",
            vec![text("a"), Delta::EndOfMessage, text("b")],
            &["message a", "message b"],
        ),
        (
            "fragments of two calls are mixed up",
            vec![call(0, "{"), call(1, "{}"), call(0, "}")],
            &["function_call {}", "function_call {}"],
        ),
        (
            "text, reasoning and text wait for the open call",
            vec![call(0, "{"), text("a"), text("b"), reasoning("t"), text("c"), call(0, "}")],
            &["function_call {}", "message ab", "reasoning t", "message c"],
        ),
        (
            "a placeholder, then the arguments",
            vec![placeholder(0), text("\n"), call(0, "{}")],
            &["function_call {}"],
        ),
        (
            "two placeholders, then their arguments",
            vec![placeholder(0), placeholder(1), call(0, "{0}"), call(1, "{1}")],
            &["function_call {0}", "function_call {1}"],
        ),
        (
            "a placeholder, then the arguments of another call",
            vec![placeholder(0), call(1, "{1}")],
            &["function_call {}", "function_call {1}"],
        ),
        (
            "two placeholders, then text",
            vec![placeholder(0), placeholder(1), text("a")],
            &["function_call {}", "function_call {}", "message a"],
        ),
        (
            "arguments encoded twice, in pieces",
            vec![call(0, r#""{\"q"#), call(0, r#"\":1}""#)],
            &[r#"function_call {"q":1}"#],
        ),
        ("null for arguments", vec![call(0, "nu"), call(0, "ll")], &["function_call {}"]),
        ("a string that holds no object", vec![text("a"), call(0, r#""null""#)], &[NO_OBJECT]),
        ("a number", vec![call(0, "4"), call(0, "2")], &[NO_OBJECT]),
        ("a word of JSON", vec![call(0, "true")], &[NO_OBJECT]),
        ("a list", vec![fragment(0, "[{}]", CallFormat::Json { complete: true }), text("a")], &[NO_OBJECT]),
        ("no JSON", vec![call(0, "city=Paris")], &[NO_OBJECT]),
        ("white space", vec![call(0, "\n "), call(0, "\t")], &["function_call {}"]),
        ("white space before an object", vec![call(0, "\n "), call(0, "{}")], &["function_call \n {}"]),
        ("a broken object, which is the model's mistake", vec![call(0, "{'q'}")], &["function_call {'q'}"]),
        (
            "arguments encoded twice that were cut",
            vec![text("a"), call(0, r#""{\"q"#)],
            &["incomplete: max_output_tokens"],
        ),
        ("a call without arguments", vec![call(0, "")], &["function_call {}"]),
        ("white space alone is no message", vec![text(" "), text("\n")], &[]),
        ("white space before text belongs to it", vec![text("\n"), text("a")], &["message \na"]),
        (
            "white space between calls is dropped",
            vec![call(0, "{}"), text("\n"), call(1, "{}"), text("a")],
            &["function_call {}", "function_call {}", "message a"],
        ),
        (
            "white space within reasoning does not end it",
            vec![reasoning("t"), text("\n"), reasoning("u"), text("a")],
            &["reasoning tu", "message \na"],
        ),
        (
            "citations belong to the open message or to the next",
            vec![citation("x"), reasoning("t"), text("a"), citation("y")],
            &["reasoning t", "message a [x] [y]"],
        ),
        (
            "a citation without text",
            vec![text("a"), call(0, "{}"), citation("x")],
            &["message a", "function_call {}", "annotation:url_citation"],
        ),
        (
            "arguments after the call was delivered",
            vec![call(0, "{}"), text("a"), call(0, " "), call(0, "{}")],
            &[
                "The upstream's call of tool 'f' (id 'id') cannot be delivered: more arguments came after they were complete.",
            ],
        ),
        ("arguments that were cut", vec![text("a"), call(0, "{")], &["incomplete: max_output_tokens"]),
    ];
    for (what, deltas, expected) in table {
        assert_eq!(items(true, deltas), expected, "{what}");
    }
}

#[test]
fn only_the_first_call_counts_if_the_client_wants_one_at_a_time() {
    let deltas = [call(0, "{}"), call(1, "{}"), text("a")];
    assert_eq!(items(false, deltas), ["function_call {}", "message a", "tool_call:f"]);
}

#[test]
fn what_is_kept_has_a_limit() {
    let failure = items(true, [text(&"a".repeat(900)), text(&"b".repeat(101))]);
    assert_eq!(failure, ["The upstream's reply is larger than 1000 bytes."]);
}
