//! One item of a stream: its final form must be the sum of its deltas.

use serde_json::{Value, json};

/// The item that is open.
pub struct Item {
    added: Value,
    parts: Vec<Part>,
    /// The arguments or the input of a call so far.
    arguments: String,
    arguments_done: bool,
    /// The commands of a shell call so far, and whether each is done.
    commands: Vec<(String, bool)>,
}

/// A part of the item: its kind, the sum of its deltas, and what closed it.
struct Part {
    kind: String,
    text: String,
    logprobs: Vec<Value>,
    annotations: Vec<Value>,
    text_done: bool,
    done: Option<Value>,
}

/// For a kind of part: the name of its index, and of the field with its text.
fn names(kind: &str) -> (&'static str, &'static str) {
    match kind {
        "output_text" => ("content_index", "text"),
        "refusal" => ("content_index", "refusal"),
        "summary_text" => ("summary_index", "text"),
        other => panic!("unknown part {other}"),
    }
}

impl Item {
    /// Begins an item, whose content must be empty.
    pub fn added(item: &Value) -> Self {
        for (field, zero) in
            [("content", json!([])), ("summary", json!([])), ("arguments", json!("")), ("input", json!(""))]
        {
            let empty = item[field].is_null() || item[field] == zero;
            // Codex expects the arguments of a search as an object.
            let whole = ["tool_search_call"].contains(&item["type"].as_str().unwrap());
            assert!(empty || whole, "{field} of an added item is empty: {item}");
        }
        let commands = &item["action"]["commands"];
        assert!(commands.is_null() || *commands == json!([]), "an added call has no commands: {item}");
        assert!(item["status"].is_null() || item["status"] == "in_progress", "{item}");
        Self {
            added: item.clone(),
            parts: Vec::new(),
            arguments: String::new(),
            arguments_done: false,
            commands: Vec::new(),
        }
    }

    /// Whether a truncated reply must leave it open, because clients run every closed call and use every summary.
    pub fn may_stay_open(&self) -> bool {
        self.added["call_id"].is_string() || self.added["type"] == "compaction"
    }

    /// An event within the item.
    pub fn event(&mut self, name: &str, event: &Value) {
        if name.starts_with("response.shell_call_command.") {
            return self.command(name, event);
        }
        assert_eq!(event["item_id"], self.added["id"], "{event}");
        match name {
            "response.compaction.compacting" => assert_eq!(self.added["type"], "compaction", "{event}"),
            "response.content_part.added" | "response.reasoning_summary_part.added" => self.part_added(event),
            "response.output_text.delta" => self.delta("output_text", event),
            "response.refusal.delta" => self.delta("refusal", event),
            "response.reasoning_summary_text.delta" => self.delta("summary_text", event),
            "response.output_text.done" => self.text_done("output_text", event),
            "response.refusal.done" => self.text_done("refusal", event),
            "response.reasoning_summary_text.done" => self.text_done("summary_text", event),
            "response.output_text.annotation.added" => {
                let part = self.part("output_text", event);
                assert_eq!(event["annotation_index"], part.annotations.len(), "{event}");
                part.annotations.push(event["annotation"].clone());
            }
            "response.content_part.done" | "response.reasoning_summary_part.done" => self.part_done(event),
            "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" => {
                self.belongs(name);
                assert!(!self.arguments_done, "no delta after done: {event}");
                self.arguments.push_str(some(&event["delta"]));
            }
            "response.function_call_arguments.done" => self.arguments_done(name, &event["arguments"]),
            "response.custom_tool_call_input.done" => self.arguments_done(name, &event["input"]),
            other => panic!("{other} is no event of an item"),
        }
    }

    /// An event of a shell command. The API has no `item_id` in it.
    fn command(&mut self, name: &str, event: &Value) {
        assert_eq!(self.added["type"], "shell_call", "{event}");
        let last = self.commands.len().wrapping_sub(1);
        match name {
            "response.shell_call_command.added" => {
                assert_eq!(event["command_index"], self.commands.len(), "{event}");
                assert_eq!(event["command"], "", "an added command is empty: {event}");
                assert!(self.commands.iter().all(|(_, done)| *done), "one open command at a time: {event}");
                self.commands.push((String::new(), false));
            }
            "response.shell_call_command.delta" => {
                assert_eq!(event["command_index"], last, "{event}");
                assert!(!self.commands[last].1, "no delta after done: {event}");
                self.commands[last].0.push_str(some(&event["delta"]));
            }
            "response.shell_call_command.done" => {
                assert_eq!(event["command_index"], last, "{event}");
                assert_eq!(event["command"], self.commands[last].0, "done is the sum of its deltas");
                self.commands[last].1 = true;
            }
            other => panic!("{other} is no event of a command"),
        }
    }

