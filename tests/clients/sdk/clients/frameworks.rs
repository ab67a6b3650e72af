//! The frameworks. Most of them use one of the SDKs.

use super::{AI_SDK, Client, OPENAI_NODE, OPENAI_PYTHON, own_error};
use crate::sdk::driver::Program::{Java, Node, OlderPython, Python, Rust};
use serde_json::{Value, json};

/// Frameworks only support functions.
const FUNCTIONS_ONLY: &[&str] = &["handoff", "custom tool", "a script is cut"];

/// Common to the frameworks that use openai-python.
const FRAMEWORK: Client = Client {
    finish: [""; 3],
    prefix: |_| String::new(),
    lacks: FUNCTIONS_ONLY,
    differs: |scenario| loses_refusals(scenario),
    flaws: "A refusal is an empty answer.",
    ..OPENAI_PYTHON
};

fn loses_refusals(scenario: &str) -> Option<Value> {
    (scenario == "refusal").then(|| json!({"finish": "completed"}))
}

/// The client's own error for a full context.
fn full_context(scenario: &str, class: &str, message: &str) -> Option<Value> {
    (scenario == "the context is full").then(|| own_error(class, message)).flatten()
}

const FULL: &str = "This model's maximum context length is 2048 tokens.";

pub const LANGCHAIN_NODE: Client = Client {
    name: "LangChain (Node)",
    package: "@langchain/openai",
    program: Node("langchain_node.mjs"),
    modes: &[("invoke", false), ("stream", true)],
    lacks: FUNCTIONS_ONLY,
    differs: |scenario| full_context(scenario, "ContextOverflowError", &format!("400 {FULL}")),
    needs: "`configuration.baseURL`, `useResponsesApi: true`",
    ..OPENAI_NODE
};

pub const HAYSTACK: Client = Client {
    name: "Haystack",
    package: "haystack-ai",
    program: Python("haystack_python.py"),
    modes: &[("run", false), ("stream", true)],
    finish: ["stop", "length", "content_filter"],
    never_streams: &["structured output"],
    needs: "`OpenAIResponsesChatGenerator`, `api_base_url`",
    flaws: "A refusal is an empty answer. Structured output cannot be streamed.",
    ..FRAMEWORK
};

pub const LLM: Client = Client {
    name: "llm",
    package: "llm",
    program: Python("llm_python.py"),
    modes: &[("prompt", false), ("stream", true)],
    // It always tries three times.
    lacks: &["handoff", "custom tool", "a script is cut", "too many requests", "a broken upstream"],
    differs: |scenario| match scenario {
        "reasoning" => Some(json!({"text": "Done."})),
        other => loses_refusals(other),
    },
    needs: "`api_base` and `responses: true` in `extra-openai-models.yaml`",
    ..FRAMEWORK
};

pub const LLAMA_INDEX: Client = Client {
    name: "LlamaIndex",
    package: "llama-index-llms-openai",
    program: OlderPython("llama_index_python.py"),
    modes: &[("chat", false), ("stream", true)],
    never_streams: &["structured output"],
    needs: "`OpenAIResponses`, `api_base`, `context_window`; `allow_parallel_tool_calls=True`, or only the first of several calls is read",
    flaws: "A refusal is an empty answer. The last chunk of a stream that ends incomplete has no text.",
    ..FRAMEWORK
};

pub const GOOGLE_ADK: Client = Client {
    name: "Google ADK",
    package: "google-adk",
    program: Python("google_adk_python.py"),
    modes: &[("run", false), ("stream", true)],
    finish: ["STOP", "MAX_TOKENS", "OTHER"],
    differs: |scenario| {
        (scenario == "refusal").then(|| json!({"text": "OpenAI refusal: I cannot.", "finish": "completed"}))
    },
    needs: "`OpenAIResponsesLlm`, `base_url`",
    flaws: "A filtered reply ends with `OTHER`, not `SAFETY`.",
    ..FRAMEWORK
};

pub const DSPY: Client = Client {
    name: "DSPy",
    package: "dspy",
    program: Python("dspy_python.py"),
    modes: &[("call", false), ("async", false)],
    errors: [
        "LMInvalidRequestError",
        "LMAuthError",
        "LMUnsupportedModelError",
        "LMRateLimitError",
        "LMServerError",
    ],
    differs: |scenario| match scenario {
        "the context is full" => Some(json!({"error": {
            "class": "ContextWindowExceededError", "status": 400, "code": "context_length_exceeded", "message": FULL
        }})),
        other => loses_refusals(other),
    },
    needs: "`model_type=\"responses\"`, `api_base`",
    ..FRAMEWORK
};

