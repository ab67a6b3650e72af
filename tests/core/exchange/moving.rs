//! A conversation that moves from a translated upstream to a native one, and back.

use super::*;
use serde_json::json;

const CONFIG: &str = r#"{
    "models": [
        {"match": "gpt-*", "upstream": "native"},
        {"match": "qwen*", "upstream": {"preset": "vllm", "reasoning_replay": "reasoning"}}
    ],
    "hold_request_headers": true
}"#;

/// Reasoning that only the native upstream can read.
const FOREIGN: &str = "gAAAAABo-native";

/// The native upstream, as strict as OpenAI: it rejects content that it did not encrypt, and reasoning that it does not
/// store.
fn native(body: &[u8]) -> Value {
    let request: Value = serde_json::from_slice(body).unwrap();
    for item in request["input"].as_array().unwrap() {
        let sealed = &item["encrypted_content"];
        assert!(sealed.is_null() || sealed == FOREIGN, "invalid_encrypted_content: {item}");
        assert!(item["type"] != "reasoning" || sealed == FOREIGN, "an item that is not stored: {item}");
    }
    json!([
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": FOREIGN},
        {"type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
         "content": [{"type": "output_text", "text": "It is 7.", "annotations": []}]},
    ])
}

/// A conversation. Each turn sends all of it.
#[derive(Default)]
struct Conversation {
    input: Vec<Value>,
    include: Vec<&'static str>,
}

/// The body that a turn sent upstream, and what was dropped according to the reply's headers and the access log.
struct Turn {
    up: Value,
    header: Option<String>,
}

impl Conversation {
    /// Of a client that includes the `encrypted_content` of reasoning.
    fn sealed(input: Vec<Value>) -> Self {
        Self { input, include: vec!["reasoning.encrypted_content"] }
    }

    fn say(&mut self, item: Value) {
        self.input.push(item);
    }

    /// Sends a turn for a model. `reply` is the upstream's reply to a body. Returns the items of the output.
    fn ask(&mut self, model: &str, reply: impl FnOnce(&[u8]) -> Value) -> Turn {
        let mut driven = Driven::posted(CONFIG);
        let request = json!({"model": model, "input": self.input, "include": self.include});
        let verdict = driven.exchange.on_request_body(request.to_string().as_bytes(), true, NOW);
        let BodyVerdict::Release(_, up) = verdict else { panic!("{verdict:?}") };
        let reply = reply(&up);
        let headers = response("200", &[("content-type", "application/json")]);
        let verdict = driven.exchange.on_response_headers(&headers, false, NOW);
        let (HeadersVerdict::Continue(edits) | HeadersVerdict::Hold(edits)) = verdict else { panic!() };
        let header = edits.into_iter().find_map(|edit| match edit {
            Edit::Set(name, value) if name == "x-transponder-dropped" => Some(value),
            _ => None,
        });
        match driven.exchange.on_response_body(reply.to_string().as_bytes(), true, NOW) {
            BodyVerdict::Pass => self.input.extend(reply.as_array().unwrap().clone()),
            BodyVerdict::Release(_, document) => {
                let response: Value = serde_json::from_slice(&document).unwrap();
                self.input.extend(response["output"].as_array().unwrap().clone());
            }
            other => panic!("{other:?}"),
        }
        driven.exchange.on_close(NOW);
        let counted = driven.counted().iter().filter(|line| line.starts_with("dropped ")).count();
        assert_eq!(counted, header.iter().flat_map(|names| names.split(',')).count(), "each is counted");
        let noted: Vec<String> = driven
            .told
            .fields
            .borrow()
            .iter()
            .filter(|(name, _)| *name == "transponder.dropped")
            .map(|(_, value)| value.clone())
            .collect();
        assert_eq!(noted, Vec::from_iter(header.clone()), "and in the access log");
        Turn { up: serde_json::from_slice(&up).unwrap(), header }
    }
}

fn completion(message: Value) -> Value {
    json!({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
}

#[test]
fn neither_upstream_gets_what_the_other_encrypted() {
    let mut conversation = Conversation::sealed(vec![]);
    conversation.say(json!({"role": "user", "content": "What is 3 + 4?"}));
    let call = json!({"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{\"a\":3,\"b\":4}"}});
    let turn =
        conversation.ask("qwen3", |_| completion(json!({"reasoning": "I add them.", "tool_calls": [call]})));
    assert_eq!(turn.header, None);
    assert!(conversation.input[1]["encrypted_content"].as_str().unwrap().starts_with("transponder."));

    conversation.say(json!({"type": "function_call_output", "call_id": "c1", "output": "7"}));
    let turn = conversation.ask("gpt-6", native);
    assert_eq!(turn.header.as_deref(), Some("item:reasoning"));
    let kinds: Vec<_> =
        turn.up["input"].as_array().unwrap().iter().map(|item| item["type"].as_str()).collect();
    assert_eq!(kinds, [None, Some("function_call"), Some("function_call_output")], "nothing else is missing");

    conversation.say(json!({"role": "user", "content": "And twice that?"}));
    let turn = conversation.ask("qwen3", |_| completion(json!({"content": "14."})));
    assert_eq!(turn.header.as_deref(), Some("item:reasoning"));
    assert!(!turn.up.to_string().contains(FOREIGN), "{}", turn.up);
    assert_eq!(turn.up["messages"][1]["reasoning"], "I add them.", "its own reasoning is back");
    assert_eq!(turn.up["messages"][3]["content"], "It is 7.");
}

#[test]
fn a_summary_moves_along() {
    let mut conversation = Conversation::sealed(vec![]);
    conversation.say(json!({"role": "user", "content": "Remember 7."}));
    conversation.say(json!({"type": "compaction_trigger"}));
    conversation.ask("qwen3", |_| completion(json!({"content": "The number is 7."})));
    let compaction = conversation.input.pop().unwrap();
    assert_eq!(compaction["type"], "compaction");

    let asked = json!({"role": "user", "content": "Which?"});
    let mut conversation = Conversation::sealed(vec![compaction.clone(), asked]);
    let turn = conversation.ask("gpt-6", native);
    assert_eq!(turn.header, None, "nothing is lost");
    let summary = &turn.up["input"][0];
    assert_eq!((&summary["type"], &summary["role"]), (&json!("message"), &json!("user")));
    assert!(summary["content"].as_str().unwrap().ends_with("The number is 7."), "{summary}");

    let mut damaged = compaction;
    damaged["encrypted_content"] = json!("transponder.1.0.x");
    let mut conversation = Conversation::sealed(vec![damaged]);
    let turn = conversation.ask("gpt-6", native);
    assert_eq!(turn.header.as_deref(), Some("item:compaction"));
    assert!(turn.up["input"][0]["content"].as_str().unwrap().contains("cannot be read"));
}

/// Such reasoning is an id and a summary, and the native upstream would look the id up.
#[test]
fn reasoning_without_encrypted_content_stays_here_too() {
    let mut conversation = Conversation::default();
    conversation.say(json!({"role": "user", "content": "What is 3 + 4?"}));
    conversation.ask("qwen3", |_| completion(json!({"reasoning": "I add them.", "content": "7."})));
    assert_eq!(conversation.input[1]["type"], "reasoning");
    assert!(conversation.input[1]["encrypted_content"].is_null(), "{}", conversation.input[1]);

    let turn = conversation.ask("gpt-6", native);
    assert_eq!(turn.header.as_deref(), Some("item:reasoning"));
    assert_eq!(turn.up["input"].as_array().unwrap().len(), 2, "nothing else is missing");
}