    fn part_added(&mut self, event: &Value) {
        let part = &event["part"];
        let kind = part["type"].as_str().unwrap();
        let (index, text) = names(kind);
        let holder = if kind == "summary_text" { "reasoning" } else { "message" };
        assert_eq!(self.added["type"], holder, "{event}");
        assert!(self.parts.iter().all(|part| part.done.is_some()), "one open part at a time: {event}");
        assert_eq!(event[index], self.parts.len(), "{event}");
        assert_eq!(part[text], "", "an added part is empty: {event}");
        self.parts.push(Part {
            kind: kind.to_owned(),
            text: String::new(),
            logprobs: Vec::new(),
            annotations: Vec::new(),
            text_done: false,
            done: None,
        });
    }

    /// The open part, which must be the part of the event.
    fn part(&mut self, kind: &str, event: &Value) -> &mut Part {
        let last = self.parts.len().checked_sub(1).unwrap_or_else(|| panic!("no part was added: {event}"));
        assert_eq!(event[names(kind).0], last, "{event}");
        let part = &mut self.parts[last];
        assert_eq!(part.kind, kind, "{event}");
        assert!(part.done.is_none(), "the part is closed: {event}");
        part
    }

    fn delta(&mut self, kind: &str, event: &Value) {
        let part = self.part(kind, event);
        assert!(!part.text_done, "no delta after done: {event}");
        part.text.push_str(some(&event["delta"]));
        part.logprobs.extend(event["logprobs"].as_array().into_iter().flatten().cloned());
    }

    fn text_done(&mut self, kind: &str, event: &Value) {
        let part = self.part(kind, event);
        assert!(!part.text_done, "done comes once: {event}");
        assert_eq!(event[names(kind).1], part.text, "done is the sum of its deltas");
        assert!(event["logprobs"].is_null() || event["logprobs"] == json!(part.logprobs), "{event}");
        part.text_done = true;
    }

    fn part_done(&mut self, event: &Value) {
        let done = &event["part"];
        let kind = done["type"].as_str().unwrap();
        let part = self.part(kind, event);
        assert!(part.text_done, "the text is done before its part: {event}");
        assert_eq!(done[names(kind).1], part.text, "the part is the sum of its deltas");
        if kind == "output_text" {
            assert_eq!(done["annotations"], json!(part.annotations), "{event}");
            assert_eq!(done["logprobs"], json!(part.logprobs), "{event}");
        }
        part.done = Some(done.clone());
    }

    /// The events of a function are not those of a custom tool.
    fn belongs(&self, name: &str) {
        let kind = if name.contains("custom_tool") { "custom_tool_call" } else { "function_call" };
        assert_eq!(self.added["type"], kind, "{name} in {}", self.added);
    }

    fn arguments_done(&mut self, name: &str, arguments: &Value) {
        self.belongs(name);
        assert!(!self.arguments_done, "done comes once: {arguments}");
        assert_eq!(*arguments, self.arguments, "done is the sum of its deltas");
        self.arguments_done = true;
    }

    /// Closes the item, which must hold what was sent.
    pub fn done(self, item: &Value) -> Value {
        for field in ["id", "type", "role", "call_id", "name", "namespace", "execution"] {
            assert_eq!(item[field], self.added[field], "{field} stays the same: {item}");
        }
        assert_ne!(item["status"], "in_progress", "{item}");
        let parts: Vec<Value> = self
            .parts
            .into_iter()
            .map(|part| part.done.expect("every part is closed before its item"))
            .collect();
        match item["type"].as_str().unwrap() {
            "message" => assert_eq!(item["content"], json!(parts), "the content is what was sent"),
            "reasoning" => assert_eq!(item["summary"], json!(parts), "the summary is what was sent"),
            kind @ ("function_call" | "custom_tool_call") => {
                let field = if kind == "function_call" { "arguments" } else { "input" };
                assert_eq!(item[field], self.arguments, "{item}");
                some(&item["call_id"]);
                some(&item["name"]);
                let whole = item["status"] == "completed";
                assert_eq!(self.arguments_done, whole, "a call is done when it is whole: {item}");
                return item.clone();
            }
            "shell_call" => {
                let commands: Vec<&String> = self.commands.iter().map(|(command, _)| command).collect();
                assert_eq!(item["action"]["commands"], json!(commands), "the commands are what was sent");
                return item.clone();
            }
            _ => return item.clone(),
        }
        // A signature without text is an item, because the client must send it back.
        assert!(
            !parts.is_empty() || item["encrypted_content"].is_string(),
            "no item without content: {item}"
        );
        item.clone()
    }
}

/// A string that is not empty.
fn some(value: &Value) -> &str {
    let text = value.as_str().unwrap();
    assert!(!text.is_empty(), "an empty string says nothing");
    text
}
