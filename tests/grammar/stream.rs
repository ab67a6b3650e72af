//! A stream: which events may follow each other, and that the last response holds what was sent.

use super::item::Item;
use serde_json::{Value, json};

/// Checks the events of one stream from its start. Returns whether it is complete.
pub fn check(events: &[Value]) -> bool {
    let mut checker = Checker::default();
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number, "sequence numbers count from 0: {event}");
        assert!(!checker.ended, "nothing follows the last event: {event}");
        match number {
            0 => assert_eq!(event["type"], "response.created"),
            1 => assert_eq!(event["type"], "response.in_progress"),
            _ => assert_ne!(event["type"], "response.created"),
        }
        checker.event(event);
    }
    checker.ended
}

/// Checks a finished response: its status and the fields that depend on it.
pub fn check_end(response: &Value) {
    let status = response["status"].as_str().unwrap();
    assert!(["completed", "incomplete", "failed"].contains(&status), "{response}");
    assert_eq!(response["error"].is_object(), status == "failed", "{response}");
    assert_eq!(response["incomplete_details"].is_object(), status == "incomplete", "{response}");
    assert_eq!(response["completed_at"].is_u64(), status == "completed", "{response}");
    assert!(
        response["completed_at"].is_null()
            || response["completed_at"].as_u64() >= response["created_at"].as_u64()
    );
    let usage = &response["usage"];
    if let Some(total) = usage["total_tokens"].as_u64() {
        assert_eq!(total, usage["input_tokens"].as_u64().unwrap() + usage["output_tokens"].as_u64().unwrap());
    }
    let items = response["output"].as_array().unwrap();
    let incomplete = items.iter().position(|item| item["status"] == "incomplete");
    assert!(incomplete.is_none_or(|at| at + 1 == items.len()), "an incomplete item is the last: {response}");
    assert!(incomplete.is_none() || status == "incomplete", "all items are whole: {response}");
    for key in ["id", "call_id"] {
        let mut ids: Vec<&str> = items.iter().filter_map(|item| item[key].as_str()).collect();
        ids.sort_unstable();
        ids.windows(2).for_each(|pair| assert_ne!(pair[0], pair[1], "{key} is unique: {response}"));
    }
}

#[derive(Default)]
struct Checker {
    /// The response of the first event.
    begun: Value,
    ended: bool,
    failed: bool,
    open: Option<Item>,
    finished: Vec<Value>,
}

impl Checker {
    fn event(&mut self, event: &Value) {
        let name = event["type"].as_str().unwrap();
        assert!(!self.failed || name == "response.failed", "only response.failed follows an error: {event}");
        match name {
            "response.created" | "response.in_progress" => self.in_progress(&event["response"]),
            "response.completed" | "response.incomplete" | "response.failed" => {
                self.terminal(name, &event["response"]);
            }
            "error" => {
                self.failed = true;
                for field in ["code", "message", "param"] {
                    assert_eq!(event[field], event["error"][field], "{event}");
                }
            }
            "response.output_item.added" => self.added(event),
            "response.output_item.done" => {
                self.indexed(event);
                let item = self.open.take().unwrap_or_else(|| panic!("no item is open: {event}"));
                self.finished.push(item.done(&event["item"]));
            }
            _ => {
                self.indexed(event);
                let item = self.open.as_mut().unwrap_or_else(|| panic!("no item is open: {event}"));
                item.event(name, event);
            }
        }
    }

    fn indexed(&self, event: &Value) {
        assert_eq!(
            event["output_index"],
            self.finished.len(),
            "the index is the place in the output: {event}"
        );
    }

    /// The responses of a stream may differ only in their progress.
    fn same(&mut self, response: &Value) {
        if self.begun.is_null() {
            self.begun = response.clone();
        }
        let progress =
            ["status", "output", "usage", "completed_at", "incomplete_details", "error", "service_tier"];
        let mut response = response.clone();
        // Reports of changes are added at the end.
        response["metadata"].as_object_mut().unwrap().retain(|key, _| !key.starts_with("x-transponder-"));
        for (key, value) in self.begun.as_object().unwrap() {
            // A response that was to be stored may fail, or become too large.
            if key == "store" && response[key] == false {
                continue;
            }
            assert!(progress.contains(&key.as_str()) || response[key] == *value, "{key} changed: {response}");
        }
    }

    fn in_progress(&mut self, response: &Value) {
        self.same(response);
        assert_eq!(response["status"], "in_progress");
        for (field, value) in [("output", json!([])), ("usage", Value::Null), ("completed_at", Value::Null)] {
            assert_eq!(response[field], value, "{field} of a response that is in progress");
        }
    }

    fn terminal(&mut self, name: &str, response: &Value) {
        self.ended = true;
        self.same(response);
        check_end(response);
        assert_eq!(name, format!("response.{}", response["status"].as_str().unwrap()));
        assert_eq!(response["output"].as_array().unwrap(), &self.finished, "the output is what was sent");
        assert_eq!(self.failed, name == "response.failed", "response.failed follows an error event");
        match name {
            "response.completed" => assert!(self.open.is_none(), "no item is left open"),
            "response.incomplete" => {
                assert!(self.open.as_ref().is_none_or(Item::may_stay_open), "no message is left open")
            }
            _ => {}
        }
    }

    fn added(&mut self, event: &Value) {
        assert!(self.open.is_none(), "one open item at a time: {event}");
        self.indexed(event);
        let item = &event["item"];
        assert!(self.finished.iter().all(|finished| finished["id"] != item["id"]), "ids are unique: {event}");
        self.open = Some(Item::added(item));
    }
}
