//! The items of `input`. Their `type` chooses among these.

use crate::json::{JsonStr, RawJson, TapeValue};
use crate::wire::typed::{RawObject, objects};
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
        pub text: JsonStr<'a>,
    }

    /// `refusal`.
    pub struct RefusalPart<'a> {
        /// What was said.
        pub refusal: JsonStr<'a>,
    }

    /// `input_image`.
    pub struct ImagePart<'a> {
        /// `https:` or `data:`.
        pub image_url: Option<JsonStr<'a>>,
        /// An uploaded image.
        pub file_id: Option<JsonStr<'a>>,
        /// How closely the model looks: `auto`, `low`, `high`, `original`.
        pub detail: Option<Cow<'a, str>>,
    }

    /// `input_file`.
    pub struct FilePart<'a> {
        /// A `data:` URL.
        pub file_data: Option<JsonStr<'a>>,
        /// Where the file can be fetched.
        pub file_url: Option<JsonStr<'a>>,
        /// An uploaded file.
        pub file_id: Option<JsonStr<'a>>,
        /// Its name.
        pub filename: Option<JsonStr<'a>>,
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
        pub arguments: Option<JsonStr<'a>>,
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
        pub input: JsonStr<'a>,
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
        pub tools: RawJson<'a>,
    }

    /// `shell_call`.
    pub struct ShellCall<'a> {
        /// Its id.
        pub call_id: Cow<'a, str>,
        /// `{commands, timeout_ms, max_output_length}`.
        pub action: RawObject<'a>,
    }

    /// `shell_call_output`.
    pub struct ShellOutput<'a> {
        /// The call that it answers.
        pub call_id: Cow<'a, str>,
        /// `[{stdout, stderr, outcome}]`.
        pub output: TapeValue<'a>,
    }

    /// `local_shell_call`.
    pub struct LocalShellCall<'a> {
        /// Its id.
        pub call_id: Cow<'a, str>,
        /// `{type, command, env, ...}`.
        pub action: RawObject<'a>,
    }

    /// `local_shell_call_output`.
    pub struct LocalShellOutput<'a> {
        /// The call that it answers, if the client says so.
        pub call_id: Option<Cow<'a, str>>,
        /// The call that it answers, by the API reference.
        pub id: Option<Cow<'a, str>>,
        /// A JSON text.
        pub output: JsonStr<'a>,
    }

    /// `apply_patch_call`.
    pub struct ApplyPatchCall<'a> {
        /// Its id.
        pub call_id: Cow<'a, str>,
        /// `{type, path, diff}`.
        pub operation: RawObject<'a>,
    }

    /// `apply_patch_call_output`.
    pub struct ApplyPatchOutput<'a> {
        /// The call that it answers.
        pub call_id: Cow<'a, str>,
        /// `completed` or `failed`.
        pub status: Cow<'a, str>,
        /// What the client says to it.
        pub output: Option<JsonStr<'a>>,
    }

    /// `reasoning`.
    pub struct ReasoningItem<'a> {
        /// Parts of type `summary_text`.
        pub summary: Option<Vec<TextPart<'a>>>,
        /// Parts of type `reasoning_text`.
        pub content: Option<Vec<TextPart<'a>>>,
        /// What the server that made it wants back.
        pub encrypted_content: Option<JsonStr<'a>>,
    }

    /// `compaction` and `context_compaction`.
    pub struct CompactionItem<'a> {
        /// What the server that made it wants back.
        pub encrypted_content: Option<JsonStr<'a>>,
    }

    /// `item_reference`.
    pub struct ItemReference<'a> {
        /// The item's id.
        pub id: Cow<'a, str>,
    }
}
