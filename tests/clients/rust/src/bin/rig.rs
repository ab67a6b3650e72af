//! rig's agent over the Responses API. Modes: `prompt`, `stream`.

use futures_util::StreamExt;
use rig::agent::MultiTurnStreamItem;
use rig::completion::PromptError;
use rig::message::{AssistantContent, ToolName};
use rig::prelude::*;
use rig::providers::openai::OpenAIConfig;
use rig::tool::{DynamicTool, ToolOutput};
use rust_clients::{INSTRUCTIONS, PROMPT, api_error, get_weather, parameters, serve, weather};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

type Ran = Arc<Mutex<Vec<Value>>>;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    serve(ask).await;
}

async fn ask(job: &Value) -> Value {
    let ran = Ran::default();
    let mut outcome = match turn(&agent(job, &ran), job["mode"] == "stream").await {
        Ok(response) => {
            let text = response.output();
            let schema = job["schema"] == true;
            let last = response.completion_calls().last();
            json!({
                "parsed": schema.then(|| serde_json::from_str::<Value>(&text).expect("JSON")),
                "text": (!schema).then_some(text),
                "reasoning": reasoning(response.content()),
                "usage": last.map(|call| [call.usage.input_tokens, call.usage.output_tokens]),
            })
        }
        Err(error) => json!({"error": shown(&error)}),
    };
    outcome["ran"] = json!(*ran.lock().expect("calls"));
    outcome
}

fn agent(job: &Value, ran: &Ran) -> Agent {
    let mut config = OpenAIConfig::new("key");
    config.base_url = job["base_url"].as_str().expect("a URL").to_owned();
    let mut agent =
        AgentBuilder::new(config.client().responses("m")).preamble(INSTRUCTIONS).default_max_turns(5);
    if let Some(limit) = job["request"]["max_output_tokens"].as_u64() {
        agent = agent.max_tokens(limit);
    }
    if !job["request"]["reasoning"].is_null() {
        agent = agent.additional_params(json!({"reasoning": job["request"]["reasoning"]}));
    }
    if job["schema"] == true {
        agent = agent.output_schema_raw(serde_json::from_value(weather()).expect("a schema"));
    }
    if job["tools"] != true {
        return agent.build();
    }
    let name = ToolName::new("get_weather").expect("a name");
    let ran = Arc::clone(ran);
    let tool =
        DynamicTool::new_with_context(name, "Tells the weather of a city.", parameters(), move |_, given| {
            ran.lock().expect("calls").push(json!(["get_weather", given]));
            Box::pin(async move { Ok(ToolOutput::text(get_weather(&given))) })
        });
    agent.dynamic_tool(tool).build()
}

async fn turn(agent: &Agent, stream: bool) -> Result<rig::agent::PromptResponse, PromptError> {
    if !stream {
        return agent.prompt(PROMPT).await;
    }
    let mut items = agent.prompt(PROMPT).stream();
    let mut last = None;
    while let Some(item) = items.next().await {
        if let MultiTurnStreamItem::FinalResponse(response) = item? {
            last = Some(response);
        }
    }
    Ok(last.expect("an end"))
}

fn reasoning(content: &[AssistantContent]) -> String {
    let thoughts = content.iter().filter_map(|part| match part {
        AssistantContent::Reasoning(thought) => Some(thought.text.as_str()),
        _ => None,
    });
    thoughts.collect()
}

fn shown(error: &PromptError) -> Value {
    match (error.provider_response_status(), error.provider_response_json()) {
        (Some(status), Ok(Some(body))) => api_error("PromptError", status.as_u16(), &body),
        (None, Ok(Some(event))) => json!({"class": "PromptError", "message": event["message"]}),
        _ => json!({"class": "PromptError", "message": error.to_string()}),
    }
}
