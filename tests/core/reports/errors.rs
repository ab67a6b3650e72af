//! Errors in different words and forms: with an error status, in a document with status 200, and in a stream.

use super::judge::Outcome;
use super::outcome;
use crate::support::*;
use serde_json::{Value, json};

const LIMITED: u16 = 429;

fn error(upstream: &str, status: u16, stream: bool) -> Value {
    let translated = ask(json!({"input": "Hi", "stream": stream})).translate().unwrap();
    let upstream = if stream { format!("data: {upstream}\n\ndata: [DONE]\n\n") } else { upstream.to_owned() };
    match outcome(translated, status, upstream.as_bytes()) {
        Outcome::Error(error) => json!({"code": error.code, "message": error.message}),
        Outcome::Response(response) => match &response["error"] {
            Value::Null => Value::Null,
            error => json!({"code": error["code"], "message": error["message"]}),
        },
        Outcome::Sent(_) => Value::Null,
    }
}

#[test]
fn a_conversation_that_is_too_long_is_recognized_in_the_words_of_many_upstreams() {
    for message in [
        "This model's maximum prompt length is 131072 but the request contains 140001 tokens.",
        "prompt token count of 391491 exceeds the limit of 128000",
        "tokens to keep from the initial prompt is greater than the context length",
        "Prompt exceeds max length",
        "exceeds the maximum allowed input length of 202,752 tokens",
        "This model's maximum context length is 8192 tokens.",
        "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
        "Input validation error: `inputs` must have less than 4096 tokens. Given: 5000",
        "Prompt length (1540) exceeds maximum input length (1024). Set log level to info",
        "Requested tokens (5000) exceed context window of 4096",
        "prompt is too long: 210000 tokens > 200000 maximum",
        "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).",
        "Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192",
        "Prompt contains 140000 tokens, too large for model with 131072 maximum context length",
        "Input is too long for requested model.",
        "the input length exceeds the context length",
        "Range of input length should be [1, 98304]",
        "too many tokens: total number of tokens in the prompt cannot exceed 4081",
        "invalid params, context window exceeds limit (2013)",
        "Input tokens exceed the configured limit of 272000 tokens.",
    ] {
        let body = json!({"error": {"message": message}}).to_string();
        for (status, stream) in [(400, false), (200, false), (200, true)] {
            let expected = json!({"code": "context_length_exceeded", "message": message});
            assert_eq!(error(&body, status, stream), expected, "{status} {stream}");
        }
    }
    let copilot = r#"{"error":{"message":"too long","code":"model_max_prompt_tokens_exceeded"}}"#;
    assert_eq!(error(copilot, 400, false)["code"], "context_length_exceeded");
}

#[test]
fn other_limits_are_not_taken_for_a_conversation_that_is_too_long() {
    for message in [
        "max_tokens is too large: 200000. This model supports at most 128000 completion tokens.",
        "Invalid 'tools': array too long. Expected an array with maximum length 128.",
        "The name exceeds the limit of 64 characters.",
        "Limit 30000, Used 29000 tokens per minute (TPM)",
    ] {
        let body = json!({"error": {"message": message}}).to_string();
        assert_ne!(error(&body, 400, false)["code"], "context_length_exceeded", "{message}");
    }
    let per_minute = r#"{"error":{"message":"Prompt token count of 9000 is too many per minute"}}"#;
    assert_eq!(error(per_minute, LIMITED, false)["code"], "rate_limit_exceeded");
}

#[test]
fn errors_in_other_shapes_arrive_in_the_words_of_the_upstream() {
    for (body, code) in [
        (r#"{"code":429,"msg":"too many"}"#, "rate_limit_exceeded"),
        (r#"{"code":"Throttling","msg":"too many"}"#, "server_error"),
        (r#"{"error_code":336100,"error_msg":"too many"}"#, "server_error"),
        (r#"{"error_code":42901,"message":"too many"}"#, "rate_limit_exceeded"),
        (r#"{"text":"too many","error_code":50002}"#, "server_error"),
        (r#"{"text":"too many","error_code":42903}"#, "slow_down"),
        (r#"{"error":"invalid_request","error_description":"too many"}"#, "server_error"),
        (r#"{"error":"too many","error_type":"overloaded","status_code":429}"#, "slow_down"),
        (r#"{"errorCode":"E1","errorMessage":"too many"}"#, "server_error"),
        (r#"{"choices":[],"code":429,"message":"too many"}"#, "rate_limit_exceeded"),
    ] {
        let in_stream = error(body, 200, true);
        assert_eq!((&in_stream["code"], &in_stream["message"]), (&json!(code), &json!("too many")), "{body}");
        for status in [200, 400] {
            assert_eq!(error(body, status, false)["message"], "too many", "{body}");
        }
    }
    let oauth = r#"{"error":"invalid_token","error_description":"expired"}"#;
    assert_eq!(error(oauth, 401, false), json!({"code": "invalid_token", "message": "expired"}));
}

/// Some servers also have a code for success.
#[test]
fn a_code_of_success_is_no_error() {
    let delta = r#"{"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}]"#;
    for rest in [
        r#","code":0,"msg":"success"}"#,
        r#","error_code":0,"text":"x"}"#,
        r#","code":200,"message":"ok"}"#,
        r#","error":[]}"#,
    ] {
        assert_eq!(error(&format!("{delta}{rest}"), 200, true), Value::Null, "{rest}");
    }
}

#[test]
fn a_limit_that_passes_is_no_exhausted_quota() {
    let exceeded = "You exceeded your current quota, please check your plan and billing details.";
    for (message, code) in [
        (exceeded.to_owned(), "insufficient_quota"),
        (format!("{exceeded} Please retry in 34.07s."), "rate_limit_exceeded"),
        (format!("{exceeded} Try again later."), "insufficient_quota"),
    ] {
        let body = json!([{"error": {"code": 429, "message": message, "status": "RESOURCE_EXHAUSTED"}}]);
        assert_eq!(error(&body.to_string(), LIMITED, false)["code"], code, "{message}");
    }
}

/// transformers writes the message of an exception between quotes as it is.
#[test]
fn an_error_whose_message_is_not_escaped_arrives_in_the_words_of_the_upstream() {
    for (written, words) in [
        (r#"{"error": "No tool "f" is known"}"#, r#"No tool "f" is known"#),
        (r#"{"error": "Cannot read "tool_calls": NaN"}"#, r#"Cannot read "tool_calls": NaN"#),
        (r#" { "error" : "a \x"}  "#, r"a \x"),
        // The rest of the message is no line of data.
        ("{\"error\": \"Cannot read \"f\"\nIt has no end\"}", "Cannot read \"f\""),
    ] {
        let said = error(written, 200, true);
        assert_eq!(said["message"], words, "{written}");
    }
    assert_eq!(
        error(r#"{"error": "No tool "f" is known"}"#, 200, false)["message"],
        r#"No tool "f" is known"#
    );
    let long = format!(r#"{{"error": "an "x" {}"}}"#, "y".repeat(5000));
    assert!(error(&long, 200, true)["message"].as_str().unwrap().chars().count() <= 2001);
}

/// A chunk that cannot be read and is no error.
#[test]
fn other_chunks_that_are_not_escaped_are_no_errors() {
    for written in
        [r#"{"errors": "a "b""}"#, r#"{"x": {"error": "a "b""}}"#, r#"{"error": {"message": "a "b""}}"#]
    {
        assert!(!error(written, 200, true)["message"].as_str().unwrap().contains('b'), "{written}");
    }
}
