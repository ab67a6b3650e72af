//! What came down goes up again as the model said it.

use super::*;
use proptest::prelude::*;

/// What the client gets for one call that the upstream makes, sent back as history.
fn sent_back(tool: &Value, arguments: &str) -> (Value, Value) {
    let fields = json!({"input": "hi", "tools": [tool]});
    let request = with_model(fields);
    let first = translate(&json!({}), &request.to_string()).unwrap();
    let offered: Value = serde_json::from_slice(&first.body).unwrap();
    let name = &offered["tools"][0]["function"]["name"];
    let function = json!({"name": name, "arguments": arguments});
    let completion = json!({"choices": [{"message": {"tool_calls": [{"id": "a", "type": "function", "function": function}]}, "finish_reason": "tool_calls"}]});
    let mut reply = first.reply;
    let mut out = Vec::new();
    reply.begin(200);
    reply.push(completion.to_string().as_bytes(), &mut out);
    reply.end(&mut out);
    let response: Value = serde_json::from_slice(&out).unwrap();
    let item = response["output"][0].clone();
    let answer = json!({"type": item["type"].as_str().unwrap().to_owned() + "_output", "call_id": "a", "output": "ok"});
    let next = with_model(json!({"input": [user("hi"), item, answer], "tools": [tool]}));
    let body: Value =
        serde_json::from_slice(&translate(&json!({}), &next.to_string()).unwrap().body).unwrap();
    (function, body["messages"][1]["tool_calls"][0]["function"].clone())
}

proptest! {
    #[test]
    fn a_function_call_comes_back_unchanged(name in ".{1,80}", namespace in proptest::option::of("[a-z_.]{1,70}"), text in ".{0,40}") {
        let function = json!({"type": "function", "name": name, "parameters": {"type": "object"}});
        let tool = match namespace {
            Some(namespace) => json!({"type": "namespace", "name": namespace, "tools": [function]}),
            None => function,
        };
        let (called, back) = sent_back(&tool, &json!({"x": text}).to_string());
        prop_assert_eq!(called, back);
    }

    #[test]
    fn a_custom_call_comes_back_with_the_same_text(name in ".{1,80}", text in ".{0,60}") {
        let tool = json!({"type": "custom", "name": name});
        let (called, back) = sent_back(&tool, &json!({"input": text}).to_string());
        let parse = |function: &Value| -> Value { serde_json::from_str(function["arguments"].as_str().unwrap()).unwrap() };
        prop_assert_eq!(parse(&called), parse(&back));
        prop_assert_eq!(&called["name"], &back["name"]);
    }
}
