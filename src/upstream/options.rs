//! The options, each with its default: what the preset `generic` does, the common denominator of all hosts.
//!
//! Their doc comments are what `docs/configuration.schema.json` and `docs/configuration.md` say of them.

use super::reasoning::{Fields, Reasoning, ReasoningReplay};
use super::schema_dialect::SchemaDialect;
use super::string_enum::string_enum;
use serde::Deserialize;

/// What one upstream needs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(test, derive(serde::Serialize, schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The preset that they come from; metrics and the access log show it.
    #[serde(skip)]
    pub preset: &'static str,

    /// The `:path` of Chat Completions, with the query if the host needs one (Azure's `api-version`).
    pub path: String,

    /// Where system and developer messages go.
    pub system: System,
    /// The host knows the role `developer`; it is used with `"system": "keep"`. Most refuse it, and their chat templates too.
    pub developer_role: bool,
    /// What becomes of user messages that follow one another, as Codex sends them.
    pub user_messages: UserMessages,
    /// An assistant message is put between a tool's output and a user message that follows it (Mistral).
    pub assistant_after_tools: bool,
    /// How content that is all text is written.
    pub content: ContentForm,
    /// `content` of an assistant message that has tool calls and no text.
    pub assistant_content_with_calls: EmptyContent,
    /// Where the images of a tool's output go; tool messages hold only text at nearly all hosts.
    pub tool_output_images: ToolOutputImages,

    /// The forms of `tool_choice` that the host takes. What it does not take becomes the nearest that it does, and is reported.
    pub tool_choice: Vec<ChoiceForm>,
    /// The same while the model thinks, if it is less then (Kimi and DeepSeek refuse to be forced).
    pub tool_choice_while_thinking: Option<Vec<ChoiceForm>>,
    /// How a choice among `allowed_tools` is said.
    pub allowed_tools: AllowedTools,
    /// How custom tools (raw text instead of JSON) are declared and called.
    pub custom_tools: CustomTools,
    /// The host takes `strict` in a function's declaration.
    pub strict_tools: bool,
    /// The host takes `parallel_tool_calls`. Where it does not, `false` is kept by dropping all calls but the first.
    pub parallel_tool_calls: bool,
    /// What the host takes of JSON Schema, in tools and in `json_schema`. What cannot be said in it is said in words.
    pub schema_dialect: SchemaDialect,
    /// The longest tool call id that the host takes; longer ones are shortened.
    pub tool_call_id_chars: usize,
    /// Ids must have exactly `tool_call_id_chars` letters and digits (Mistral: 9); others are replaced by a stable rule.
    pub tool_call_id_exact: bool,

    /// What becomes of `text.format: json_schema`.
    pub json_schema: JsonSchema,
    /// The same for requests that also offer tools, if it is less then.
    pub json_schema_with_tools: Option<JsonSchema>,
    /// The name of the limit on output tokens. OpenAI's reasoning models refuse `max_tokens`, most others know only that.
    pub max_tokens_field: MaxTokensField,
    /// The sampling parameters that the host takes; others are left out and reported.
    pub sampling: Vec<Sampling>,
    /// The same while the model thinks, if it is less then (Kimi refuses all).
    pub sampling_while_thinking: Option<Vec<Sampling>>,
    /// The host takes `stream_options.include_usage`.
    pub stream_usage: bool,
    /// Responses fields that are passed on under their own names, e.g. `prompt_cache_key`, `verbosity` (of `text`).
    pub pass_fields: Vec<String>,
    /// Fields that every request gets, e.g. `{"reasoning_split": true}`. Those of an effort count more.
    pub add_fields: Fields,

    /// How `reasoning.effort` is said: what each effort adds to the body.
    pub reasoning: Reasoning,
    /// How the reasoning of earlier turns goes back: `"off"`, the field alone, or an object.
    #[cfg_attr(test, schemars(schema_with = "super::reasoning::replay_schema"))]
    pub reasoning_replay: ReasoningReplay,
    /// Reasoning that the host leaves within the text, between `<think>` and `</think>`, is told apart from it.
    pub think_tags: ThinkTags,
    /// Tool calls that the host leaves within the text, in the model's own markup, are taken out of it and made calls:
    /// Hermes, Qwen-Coder, Llama, Mistral, DeepSeek, Kimi, GLM, MiniMax and harmony. Only names that the request declared count.
    pub text_tool_calls: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            preset: "generic",
            path: "/v1/chat/completions".into(),
            system: System::Merge,
            developer_role: false,
            user_messages: UserMessages::Keep,
            assistant_after_tools: false,
            content: ContentForm::String,
            assistant_content_with_calls: EmptyContent::Empty,
            tool_output_images: ToolOutputImages::UserMessage,
            tool_choice: vec![ChoiceForm::Auto, ChoiceForm::None, ChoiceForm::Required, ChoiceForm::Named],
            tool_choice_while_thinking: None,
            allowed_tools: AllowedTools::Filter,
            custom_tools: CustomTools::Function,
            strict_tools: false,
            parallel_tool_calls: false,
            schema_dialect: SchemaDialect::Common,
            tool_call_id_chars: 40,
            tool_call_id_exact: false,
            json_schema: JsonSchema::Native,
            json_schema_with_tools: None,
            max_tokens_field: MaxTokensField::MaxTokens,
            sampling: vec![Sampling::Temperature, Sampling::TopP, Sampling::Logprobs],
            sampling_while_thinking: None,
            stream_usage: true,
            pass_fields: Vec::new(),
            add_fields: Fields::new(),
            reasoning: Reasoning::default(),
            reasoning_replay: ReasoningReplay::default(),
            think_tags: ThinkTags::Off,
            text_tool_calls: false,
        }
    }
}

