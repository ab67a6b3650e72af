//! Checks replies of the Responses API: streams against the grammar of their events, and every reply against the
//! schemas of the Open Responses specification.
//!
//! Tests pass every stream and document through here. The recordings of Envoy are checked here too.
#![allow(dead_code, unreachable_pub)] // A module of several tests; not every one uses all of it.

mod item;
mod schema;
mod stream;

pub use schema::types_of;

use serde_json::Value;

/// A stream that follows the grammar.
pub struct Transcript {
    /// The events, without `[DONE]`.
    pub events: Vec<Value>,
}

impl Transcript {
    /// Reads and checks a complete stream.
    pub fn of(bytes: &[u8]) -> Self {
        let text = std::str::from_utf8(bytes).expect("the stream is UTF-8");
        assert!(text.ends_with("\n\n"), "the last frame is whole: {text}");
        let events = text.strip_suffix("data: [DONE]\n\n").expect("the stream ends with [DONE]");
        let events = read(events);
        let end = stream::check(&events);
        assert!(end, "the stream ends with a terminal event");
        Self { events }
    }

    /// Reads and checks a stream that was cut off by the upstream or the client. It may end anywhere.
    pub fn of_cut(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (whole, _) = text.rsplit_once("\n\n").unwrap_or_default();
        let events = read(whole.trim_end_matches("data: [DONE]"));
        stream::check(&events);
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

/// The events of complete frames. Each frame has two lines: the event's name and its data.
fn read(text: &str) -> Vec<Value> {
    let frames = text.split_terminator("\n\n");
    let event = |frame: &str| {
        let (name, data) = frame.split_once('\n').expect("two lines a frame");
        let name = name.strip_prefix("event: ").expect("an event line first");
        let data = data.strip_prefix("data: ").expect("then a data line");
        let data: Value = serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"));
        assert_eq!(data["type"], name, "the event's name is its type");
        schema::assert_valid("event", &data);
        data
    };
    frames.map(event).collect()
}

/// Reads and checks a reply that is a JSON document.
pub fn document(bytes: &[u8]) -> Value {
    let value: Value = serde_json::from_slice(bytes).unwrap();
    let kind = value["object"].as_str().unwrap_or_default();
    let shape = match kind.strip_prefix("response") {
        Some("") => "response",
        Some(".compaction") => "compaction",
        Some(".input_tokens") => "input_tokens",
        _ => "error_body",
    };
    schema::assert_valid(shape, &value);
    if shape == "response" {
        stream::check_end(&value);
    }
    value
}
