//! Shared by the Rust drivers: a job is a line of JSON on stdin, its result a line of JSON on stdout. See
//! `../drivers/jobs.py`.

use serde_json::{Value, json};
use std::io::Write;

pub const PROMPT: &str = "How is the weather?";
pub const INSTRUCTIONS: &str = "Be brief.";

pub fn get_weather(arguments: &Value) -> String {
    format!("{}: sunny", arguments["city"].as_str().unwrap_or_default())
}

/// The parameters of `get_weather`.
pub fn parameters() -> Value {
    json!({
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": false
    })
}

/// The schema of a structured output.
pub fn weather() -> Value {
    json!({
        "type": "object",
        "properties": {"city": {"type": "string"}, "celsius": {"type": "integer"}},
        "required": ["city", "celsius"],
        "additionalProperties": false,
    })
}

/// An error of the API from its status and body.
pub fn api_error(class: &str, status: u16, body: &Value) -> Value {
    let error = &body["error"];
    json!({"class": class, "status": status, "code": error["code"], "message": error["message"]})
}

/// Does one job after the other until stdin ends.
pub async fn serve(ask: impl AsyncFn(&Value) -> Value) {
    for line in std::io::stdin().lines() {
        let job = serde_json::from_str(&line.expect("a line")).expect("a job");
        let mut outcome = ask(&job).await;
        let said = outcome.as_object_mut().expect("an outcome");
        said.retain(|_, value| !(value.is_null() || *value == json!("") || *value == json!([])));
        println!("{outcome}");
        std::io::stdout().flush().expect("stdout");
    }
}
