//! The edges of a request, as tables: what is refused and where, what is mended, what goes up.

mod fields;
mod options;
mod parts;
mod presets;
mod refusals;
mod schemas;
mod tools;

pub(crate) use serde_json::{Value, json};
pub(crate) use transponder::config::Config;
pub(crate) use transponder::error::ApiError;
pub(crate) use transponder::request::{self, Context, Translated};

pub(crate) fn translate(config: &Value, request: &str) -> Result<Translated, ApiError> {
    let config = Config::parse(config.to_string().as_bytes()).unwrap();
    request::translate(request.as_bytes(), &Context { config: &config, seed: 1, now: 1, codex: false })
}

/// The body that goes up for a request with these fields beside the model.
pub(crate) fn up(upstream: &Value, fields: Value) -> (Value, Vec<String>) {
    let request = with_model(fields).to_string();
    let translated = translate(&json!({"upstream": upstream}), &request).unwrap();
    let body = serde_json::from_slice(&translated.body).unwrap();
    (body, translated.report.all_dropped().to_vec())
}

pub(crate) fn with_model(mut fields: Value) -> Value {
    fields["model"] = json!("m");
    fields
}

pub(crate) fn messages(upstream: &Value, input: Value) -> Value {
    up(upstream, json!({ "input": input })).0["messages"].clone()
}

pub(crate) fn user(text: &str) -> Value {
    json!({"role": "user", "content": text})
}

pub(crate) fn call(id: &str, name: &str, arguments: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": name, "arguments": arguments})
}

pub(crate) fn output(id: &str, output: Value) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": output})
}
