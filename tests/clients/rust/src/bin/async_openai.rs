//! async-openai. Modes: `create`, `stream`.

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::types::responses::{CreateResponse, ResponseStreamEvent};
use futures_util::StreamExt;
use rust_clients::{INSTRUCTIONS, PROMPT, get_weather, parameters, serve, weather};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    serve(ask).await;
}

async fn ask(job: &Value) -> Value {
    let config =
        OpenAIConfig::new().with_api_base(job["base_url"].as_str().expect("a URL")).with_api_key("key");
    let client = Client::with_config(config);
    let mut request = json!({
        "model": "m", "instructions": INSTRUCTIONS, "input": [{"role": "user", "content": PROMPT}]
    });
    for (key, value) in job["request"].as_object().into_iter().flatten() {
        request[key] = value.clone();
    }
    if job["tools"] == true {
        request["tools"] = json!([
            {"type": "function", "name": "get_weather", "description": "Tells the weather of a city.",
             "parameters": parameters(), "strict": true},
            {"type": "custom", "name": "run", "description": "Runs a script.", "format": {"type": "text"}},
        ]);
    }
    if job["schema"] == true {
        request["text"] = json!({"format": {"type": "json_schema", "name": "Weather", "schema": weather(), "strict": true}});
    }
    let mut ran = Vec::new();
    loop {
        let typed: CreateResponse = serde_json::from_value(request.clone()).expect("a request");
        let response = match turn(&client, typed, job["mode"] == "stream").await {
            Ok(response) => response,
            Err(error) => return json!({"ran": ran, "error": error}),
        };
        let items = response["output"].as_array().expect("items").clone();
        let calls =
            items.iter().filter(|item| item["type"].as_str().is_some_and(|kind| kind.ends_with("_call")));
        // Its custom calls have no status.
        let complete = calls.filter(|_| response["status"] == "completed");
        let outputs: Vec<Value> = complete.map(|call| output(call, &mut ran)).collect();
        if outputs.is_empty() {
            return outcome(&response, &items, &ran, job["schema"] == true);
        }
        request["input"].as_array_mut().expect("items").extend(items.into_iter().chain(outputs));
    }
}

async fn turn(client: &Client<OpenAIConfig>, request: CreateResponse, stream: bool) -> Result<Value, Value> {
    let responses = client.responses();
    if !stream {
        return Ok(json!(responses.create(request).await.map_err(shown)?));
    }
    let mut events = responses.create_stream(request).await.map_err(shown)?;
    while let Some(event) = events.next().await {
        match event.map_err(shown)? {
            ResponseStreamEvent::ResponseCompleted(end) => return Ok(json!(end.response)),
            ResponseStreamEvent::ResponseIncomplete(end) => return Ok(json!(end.response)),
            ResponseStreamEvent::ResponseFailed(end) => {
                let message = end.response.error.expect("an error").message;
                return Err(json!({"class": "response.failed", "message": message}));
            }
            _ => {}
        }
    }
    Err(json!({"class": "no end"}))
}

fn shown(error: OpenAIError) -> Value {
    match error {
        OpenAIError::ApiError(said) => json!({
            "class": "ApiError", "status": said.status_code.as_u16(), "code": said.api_error.code,
            "message": said.api_error.message,
        }),
        other => json!({"class": "OpenAIError", "message": other.to_string()}),
    }
}

/// Runs a tool.
fn output(call: &Value, ran: &mut Vec<Value>) -> Value {
    let id = &call["call_id"];
    if call["type"] == "custom_tool_call" {
        ran.push(json!(["run", call["input"]]));
        return json!({"type": "custom_tool_call_output", "call_id": id, "output": "done"});
    }
    let given = serde_json::from_str(call["arguments"].as_str().expect("arguments")).expect("JSON");
    ran.push(json!([call["name"], given]));
    json!({"type": "function_call_output", "call_id": id, "output": get_weather(&given)})
}

fn outcome(response: &Value, items: &[Value], ran: &[Value], schema: bool) -> Value {
    let join = |kind: &str, list: &str, key: &str| -> String {
        let items = items.iter().filter(|item| item["type"] == kind);
        let parts = items.flat_map(|item| item[list].as_array().into_iter().flatten());
        parts.filter_map(|part| part[key].as_str()).collect()
    };
    let text = join("message", "content", "text");
    let incomplete = &response["incomplete_details"]["reason"];
    json!({
        "parsed": schema.then(|| serde_json::from_str::<Value>(&text).expect("JSON")),
        "text": (!schema).then_some(text),
        "refusal": join("message", "content", "refusal"),
        "reasoning": join("reasoning", "summary", "text"),
        "ran": ran,
        "finish": if incomplete.is_null() { &response["status"] } else { incomplete },
        "usage": [response["usage"]["input_tokens"], response["usage"]["output_tokens"]],
    })
}
