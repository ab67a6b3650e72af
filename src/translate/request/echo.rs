//! What the response repeats of the request.

use crate::items::Site;
use crate::json::{self, Text};
use crate::responses::{Echo, EchoedReasoning, EchoedText, FunctionTool, Request, Tagged};
use serde_json::value::RawValue;

/// What the response repeats of the request, defaults filled in as OpenAI does.
pub(super) fn echo(request: &Request<'_>, model: &str) -> Echo {
    let own = |raw: Option<&RawValue>| raw.map(ToOwned::to_owned);
    let or =
        |raw: Option<&RawValue>, default: serde_json::Value| own(raw).unwrap_or_else(|| json::raw(&default));
    let text = request.text.as_ref();
    let reasoning = request.reasoning.as_ref();
    Echo {
        model: model.to_owned(),
        instructions: request.instructions.as_ref().map(json::raw),
        tools: request.tools.iter().flatten().map(|raw| echoed_tool(raw)).collect(),
        tool_choice: or(request.tool_choice, "auto".into()),
        parallel_tool_calls: request.parallel_tool_calls.unwrap_or(true),
        reasoning: EchoedReasoning {
            effort: reasoning.and_then(|reasoning| reasoning.effort.clone()),
            summary: own(reasoning.and_then(|reasoning| reasoning.summary)),
        },
        text: EchoedText {
            format: or(text.and_then(|text| text.format), serde_json::json!({"type": "text"})),
            verbosity: own(text.and_then(|text| text.verbosity)),
        },
        temperature: request.temperature.unwrap_or(1.0),
        top_p: request.top_p.unwrap_or(1.0),
        presence_penalty: 0.0,
        frequency_penalty: 0.0,
        top_logprobs: request.top_logprobs.unwrap_or(0),
        max_output_tokens: request.max_output_tokens,
        max_tool_calls: request.max_tool_calls,
        truncation: request.truncation.clone().unwrap_or_else(|| "disabled".into()),
        metadata: or(request.metadata, serde_json::json!({})),
        service_tier: or(request.service_tier, "default".into()),
        user: own(request.user),
        safety_identifier: own(request.safety_identifier),
        prompt_cache_key: own(request.prompt_cache_key),
        previous_response_id: None,
        store: false,
        background: false,
    }
}

/// Open Responses: a function tool has `description`, `parameters` and `strict`, null if need be.
fn echoed_tool(raw: &RawValue) -> Box<RawValue> {
    #[derive(serde::Serialize)]
    struct Function<'a> {
        r#type: &'static str,
        name: String,
        description: Option<Text<'a>>,
        parameters: Option<&'a RawValue>,
        strict: Option<bool>,
    }
    let site = Site::new(raw, "");
    match (site.read::<Tagged>(), site.read::<FunctionTool<'_>>()) {
        (Ok(Tagged { r#type: Some(kind) }), Ok(tool)) if kind == "function" => json::raw(&Function {
            r#type: "function",
            name: tool.name,
            description: tool.description,
            parameters: tool.parameters,
            strict: tool.strict,
        }),
        _ => raw.to_owned(),
    }
}
