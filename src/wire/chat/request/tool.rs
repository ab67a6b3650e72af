//! `tools` and `tool_choice`: what may be called, and what must be.

use crate::json::{JsonStr, RawJson};
use serde::Serialize;
use std::borrow::Cow;

/// One of `tools`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Tool<'a> {
    /// A function.
    Function {
        /// Its declaration.
        function: Function<'a>,
    },
    /// A custom tool, at hosts that know them.
    Custom {
        /// Its declaration.
        custom: Custom<'a>,
    },
}

impl Tool<'_> {
    /// Its name upstream.
    pub fn name(&self) -> &str {
        match self {
            Self::Function { function } => &function.name,
            Self::Custom { custom } => &custom.name,
        }
    }
}

/// The declaration of a custom tool.
#[derive(Debug, Clone, Serialize)]
pub struct Custom<'a> {
    /// Its name upstream.
    pub name: Cow<'a, str>,
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<JsonStr<'a>>,
    /// What its input looks like; any text, if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<CustomFormat<'a>>,
}

/// What the input of a custom tool looks like.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CustomFormat<'a> {
    /// A grammar.
    Grammar {
        /// The grammar.
        grammar: Grammar<'a>,
    },
}

/// A grammar.
#[derive(Debug, Clone, Serialize)]
pub struct Grammar<'a> {
    /// `lark` or `regex`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub syntax: Option<Cow<'a, str>>,
    /// Its text.
    pub definition: JsonStr<'a>,
}

/// The declaration of a function.
#[derive(Debug, Clone, Serialize)]
pub struct Function<'a> {
    /// Its name upstream.
    pub name: Cow<'a, str>,
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<JsonStr<'a>>,
    /// The JSON schema of its arguments.
    pub parameters: RawJson<'a>,
    /// The arguments must follow the schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
}

/// `tool_choice`.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum ToolChoice<'a> {
    /// `none`, `auto` or `required`.
    Mode(&'static str),
    /// This one.
    Named(Chosen<'a>),
    /// One of these.
    Allowed {
        /// `allowed_tools`.
        r#type: &'static str,
        /// Which.
        allowed_tools: AllowedTools<'a>,
    },
}

/// A tool that is chosen.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Chosen<'a> {
    /// A function.
    Function {
        /// Its name.
        function: Name<'a>,
    },
    /// A custom tool.
    Custom {
        /// Its name.
        custom: Name<'a>,
    },
}

/// The tools that may be called.
#[derive(Debug, Clone, Serialize)]
pub struct AllowedTools<'a> {
    /// `auto` or `required`.
    pub mode: &'static str,
    /// The tools.
    pub tools: Vec<Chosen<'a>>,
}

/// A name.
#[derive(Debug, Clone, Serialize)]
pub struct Name<'a> {
    /// The name.
    pub name: Cow<'a, str>,
}
