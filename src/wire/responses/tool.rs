//! The declarations in `tools`. Their `type` chooses among these.

use crate::json::JsonStr;
use crate::wire::typed::{RawObject, objects};
use std::borrow::Cow;

objects! {
    /// `function`.
    pub struct FunctionTool<'a> {
        /// Its name.
        pub name: Cow<'a, str>,
        /// What it does.
        pub description: Option<JsonStr<'a>>,
        /// The JSON schema of its arguments.
        pub parameters: Option<RawObject<'a>>,
        /// The arguments must follow the schema.
        pub strict: Option<bool>,
    }

    /// `custom`: its input is raw text.
    pub struct CustomTool<'a> {
        /// Its name.
        pub name: Cow<'a, str>,
        /// What it does.
        pub description: Option<JsonStr<'a>>,
        /// What the text looks like; any text, if absent.
        pub format: Option<CustomFormat<'a>>,
    }

    /// `format` of a custom tool: `text`, or `grammar` with the fields below.
    pub struct CustomFormat<'a> {
        /// `lark` or `regex`.
        pub syntax: Option<Cow<'a, str>>,
        /// The grammar.
        pub definition: Option<JsonStr<'a>>,
    }

    /// `namespace`: a named group of `tools`.
    pub struct NamespaceTool<'a> {
        /// Its name.
        pub name: Cow<'a, str>,
    }

    /// `tool_search`: the client finds tools that were not declared.
    pub struct ToolSearchTool<'a> {
        /// Who searches: `client` or `server`.
        pub execution: Option<Cow<'a, str>>,
        /// What can be found.
        pub description: Option<JsonStr<'a>>,
        /// The JSON schema of its arguments.
        pub parameters: Option<RawObject<'a>>,
    }
}
