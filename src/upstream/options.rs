//! The options of an upstream. Their defaults are the preset `generic`: what nearly every upstream accepts.
//!
//! The doc comments are published: `docs/configuration.schema.json` and `docs/configuration.md` are generated from them.

use super::reasoning::{Fields, Reasoning, ReasoningReplay};
use super::schema_dialect::SchemaDialect;
use super::string_enum::string_enum;
use crate::json;
use serde::Deserialize;

/// What one upstream accepts.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The name of the preset that the options are based on, for metrics and the access log.
    #[serde(skip)]
    pub preset: &'static str,

    /// The `:path` of the Chat Completions endpoint. It may include a query, such as Azure's `api-version`.
    pub path: String,
    /// The `:path` of an endpoint that counts the tokens of a Chat Completions request and does not answer it. It replies with `input_tokens` (llama.cpp) or `count` (vLLM, SGLang). Without it, `POST /responses/input_tokens` gets a 501.
    pub input_tokens_path: Option<String>,

    /// Where system and developer messages go.
    pub system: System,
    /// Whether the upstream accepts the role `developer`. Only used with `"system": "keep"`. Most servers and chat templates reject it.
    pub developer_role: bool,
    /// How consecutive user messages are sent. Codex sends several in a row.
    pub user_messages: UserMessages,
    /// Whether to insert an assistant message between a tool's output and the user message that follows it (Mistral).
    pub assistant_after_tools: bool,
    /// How content that consists only of text is sent.
    pub content: ContentForm,
    /// The `content` of an assistant message that has tool calls but no text.
    pub assistant_content_with_calls: ContentWithCalls,
    /// How images in user messages are sent.
    pub user_images: UserImages,
    /// Where images in a tool's output go. Most upstreams accept only text in tool messages.
    pub tool_output_images: ToolOutputImages,

    /// The forms of `tool_choice` that the upstream accepts. Any other form is replaced by the closest accepted one and reported.
    pub tool_choice: Vec<ChoiceForm>,
    /// Replaces `tool_choice` while the model is thinking. Kimi and DeepSeek then reject a forced tool call.
    pub tool_choice_while_thinking: Option<Vec<ChoiceForm>>,
    /// Which tools are declared with a `tool_choice` that names one.
    pub named_choice_tools: NamedChoiceTools,
    /// How a `tool_choice` of type `allowed_tools` is sent.
    pub allowed_tools: AllowedTools,
    /// How custom tools (raw text instead of JSON arguments) are declared and called.
    pub custom_tools: CustomTools,
    /// Whether the upstream accepts `strict` in a function declaration.
    pub strict_tools: bool,
    /// Whether the upstream accepts `parallel_tool_calls`. If not, the filter enforces `false` itself by dropping all calls but the first.
    pub parallel_tool_calls: bool,
    /// The subset of JSON Schema that the upstream accepts, in tools and in `json_schema`. Constraints outside of it are moved into the description, in words.
    pub schema_dialect: SchemaDialect,
    /// The maximum length of a tool call id. Longer ids are replaced by shorter ones. Without a maximum, every id goes back as the upstream sent it: Kimi's chat template reads a tool's name from it, and LiteLLM hides a signature in it.
    pub tool_call_id_chars: Option<usize>,
    /// Whether ids must have exactly `tool_call_id_chars` letters and digits (Mistral: 9). Other ids are replaced, always by the same id.
    pub tool_call_id_exact: bool,

    /// How `text.format: json_schema` is sent upstream.
    pub json_schema: JsonSchema,
    /// Replaces `json_schema` when the request also declares tools, for upstreams that cannot combine the two.
    pub json_schema_with_tools: Option<JsonSchema>,
    /// The name of the field that limits output tokens. OpenAI's reasoning models reject `max_tokens`; most other upstreams know only that name.
    pub max_tokens_field: MaxTokensField,
    /// The limit of output tokens for requests that set none, for upstreams that otherwise stop early: transformers stops after 1,024 tokens, and Codex never sets a limit.
    pub default_max_tokens: Option<u64>,
    /// The sampling parameters that the upstream accepts. Others are dropped and reported.
    pub sampling: Vec<Sampling>,
    /// Replaces `sampling` while the model is thinking. Kimi then rejects every sampling parameter.
    pub sampling_while_thinking: Option<Vec<Sampling>>,
    /// Whether the upstream accepts `stream_options.include_usage`.
    pub stream_usage: bool,
    /// Whether every complete reply of the upstream has a `finish_reason`. A stream that ends with `[DONE]` but without one was cut off, and the response fails. `false` is for upstreams that never send one (Cloudflare): `[DONE]` then completes a stream.
    pub finish_reason: bool,
    /// Responses fields that are passed on under their own names, such as `prompt_cache_key` or `verbosity` (from `text`).
    pub pass_fields: Vec<String>,
    /// The request header in which the upstream wants to be told which requests belong to one conversation. Its value is the one of
    /// `x-transponder-session`.
    pub session_header: Option<String>,
    /// Fields added to every request body, such as `{"reasoning_split": true}`. Fields from `reasoning.efforts` take precedence.
    pub add_fields: Fields,

    /// How `reasoning.effort` is sent: the fields that each effort adds to the request body.
    #[serde(deserialize_with = "json::object")]
    pub reasoning: Reasoning,
    /// How reasoning from earlier turns is sent back: `"off"`, the name of a field, or an object.
    #[cfg_attr(test, schemars(schema_with = "super::reasoning::replay_schema"))]
    #[serde(deserialize_with = "json::object")]
    pub reasoning_replay: ReasoningReplay,
    /// Whether the text may contain reasoning between `<think>` and `</think>`, which the filter then separates from it.
    pub think_tags: ThinkTags,
    /// Whether to parse tool calls that the upstream leaves in the text, in the model's own markup: Hermes, Qwen-Coder,
    /// Llama, Mistral, DeepSeek, Kimi K2 and K3, GLM, MiniMax, Gemma, InternLM, Step 3, LFM2, OLMo 3, LongCat, Apertus, Phi and harmony. Only names of tools that the request declares are matched.
    pub text_tool_calls: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            preset: "generic",
            path: "/v1/chat/completions".into(),
            input_tokens_path: None,
            system: System::Merge,
            developer_role: false,
            user_messages: UserMessages::Keep,
            assistant_after_tools: false,
            content: ContentForm::String,
            assistant_content_with_calls: ContentWithCalls::Empty,
            user_images: UserImages::Send,
            tool_output_images: ToolOutputImages::UserMessage,
            tool_choice: vec![ChoiceForm::Auto, ChoiceForm::None, ChoiceForm::Required, ChoiceForm::Named],
            tool_choice_while_thinking: None,
            named_choice_tools: NamedChoiceTools::All,
            allowed_tools: AllowedTools::Filter,
            custom_tools: CustomTools::Function,
            strict_tools: false,
            parallel_tool_calls: false,
            schema_dialect: SchemaDialect::Common,
            tool_call_id_chars: None,
            tool_call_id_exact: false,
            json_schema: JsonSchema::Native,
            json_schema_with_tools: None,
            max_tokens_field: MaxTokensField::MaxTokens,
            default_max_tokens: None,
            sampling: vec![Sampling::Temperature, Sampling::TopP, Sampling::Logprobs],
            sampling_while_thinking: None,
            stream_usage: true,
            finish_reason: true,
            pass_fields: Vec::new(),
            session_header: None,
            add_fields: Fields::new(),
            reasoning: Reasoning::default(),
            reasoning_replay: ReasoningReplay::default(),
            think_tags: ThinkTags::Off,
            text_tool_calls: false,
        }
    }
}

