//! Upstreams that close connections.

use super::advice;
use super::findings::Findings;
use super::upstream::Upstream;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

const OK: &str =
    r#"{"choices": [{"message": {"role": "assistant", "content": "ok"}, "finish_reason": "stop"}]}"#;

/// What the server does with a request.
enum Act {
    /// It answers and keeps the connection.
    Answer(u16),
    /// It answers with the number of tokens in the request.
    Count,
    /// It answers, and says how many tokens the request had.
    Prompt(u64),
    /// It replies as if it kept the connection open, and closes it.
    AnswerAndClose(u16),
    /// It closes the connection without an answer.
    HangUp,
}

/// A server that handles one connection after the other. `act` chooses by the number of the request, and its first line
/// and body.
fn serve(act: impl Fn(usize, &str) -> Act + Send + 'static) -> Upstream {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut count = 0;
        for connection in listener.incoming() {
            let mut reader = BufReader::new(connection.unwrap());
            while let Some(body) = read_request(&mut reader) {
                count += 1;
                match act(count, &body) {
                    Act::Answer(status) => answer(reader.get_mut(), status, OK),
                    Act::Count => answer(reader.get_mut(), 200, r#"{"count": 9, "tokens": []}"#),
                    Act::Prompt(tokens) => {
                        let usage = format!(r#"{{"usage": {{"prompt_tokens": {tokens}}}, {}"#, &OK[1..]);
                        answer(reader.get_mut(), 200, &usage);
                    }
                    Act::AnswerAndClose(status) => {
                        answer(reader.get_mut(), status, OK);
                        break;
                    }
                    Act::HangUp => break,
                }
            }
        }
    });
    Upstream::new(&format!("http://{address}/v1"), "m", None).unwrap()
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let (mut length, mut first) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|&bytes| bytes > 0)?;
        if first.is_empty() {
            first.clone_from(&line);
        }
        match line.trim().to_ascii_lowercase().split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap(),
            None if line.trim().is_empty() => break,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(first + &String::from_utf8(body).ok()?)
}

fn answer(stream: &mut TcpStream, status: u16, good: &str) {
    let body = if status == 200 { good } else { "Internal Server Error" };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
    .unwrap();
}

#[test]
fn a_connection_that_closed_after_a_500_does_not_fail_the_next_question() {
    let upstream = serve(|count, _| if count == 1 { Act::AnswerAndClose(500) } else { Act::Answer(200) });
    assert_eq!(upstream.send(b"{}").unwrap().status, 500);
    assert_eq!(upstream.send(b"{}").unwrap().status, 200);
}

#[test]
fn a_question_without_an_answer_is_asked_once_more() {
    let upstream = serve(|count, _| if count == 1 { Act::HangUp } else { Act::Answer(200) });
    assert_eq!(upstream.send(b"{}").unwrap().status, 200);
    let upstream = serve(|_, _| Act::HangUp);
    assert!(upstream.send(b"{}").is_err());
}

#[test]
fn the_configuration_is_printed_without_some_answers() {
    let upstream = serve(|_, body| if body.contains("logprobs") { Act::HangUp } else { Act::Answer(200) });
    let findings = Findings::ask(&upstream, false).unwrap();
    assert_eq!(findings.unanswered, ["accepts logprobs"]);
    let config = advice::config(&findings, upstream.path());
    assert_eq!(config["upstream"]["sampling"], serde_json::json!(["temperature", "top_p"]));
}

#[test]
fn the_configuration_is_printed_if_no_past_call_is_answered() {
    let upstream =
        serve(|_, body| if body.contains("tool_call_id") { Act::HangUp } else { Act::Answer(200) });
    let findings = Findings::ask(&upstream, false).unwrap();
    assert!(findings.unanswered.contains(&"accepts a past tool call"), "{:?}", findings.unanswered);
    assert!(advice::config(&findings, upstream.path())["upstream"].is_object());
}

/// The prompt is shorter by the call that the upstream loses.
#[test]
fn a_call_that_is_lost_beside_text_is_noticed() {
    let advised = |prompt: fn(&str) -> u64| {
        let upstream = serve(move |_, body| Act::Prompt(prompt(body)));
        let config = advice::config(&Findings::ask(&upstream, false).unwrap(), upstream.path());
        config["upstream"].get("assistant_content_with_calls").cloned()
    };
    assert_eq!(advised(|_| 40), None);
    assert_eq!(advised(|body| if body.contains(r#""Ok.""#) { 42 } else { 40 }), None);
    let separate = Some(serde_json::json!("separate"));
    assert_eq!(advised(|body| if body.contains(r#""Ok.""#) { 24 } else { 40 }), separate);
}

#[test]
fn the_endpoint_that_counts_tokens_is_found() {
    for path in ["/v1/chat/completions/input_tokens", "/tokenize"] {
        let line = format!("POST {path} ");
        let upstream =
            serve(move |_, request| if request.starts_with(&line) { Act::Count } else { Act::Answer(200) });
        let findings = Findings::ask(&upstream, false).unwrap();
        let config = advice::config(&findings, upstream.path());
        assert_eq!(config["upstream"]["input_tokens_path"], path);
    }
    let upstream = serve(|_, _| Act::Answer(200));
    let config = advice::config(&Findings::ask(&upstream, false).unwrap(), upstream.path());
    assert!(config["upstream"].get("input_tokens_path").is_none());
}