impl Options {
    /// What becomes of `json_schema` in a request with or without tools.
    pub fn json_schema(&self, with_tools: bool) -> JsonSchema {
        self.json_schema_with_tools.filter(|_| with_tools).unwrap_or(self.json_schema)
    }

    /// The forms of `tool_choice` that the host takes.
    pub fn tool_choice(&self, thinking: bool) -> &[ChoiceForm] {
        self.tool_choice_while_thinking.as_deref().filter(|_| thinking).unwrap_or(&self.tool_choice)
    }

    /// The sampling parameters that the host takes.
    pub fn sampling(&self, thinking: bool) -> &[Sampling] {
        self.sampling_while_thinking.as_deref().filter(|_| thinking).unwrap_or(&self.sampling)
    }
}

string_enum! {
    /// Where system and developer messages go.
    System {
        /// Those before the first turn in one leading system message; later ones become user messages, as many chat templates refuse or forget later system messages.
        Merge = "merge",
        /// Each stays where it stands.
        Keep = "keep",
    }
}

string_enum! {
    /// What becomes of user messages that follow one another.
    UserMessages {
        /// Each stays as it is.
        Keep = "keep",
        /// They are joined: templates that want user and assistant to take turns (Gemma, Mistral) refuse them otherwise.
        Merge = "merge",
    }
}

string_enum! {
    /// How content that is all text is written.
    ContentForm {
        /// One string.
        String = "string",
        /// An array of parts, as the client sent it.
        Parts = "parts",
    }
}

string_enum! {
    /// `content` of an assistant message that has tool calls and no text.
    EmptyContent {
        /// `""`: what every host but TGI takes.
        Empty = "empty",
        /// `null`.
        Null = "null",
        /// The key is left out. TGI loses the tool calls otherwise.
        Omit = "omit",
    }
}

string_enum! {
    /// Where the images of a tool's output go.
    ToolOutputImages {
        /// Into a user message after the tool messages.
        UserMessage = "user_message",
        /// Nowhere: the host has no vision. Reported as dropped.
        Drop = "drop",
    }
}

string_enum! {
    /// A form of `tool_choice`.
    ChoiceForm {
        /// `"auto"`; the default of every host, so where it is not taken nothing is said.
        Auto = "auto",
        /// `"none"`; where it is not taken, no tools are offered.
        None = "none",
        /// `"required"`; where it is not taken, `auto`.
        Required = "required",
        /// An object that names the function; where it is not taken, only that function is offered, with `required`.
        Named = "named",
    }
}

string_enum! {
    /// How a choice among `allowed_tools` is said.
    AllowedTools {
        /// Only the allowed tools are offered.
        Filter = "filter",
        /// As `tool_choice: {"type": "allowed_tools"}`, which keeps the prompt's cache (OpenAI).
        Native = "native",
    }
}

string_enum! {
    /// How custom tools are declared and called.
    CustomTools {
        /// As a function with the one string `input`.
        Function = "function",
        /// As `{"type": "custom"}`, with the grammar; their calls come back in the same form (OpenAI).
        Native = "native",
    }
}

string_enum! {
    /// What becomes of `text.format: json_schema`.
    JsonSchema {
        /// `response_format: json_schema`.
        Native = "native",
        /// The same, and `json_object` is said as a schema too: the host does not know it (LM Studio).
        SchemaOnly = "schema_only",
        /// `response_format: json_object`, and the schema in a system message.
        JsonObject = "json_object",
        /// Only the schema in a system message.
        Off = "off",
    }
}

string_enum! {
    /// The name of the limit on output tokens.
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
    /// Whether the text may hold reasoning.
    ThinkTags {
        /// It does not, or the host tells it apart itself.
        Off = "off",
        /// What stands between the tags is reasoning; a closing tag without an opening one is left out.
        On = "on",
        /// The same, and the reply begins within the reasoning: the chat template has put the opening tag into the prompt.
        Implied = "implied",
    }
}
