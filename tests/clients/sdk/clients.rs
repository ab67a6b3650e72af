//! The clients: how each is called, and how each reports the same results.

use crate::sdk::scenarios::Scenario;
use serde_json::{Value, json};

pub struct Client {
    /// In `tests/clients/drivers`.
    pub program: &'static str,
    /// The ways to ask, and whether the client then asks for a stream.
    pub modes: &'static [(&'static str, bool)],
    /// Its status for a reply that is complete, cut by the token limit, or cut by a filter. `""`: it reports none.
    finish: [&'static str; 3],
    /// Its errors for the statuses 400, 401, 404, 429 and 500, and the prefix of their messages.
    errors: [&'static str; 5],
    prefix: fn(u64) -> String,
    /// Scenarios that need what this client does not have.
    pub lacks: &'static [&'static str],
    /// Its different results in some scenarios.
    differs: fn(&str) -> Option<Value>,
}

impl Client {
    /// The result that the client must report in a scenario.
    pub fn expected(&self, scenario: &Scenario) -> Value {
        let mut expected = (self.differs)(scenario.name).unwrap_or_else(|| (scenario.outcome)());
        if let Some(status) =
            expected["error"]["status"].as_u64().filter(|_| expected["error"]["class"].is_null())
        {
            let class = [400, 401, 404, 429, 500].iter().position(|known| *known == status).unwrap();
            let message =
                format!("{}{}", (self.prefix)(status), expected["error"]["message"].as_str().unwrap());
            expected["error"]["class"] = json!(self.errors[class]);
            expected["error"]["message"] = json!(message);
        }
        if let Some(finish) = expected["finish"].as_str() {
            let word = ["completed", "length", "filter"].iter().position(|known| *known == finish).unwrap();
            match self.finish[word] {
                "" => drop(expected.as_object_mut().unwrap().remove("finish")),
                word => expected["finish"] = json!(word),
            }
        }
        expected
    }
}

const OPENAI_FINISH: [&str; 3] = ["completed", "max_output_tokens", "content_filter"];
const OPENAI_ERRORS: [&str; 5] =
    ["BadRequestError", "AuthenticationError", "NotFoundError", "RateLimitError", "InternalServerError"];

pub const OPENAI_PYTHON: Client = Client {
    program: "openai_python.py",
    modes: &[("create", false), ("stream", true), ("async", true)],
    finish: OPENAI_FINISH,
    errors: OPENAI_ERRORS,
    prefix: |status| format!("Error code: {status} - "),
    lacks: &["handoff"],
    differs: |_| None,
};

pub const OPENAI_NODE: Client = Client {
    program: "openai_node.mjs",
    modes: &[("create", false), ("stream", true), ("events", true)],
    prefix: |status| format!("{status} "),
    ..OPENAI_PYTHON
};

pub const AI_SDK: Client = Client {
    program: "ai_sdk.mjs",
    modes: &[("generate", false), ("stream", true)],
    finish: ["stop", "length", "content-filter"],
    errors: ["AI_APICallError"; 5],
    prefix: |_| String::new(),
    lacks: &["handoff"],
    differs: |scenario| match scenario {
        "refusal" => Some(json!({"text": "I cannot.", "finish": "filter"})),
        "error in the stream" => Some(json!({
            "text": "Half", "error": {"class": "AI_StreamProviderError", "status": 500, "message": "It broke."}
        })),
        _ => None,
    },
};

pub const AGENTS: Client = Client {
    program: "agents_python.py",
    modes: &[("run", false), ("stream", true)],
    finish: [""; 3],
    lacks: &[],
    differs: |scenario| {
        let error = |class: &str, message: &str| Some(json!({"error": {"class": class, "message": message}}));
        let incomplete = |reason: &str| {
            let event =
                "Responses stream ended with terminal event `response.incomplete`. status=incomplete; ";
            error(
                "ModelBehaviorError",
                &format!("{event}incomplete_details=IncompleteDetails(reason='{reason}')."),
            )
        };
        match scenario {
            "refusal" => error("ModelRefusalError", "Model refused to produce output: I cannot."),
            "truncated" | "a call is cut" | "a script is cut" => incomplete("max_output_tokens"),
            "filtered" => incomplete("content_filter"),
            _ => None,
        }
    },
    ..OPENAI_PYTHON
};

pub const AGENTS_NODE: Client = Client {
    program: "agents_node.mjs",
    prefix: |status| format!("{status} "),
    lacks: &["custom tool", "a script is cut"],
    differs: |scenario| {
        let error = |class: &str, message: &str| Some(json!({"error": {"class": class, "message": message}}));
        match scenario {
            "refusal" => error("ModelRefusalError", "Model refused to produce output: I cannot."),
            "truncated" | "filtered" => error(
                "ModelBehaviorError",
                "OpenAI Responses request ended with unsuccessful terminal state \"response.incomplete\".",
            ),
            _ => None,
        }
    },
    ..AGENTS
};

pub const LANGCHAIN: Client = Client {
    program: "langchain_python.py",
    modes: &[("invoke", false), ("stream", true), ("async", false)],
    errors: [
        "OpenAIInvalidRequestError",
        "OpenAIAuthenticationError",
        "OpenAIModelNotFoundError",
        "OpenAIRateLimitError",
        "OpenAIAPIError",
    ],
    ..OPENAI_PYTHON
};

pub const PYDANTIC_AI: Client = Client {
    program: "pydantic_ai_python.py",
    modes: &[("run", false), ("stream", true)],
    finish: ["stop", "length", "content_filter"],
    errors: [
        "ModelRequestRejectedError",
        "ModelAuthenticationError",
        "ModelNotFoundError",
        "ModelRateLimitError",
        "ModelServerError",
    ],
    prefix: |_| String::new(),
    lacks: &["handoff", "custom tool", "a script is cut"],
    differs: |scenario| match scenario {
        "refusal" => Some(json!({"error": {
            "class": "ContentFilterError", "message": "Content filter triggered. Refusal: 'I cannot.'"
        }})),
        "the context is full" => Some(json!({"error": {
            "class": "ModelContextWindowExceededError", "status": 400, "code": "context_length_exceeded",
            "message": "This model's maximum context length is 2048 tokens."
        }})),
        "error in the stream" => {
            Some(json!({"error": {"class": "ModelServerError", "status": 500, "message": "It broke."}}))
        }
        _ => None,
    },
};
