//! `examples/translate` as a program: its exit code, and what it prints where.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use support::example;
use tempfile::TempDir;

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

fn translate(words: &[&str], input: &str) -> Run {
    let mut command = Command::new(example("translate"));
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It does not read its input if the command line is wrong.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

const USAGE: &str = "usage: translate request|stream|reply";

#[test]
fn a_request_comes_with_what_was_dropped_and_repaired() {
    let request =
        r#"{"model": "m", "input": "Hi", "tools": [{"type": "web_search"}], "reasoning": {"effort": "low"}}"#;
    let run = translate(&["request"], request);
    assert_eq!(run.code, Some(0));
    assert_eq!(run.out, "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}\n");
    assert_eq!(run.err, "dropped: tool:web_search,field:reasoning.effort\n");

    let files = TempDir::new().unwrap();
    let config = files.path().join("plugin.json");
    fs::write(&config, r#"{"history": "repair"}"#).unwrap();
    let input = r#"[{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "message", "role": "user", "content": "Go on."}]"#;
    let request = format!(r#"{{"model": "m", "input": {input}}}"#);
    let run = translate(&["request", "--config", config.to_str().unwrap()], &request);
    assert_eq!((run.code, run.err.as_str()), (Some(0), "repaired: tool_call:f\n"));
}

#[test]
fn every_document_ends_its_line() {
    let files = TempDir::new().unwrap();
    let request = files.path().join("request.json");
    let reply = ["reply", "--request", request.to_str().unwrap()];
    let stream = ["stream", "--request", request.to_str().unwrap()];
    let whole = r#"{"choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}]}"#;

    fs::write(&request, r#"{"model": "m", "input": "Hi"}"#).unwrap();
    let run = translate(&reply, whole);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    assert!(run.out.ends_with("}\n") && run.out.contains("Hello."), "{}", run.out);
    let run = translate(&[&reply[..], &["--status", "429"]].concat(), r#"{"error": {"message": "Busy."}}"#);
    assert!(run.code == Some(1) && run.out.ends_with("}\n") && run.out.contains("Busy."), "{}", run.out);

    fs::write(&request, r#"{"model": "m", "input": "Hi", "stream": true}"#).unwrap();
    let chunk = r#"{"choices": [{"delta": {"content": "Hello."}, "finish_reason": "stop"}]}"#;
    let run = translate(&stream, &format!("data: {chunk}\n\ndata: [DONE]\n\n"));
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
    assert!(run.out.ends_with("\n\n") && !run.out.ends_with("\n\n\n"), "{:?}", run.out);

    let run = translate(&["request"], "[]");
    assert!(run.code == Some(1) && run.out.starts_with(r#"{"error":"#) && run.out.ends_with("}\n"));
}

/// The usage is for a wrong command line alone.
#[test]
fn an_error_names_its_file() {
    let files = TempDir::new().unwrap();
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let typos = file("typos.json", "{\n  \"upstream\": {\"sytem\": \"keep\"},\n  \"historie\": 1\n}\n");
    let run = translate(&["request", "--config", &typos], "{}");
    let expected = format!(
        "{typos}: upstream.sytem (line 2, column 16): unknown key `sytem`, did you mean `system`?\n\
         {typos}: historie (line 3, column 3): unknown key `historie`, did you mean `history`?\n"
    );
    assert_eq!((run.code, run.out.as_str(), run.err), (Some(1), "", expected));

    for (words, name) in
        [(["request", "--config"], "no/config.json"), (["reply", "--request"], "no/request.json")]
    {
        let run = translate(&[&words[..], &[name]].concat(), "{}");
        assert_eq!((run.code, run.out.as_str()), (Some(1), ""));
        assert!(run.err.starts_with(&format!("{name}: No such file")), "{}", run.err);
        assert!(!run.err.contains(USAGE), "{}", run.err);
    }
    for wrong in
        [&[][..], &["reply"], &["requests"], &["request", "--status", "many"], &["request", "--conf", "c"]]
    {
        let run = translate(wrong, "{}");
        assert_eq!((run.code, run.out.as_str()), (Some(1), ""), "{wrong:?}");
        assert!(run.err.starts_with(USAGE), "{wrong:?}: {}", run.err);
    }
    for words in [&["--help"][..], &["request", "--help"]] {
        let run = translate(words, "");
        assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
        assert!(run.out.starts_with(USAGE));
    }
}
