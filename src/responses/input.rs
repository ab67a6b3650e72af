//! The items of `input`.

use crate::json::Text;
use serde::Deserialize;
use serde_json::value::RawValue;

/// `message`.
#[derive(Debug, Deserialize)]
pub struct Message<'a> {
    /// `user`, `assistant`, `system` or `developer`.
    pub role: String,
    /// A string, or an array of parts.
    #[serde(borrow, default)]
    pub content: Option<&'a RawValue>,
}

/// One part of `content`, of a tool's `output`, of a reasoning's `summary`: what the types have in common.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Part<'a> {
    /// `input_text`, `output_text`, `input_image` and so on.
    pub r#type: Option<String>,
    /// Of the text types.
    pub text: Option<Text<'a>>,
    /// Of `refusal`.
    pub refusal: Option<Text<'a>>,
    /// Of `input_image`.
    pub image_url: Option<Text<'a>>,
    /// Of `input_image`.
    pub detail: Option<String>,
    /// Of `input_image` and `input_file`.
    pub file_id: Option<Text<'a>>,
    /// Of `input_file`.
    pub file_data: Option<Text<'a>>,
    /// Of `input_file`.
    pub file_url: Option<Text<'a>>,
    /// Of `input_file`.
    pub filename: Option<Text<'a>>,
    /// Of `input_audio`.
    pub input_audio: Option<&'a RawValue>,
}

/// `function_call`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct FunctionCall<'a> {
    /// Its id.
    pub call_id: String,
    /// The function.
    pub name: String,
    /// The namespace that holds it.
    #[serde(default)]
    pub namespace: Option<String>,
    /// A string that should hold a JSON object, and may hold anything.
    #[serde(default)]
    pub arguments: Option<Text<'a>>,
}

/// `custom_tool_call`.
#[derive(Debug, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct CustomToolCall<'a> {
    /// Its id.
    pub call_id: String,
    /// The tool.
    pub name: String,
    /// The namespace that holds it.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The raw text.
    pub input: Text<'a>,
}

/// `function_call_output` and `custom_tool_call_output`.
#[derive(Debug, Deserialize)]
pub struct CallOutput<'a> {
    /// The call that it answers.
    pub call_id: String,
    /// A string, or an array of parts.
    #[serde(borrow, default)]
    pub output: Option<&'a RawValue>,
}

/// `tool_search_call`.
#[derive(Debug, Deserialize)]
pub struct ToolSearchCall<'a> {
    /// Its id; absent if the server searched.
    #[serde(default)]
    pub call_id: Option<String>,
    /// An object.
    #[serde(borrow, default)]
    pub arguments: Option<&'a RawValue>,
}

/// `tool_search_output`.
#[derive(Debug, Deserialize)]
pub struct ToolSearchOutput<'a> {
    /// The call that it answers; absent if the server searched.
    #[serde(default)]
    pub call_id: Option<String>,
    /// The tools that were found.
    #[serde(borrow)]
    pub tools: &'a RawValue,
}

/// `reasoning`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct ReasoningItem<'a> {
    /// Parts of type `summary_text`.
    pub summary: Option<Vec<Part<'a>>>,
    /// Parts of type `reasoning_text`.
    pub content: Option<Vec<Part<'a>>>,
    /// What the server that made it wants back.
    pub encrypted_content: Option<Text<'a>>,
}

/// `compaction` and `context_compaction`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct CompactionItem<'a> {
    /// What the server that made it wants back.
    pub encrypted_content: Option<Text<'a>>,
}

/// `additional_tools`.
#[derive(Debug, Deserialize)]
pub struct AdditionalTools<'a> {
    /// Like the request's `tools`.
    #[serde(borrow, default)]
    pub tools: Vec<&'a RawValue>,
}

/// `agent_message`: what one agent told another.
#[derive(Debug, Deserialize)]
pub struct AgentMessage<'a> {
    /// Like a message's.
    #[serde(borrow, default)]
    pub content: Option<&'a RawValue>,
}

/// `item_reference`.
#[derive(Debug, Deserialize)]
pub struct ItemReference {
    /// The item's id.
    pub id: String,
}
