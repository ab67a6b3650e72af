use super::*;

/// Body, HTTP status; then the expected status, type, code and a part of the message.
type Row = (&'static str, u16, (u16, &'static str, Option<&'static str>, &'static str));

const BODIES: &[Row] = &[
    (r#"{"error":{"message":"m","type":"t","param":"p","code":"c"}}"#, 400, (400, "t", Some("c"), "m")),
    (r#"{"error":{"message":"m","code":400}}"#, 400, (400, "invalid_request_error", None, "m")),
    (
        r#"{"error":{"code":"1261","message":"m"}}"#,
        400,
        (400, "invalid_request_error", Some("context_length_exceeded"), "m"),
    ),
    (
        r#"{"object":"error","message":"m","type":"BadRequestError","code":400}"#,
        400,
        (400, "BadRequestError", None, "m"),
    ),
    (r#"{"error":"m","error_type":"overloaded"}"#, 429, (429, "overloaded", Some("slow_down"), "m")),
    (r#"{"error":"m"}"#, 500, (500, "server_error", None, "m")),
    (r#"{"detail":"Not Found"}"#, 404, (404, "not_found_error", None, "Not Found")),
    (r#"{"detail":[{"loc":["body","x"],"msg":"m","type":"missing"}]}"#, 422, (422, "missing", None, "m")),
    (
        r#"[{"error":{"code":404,"message":"models/x is not found","status":"NOT_FOUND"}}]"#,
        404,
        (404, "not_found_error", Some("model_not_found"), "models/x"),
    ),
    (r#"[{"loc":["a"],"msg":"m","type":"t"}]"#, 400, (400, "t", None, "m")),
    (r#"{"message":{"detail":[{"msg":"m"}]}}"#, 422, (422, "invalid_request_error", None, "m")),
    (
        r#"{"type":"error","error":{"type":"bad","http_code":"400","message":"m"}}"#,
        400,
        (400, "bad", None, "m"),
    ),
    (
        r#"{"errors":[{"code":3040,"message":"Capacity temporarily exceeded"}],"success":false}"#,
        429,
        (429, "rate_limit_error", Some("slow_down"), "Capacity"),
    ),
    (
        r#"{"base_resp":{"status_code":1008,"status_msg":"insufficient balance"}}"#,
        200,
        (200, "server_error", Some("insufficient_quota"), "insufficient"),
    ),
    (
        r#"{"error":{"message":"Provider returned error","code":400,"metadata":{"raw":"{"error":"prompt is too long"}"}}}"#,
        400,
        (400, "invalid_request_error", Some("context_length_exceeded"), "too long"),
    ),
    (r#"{"error_type":"t","error_message":"m"}"#, 400, (400, "t", None, "m")),
    (
        r#"{"statusCode":429,"message":"Rate limit is exceeded. Try again in 6 seconds."}"#,
        429,
        (429, "rate_limit_error", Some("rate_limit_exceeded"), "in 6 seconds"),
    ),
    (r#"{"fault":{"faultstring":"m","detail":{"errorcode":"x"}}}"#, 500, (500, "server_error", None, "m")),
    (r#"{"type":"about:blank","title":"m","status":503}"#, 503, (503, "about:blank", None, "m")),
    ("Failed to deserialize the JSON body", 422, (422, "invalid_request_error", None, "deserialize")),
    ("<html><head><title>502 Bad Gateway</title>", 502, (502, "server_error", None, "502 Bad Gateway")),
    ("", 503, (503, "server_error", None, "503 without a message")),
    ("{}", 500, (500, "server_error", None, "{}")),
    ("null", 500, (500, "server_error", None, "null")),
    ("[]", 500, (500, "server_error", None, "[]")),
    (
        r#"{"error":{"message":"","code":""}}"#,
        402,
        (402, "invalid_request_error", Some("insufficient_quota"), "error"),
    ),
    (
        r#"{"error":{"message":"Too many tokens, please wait"}}"#,
        429,
        (429, "rate_limit_error", Some("rate_limit_exceeded"), "wait"),
    ),
    (
        r#"{"error":{"message":"Loading model","type":"unavailable_error","code":503}}"#,
        503,
        (503, "unavailable_error", Some("slow_down"), "Loading"),
    ),
    (
        r#"{"error":{"message":"model 'x' not found, try pulling it first"}}"#,
        404,
        (404, "not_found_error", Some("model_not_found"), "pulling"),
    ),
    (
        r#"{"error":{"message":"No endpoints found for x/y.","code":404}}"#,
        404,
        (404, "not_found_error", Some("model_not_found"), "x/y"),
    ),
    (
        r#"{"error":{"message":"Invalid request: Your request exceeded model token limit: 8192","type":"invalid_request_error"}}"#,
        400,
        (400, "invalid_request_error", Some("context_length_exceeded"), "8192"),
    ),
    (
        r#"{"error":"Trying to keep the first 5196 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough."}"#,
        400,
        (400, "invalid_request_error", Some("context_length_exceeded"), "4096"),
    ),
];

#[test]
fn errors_are_read_in_every_known_shape() {
    for (body, status, (expected, kind, code, message)) in BODIES {
        let error = of_body(*status, body.as_bytes());
        assert_eq!((error.status, &*error.kind, error.code.as_deref()), (*expected, *kind, *code), "{body}");
        assert!(error.message.contains(message), "{body}: {}", error.message);
    }
}

#[test]
fn errors_with_a_successful_status_are_recognised() {
    for (json, status) in [
        (r#"{"object":"error","message":"m","code":400}"#, Some(400)),
        (r#"{"type":"error","error":{"http_code":"429","message":"m"}}"#, Some(429)),
        (r#"{"detail":"m"}"#, Some(502)),
        (r#"{"success":false,"errors":[]}"#, Some(502)),
        (r#"{"base_resp":{"status_code":1004,"status_msg":"m"}}"#, Some(502)),
        (r#"{"status":"fail","message":"m"}"#, Some(502)),
        (r#"{"statusCode":401,"message":"m"}"#, Some(401)),
        (r#"{"code":"InvalidParameter","message":"m"}"#, Some(502)),
        (r#"{"base_resp":{"status_code":0}}"#, None),
        (r#"{"code":0,"message":"success"}"#, None),
        (r#"{"code":"Success","message":"","status":200}"#, None),
        (r#"{"success":true,"errors":[],"result":{}}"#, None),
        (r#"{"object":"chat.completion","error":[]}"#, None),
        (r#"{"id":"x","object":"chat.completion.chunk","error":null,"detail":null}"#, None),
    ] {
        let value = serde_json::from_str(json).unwrap();
        assert_eq!(is_error(&value).then(|| in_reply(&value).status), status, "{json}");
    }
}

#[test]
fn failed_responses_have_a_code_of_the_closed_set() {
    for (json, code) in [
        (r#"{"error":{"message":"m","code":429}}"#, "rate_limit_exceeded"),
        (r#"{"error":{"message":"m","code":400}}"#, "invalid_prompt"),
        (r#"{"error":{"message":"m","code":"tool_use_failed"}}"#, "server_error"),
        (r#"{"error":{"message":"maximum context length is 1","code":400}}"#, "context_length_exceeded"),
        (r#"{"error":{"message":"Overloaded","code":503}}"#, "slow_down"),
        (r#"{"error":"m"}"#, "server_error"),
    ] {
        assert_eq!(response_code(&in_reply(&serde_json::from_str(json).unwrap())), code, "{json}");
    }
}

#[test]
fn a_long_message_is_cut_between_characters() {
    let error = of_body(500, "ü".repeat(MESSAGE_CHARS + 1).as_bytes());
    assert_eq!(error.message.chars().count(), MESSAGE_CHARS + 1);
    assert!(error.message.ends_with("ü…"));
}
