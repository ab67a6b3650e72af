//! The declarations in `tools`, one struct for each `type`.
//!
//! Reference: <https://platform.openai.com/docs/api-reference/responses/create#responses_create-tools>

use crate::json::{JsonStr, RawJson, TapeValue};
use crate::wire::typed::{RawObject, objects};
use std::borrow::Cow;

objects! {
    /// `{"type": "function", "name": "f", "description": "...", "parameters": {"type": "object"}, "strict": true}`
    #[allow(missing_docs)]
    pub struct FunctionTool<'a> {
        pub name: Cow<'a, str>,
        pub description: Option<JsonStr<'a>>,
        /// A JSON schema.
        pub parameters: Option<RawObject<'a>>,
        pub strict: Option<bool>,
        /// The outputs of its calls may come in later requests.
        pub r#async: Option<bool>,
    }

    /// `{"type": "custom", "name": "apply_patch", "description": "...", "format": {"type": "text"}}`
    #[allow(missing_docs)]
    pub struct CustomTool<'a> {
        pub name: Cow<'a, str>,
        pub description: Option<JsonStr<'a>>,
        pub format: Option<CustomFormat<'a>>,
        /// The outputs of its calls may come in later requests.
        pub r#async: Option<bool>,
    }

    /// `{"type": "text"}` or `{"type": "grammar", "syntax": "lark", "definition": "start: ..."}`
    #[allow(missing_docs)]
    pub struct CustomFormat<'a> {
        pub syntax: Option<Cow<'a, str>>,
        pub definition: Option<JsonStr<'a>>,
    }

    /// A named group of tools: `{"type": "namespace", "name": "mcp__files__", "tools": [...]}`
    #[allow(missing_docs)]
    pub struct NamespaceTool<'a> {
        pub name: Cow<'a, str>,
        pub description: Option<JsonStr<'a>>,
    } besides ["tools"]

    /// `environment` of a `shell`: `{"type": "local", "skills": [...]}`
    #[allow(missing_docs)]
    pub struct ShellEnvironment<'a> {
        pub r#type: Cow<'a, str>,
    }

    /// Finds tools that were not declared: `{"type": "tool_search", "execution": "client", "parameters": {...}}`
    #[allow(missing_docs)]
    pub struct ToolSearchTool<'a> {
        /// Who runs the search: `client` or `server`.
        pub execution: Option<Cow<'a, str>>,
        pub description: Option<JsonStr<'a>>,
        /// A JSON schema.
        pub parameters: Option<RawObject<'a>>,
    }
}

/// The JSON schema of a tool's arguments.
#[derive(Debug, Clone)]
pub enum Schema<'a> {
    /// The request has it.
    Sent(TapeValue<'a>),
    /// The filter declares it, for tools whose declaration has none.
    Own(RawJson<'static>),
}