impl Options {
    /// How `json_schema` is sent in a request with or without tools.
    pub fn json_schema(&self, with_tools: bool) -> JsonSchema {
        self.json_schema_with_tools.filter(|_| with_tools).unwrap_or(self.json_schema)
    }

    /// The forms of `tool_choice` that the upstream accepts.
    pub fn tool_choice(&self, thinking: bool) -> &[ChoiceForm] {
        self.tool_choice_while_thinking.as_deref().filter(|_| thinking).unwrap_or(&self.tool_choice)
    }

    /// The sampling parameters that the upstream accepts.
    pub fn sampling(&self, thinking: bool) -> &[Sampling] {
        self.sampling_while_thinking.as_deref().filter(|_| thinking).unwrap_or(&self.sampling)
    }
}

string_enum! {
    /// Where system and developer messages go.
    System {
        /// Those before the first turn are merged into one leading system message. Later ones become user messages, because many chat templates reject or ignore a later system message.
        Merge = "merge",
        /// Each stays where it is.
        Keep = "keep",
    }
}

string_enum! {
    /// How consecutive user messages are sent.
    UserMessages {
        /// Unchanged.
        Keep = "keep",
        /// Joined into one. Chat templates that require user and assistant to alternate (Gemma, Mistral) reject them otherwise.
        Merge = "merge",
    }
}

