//! The edges of a request, as tables: what is refused and where, what is mended, what goes up.

mod fields;
mod history;
mod page;
mod parts;
mod refusals;
mod round_trip;
mod seals;
mod tools;

use serde_json::{Value, json};
use transponder::config::Config;
use transponder::error::ApiError;
use transponder::request::{self, Context, Translated};

fn translate(config: &Value, request: &str) -> Result<Translated, ApiError> {
    let config = Config::parse(config.to_string().as_bytes()).unwrap();
    request::translate(request.as_bytes(), &Context { config: &config, seed: 1, now: 1, codex: false })
}

/// The body that goes up for a request with these fields beside the model.
fn up(upstream: &Value, fields: Value) -> (Value, Vec<String>) {
    let request = with_model(fields).to_string();
    let translated = translate(&json!({"upstream": upstream}), &request).unwrap();
    let body = serde_json::from_slice(&translated.body).unwrap();
    (body, translated.report.all_dropped().to_vec())
}

fn with_model(mut fields: Value) -> Value {
    fields["model"] = json!("m");
    fields
}

fn messages(upstream: &Value, input: Value) -> Value {
    up(upstream, json!({ "input": input })).0["messages"].clone()
}

fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

fn call(id: &str, name: &str, arguments: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": name, "arguments": arguments})
}

fn output(id: &str, output: Value) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": output})
}
