//! `tools` and `tool_choice` of a Chat Completions request.
//!
//! Reference: <https://platform.openai.com/docs/api-reference/chat/create#chat-create-tools>

use crate::json::{JsonStr, RawJson};
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// An element of `tools`.
///
/// ```json
/// {"type": "function", "function": {"name": "f", "description": "...", "parameters": {"type": "object"}}}
/// {"type": "custom", "custom": {"name": "apply_patch", "format": {"type": "grammar", "grammar": {...}}}}
/// ```
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Tool<'a> {
    Function { function: Function<'a> },
    Custom { custom: Custom<'a> },
}

impl Tool<'_> {
    /// The tool's name upstream.
    pub fn name(&self) -> &str {
        match self {
            Self::Function { function } => &function.name,
            Self::Custom { custom } => &custom.name,
        }
    }
}

/// The declaration of a custom tool. Without a format its input is any text.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct Custom<'a> {
    pub name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<JsonStr<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<CustomFormat<'a>>,
}

/// `{"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: ..."}}`
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum CustomFormat<'a> {
    Grammar { grammar: Grammar<'a> },
}

/// A grammar. `syntax` is `lark` or `regex`.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct Grammar<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syntax: Option<Cow<'a, str>>,
    pub definition: JsonStr<'a>,
}

/// The declaration of a function. `parameters` is a JSON schema.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct Function<'a> {
    pub name: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<JsonStr<'a>>,
    pub parameters: RawJson<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

/// `tool_choice`.
///
/// ```json
/// "auto"
/// {"type": "function", "function": {"name": "f"}}
/// {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [...]}}
/// ```
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
#[allow(missing_docs)]
pub enum ToolChoice<'a> {
    Mode(ChoiceMode),
    Named(Chosen<'a>),
    Allowed {
        /// `allowed_tools`.
        r#type: &'static str,
        allowed_tools: AllowedTools<'a>,
    },
}

impl ToolChoice<'_> {
    /// Whether the model must call a tool.
    pub fn forces_a_call(&self) -> bool {
        match self {
            Self::Mode(mode) => *mode == ChoiceMode::Required,
            Self::Named(_) => true,
            Self::Allowed { allowed_tools, .. } => allowed_tools.mode == ChoiceMode::Required,
        }
    }

    /// Whether this is the choice of one tool, and of this one.
    pub fn names(&self, tool: &Tool<'_>) -> bool {
        let chosen = match self {
            Self::Named(Chosen::Function { function }) => function,
            Self::Named(Chosen::Custom { custom }) => custom,
            Self::Mode(_) | Self::Allowed { .. } => return false,
        };
        chosen.name == tool.name()
    }
}

/// Whether the model calls a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChoiceMode {
    /// `none`: it must not.
    None,
    /// `auto`: it may.
    Auto,
    /// `required`: it must.
    Required,
}

impl ChoiceMode {
    /// The mode as both APIs write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Auto => "auto",
            Self::Required => "required",
        }
    }
}

impl Serialize for ChoiceMode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A chosen tool.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Chosen<'a> {
    Function { function: Name<'a> },
    Custom { custom: Name<'a> },
}

/// The tools that may be called. `mode` is `auto` or `required`.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct AllowedTools<'a> {
    pub mode: ChoiceMode,
    pub tools: Vec<Chosen<'a>>,
}

/// `{"name": "f"}`
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs)]
pub struct Name<'a> {
    pub name: Cow<'a, str>,
}
