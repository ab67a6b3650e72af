//! A reply that is sent back as history reaches the model as the model wrote it.

use crate::support::*;
use proptest::prelude::*;
use serde_json::{Value, json};

/// The function of a call of the upstream, and the same after the client sent the call back as history.
fn sent_back(tool: &Value, arguments: &str) -> (Value, Value) {
    let fields = json!({"input": "hi", "tools": [tool]});
    let first = ask(fields).translate().unwrap();
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
    let (body, _) = ask(json!({"input": [user("hi"), item, answer], "tools": [tool]})).sent();
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

/// The tools of the turns below, one of each kind.
fn tools() -> Value {
    json!([
        {"type": "function", "name": "f"},
        {"type": "custom", "name": "c"},
        {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "f"}, {"type": "custom", "name": "c"}]},
        {"type": "tool_search", "execution": "client"},
    ])
}

/// Their names upstream, and whether their arguments return byte for byte or as an equal value.
const UPSTREAM_NAMES: &[(&str, bool)] =
    &[("f", true), ("c", false), ("n__f", true), ("n__c", false), ("tool_search", false)];

/// One turn of the model, as a chat message.
fn turn() -> impl Strategy<Value = Value> {
    let spaced = "[ \n]{0,2}";
    let call = (0..UPSTREAM_NAMES.len(), spaced, "\\PC{0,20}").prop_map(|(tool, space, text)| {
        let arguments = format!("{{{space}\"input\"{space}:{space}{}{space}}}", json!(text));
        json!({"name": UPSTREAM_NAMES[tool].0, "arguments": arguments})
    });
    let thought = proptest::option::of("\\PC{1,30}");
    let said = proptest::option::of("[^\\s]\\PC{0,30}");
    (thought, said, proptest::collection::vec(call, 0..4))
        .prop_filter("somebody says something", |(_, said, calls)| said.is_some() || !calls.is_empty())
        .prop_map(|(thought, said, calls)| {
            let calls = calls.into_iter().enumerate();
            let calls: Vec<Value> =
                calls.map(|(n, function)| json!({"id": format!("call_{n}"), "type": "function", "function": function})).collect();
            json!({"role": "assistant", "reasoning_content": thought, "content": said, "tool_calls": calls})
        })
}

/// The items that the client receives for a turn, as a stream or as a document.
fn items_of(turn: &Value, stream: bool) -> Vec<Value> {
    let asked = ask(json!({
        "input": "hi", "tools": tools(), "stream": stream, "include": ["reasoning.encrypted_content"],
    }));
    let reply = asked.reply();
    let reason = if turn["tool_calls"] == json!([]) { "stop" } else { "tool_calls" };
    let upstream = if stream {
        let mut delta = turn.clone();
        for (index, call) in delta["tool_calls"].as_array_mut().unwrap().iter_mut().enumerate() {
            call["index"] = json!(index);
        }
        let chunk = json!({"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]});
        format!("data: {chunk}\n\ndata: [DONE]\n\n")
    } else {
        json!({"choices": [{"index": 0, "message": turn, "finish_reason": reason}]}).to_string()
    };
    let out = String::from_utf8(pushed(reply, [upstream.as_bytes()])).unwrap();
    let response: Value = if stream {
        let last = out.lines().filter_map(|line| line.strip_prefix("data: {")).next_back().unwrap();
        serde_json::from_str::<Value>(&format!("{{{last}")).unwrap()["response"].clone()
    } else {
        serde_json::from_str(&out).unwrap()
    };
    assert_eq!(response["status"], "completed", "{out}");
    response["output"].as_array().unwrap().clone()
}

/// The outputs of the calls among the items.
fn outputs_of(items: &[Value]) -> Vec<Value> {
    let calls = items.iter().filter(|item| item.get("call_id").is_some());
    calls
        .map(|item| match item["type"].as_str().unwrap() {
            "tool_search_call" => {
                json!({"type": "tool_search_output", "call_id": item["call_id"], "tools": []})
            }
            kind => json!({"type": format!("{kind}_output"), "call_id": item["call_id"], "output": "ok"}),
        })
        .collect()
}

proptest! {
    /// Text, reasoning, names and arguments return unchanged.
    #[test]
    fn a_whole_turn_comes_back_as_the_model_said_it(turn in turn(), stream: bool) {
        let items = items_of(&turn, stream);
        let mut input = vec![user("hi")];
        input.extend(items.iter().cloned());
        input.extend(outputs_of(&items));
        input.push(user("go on"));
        let options = json!({"reasoning_replay": {"field": "reasoning"}});
        let (body, dropped) = ask(json!({"input": input, "tools": tools()})).upstream(&options).sent();
        prop_assert!(dropped.is_empty(), "{dropped:?}");
        let back = &body["messages"][1];
        prop_assert_eq!(back.get("reasoning").unwrap_or(&Value::Null), &turn["reasoning_content"]);
        prop_assert_eq!(back["content"].as_str().unwrap(), turn["content"].as_str().unwrap_or_default());
        let (said, back) = (turn["tool_calls"].as_array().unwrap(), back["tool_calls"].as_array().cloned().unwrap_or_default());
        prop_assert_eq!(said.len(), back.len());
        for (said, back) in said.iter().zip(&back) {
            prop_assert_eq!(&said["id"], &back["id"]);
            let (said, back) = (&said["function"], &back["function"]);
            prop_assert_eq!(&said["name"], &back["name"]);
            let verbatim = UPSTREAM_NAMES.iter().any(|(name, verbatim)| said["name"] == *name && *verbatim);
            let parse = |function: &Value| serde_json::from_str::<Value>(function["arguments"].as_str().unwrap()).unwrap();
            if verbatim {
prop_assert_eq!(&said["arguments"], &back["arguments"])
} else {
prop_assert_eq!(parse(said), parse(back))
}
        }
    }

    /// Prompt caches depend on a stable prefix: the next request begins with the messages of this one. (The last
    /// message may still grow, because text and calls of one turn become one message. A placeholder for a missing
    /// user message, and an output that `repair` invented, disappear when the real ones arrive.)
    #[test]
    fn a_conversation_that_grows_keeps_its_beginning(
        rounds in proptest::collection::vec((turn(), any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()), 1..4),
        preset in proptest::sample::select(vec!["generic", "openai", "vllm", "deepseek", "tgi", "ollama"]),
    ) {
        let mut input = vec![json!({"role": "developer", "content": "First."}), user("hi")];
        let mut ends = vec![input.len()];
        for (turn, image, late, reversed, asks) in rounds {
            let items = items_of(&turn, false);
            let mut outputs = outputs_of(&items);
            if reversed {
                outputs.reverse();
            }
            if let (true, Some(output)) = (image, outputs.first_mut().filter(|output| output.get("output").is_some())) {
                output["output"] = json!([{"type": "input_image", "image_url": "data:image/png;base64,AA"}]);
            }
            let answered = !outputs.is_empty();
            input.extend(items);
            input.extend(outputs);
            if late {
                input.push(json!({"role": "developer", "content": "Mind this."}));
            }
            if asks || !answered {
                input.push(user("go on"));
            }
            ends.push(input.len());
        }
        let sent = |items: usize| {
            let asked = ask(json!({"input": input[..items], "tools": tools()}));
            let (body, _) = asked.upstream(&json!(preset)).sent();
            body["messages"].as_array().unwrap().iter().map(Value::to_string).collect::<Vec<_>>()
        };
        let whole = sent(input.len());
        for end in ends {
            let earlier = sent(end);
            prop_assert_eq!(&earlier[..], &whole[..earlier.len()], "{} of {} items", end, input.len());
        }
    }
}