string_enum! {
    /// How content that consists only of text is sent.
    ContentForm {
        /// As one string.
        String = "string",
        /// As an array of parts, as the client sent it.
        Parts = "parts",
    }
}

string_enum! {
    /// The `content` of an assistant message that has tool calls but no text.
    ContentWithCalls {
        /// The empty string, which every upstream but TGI and early releases of Ollama accepts.
        Empty = "empty",
        /// `null`.
        Null = "null",
        /// The key is omitted. Early releases of Ollama lose the tool calls otherwise.
        Omit = "omit",
        /// The key is omitted, and text that comes with calls is a message of its own before them. TGI loses the tool calls otherwise.
        Separate = "separate",
    }
}

string_enum! {
    /// Where images in a tool's output go.
    ToolOutputImages {
        /// Into a user message after the tool messages.
        UserMessage = "user_message",
        /// They are dropped and reported, for upstreams without vision.
        Drop = "drop",
    }
}

string_enum! {
    /// How images in user messages are sent.
    UserImages {
        /// As image parts.
        Send = "send",
        /// As a note in the text that an image was left out, and reported as dropped. For text-only models: a session that contains an image stays usable.
        Note = "note",
    }
}

string_enum! {
    /// A form of `tool_choice`.
    ChoiceForm {
        /// `"auto"`. If unsupported, the field is omitted: every upstream defaults to `auto`.
        Auto = "auto",
        /// `"none"`. If unsupported, no tools are declared.
        None = "none",
        /// `"required"`. If unsupported, `auto` is sent.
        Required = "required",
        /// An object that names the function. If unsupported, only that function is declared, with `required`.
        Named = "named",
    }
}

string_enum! {
    /// Which tools are declared with a `tool_choice` that names one.
    NamedChoiceTools {
        /// Only the named one, for upstreams that ignore the name (llama.cpp).
        Named = "named",
        /// All, which preserves the prompt cache. Only with `named` in `tool_choice`.
        All = "all",
    }
}

string_enum! {
    /// How a `tool_choice` of type `allowed_tools` is sent.
    AllowedTools {
        /// Only the allowed tools are declared.
        Filter = "filter",
        /// As `tool_choice: {"type": "allowed_tools"}`, which preserves the prompt cache (OpenAI).
        Native = "native",
    }
}

string_enum! {
    /// How custom tools are declared and called.
    CustomTools {
        /// As a function with one string parameter, `input`.
        Function = "function",
        /// As `{"type": "custom"}` with the grammar. The upstream returns calls in the same form (OpenAI).
        Native = "native",
    }
}

string_enum! {
    /// How `text.format: json_schema` is sent upstream.
    JsonSchema {
        /// As `response_format: json_schema`.
        Native = "native",
        /// Like `native`, but `json_object` is also sent as a schema, for upstreams that do not support `json_object` (LM Studio).
        SchemaOnly = "schema_only",
        /// As `response_format: json_object`, with the schema in a system message.
        JsonObject = "json_object",
        /// As a system message with the schema, without `response_format`.
        Off = "off",
    }
}

string_enum! {
    /// The name of the field that limits output tokens.
    MaxTokensField {
        /// `max_tokens`.
        MaxTokens = "max_tokens",
        /// `max_completion_tokens`.
        MaxCompletionTokens = "max_completion_tokens",
    }
}

string_enum! {
    /// A sampling parameter.
    Sampling {
        /// `temperature`.
        Temperature = "temperature",
        /// `top_p`.
        TopP = "top_p",
        /// `logprobs` and `top_logprobs`.
        Logprobs = "logprobs",
    }
}

string_enum! {
    /// Whether the text may contain reasoning.
    ThinkTags {
        /// No: the text has no tags, or the upstream separates reasoning itself.
        Off = "off",
        /// Text between the tags is reasoning. A closing tag without an opening tag is removed.
        On = "on",
        /// Like `on`, but the reply starts inside the reasoning, because the chat template puts the opening tag into the prompt.
        Implied = "implied",
    }
}
