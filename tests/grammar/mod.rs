//! Checks a stream of Responses events against the API's grammar: order, nesting, indices, ids, sums.
//! Every stream that a test makes goes through here.
#![allow(dead_code, unreachable_pub)] // A module of several tests; not every one uses all of it.

use serde_json::Value;
use std::collections::BTreeMap;

/// A stream that follows the grammar.
pub struct Transcript {
    /// The events, `[DONE]` left out.
    pub events: Vec<Value>,
}

impl Transcript {
    /// Reads and checks a stream.
    pub fn of(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).expect("the stream is UTF-8");
        let mut events = Vec::new();
        let mut done = false;
        for frame in text.split_terminator("\n\n") {
            assert!(!done, "nothing follows [DONE]: {frame}");
            if frame == "data: [DONE]" {
                done = true;
                continue;
            }
            let (event, data) = frame.split_once('\n').expect("two lines a frame");
            let name = event.strip_prefix("event: ").expect("an event line first");
            let data: Value =
                serde_json::from_str(data.strip_prefix("data: ").expect("then a data line")).unwrap();
            assert_eq!(data["type"], name, "the event's name is its type");
            events.push(data);
        }
        assert!(done, "the stream ends with [DONE]");
        assert!(text.ends_with("\n\n"), "the last frame is whole");
        Checker::default().check(&events);
        Self { events }
    }

    /// The response of the last event.
    pub fn response(&self) -> &Value {
        &self.events.last().unwrap()["response"]
    }

    /// The events of a type.
    pub fn of_type<'t>(&'t self, name: &'t str) -> impl Iterator<Item = &'t Value> {
        self.events.iter().filter(move |event| event["type"] == name)
    }
}

#[derive(Default)]
struct Checker {
    response_id: String,
    ended: bool,
    failed: bool,
    open: Option<Item>,
    finished: Vec<Value>,
}

/// The item that is open.
struct Item {
    added: Value,
    /// The text of each open or closed part, by kind of part and index.
    parts: BTreeMap<(String, u64), Part>,
    arguments: String,
    arguments_done: bool,
}

#[derive(Default)]
struct Part {
    text: String,
    text_done: bool,
    done: Option<Value>,
}

impl Checker {
    fn check(mut self, events: &[Value]) {
        for (number, event) in events.iter().enumerate() {
            assert_eq!(event["sequence_number"], number, "sequence numbers count from 0: {event}");
            assert!(!self.ended, "nothing follows the last event: {event}");
            match number {
                0 => assert_eq!(event["type"], "response.created"),
                1 => assert_eq!(event["type"], "response.in_progress"),
                _ => {}
            }
            self.event(event);
        }
        assert!(self.ended, "the stream ends with a terminal event");
    }

