//! `local_shell`: the model runs one program on the client's machine.
//!
//! <https://developers.openai.com/api/docs/guides/tools-local-shell>
//!
//! ```json
//! {"type": "local_shell"}
//! {"type": "local_shell_call", "call_id": "call_1", "action": {"type": "exec", "command": ["ls", "-l"], "env": {}}}
//! {"type": "local_shell_call_output", "id": "call_1", "output": "{\"stdout\": \"a\\n\"}"}
//! ```

use super::ToolKind;
use super::builtin::{self, BufferedCall, Field, are_readable, has_strings};
use crate::error::ApiError;
use crate::json;
use crate::wire::responses::{LocalShellCall, LocalShellOutput, OutputItem};
use serde_json::json;

pub(super) static KIND: ToolKind = ToolKind {
    tool_type: "local_shell",
    call_item: "local_shell_call",
    output_item: "local_shell_call_output",
    id_prefix: "lsh",
    named: false,
    declare: |tool, conversation| {
        tool.note_all_but(&[]);
        builtin::declare(&KIND, DESCRIPTION, PARAMETERS, conversation);
        Ok(())
    },
    read_call: |item, conversation| {
        let LocalShellCall { call_id, action } = LocalShellCall::of(item)?;
        conversation.push_builtin_call(&KIND, call_id, action.0.get());
        Ok(())
    },
    read_output: |item, conversation| {
        // The API reference has the id of the call in `id`. Clients also send `call_id`, as for other tools.
        let LocalShellOutput { call_id, id, output } = LocalShellOutput::of(item)?;
        let call_id = call_id.or(id).ok_or_else(|| ApiError::missing(item.path_to("id")))?;
        conversation.push_output(call_id, output);
        Ok(())
    },
    open: |head, _| {
        Box::new(BufferedCall {
            kind: &KIND,
            head,
            fields: FIELDS,
            write: |id, call_id, status, action| OutputItem::LocalShellCall { id, status, call_id, action },
        })
    },
    // Clients read `command`.
    takes_text: false,
    accepts: Some(|arguments| {
        json::is_object(arguments, |action| has_strings(action, "command") && are_readable(action, FIELDS))
    }),
};

const FIELDS: &[Field] = &[
    Field { name: "type", read: builtin::text, default: Some(|| "exec".into()) },
    Field { name: "env", read: builtin::texts, default: Some(|| json!({})) },
    Field { name: "working_directory", read: builtin::text, default: None },
    Field { name: "timeout_ms", read: builtin::whole_number, default: None },
    Field { name: "user", read: builtin::text, default: None },
];

const DESCRIPTION: &str = "Runs a program on the user's machine and returns what it wrote.";

const PARAMETERS: &str = r#"{"properties":{"command":{"description":"The program and its arguments, e.g. [\"bash\", \"-lc\", \"ls\"].","items":{"type":"string"},"type":"array"},"env":{"additionalProperties":{"type":"string"},"description":"Environment variables.","type":"object"},"timeout_ms":{"description":"How long it may take.","type":"integer"},"working_directory":{"description":"Where it runs.","type":"string"}},"required":["command"],"type":"object"}"#;
