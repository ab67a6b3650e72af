//! The clients that rely on stored responses, in their defaults or with an option that they have for it.

use crate::sdk::Program::{self, Node, OlderPython, Python};

pub struct Client {
    /// The name that users know.
    pub name: &'static str,
    /// Its name in the lock file.
    pub package: &'static str,
    pub program: Program,
    pub modes: &'static [&'static str],
    pub runs_tools: bool,
    /// Whether its program also reads and deletes a response.
    pub shows: bool,
    /// The option that makes it rely on the store, for the documentation. `None`: it does so by default.
    pub option: Option<&'static str>,
    /// What to set without a store, for the documentation.
    pub without: &'static str,
}

const BY_HAND: &str = "Send the whole conversation.";

/// It sends `previous_response_id` with every request but the first.
const CHAINS: Client = Client {
    name: "",
    package: "",
    program: Python(""),
    modes: &["run", "stream"],
    runs_tools: true,
    shows: false,
    option: None,
    without: "Leave it off, as it is by default.",
};

pub const AGENT_FRAMEWORK: Client = Client {
    name: "Microsoft Agent Framework",
    package: "agent-framework-openai",
    program: Python("stored_agent_framework.py"),
    without: "`store: False` in the options of `OpenAIChatClient`. The default breaks every call of a tool and every second turn.",
    ..CHAINS
};

pub const SEMANTIC_KERNEL: Client = Client {
    name: "Semantic Kernel",
    package: "semantic-kernel",
    program: OlderPython("stored_semantic_kernel.py"),
    without: "`store_enabled=False` for the Responses agent. The default breaks every call of a tool and every second turn.",
    ..CHAINS
};

pub const AUTOGEN: Client = Client {
    name: "AutoGen",
    package: "autogen-ext",
    program: Python("stored_autogen.py"),
    modes: &["run"],
    runs_tools: false,
    without: "None. Its second turn sends the whole history and the id, which is a 400.",
    ..CHAINS
};

pub const AI_SDK: Client = Client {
    name: "Vercel AI SDK",
    package: "@ai-sdk/openai",
    program: Node("stored_ai_sdk.mjs"),
    modes: &["generate", "stream"],
    without: "`store: false` in `providerOptions.openai`. By default it refers to what the model said instead of repeating it, and what was said before a call is lost.",
    ..CHAINS
};

pub const MASTRA: Client =
    Client { name: "Mastra", package: "@mastra/core", program: Node("stored_mastra.mjs"), ..AI_SDK };

pub const AGENTS: Client = Client {
    name: "OpenAI Agents SDK (Python)",
    package: "openai-agents",
    program: Python("stored_agents.py"),
    option: Some("`auto_previous_response_id`"),
    ..CHAINS
};

pub const CREWAI: Client = Client {
    name: "CrewAI",
    package: "crewai",
    program: OlderPython("stored_crewai.py"),
    modes: &["call"],
    option: Some("`auto_chain`"),
    ..CHAINS
};

pub const LANGCHAIN: Client = Client {
    name: "LangChain (Python)",
    package: "langchain-openai",
    program: Python("stored_langchain.py"),
    modes: &["invoke", "stream"],
    option: Some("`use_previous_response_id`"),
    ..CHAINS
};

pub const LLAMA_INDEX: Client = Client {
    name: "LlamaIndex",
    package: "llama-index-llms-openai",
    program: OlderPython("stored_llama_index.py"),
    modes: &["chat", "stream"],
    option: Some("`track_previous_responses`"),
    ..CHAINS
};

pub const PYDANTIC_AI: Client = Client {
    name: "Pydantic AI",
    package: "pydantic-ai-slim",
    program: Python("stored_pydantic_ai.py"),
    option: Some("`openai_previous_response_id=\"auto\"`"),
    ..CHAINS
};

pub const STRANDS: Client = Client {
    name: "Strands Agents",
    package: "strands-agents",
    program: OlderPython("stored_strands.py"),
    modes: &["stream"],
    option: Some("`stateful`"),
    ..CHAINS
};

pub const LITELLM: Client = Client {
    name: "LiteLLM",
    package: "litellm",
    program: Python("stored_litellm.py"),
    modes: &["responses"],
    shows: true,
    option: Some("`previous_response_id`, `get_responses`, `list_input_items`, `delete_responses`"),
    without: BY_HAND,
    ..CHAINS
};

pub const OPENAI_PYTHON: Client = Client {
    name: "openai (Python)",
    package: "openai",
    program: Python("stored_openai.py"),
    modes: &["create", "stream"],
    shows: true,
    option: Some("`previous_response_id`, `retrieve`, `input_items.list`, `delete`"),
    without: BY_HAND,
    ..CHAINS
};
