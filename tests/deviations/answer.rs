//! The intended output of a model, and the items that a client must get for it.

use super::Rng;
use serde_json::{Value, json};

/// The intended output.
#[derive(Debug, Default)]
pub struct Answer {
    pub reasoning: String,
    pub text: String,
    pub calls: Vec<Call>,
    /// Text after the calls.
    pub closing: String,
    pub ending: Ending,
    /// The input, cached and output tokens, if the upstream counts them.
    pub usage: Option<[u64; 3]>,
    /// What must be reported as dropped, because the Responses API cannot express it.
    pub noted: Vec<&'static str>,
}

/// A call that the model makes.
#[derive(Debug)]
pub struct Call {
    /// The id, if the client must get the upstream's.
    pub id: Option<String>,
    /// The tool's name upstream.
    pub name: &'static str,
    pub arguments: Value,
    pub tool: &'static Tool,
}

/// How the response must end.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    #[default]
    Completed,
    /// With this reason.
    Incomplete(&'static str),
    /// With an error that has these words.
    Failed(&'static str),
}

/// A tool that the client declares.
#[derive(Debug)]
pub struct Tool {
    pub name: &'static str,
    /// The beginning of its item, as [`read_item`] shows it.
    item: [&'static str; 3],
    arguments: fn(&mut Rng) -> Value,
}

/// The tools, one of each kind that differs in how calls are read.
pub static TOOLS: [Tool; 7] = [
    Tool { name: "look_up", item: ["function_call", "", "look_up"], arguments: object },
    // A name that begins like another one, for names that arrive in pieces.
    Tool { name: "look_up_all", item: ["function_call", "", "look_up_all"], arguments: |_| json!({}) },
    Tool {
        name: "note",
        item: ["custom_tool_call", "", "note"],
        arguments: |rng| json!({"input": text(rng)}),
    },
    Tool { name: "mcp__tiny__add", item: ["function_call", "mcp__tiny", "add"], arguments: object },
    Tool {
        name: "mcp__tiny__remark",
        item: ["custom_tool_call", "mcp__tiny", "remark"],
        arguments: |rng| json!({"input": text(rng)}),
    },
    Tool {
        name: "shell",
        item: ["shell_call", "", ""],
        arguments: |rng| json!({"commands": [text(rng)], "timeout_ms": 5, "max_output_length": null}),
    },
    Tool { name: "tool_search", item: ["tool_search_call", "", ""], arguments: object },
];

/// `tools` of the request.
pub fn declared() -> Value {
    let function = |name: &str| json!({"type": "function", "name": name, "parameters": {"type": "object"}});
    json!([
        function("look_up"),
        function("look_up_all"),
        {"type": "custom", "name": "note"},
        {"type": "namespace", "name": "mcp__tiny", "tools": [function("add"), {"type": "custom", "name": "remark"}]},
        {"type": "shell"},
        {"type": "tool_search", "execution": "client", "parameters": {"type": "object"}},
    ])
}

/// Text that is not blank, with characters that JSON escapes, and with what looks like markup or JSON.
pub fn text(rng: &mut Rng) -> String {
    const PIECES: &[&str] =
        &["a", "é", "🦀", "\n", "\"", "\\", "{", "}", "{}", " ", "null", "</b>", "[]", "\u{1}"];
    let pieces = (0..rng.usize(0..8)).map(|_| PIECES[rng.usize(0..PIECES.len())]);
    format!("T{}.", pieces.collect::<String>())
}

fn object(rng: &mut Rng) -> Value {
    match rng.usize(0..5) {
        0 => json!({"q": "null"}),
        1 => json!({"required": [text(rng)], "q": {"q": text(rng), "a": ["}", "{", 1.5, null]}}),
        2 => json!({"q": {"q": {}}}),
        _ => json!({"q": text(rng)}),
    }
}

impl Call {
    pub fn of(tool: &'static Tool, number: usize, rng: &mut Rng) -> Self {
        let arguments = (tool.arguments)(rng);
        Self { id: Some(format!("call_{number}")), name: tool.name, arguments, tool }
    }

    /// Whether the upstream may send it as a call of a custom tool.
    pub fn is_custom(&self) -> bool {
        self.tool.item[0] == "custom_tool_call"
    }

    /// The item, as [`read_item`] shows it.
    pub fn item(&self) -> Value {
        let [kind, namespace, name] = self.tool.item;
        let said = if self.is_custom() { &self.arguments["input"] } else { &self.arguments };
        json!([kind, namespace, name, said])
    }
}

/// The type, the namespace, the name and the arguments of a call's item.
pub fn read_item(item: &Value) -> Value {
    let text = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
    let said = match text("type").as_str() {
        "function_call" => {
            serde_json::from_str(&text("arguments")).unwrap_or_else(|_| item["arguments"].clone())
        }
        "custom_tool_call" => item["input"].clone(),
        "tool_search_call" => item["arguments"].clone(),
        _ => item["action"].clone(),
    };
    json!([text("type"), text("namespace"), text("name"), said])
}
