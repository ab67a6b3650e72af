//! Checks a request as the strictest providers do, with a table of rules.
//!
//! A generic Chat Completions request can satisfy the default everywhere. A script loosens the default to act as the
//! provider of a scenario.

mod calls;
mod fields;
mod look;
mod messages;
mod options;
mod providers;
mod schemas;
mod tools;

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::{Map, Value, json};

/// A script names a provider, or sets demands, or both: `"mistral"`, `{"images": false}`,
/// `{"like": "mistral", "images": false}`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Strictness(Demands);

impl std::ops::Deref for Strictness {
    type Target = Demands;

    fn deref(&self) -> &Demands {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Strictness {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let mut given = match Value::deserialize(input)? {
            Value::String(name) => Map::from_iter([("like".to_owned(), Value::String(name))]),
            Value::Object(demands) => demands,
            _ => return Err(D::Error::custom("strict must be a provider's name or an object of demands")),
        };
        let mut demands = match given.remove("like") {
            Some(name) => twin(&name).map_err(D::Error::custom)?,
            None => Map::new(),
        };
        demands.extend(given);
        serde_json::from_value(Value::Object(demands)).map(Strictness).map_err(D::Error::custom)
    }
}

fn twin(provider: &Value) -> Result<Map<String, Value>, String> {
    let known = providers::PROVIDERS.iter().find(|(name, _)| provider == name);
    let (_, demands) = known.ok_or_else(|| format!("no provider is named {provider}"))?;
    serde_json::from_str(demands).map_err(|error| error.to_string())
}

/// The demands that a script can change. Each default is the strictest value.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Demands {
    /// Whether unknown fields are ignored instead of rejected, at the top level and in messages.
    pub(crate) ignores_unknown: bool,
    /// Top-level fields accepted besides the usual ones, e.g. `reasoning_effort`, `max_completion_tokens`.
    pub(crate) allow_fields: Vec<String>,
    /// Usual top-level fields that are rejected, e.g. `stream_options`, `max_tokens`.
    pub(crate) refuse_fields: Vec<String>,
    /// Additional fields accepted in assistant messages, e.g. `reasoning_content`.
    pub(crate) assistant_fields: Vec<String>,
    /// Fields that every assistant message with calls must have, e.g. `reasoning_content` at DeepSeek.
    pub(crate) assistant_must_have: Vec<String>,
    /// Additional fields accepted in tool messages, e.g. `name`.
    pub(crate) tool_message_fields: Vec<String>,
    /// Additional fields accepted in tool calls, e.g. `extra_content`.
    pub(crate) tool_call_fields: Vec<String>,
    /// Fields that the first tool call of each message must have, e.g. `extra_content` at Gemini.
    pub(crate) tool_call_must_have: Vec<String>,
    pub(crate) roles: Vec<String>,
    /// Roles whose content may be a list of parts.
    pub(crate) parts_in: Vec<String>,
    pub(crate) images: bool,
    /// Whether `content` may be null in a message with tool calls.
    pub(crate) null_content: bool,
    /// Whether a message with `content` loses its tool calls, as at TGI.
    pub(crate) content_hides_calls: bool,
    /// Whether there may be several system messages, or one that is not the first message.
    pub(crate) late_system: bool,
    /// Whether user and assistant messages must alternate.
    pub(crate) alternate: bool,
    /// Whether a user message may follow a tool message.
    pub(crate) user_after_tool: bool,
    /// Whether the last message may be an assistant message, for the model to continue.
    pub(crate) prefill: bool,
    /// Whether a later turn may use a tool call id again.
    pub(crate) repeated_ids: bool,
    /// The maximum length of a tool call id in characters, e.g. 40 at OpenAI.
    pub(crate) longest_id: Option<usize>,
    /// The exact length of a tool call id in characters, e.g. 9 at Mistral.
    pub(crate) id_length: Option<usize>,
    /// Whether a function's declaration may have `strict`.
    pub(crate) strict_tools: bool,
    /// Whether tools, calls and `tool_choice` may have the type `custom`.
    pub(crate) custom_tools: bool,
    pub(crate) tool_choices: Vec<String>,
    pub(crate) response_formats: Vec<String>,
    /// Whether a request with tools may have a response format other than text.
    pub(crate) json_with_tools: bool,
    /// The accepted values of `reasoning_effort`, if that field is allowed. Empty means any.
    pub(crate) reasoning_efforts: Vec<String>,
    /// Keywords that no schema may contain, e.g. `additionalProperties`, `$ref`.
    pub(crate) schema_refuses: Vec<String>,
    /// Whether schemas may have `$ref`, tuples, and `type` beside `anyOf`, and be `true`.
    pub(crate) any_schema: bool,
    /// Whether the root of a tool's schema may have `anyOf` and similar keywords. The default is `any_schema`.
    pub(crate) composed_root: Option<bool>,
    /// Whether `type` must be a single type, never a list.
    pub(crate) one_type: bool,
    pub(crate) while_thinking: Option<WhileThinking>,
}

/// Demands that only apply while the model thinks.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhileThinking {
    /// The model thinks unless the request has all of these fields.
    pub(crate) unless: Map<String, Value>,
    pub(crate) tool_choices: Vec<String>,
    #[serde(default)]
    pub(crate) refuse_fields: Vec<String>,
}

impl Demands {
    /// Whether tool calls carry a signature that the client must send back, as at Gemini.
    pub(crate) fn signs(&self) -> bool {
        self.tool_call_must_have.iter().any(|name| name == "extra_content")
    }

