//! The SDKs, and thin layers above them.

use super::{Client, own_error};
use crate::sdk::driver::Program::{Go, Java, Node, Python, Rust};
use serde_json::json;

pub const OPENAI_FINISH: [&str; 3] = ["completed", "max_output_tokens", "content_filter"];
pub const OPENAI_ERRORS: [&str; 5] =
    ["BadRequestError", "AuthenticationError", "NotFoundError", "RateLimitError", "InternalServerError"];

pub const OPENAI_PYTHON: Client = Client {
    name: "openai (Python)",
    package: "openai",
    program: Python("openai_python.py"),
    modes: &[("create", false), ("stream", true), ("async", true)],
    finish: OPENAI_FINISH,
    errors: OPENAI_ERRORS,
    prefix: |status| format!("Error code: {status} - "),
    lacks: &["handoff"],
    never_streams: &[],
    differs: |_| None,
    needs: "`base_url`",
    flaws: "",
};

pub const OPENAI_NODE: Client = Client {
    name: "openai (Node)",
    package: "openai",
    program: Node("openai_node.mjs"),
    modes: &[("create", false), ("stream", true), ("events", true)],
    prefix: |status| format!("{status} "),
    needs: "`baseURL`",
    ..OPENAI_PYTHON
};

pub const AI_SDK: Client = Client {
    name: "Vercel AI SDK",
    package: "@ai-sdk/openai",
    program: Node("ai_sdk.mjs"),
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
    needs: "`createOpenAI({baseURL})`, `openai.responses(model)`",
    ..OPENAI_PYTHON
};

pub const AGENTS: Client = Client {
    name: "OpenAI Agents SDK (Python)",
    package: "openai-agents",
    program: Python("agents_python.py"),
    modes: &[("run", false), ("stream", true)],
    finish: [""; 3],
    lacks: &[],
    differs: |scenario| {
        let incomplete = |reason: &str| {
            let event =
                "Responses stream ended with terminal event `response.incomplete`. status=incomplete; ";
            own_error(
                "ModelBehaviorError",
                &format!("{event}incomplete_details=IncompleteDetails(reason='{reason}')."),
            )
        };
        match scenario {
            "refusal" => own_error("ModelRefusalError", "Model refused to produce output: I cannot."),
            "truncated" | "a call is cut" | "a script is cut" => incomplete("max_output_tokens"),
            "filtered" => incomplete("content_filter"),
            _ => None,
        }
    },
    needs: "`OpenAIResponsesModel` with an `AsyncOpenAI(base_url=...)`",
    ..OPENAI_PYTHON
};

pub const AGENTS_NODE: Client = Client {
    name: "OpenAI Agents SDK (Node)",
    package: "@openai/agents",
    program: Node("agents_node.mjs"),
    prefix: |status| format!("{status} "),
    lacks: &["custom tool", "a script is cut"],
    differs: |scenario| match scenario {
        "refusal" => own_error("ModelRefusalError", "Model refused to produce output: I cannot."),
        "truncated" | "filtered" => own_error(
            "ModelBehaviorError",
            "OpenAI Responses request ended with unsuccessful terminal state \"response.incomplete\".",
        ),
        _ => None,
    },
    needs: "`OpenAIResponsesModel` with a `new OpenAI({baseURL})`",
    ..AGENTS
};

pub const LANGCHAIN: Client = Client {
    name: "LangChain (Python)",
    package: "langchain-openai",
    program: Python("langchain_python.py"),
    modes: &[("invoke", false), ("stream", true), ("async", false)],
    errors: [
        "OpenAIInvalidRequestError",
        "OpenAIAuthenticationError",
        "OpenAIModelNotFoundError",
        "OpenAIRateLimitError",
        "OpenAIAPIError",
    ],
    needs: "`base_url`, `use_responses_api=True`",
    ..OPENAI_PYTHON
};

pub const PYDANTIC_AI: Client = Client {
    name: "Pydantic AI",
    package: "pydantic-ai-slim",
    program: Python("pydantic_ai_python.py"),
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
    needs: "`OpenAIResponsesModel` with an `AsyncOpenAI(base_url=...)`",
    ..OPENAI_PYTHON
};

pub const ASYNC_OPENAI: Client = Client {
    name: "async-openai (Rust)",
    package: "async-openai",
    program: Rust("async_openai"),
    modes: &[("create", false), ("stream", true)],
    errors: ["ApiError"; 5],
    prefix: |_| String::new(),
    // It always tries again.
    lacks: &["handoff", "too many requests", "a broken upstream"],
    differs: |scenario| {
        (scenario == "error in the stream").then(|| own_error("response.failed", "It broke.")).flatten()
    },
    needs: "`OpenAIConfig::with_api_base`",
    ..OPENAI_PYTHON
};

pub const OPENAI_GO: Client = Client {
    name: "openai-go",
    package: "github.com/openai/openai-go/v3",
    program: Go("openai_go"),
    modes: &[("new", false), ("stream", true)],
    errors: ["openai.Error"; 5],
    prefix: |_| String::new(),
    differs: |scenario| {
        (scenario == "error in the stream").then(|| own_error("ssestream.StreamError", "It broke.")).flatten()
    },
    needs: "`option.WithBaseURL`",
    ..OPENAI_PYTHON
};

pub const OPENAI_JAVA: Client = Client {
    name: "openai-java",
    package: "openai-java",
    program: Java("OpenAiJava"),
    modes: &[("create", false), ("stream", true)],
    errors: [
        "BadRequestException",
        "UnauthorizedException",
        "NotFoundException",
        "RateLimitException",
        "InternalServerException",
    ],
    prefix: |status| format!("{status}: "),
    differs: |scenario| {
        let broken = json!({"class": "SseException", "status": 200, "message": "200: It broke."});
        (scenario == "error in the stream").then(|| json!({ "error": broken }))
    },
    needs: "`baseUrl` of `OpenAIOkHttpClient.builder()`",
    ..OPENAI_PYTHON
};