pub const CREWAI: Client = Client {
    name: "CrewAI",
    package: "crewai",
    program: OlderPython("crewai_python.py"),
    modes: &[("call", false)],
    // It always tries again, slowly.
    lacks: &["handoff", "custom tool", "a script is cut", "too many requests"],
    differs: |scenario| match scenario {
        "reasoning" => Some(json!({"text": "Done."})),
        "an unknown model" => own_error("ValueError", "The model `m` does not exist."),
        "the context is full" => own_error("LLMContextLengthExceededError", FULL),
        other => loses_refusals(other),
    },
    needs: "`api=\"responses\"`, `base_url`",
    ..FRAMEWORK
};

pub const CREWAI_STREAM: Client = Client {
    name: "CrewAI, `stream=True`",
    modes: &[("stream", true)],
    lacks: &[
        "handoff",
        "custom tool",
        "a script is cut",
        "too many requests",
        "text, reasoning and a call",
        "interleaved calls",
    ],
    differs: |scenario| match scenario {
        "reasoning" => Some(json!({"text": "Done."})),
        other => loses_refusals(other),
    },
    flaws: "Tool calls are lost: it reads them, but returns only the text. A refusal is an empty answer.",
    ..CREWAI
};

pub const STRANDS: Client = Client {
    name: "Strands Agents",
    package: "strands-agents",
    program: OlderPython("strands_python.py"),
    modes: &[("stream", true)],
    finish: ["end_turn", "max_tokens", "content_filtered"],
    never_streams: &["structured output"],
    differs: |scenario| match scenario {
        "truncated" => {
            own_error("MaxTokensReachedException", "Model stopped generating due to maximum token limit")
        }
        "the context is full" => {
            own_error("ContextWindowOverflowException", "Unable to trim conversation context!")
        }
        "too many requests" => own_error("ModelThrottledException", "Slow down."),
        other => loses_refusals(other),
    },
    needs: "`OpenAIResponsesModel`, `client_args={\"base_url\": ...}`",
    ..FRAMEWORK
};

pub const MASTRA: Client = Client {
    name: "Mastra",
    package: "@mastra/core",
    program: Node("mastra.mjs"),
    modes: &[("generate", false), ("stream", true)],
    lacks: &["handoff", "custom tool", "a script is cut", "refusal"],
    differs: |scenario| {
        (scenario == "error in the stream").then(|| own_error("Object", "It broke.")).flatten()
    },
    needs: "`model: {id, url, apiKey, api: \"responses\"}`",
    flaws: "A refusal is \"Invalid JSON response\", in a stream an empty answer.",
    ..AI_SDK
};

pub const GENAI: Client = Client {
    name: "genai (Rust)",
    package: "genai",
    program: Rust("genai"),
    modes: &[("exec_chat", false), ("stream", true)],
    finish: ["completed", "incomplete", "incomplete"],
    errors: ["WebModelCall"; 5],
    // It never tries again.
    lacks: &["handoff", "custom tool", "a script is cut", "a second try"],
    differs: |scenario| match scenario {
        "error in the stream" => own_error("ChatResponse", "It broke."),
        other => loses_refusals(other),
    },
    needs: "a `ServiceTarget` with `AdapterKind::OpenAIResp` and an endpoint that ends in `/`",
    flaws: "A refusal is an empty answer. A filtered reply ends with `MaxTokens`.",
    ..FRAMEWORK
};

pub const RIG: Client = Client {
    name: "rig (Rust)",
    package: "rig",
    program: Rust("rig"),
    modes: &[("prompt", false), ("stream", true)],
    errors: ["PromptError"; 5],
    // It never tries again.
    lacks: &["handoff", "custom tool", "a script is cut", "a second try"],
    differs: |scenario| match scenario {
        "refusal" => Some(json!({"text": "I cannot."})),
        "filtered" => own_error(
            "PromptError",
            "ResponseError: the provider failed the turn: Provider finish_reason: content_filter",
        ),
        "error in the stream" => own_error("PromptError", "It broke."),
        _ => None,
    },
    flaws: "",
    needs: "`OpenAIConfig::base_url`, `client().responses(model)`",
    ..FRAMEWORK
};

pub const LANGCHAIN4J: Client = Client {
    name: "LangChain4j",
    package: "langchain4j-open-ai",
    program: Java("LangChain4j"),
    modes: &[("chat", false), ("stream", true)],
    finish: ["STOP", "LENGTH", "LENGTH"],
    errors: [
        "InvalidRequestException",
        "AuthenticationException",
        "ModelNotFoundException",
        "RateLimitException",
        "InternalServerException",
    ],
    // It never tries again.
    lacks: &["handoff", "custom tool", "a script is cut", "a second try"],
    differs: |scenario| match scenario {
        "error in the stream" => own_error("RuntimeException", "Response failed: It broke."),
        other => loses_refusals(other),
    },
    flaws: "A refusal is an empty answer. A filtered reply ends with `LENGTH`.",
    needs: "`OpenAiResponsesChatModel` or `OpenAiResponsesStreamingChatModel`, `baseUrl`",
    ..FRAMEWORK
};
