//! What the strictest hosts demand of a request, as a table of rules.
//!
//! The default is the strictest that a generic Chat Completions request can satisfy everywhere. A script loosens it,
//! to be the host that a scenario is about.

mod calls;
mod fields;
mod look;
mod messages;
mod options;
mod tools;

use serde::Deserialize;
use serde_json::{Value, json};

/// What a script may change. Every default is the strict one.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Strictness {
    /// Further top-level fields, e.g. `reasoning_effort`, `max_completion_tokens`.
    pub(crate) allow_fields: Vec<String>,
    /// Top-level fields that this host does not take either, e.g. `stream_options`, `max_tokens`.
    pub(crate) refuse_fields: Vec<String>,
    /// Further fields of assistant messages, e.g. `reasoning_content`.
    pub(crate) assistant_fields: Vec<String>,
    /// Fields that every assistant message with calls must have, e.g. `reasoning_content` at DeepSeek.
    pub(crate) assistant_must_have: Vec<String>,
    /// Further fields of tool messages, e.g. `name`.
    pub(crate) tool_message_fields: Vec<String>,
    /// Further fields of tool calls, e.g. `extra_content`.
    pub(crate) tool_call_fields: Vec<String>,
    pub(crate) roles: Vec<String>,
    /// Roles whose content may be a list of parts.
    pub(crate) parts_in: Vec<String>,
    pub(crate) images: bool,
    /// `content: null` beside tool calls.
    pub(crate) null_content: bool,
    /// More than one system message, or one that is not the first.
    pub(crate) late_system: bool,
    /// User and assistant must take turns.
    pub(crate) alternate: bool,
    /// The last message may be the assistant's, to be continued.
    pub(crate) prefill: bool,
    /// A tool call id may come back in a later turn.
    pub(crate) repeated_ids: bool,
    /// An exact length for tool call ids, as Mistral's nine.
    pub(crate) id_length: Option<usize>,
    /// `strict` in a function's declaration.
    pub(crate) strict_tools: bool,
    pub(crate) tool_choices: Vec<String>,
    pub(crate) response_formats: Vec<String>,
    /// Values of `reasoning_effort`, once that is allowed; empty means any.
    pub(crate) reasoning_efforts: Vec<String>,
    /// Words that no schema of a tool may use as a key, e.g. `additionalProperties`, `$ref`.
    pub(crate) schema_refuses: Vec<String>,
}

impl Default for Strictness {
    fn default() -> Self {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        Self {
            allow_fields: Vec::new(),
            refuse_fields: Vec::new(),
            assistant_fields: Vec::new(),
            assistant_must_have: Vec::new(),
            tool_message_fields: Vec::new(),
            tool_call_fields: Vec::new(),
            roles: words(&["system", "user", "assistant", "tool"]),
            parts_in: words(&["user"]),
            images: true,
            null_content: false,
            late_system: false,
            alternate: false,
            prefill: false,
            repeated_ids: false,
            id_length: None,
            strict_tools: false,
            tool_choices: words(&["auto", "none", "required", "function"]),
            response_formats: words(&["text", "json_object", "json_schema"]),
            reasoning_efforts: Vec::new(),
            schema_refuses: Vec::new(),
        }
    }
}

/// Why a request is a 400.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    pub(crate) param: String,
    pub(crate) code: &'static str,
}

impl Refusal {
    fn at(param: &str, why: String) -> Self {
        Self { message: format!("{param}: {why}"), param: param.to_owned(), code: "invalid_value" }
    }

    pub(crate) fn body(&self) -> Value {
        json!({"error": {
            "message": self.message, "type": "invalid_request_error", "param": self.param, "code": self.code
        }})
    }
}

type Checked = Result<(), Refusal>;

/// One demand, and who makes it.
pub(crate) struct Rule {
    /// The sentence that `GET /_/rules` prints.
    pub(crate) because: &'static str,
    check: fn(&Value, &Strictness) -> Checked,
}

/// In this order; the first that fails is the answer. Later rules build on what earlier ones have made sure.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        because: "Mistral, Fireworks and Cerebras refuse every top-level field that they do not know.",
        check: options::top_level,
    },
    Rule { because: "Everybody refuses an empty conversation.", check: messages::some_messages },
    Rule {
        because: "DeepSeek, Mistral, DeepInfra and Qwen's template refuse the role developer.",
        check: messages::known_roles,
    },
    Rule {
        because: "Groq and Mistral refuse unknown fields inside messages, as reasoning_content.",
        check: messages::message_fields,
    },
    Rule {
        because: "Qwen's and Mistral's templates, MiniMax and LM Studio take one system message, and only as the first.",
        check: messages::one_system_first,
    },
    Rule {
        because: "Cloudflare refuses content null; DeepSeek and NIM want strings where there is only text; Ollama takes images as data URLs.",
        check: messages::contents,
    },
    Rule {
        because: "Kimi refuses an assistant message that says and calls nothing.",
        check: messages::assistant_says_something,
    },
    Rule {
        because: "DeepSeek and Kimi, while thinking, refuse a tool loop whose reasoning was not sent back.",
        check: messages::assistant_has_what_it_must,
    },
    Rule {
        because: "llama.cpp and Ollama parse the arguments of past calls; OpenAI and Azure bound ids at 40 characters.",
        check: calls::tool_calls,
    },
    Rule {
        because: "OpenAI, Groq and Azure refuse a call without its result and a result without its call, or anything between them.",
        check: calls::calls_are_answered,
    },
    Rule {
        because: "Mistral-7B's template wants user and assistant to take turns.",
        check: messages::turns_alternate,
    },
    Rule {
        because: "llama.cpp continues a last assistant message, or refuses it while thinking; Mistral refuses it.",
        check: messages::last_is_not_assistant,
    },
    Rule {
        because: "vLLM and Mistral refuse an empty list of tools; OpenAI bounds names; Moonshot and Gemini want an object schema.",
        check: tools::tools,
    },
    Rule {
        because: "OpenAI and vLLM refuse tool_choice and parallel_tool_calls without tools, and a choice of a tool that is not there.",
        check: tools::tool_choice,
    },
    Rule {
        because: "vLLM refuses stream_options without stream, TGI refuses it null.",
        check: options::stream_options,
    },
    Rule {
        because: "DeepSeek takes no json_schema, TGI spells it otherwise; OpenAI wants it named.",
        check: options::response_format,
    },
    Rule {
        because: "vLLM, SGLang and Ollama refuse an effort that they do not know; n over 1 and odd stops are refused by many.",
        check: options::small_values,
    },
];

/// The verdict of all rules.
pub(crate) fn check_request(body: &Value, strict: &Strictness) -> Checked {
    RULES.iter().try_for_each(|rule| (rule.check)(body, strict))
}
