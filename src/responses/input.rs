//! The items of `input`. Their `type` chooses among these.

use super::read::{RawObject, objects};
use crate::json::Text;
use serde_json::value::RawValue;
use std::borrow::Cow;

objects! {
    /// `message`.
    pub struct Message<'a> {
        /// `user`, `assistant`, `system` or `developer`.
        pub role: Cow<'a, str>,
    }

    /// `input_text`, `output_text`, `text`, `summary_text` and `reasoning_text`.
    pub struct TextPart<'a> {
        /// What was said.
        pub text: Text<'a>,
    }

    /// `refusal`.
    pub struct RefusalPart<'a> {
        /// What was said.
        pub refusal: Text<'a>,
    }

    /// `input_image`.
    pub struct ImagePart<'a> {
        /// `https:` or `data:`.
        pub image_url: Option<Text<'a>>,
        /// An uploaded image.
        pub file_id: Option<Text<'a>>,
        /// How closely the model looks: `auto`, `low`, `high`, `original`.
        pub detail: Option<Cow<'a, str>>,
    }

    /// `input_file`.
    pub struct FilePart<'a> {
        /// A `data:` URL.
        pub file_data: Option<Text<'a>>,
        /// Where the file can be fetched.
        pub file_url: Option<Text<'a>>,
        /// An uploaded file.
        pub file_id: Option<Text<'a>>,
        /// Its name.
        pub filename: Option<Text<'a>>,
    }

    /// `input_audio`.
    pub struct AudioPart<'a> {
        /// `{data, format}`.
        pub input_audio: RawObject<'a>,
    }

    /// `function_call`.
    pub struct FunctionCall<'a> {
        /// Its id.
        pub call_id: Cow<'a, str>,
        /// The function.
        pub name: Cow<'a, str>,
        /// The namespace that holds it.
        pub namespace: Option<Cow<'a, str>>,
        /// A string that should hold a JSON object, and may hold anything.
        pub arguments: Option<Text<'a>>,
    }

    /// `custom_tool_call`.
    pub struct CustomToolCall<'a> {
        /// Its id.
        pub call_id: Cow<'a, str>,
        /// The tool.
        pub name: Cow<'a, str>,
        /// The namespace that holds it.
        pub namespace: Option<Cow<'a, str>>,
        /// The raw text.
        pub input: Text<'a>,
    }

    /// `function_call_output` and `custom_tool_call_output`; `output` is a string, or an array of parts.
    pub struct CallOutput<'a> {
        /// The call that it answers.
        pub call_id: Cow<'a, str>,
    }

    /// `tool_search_call`.
    pub struct ToolSearchCall<'a> {
        /// Its id; absent if the server searched.
        pub call_id: Option<Cow<'a, str>>,
        /// An object.
        pub arguments: Option<RawObject<'a>>,
    }

    /// `tool_search_output`.
    pub struct ToolSearchOutput<'a> {
        /// The call that it answers; absent if the server searched.
        pub call_id: Option<Cow<'a, str>>,
        /// The tools that were found.
        pub tools: Cow<'a, RawValue>,
    }

    /// `reasoning`.
    pub struct ReasoningItem<'a> {
        /// Parts of type `summary_text`.
        pub summary: Option<Vec<TextPart<'a>>>,
        /// Parts of type `reasoning_text`.
        pub content: Option<Vec<TextPart<'a>>>,
        /// What the server that made it wants back.
        pub encrypted_content: Option<Text<'a>>,
    }

    /// `compaction` and `context_compaction`.
    pub struct CompactionItem<'a> {
        /// What the server that made it wants back.
        pub encrypted_content: Option<Text<'a>>,
    }

    /// `item_reference`.
    pub struct ItemReference<'a> {
        /// The item's id.
        pub id: Cow<'a, str>,
    }
}
