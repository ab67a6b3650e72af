//! genai, with the adapter `OpenAIResp`. Modes: `exec_chat`, `stream`.

use futures_util::StreamExt;
use genai::adapter::AdapterKind;
use genai::chat::{
    ChatMessage, ChatOptions, ChatRequest, ChatStreamEvent, JsonSpec, MessageContent, ReasoningEffort,
    StopReason, Tool, ToolResponse, Usage,
};
use genai::resolver::{AuthData, Endpoint};
use genai::{Client, ModelIden, ServiceTarget};
use rust_clients::{INSTRUCTIONS, PROMPT, api_error, get_weather, parameters, serve, weather};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    serve(ask).await;
}

/// The result of both modes.
struct Reply {
    content: MessageContent,
    reasoning: Option<String>,
    finish: Option<StopReason>,
    usage: Usage,
}

async fn ask(job: &Value) -> Value {
    let target = ServiceTarget {
        endpoint: Endpoint::from_owned(format!("{}/", job["base_url"].as_str().expect("a URL"))),
        auth: AuthData::from_single("key"),
        model: ModelIden::new(AdapterKind::OpenAIResp, "m"),
    };
    let client = Client::builder()
        .with_service_target_resolver_fn(move |_| Ok(target.clone()))
        .build()
        .expect("a client");
    let mut request = ChatRequest::from_user(PROMPT).with_system(INSTRUCTIONS);
    if job["tools"] == true {
        let tool = Tool::new("get_weather")
            .with_description("Tells the weather of a city.")
            .with_schema(parameters());
        request = request.with_tools(vec![tool]);
    }
    let options = options(job);
    let mut ran = Vec::new();
    loop {
        let reply = match turn(&client, request.clone(), &options, job["mode"] == "stream").await {
            Ok(reply) => reply,
            Err(error) => return json!({"ran": ran, "error": shown(&error)}),
        };
        let calls: Vec<_> = reply.content.tool_calls().into_iter().cloned().collect();
        if calls.is_empty() {
            return outcome(reply, &ran, job["schema"] == true);
        }
        request = request.append_message(ChatMessage::assistant(reply.content));
        for call in calls {
            ran.push(json!([call.fn_name, call.fn_arguments]));
            request =
                request.append_message(ToolResponse::new(call.call_id, get_weather(&call.fn_arguments)));
        }
    }
}

fn options(job: &Value) -> ChatOptions {
    let mut options = ChatOptions::default()
        .with_capture_content(true)
        .with_capture_tool_calls(true)
        .with_capture_usage(true)
        .with_capture_reasoning_content(true);
    if let Some(limit) = job["request"]["max_output_tokens"].as_u64() {
        options = options.with_max_tokens(u32::try_from(limit).expect("a small number"));
    }
    if !job["request"]["reasoning"].is_null() {
        options = options.with_reasoning_effort(ReasoningEffort::Low);
    }
    if job["schema"] == true {
        options = options.with_response_format(JsonSpec::new("Weather", weather()));
    }
    options
}

async fn turn(
    client: &Client,
    request: ChatRequest,
    options: &ChatOptions,
    stream: bool,
) -> genai::Result<Reply> {
    if !stream {
        let reply = client.exec_chat("m", request, Some(options)).await?;
        return Ok(Reply {
            content: reply.content,
            reasoning: reply.reasoning_content,
            finish: reply.stop_reason,
            usage: reply.usage,
        });
    }
    let mut events = client.exec_chat_stream("m", request, Some(options)).await?.stream;
    let mut last = None;
    while let Some(event) = events.next().await {
        if let ChatStreamEvent::End(end) = event? {
            last = Some(end);
        }
    }
    let end = last.expect("an end");
    Ok(Reply {
        content: end.captured_content.unwrap_or_default(),
        reasoning: end.captured_reasoning_content,
        finish: end.captured_stop_reason,
        usage: end.captured_usage.unwrap_or_default(),
    })
}

fn shown(error: &genai::Error) -> Value {
    match error {
        genai::Error::WebModelCall {
            webc_error: genai::webc::Error::ResponseFailedStatus { status, body, .. },
            ..
        } => {
            let body = serde_json::from_str(body).expect("JSON");
            api_error("WebModelCall", status.as_u16(), &body)
        }
        genai::Error::HttpError { status, body, .. } => {
            let body = serde_json::from_str(body).expect("JSON");
            api_error("WebModelCall", status.as_u16(), &body)
        }
        // In streams.
        genai::Error::WebStream { error, .. } => {
            let inner = error.downcast_ref::<genai::Error>();
            inner.map_or_else(|| json!({"class": "WebStream", "message": error.to_string()}), shown)
        }
        genai::Error::ChatResponse { body, .. } => {
            json!({"class": "ChatResponse", "message": body["message"]})
        }
        other => json!({"class": "genai::Error", "message": other.to_string()}),
    }
}

fn outcome(reply: Reply, ran: &[Value], schema: bool) -> Value {
    let text = reply.content.joined_texts().unwrap_or_default();
    json!({
        "parsed": schema.then(|| serde_json::from_str::<Value>(&text).expect("JSON")),
        "text": (!schema).then_some(text),
        "reasoning": reply.reasoning,
        "ran": ran,
        "finish": reply.finish.map(|finish| finish.raw().to_owned()),
        "usage": [reply.usage.prompt_tokens, reply.usage.completion_tokens],
    })
}
