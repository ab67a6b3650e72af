//! The declarations in `tools`.

use crate::json::Text;
use serde::Deserialize;
use serde_json::value::RawValue;

/// `function`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct FunctionTool<'a> {
    /// Its name.
    pub name: String,
    /// What it does.
    #[serde(default)]
    pub description: Option<Text<'a>>,
    /// The JSON schema of its arguments.
    #[serde(default)]
    pub parameters: Option<&'a RawValue>,
    /// The arguments must follow the schema.
    #[serde(default)]
    pub strict: Option<bool>,
}

/// `custom`: its input is raw text.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct CustomTool<'a> {
    /// Its name.
    pub name: String,
    /// What it does.
    #[serde(default)]
    pub description: Option<Text<'a>>,
    /// What the text looks like; any text, if absent.
    #[serde(default)]
    pub format: Option<CustomFormat<'a>>,
}

/// `format` of a custom tool.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct CustomFormat<'a> {
    /// `text` or `grammar`.
    pub r#type: String,
    /// `lark` or `regex`.
    #[serde(default)]
    pub syntax: Option<String>,
    /// The grammar.
    #[serde(default)]
    pub definition: Option<Text<'a>>,
}

/// `namespace`: a named group of tools.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct NamespaceTool<'a> {
    /// Its name.
    pub name: String,
    /// What the tools have in common.
    #[serde(default)]
    pub description: Option<Text<'a>>,
    /// Functions and custom tools.
    #[serde(default)]
    pub tools: Vec<&'a RawValue>,
}

/// `tool_search`: the client finds tools that were not declared.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct ToolSearchTool<'a> {
    /// Who searches: `client` or `server`.
    #[serde(default)]
    pub execution: Option<String>,
    /// What can be found.
    #[serde(default)]
    pub description: Option<Text<'a>>,
    /// The JSON schema of its arguments.
    #[serde(default)]
    pub parameters: Option<&'a RawValue>,
}