    fn event(&mut self, event: &Value) {
        let name = event["type"].as_str().unwrap();
        assert!(!self.failed || name == "response.failed", "only response.failed follows an error: {event}");
        match name {
            "response.created" => {
                self.response_id = event["response"]["id"].as_str().unwrap().to_owned();
                self.in_progress(event);
            }
            "response.in_progress" => self.in_progress(event),
            "response.completed" | "response.incomplete" | "response.failed" => self.terminal(name, event),
            "error" => {
                self.failed = true;
                assert!(
                    event["message"].is_string() && event["error"]["message"] == event["message"],
                    "{event}"
                );
            }
            "response.output_item.added" => self.added(event),
            "response.output_item.done" => self.item_done(event),
            "response.content_part.added" => self.part_added(event, "content_index"),
            "response.reasoning_summary_part.added" => self.part_added(event, "summary_index"),
            "response.output_text.delta" | "response.refusal.delta" => {
                self.text_delta(event, "content_index")
            }
            "response.reasoning_summary_text.delta" => self.text_delta(event, "summary_index"),
            "response.output_text.done" => self.text_done(event, "content_index", "text"),
            "response.refusal.done" => self.text_done(event, "content_index", "refusal"),
            "response.reasoning_summary_text.done" => self.text_done(event, "summary_index", "text"),
            "response.content_part.done" => self.part_done(event, "content_index"),
            "response.reasoning_summary_part.done" => self.part_done(event, "summary_index"),
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                let item = self.item(event);
                assert!(!item.arguments_done, "no delta after done: {event}");
                let delta = event["delta"].as_str().unwrap();
                assert!(!delta.is_empty(), "no empty delta: {event}");
                item.arguments.push_str(delta);
            }
            "response.function_call_arguments.done" => self.arguments_done(event, "arguments"),
            "response.custom_tool_call_input.done" => self.arguments_done(event, "input"),
            other => panic!("unknown event {other}"),
        }
    }

    fn in_progress(&self, event: &Value) {
        let response = &event["response"];
        assert_eq!(response["id"], self.response_id);
        assert_eq!(response["status"], "in_progress");
        assert_eq!(response["output"], serde_json::json!([]));
        assert!(response["usage"].is_null());
    }

    fn terminal(&mut self, name: &str, event: &Value) {
        self.ended = true;
        let response = &event["response"];
        assert_eq!(response["id"], self.response_id);
        assert_eq!(name, format!("response.{}", response["status"].as_str().unwrap()));
        assert_eq!(response["output"].as_array().unwrap(), &self.finished, "the output is what was sent");
        let error = response["error"].is_object();
        assert_eq!(error, name == "response.failed", "{event}");
        assert_eq!(self.failed, error, "response.failed follows an error event");
        assert_eq!(response["incomplete_details"].is_object(), name == "response.incomplete");
        assert_eq!(response["completed_at"].is_u64(), name == "response.completed");
        if name == "response.completed" {
            assert!(self.open.is_none(), "no item is left open");
            assert!(self.finished.iter().all(|item| item["status"] != "incomplete"), "all items are whole");
        }
        let incomplete = self.finished.iter().position(|item| item["status"] == "incomplete");
        assert!(incomplete.is_none_or(|at| at + 1 == self.finished.len()), "an incomplete item is the last");
    }

    fn added(&mut self, event: &Value) {
        assert!(self.open.is_none(), "one open item at a time: {event}");
        assert_eq!(event["output_index"], self.finished.len(), "{event}");
        let item = &event["item"];
        assert!(self.finished.iter().all(|finished| finished["id"] != item["id"]), "ids are unique: {event}");
        for (kind, field, zero) in [
            ("message", "content", serde_json::json!([])),
            ("reasoning", "summary", serde_json::json!([])),
            ("function_call", "arguments", "".into()),
            ("custom_tool_call", "input", "".into()),
        ] {
            assert!(item["type"] != kind || item[field] == zero, "added items are empty: {event}");
        }
        let (added, parts) = (item.clone(), BTreeMap::new());
        self.open = Some(Item { added, parts, arguments: String::new(), arguments_done: false });
    }

    fn item(&mut self, event: &Value) -> &mut Item {
        assert_eq!(event["output_index"], self.finished.len(), "{event}");
        let item = self.open.as_mut().unwrap_or_else(|| panic!("no item is open: {event}"));
        assert_eq!(event["item_id"], item.added["id"], "{event}");
        item
    }

    fn part_added(&mut self, event: &Value, index: &str) {
        let item = self.item(event);
        assert!(item.parts.values().all(|part| part.done.is_some()), "one open part at a time: {event}");
        assert_eq!(event[index], item.parts.len(), "{event}");
        let kind = event["part"]["type"].as_str().unwrap().to_owned();
        item.parts.insert((kind, event[index].as_u64().unwrap()), Part::default());
    }

    fn part<'c>(&'c mut self, event: &Value, index: &str) -> &'c mut Part {
        let at = event[index].as_u64().unwrap();
        let part = self.item(event).parts.iter_mut().find(|((_, index), _)| *index == at);
        let (_, part) = part.unwrap_or_else(|| panic!("the part was not added: {event}"));
        assert!(part.done.is_none(), "the part is closed: {event}");
        part
    }

    fn text_delta(&mut self, event: &Value, index: &str) {
        let part = self.part(event, index);
        assert!(!part.text_done, "no delta after done: {event}");
        let delta = event["delta"].as_str().unwrap();
        assert!(!delta.is_empty(), "no empty delta: {event}");
        part.text.push_str(delta);
    }

    fn text_done(&mut self, event: &Value, index: &str, field: &str) {
        let part = self.part(event, index);
        assert_eq!(event[field], part.text, "done is the sum of its deltas");
        part.text_done = true;
    }

    fn part_done(&mut self, event: &Value, index: &str) {
        let part = self.part(event, index);
        assert!(part.text_done, "the text is done before its part: {event}");
        let done = &event["part"];
        let text = if done["type"] == "refusal" { &done["refusal"] } else { &done["text"] };
        assert_eq!(*text, part.text);
        part.done = Some(done.clone());
    }

    fn arguments_done(&mut self, event: &Value, field: &str) {
        let item = self.item(event);
        assert_eq!(event[field], item.arguments, "done is the sum of its deltas");
        item.arguments_done = true;
    }

    fn item_done(&mut self, event: &Value) {
        assert_eq!(event["output_index"], self.finished.len(), "{event}");
        let open = self.open.take().unwrap_or_else(|| panic!("no item is open: {event}"));
        let item = &event["item"];
        for field in ["id", "type", "call_id", "name", "namespace"] {
            assert_eq!(item[field], open.added[field], "{field} stays the same: {event}");
        }
        let parts: Vec<&Value> =
            open.parts.values().map(|part| part.done.as_ref().expect("parts are closed")).collect();
        match item["type"].as_str().unwrap() {
            "message" => {
                assert!(!parts.is_empty(), "no empty message: {event}");
                assert_eq!(item["content"].as_array().unwrap().iter().collect::<Vec<_>>(), parts);
            }
            "reasoning" => assert_eq!(item["summary"].as_array().unwrap().iter().collect::<Vec<_>>(), parts),
            kind @ ("function_call" | "custom_tool_call") => {
                let field = if kind == "function_call" { "arguments" } else { "input" };
                assert_eq!(item[field], open.arguments, "{event}");
                assert!(
                    !item["call_id"].as_str().unwrap().is_empty()
                        && !item["name"].as_str().unwrap().is_empty()
                );
                let whole = item["status"] == "completed";
                assert_eq!(open.arguments_done, whole, "a call is done when it is whole: {event}");
            }
            _ => {}
        }
        self.finished.push(item.clone());
    }
}