    /// The demands that apply to this request if the model thinks.
    fn thinking(&self, body: &Value) -> Option<&WhileThinking> {
        let less = self.while_thinking.as_ref()?;
        let is_off = less.unless.iter().all(|(field, value)| body.get(field) == Some(value));
        (!is_off).then_some(less)
    }
}

impl Default for Demands {
    fn default() -> Self {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect();
        Self {
            ignores_unknown: false,
            allow_fields: Vec::new(),
            refuse_fields: Vec::new(),
            assistant_fields: Vec::new(),
            assistant_must_have: Vec::new(),
            tool_message_fields: Vec::new(),
            tool_call_fields: Vec::new(),
            tool_call_must_have: Vec::new(),
            roles: words(&["system", "user", "assistant", "tool"]),
            parts_in: words(&["user"]),
            images: true,
            null_content: false,
            content_hides_calls: false,
            late_system: false,
            alternate: false,
            user_after_tool: true,
            prefill: false,
            repeated_ids: false,
            longest_id: None,
            id_length: None,
            strict_tools: false,
            custom_tools: false,
            tool_choices: words(&["auto", "none", "required", "function"]),
            response_formats: words(&["text", "json_object", "json_schema"]),
            json_with_tools: true,
            reasoning_efforts: Vec::new(),
            schema_refuses: Vec::new(),
            any_schema: false,
            composed_root: None,
            one_type: false,
            while_thinking: None,
        }
    }
}

/// Why a request gets a 400.
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

/// One check, and the providers that make it.
pub(crate) struct Rule {
    /// The sentence that `GET /_/rules` prints.
    pub(crate) because: &'static str,
    check: fn(&Value, &Demands) -> Checked,
}

/// The rules in order. The first one that fails gives the answer. Later rules rely on earlier ones.
pub(crate) const RULES: &[Rule] = &[
    Rule {
        because: "Mistral, Fireworks and Cerebras reject unknown top-level fields.",
        check: options::top_level,
    },
    Rule { because: "All providers reject an empty list of messages.", check: messages::some_messages },
    Rule {
        because: "DeepSeek, Mistral, DeepInfra and Qwen's chat template reject the role `developer`.",
        check: messages::known_roles,
    },
    Rule {
        because: "Groq and Mistral reject unknown fields in messages, such as `reasoning_content`.",
        check: messages::message_fields,
    },
    Rule {
        because: "Qwen's and Mistral's chat templates, MiniMax and LM Studio accept a system message only as the first message.",
        check: messages::one_system_first,
    },
    Rule {
        because: "Cloudflare rejects `content: null`. DeepSeek and NIM require a string for content that is only text. Ollama requires images as data URLs.",
        check: messages::contents,
    },
    Rule {
        because: "Kimi rejects an assistant message without content and without calls.",
        check: messages::assistant_is_not_empty,
    },
    Rule {
        because: "While thinking, DeepSeek and Kimi require the reasoning of earlier tool calls.",
        check: messages::assistant_has_what_it_must,
    },
    Rule {
        because: "llama.cpp and Ollama parse the arguments of past calls. OpenAI and Azure limit call ids to 40 characters.",
        check: calls::tool_calls,
    },
    Rule {
        because: "OpenAI, Groq and Azure reject a call without its output, an output without its call, and messages between the two. TGI loses calls beside content.",
        check: calls::calls_are_answered,
    },
    Rule {
        because: "Mistral-7B's chat template requires user and assistant messages to alternate.",
        check: messages::turns_alternate,
    },
    Rule {
        because: "Mistral rejects a user message right after a tool message.",
        check: messages::user_after_tool,
    },
    Rule {
        because: "If the last message is an assistant message, llama.cpp continues it, or rejects it while thinking. Mistral rejects it.",
        check: messages::last_is_not_assistant,
    },
    Rule {
        because: "vLLM and Mistral reject an empty list of tools. OpenAI limits the length of names. Moonshot and Gemini require an object schema.",
        check: tools::tools,
    },
    Rule {
        because: "Moonshot rejects `type` beside `anyOf`, and tuples. Gemini supports few keywords. Ollama rejects `true` as a schema. OpenAI rejects `anyOf` and similar keywords at the root.",
        check: schemas::schemas,
    },
    Rule {
        because: "OpenAI and vLLM reject `tool_choice` and `parallel_tool_calls` without tools, and a choice of an undeclared tool.",
        check: tools::tool_choice,
    },
    Rule {
        because: "vLLM rejects `stream_options` without `stream`. TGI rejects `stream_options: null`.",
        check: options::stream_options,
    },
    Rule {
        because: "DeepSeek has no `json_schema`, TGI has another form of it, and OpenAI requires its name.",
        check: options::response_format,
    },
    Rule {
        because: "Groq, Cerebras and Gemini reject a response format together with tools.",
        check: options::format_beside_tools,
    },
    Rule {
        because: "While thinking, Kimi and DeepSeek cannot be forced to call a tool. Kimi rejects sampling parameters, and DeepSeek `logprobs`.",
        check: options::while_thinking,
    },
    Rule {
        because: "vLLM, SGLang and Ollama reject unknown efforts. Many providers reject `n` above 1 and unusual values of `stop`.",
        check: options::small_values,
    },
];

/// Applies all rules.
pub(crate) fn check_request(body: &Value, strict: &Demands) -> Checked {
    RULES.iter().try_for_each(|rule| (rule.check)(body, strict))
}
