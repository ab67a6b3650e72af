//! `apply_patch`: the model creates, changes or deletes one file on the client's machine.
//!
//! <https://developers.openai.com/api/docs/guides/tools-apply-patch>
//!
//! ```json
//! {"type": "apply_patch"}
//! {"type": "apply_patch_call", "call_id": "call_1", "operation": {"type": "update_file", "path": "a.py", "diff": "@@\n-a\n+b\n"}}
//! {"type": "apply_patch_call_output", "call_id": "call_1", "status": "completed", "output": "Updated a.py"}
//! ```

use super::ToolKind;
use super::builtin::{self, BufferedCall};
use crate::json::{self, JsonStr};
use crate::wire::responses::{ApplyPatchCall, ApplyPatchOutput, OutputItem};
use serde_json::{Map, Value};

pub(super) static KIND: ToolKind = ToolKind {
    tool_type: "apply_patch",
    call_item: "apply_patch_call",
    output_item: "apply_patch_call_output",
    id_prefix: "apc",
    named: false,
    declare: |tool, conversation| {
        tool.note_all_but(&[]);
        builtin::declare(&KIND, DESCRIPTION, PARAMETERS, conversation);
        Ok(())
    },
    read_call: |item, conversation| {
        let ApplyPatchCall { call_id, operation } = ApplyPatchCall::of(item)?;
        conversation.push_builtin_call(&KIND, call_id, operation.0.get());
        Ok(())
    },
    read_output: |item, conversation| {
        let ApplyPatchOutput { call_id, status, output } = ApplyPatchOutput::of(item)?;
        let text = match output {
            Some(output) => JsonStr::new(&format!("{status}: {}", output.decode())),
            None => JsonStr::new(&status),
        };
        conversation.push_output(call_id, text);
        Ok(())
    },
    open: |head, _| {
        Box::new(BufferedCall {
            kind: &KIND,
            head,
            fields: &[],
            write: |id, call_id, status, operation| OutputItem::ApplyPatchCall {
                id,
                status,
                call_id,
                operation,
            },
        })
    },
    takes_text: false,
    accepts: Some(|arguments| json::is_object(arguments, is_operation)),
};

const DESCRIPTION: &str = "Creates, updates or deletes one file. The diff is in the V4A format: for an update, hunks of \
     `@@` and, below it, lines that begin with a space (context), `-` (removed) or `+` (added); \
     for a new file, all its lines, each after a `+`.";

const PARAMETERS: &str = r#"{"properties":{"diff":{"description":"The diff; not needed to delete.","type":"string"},"path":{"description":"The file.","type":"string"},"type":{"enum":["create_file","update_file","delete_file"],"type":"string"}},"required":["type","path"],"type":"object"}"#;

/// Whether clients can read the operation.
fn is_operation(operation: &Map<String, Value>) -> bool {
    let has_text = |field: &str| operation.get(field).is_some_and(Value::is_string);
    match operation.get("type").and_then(Value::as_str) {
        Some("create_file" | "update_file") => has_text("path") && has_text("diff"),
        Some("delete_file") => has_text("path"),
        _ => false,
    }
}
