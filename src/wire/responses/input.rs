//! The items of `input` and the parts of their content, one struct for each `type`.
//!
//! Reference: <https://platform.openai.com/docs/api-reference/responses/create#responses_create-input>

use super::TextFormat;
use crate::error::ApiError;
use crate::json::{JsonStr, RawJson, TapeValue};
use crate::wire::typed::{Located, RawObject, Read, objects};
use std::borrow::Cow;

objects! {
    /// `{"type": "message", "role": "user", "content": "Hi"}`
    #[allow(missing_docs)]
    pub struct Message<'a> {
        /// `user`, `assistant`, `system` or `developer`.
        pub role: Cow<'a, str>,
        /// A string, or an array of parts. A message of the assistant may be without.
        pub content: Option<TapeValue<'a>>,
    }

    /// `{"type": "input_text", "text": "Hi"}`; also `output_text`, `text`, `summary_text` and `reasoning_text`.
    #[allow(missing_docs)]
    pub struct TextPart<'a> {
        pub text: JsonStr<'a>,
    } besides ["annotations", "logprobs"]

    /// `{"type": "refusal", "refusal": "I cannot help with that."}`
    #[allow(missing_docs)]
    pub struct RefusalPart<'a> {
        pub refusal: JsonStr<'a>,
    }

    /// `{"type": "input_image", "image_url": "data:image/png;base64,...", "detail": "auto"}`
    #[allow(missing_docs)]
    pub struct ImagePart<'a> {
        /// An `https:` or `data:` URL.
        pub image_url: Option<JsonStr<'a>>,
        /// An uploaded image.
        pub file_id: Option<JsonStr<'a>>,
        /// `auto`, `low`, `high` or `original`.
        pub detail: Option<Cow<'a, str>>,
    }

    /// `{"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,..."}`
    #[allow(missing_docs)]
    pub struct FilePart<'a> {
        /// A `data:` URL.
        pub file_data: Option<JsonStr<'a>>,
        pub file_url: Option<JsonStr<'a>>,
        /// An uploaded file.
        pub file_id: Option<JsonStr<'a>>,
        pub filename: Option<JsonStr<'a>>,
    }

    /// `{"type": "input_audio", "input_audio": {"data": "...", "format": "wav"}}`
    #[allow(missing_docs)]
    pub struct AudioPart<'a> {
        pub input_audio: RawObject<'a>,
    }

    /// `{"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"}`
    #[allow(missing_docs)]
    pub struct FunctionCall<'a> {
        pub call_id: Cow<'a, str>,
        pub name: Cow<'a, str>,
        pub namespace: Option<Cow<'a, str>>,
        /// Should be a JSON object, but models also write other text.
        pub arguments: Option<JsonStr<'a>>,
        /// Its output may come in a later request.
        pub r#async: Option<bool>,
    }

    /// `{"type": "custom_tool_call", "call_id": "call_1", "name": "apply_patch", "input": "*** Begin Patch\n"}`
    #[allow(missing_docs)]
    pub struct CustomToolCall<'a> {
        pub call_id: Cow<'a, str>,
        pub name: Cow<'a, str>,
        pub namespace: Option<Cow<'a, str>>,
        pub input: JsonStr<'a>,
        /// Its output may come in a later request.
        pub r#async: Option<bool>,
    }

    /// `{"type": "function_call_output", "call_id": "call_1", "output": "done"}`; also `custom_tool_call_output`.
    #[allow(missing_docs)]
    pub struct CallOutput<'a> {
        /// Absent if Codex ran the tool without a call.
        pub call_id: Option<Cow<'a, str>>,
        pub name: Option<Cow<'a, str>>,
        pub namespace: Option<Cow<'a, str>>,
        /// A string, or an array of parts.
        pub output: TapeValue<'a>,
    }

    /// `{"type": "tool_search_call", "call_id": "call_1", "execution": "client", "arguments": {"query": "..."}}`
    #[allow(missing_docs)]
    pub struct ToolSearchCall<'a> {
        /// Absent if the server ran the search.
        pub call_id: Option<Cow<'a, str>>,
        pub arguments: Option<RawObject<'a>>,
    } besides ["execution"]

    /// `{"type": "tool_search_output", "call_id": "call_1", "tools": [...]}`
    #[allow(missing_docs)]
    pub struct ToolSearchOutput<'a> {
        /// Absent if the server ran the search.
        pub call_id: Option<Cow<'a, str>>,
        /// The tools that were found.
        pub tools: RawJson<'a>,
    } besides ["execution"]

    /// `{"type": "shell_call", "call_id": "call_1", "action": {"commands": ["ls"], "timeout_ms": null}}`
    #[allow(missing_docs)]
    pub struct ShellCall<'a> {
        pub call_id: Cow<'a, str>,
        pub action: RawObject<'a>,
    } besides ["environment"]

    /// `{"type": "shell_call_output", "call_id": "call_1", "output": [{"stdout": "...", "outcome": {...}}]}`
    #[allow(missing_docs)]
    pub struct ShellOutput<'a> {
        pub call_id: Cow<'a, str>,
        pub output: TapeValue<'a>,
    } besides ["max_output_length"]

    /// `{"type": "local_shell_call", "call_id": "call_1", "action": {"type": "exec", "command": ["ls"], "env": {}}}`
    #[allow(missing_docs)]
    pub struct LocalShellCall<'a> {
        pub call_id: Cow<'a, str>,
        pub action: RawObject<'a>,
    }

    /// `{"type": "local_shell_call_output", "id": "call_1", "output": "{\"output\": \"...\"}"}`
    #[allow(missing_docs)]
    pub struct LocalShellOutput<'a> {
        /// Most clients send this instead of `id`.
        pub call_id: Option<Cow<'a, str>>,
        /// The id of the call, by the API reference.
        pub id: Option<Cow<'a, str>>,
        pub output: JsonStr<'a>,
    }

    /// `{"type": "apply_patch_call", "call_id": "call_1", "operation": {"type": "delete_file", "path": "a.txt"}}`
    #[allow(missing_docs)]
    pub struct ApplyPatchCall<'a> {
        pub call_id: Cow<'a, str>,
        pub operation: RawObject<'a>,
    }

    /// `{"type": "apply_patch_call_output", "call_id": "call_1", "status": "completed", "output": "..."}`
    #[allow(missing_docs)]
    pub struct ApplyPatchOutput<'a> {
        pub call_id: Cow<'a, str>,
        /// `completed` or `failed`.
        pub status: Cow<'a, str>,
        pub output: Option<JsonStr<'a>>,
    }

    /// `{"type": "reasoning", "summary": [{"type": "summary_text", "text": "..."}], "encrypted_content": "..."}`
    #[allow(missing_docs)]
    pub struct ReasoningItem<'a> {
        pub id: Option<Cow<'a, str>>,
        /// Parts of type `summary_text`.
        pub summary: Option<Paragraphs<'a>>,
        /// Parts of type `reasoning_text`.
        pub content: Option<Paragraphs<'a>>,
        /// Opaque to the client; see `items::ReplayState`.
        pub encrypted_content: Option<JsonStr<'a>>,
    }

    /// `{"type": "compaction", "encrypted_content": "..."}`; also `context_compaction`.
    #[allow(missing_docs)]
    pub struct CompactionItem<'a> {
        /// Opaque to the client; see `items::ReplayState`.
        pub encrypted_content: Option<JsonStr<'a>>,
    }

    /// `{"type": "configuration_update", "reasoning": {"effort": "low"}, "text": {"format": {"type": "text"}}}`
    #[allow(missing_docs)]
    pub struct ConfigurationUpdate<'a> {
        pub reasoning: Option<EffortUpdate<'a>>,
        pub text: Option<FormatUpdate<'a>>,
    }

    /// `reasoning` of a `configuration_update`.
    #[allow(missing_docs)]
    pub struct EffortUpdate<'a> {
        pub effort: Option<Cow<'a, str>>,
    }

    /// `text` of a `configuration_update`.
    #[allow(missing_docs)]
    pub struct FormatUpdate<'a> {
        pub format: Option<TextFormat<'a>>,
    }

    /// `{"type": "item_reference", "id": "msg_1"}`
    #[allow(missing_docs)]
    pub struct ItemReference<'a> {
        pub id: Cow<'a, str>,
    }
}

/// An array of parts that are text: the texts, with an empty line between them.
#[derive(Debug, Clone)]
pub struct Paragraphs<'a>(pub JsonStr<'a>);

impl<'a> Read<'a> for Paragraphs<'a> {
    fn read(located: Located<'_, 'a>) -> Result<Self, ApiError> {
        let mut wrong = None;
        let texts = located.elements("an array")?.map_while(|part| match TextPart::read(part) {
            Ok(part) => Some(part.text),
            Err(error) => {
                wrong = Some(error);
                None
            }
        });
        let text = JsonStr::joined(texts.filter(|text| !text.is_empty()), "\n\n");
        wrong.map_or(Ok(Self(text)), Err)
    }
}
