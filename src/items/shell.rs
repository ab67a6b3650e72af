//! `shell`: the model runs commands on the client's machine.
//!
//! <https://developers.openai.com/api/docs/guides/tools-shell>
//!
//! ```json
//! {"type": "shell"}
//! {"type": "shell_call", "call_id": "call_1", "action": {"commands": ["ls"], "timeout_ms": 1000, "max_output_length": null}}
//! {"type": "shell_call_output", "call_id": "call_1", "output": [{"stdout": "a\n", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]}
//! ```

use super::builtin::{self, BufferedCall, has_strings};
use super::{Conversation, ToolKind};
use crate::error::ApiError;
use crate::json::{self, JsonStr};
use crate::report::Dropped;
use crate::wire::responses::{OutputItem, ShellCall, ShellEnvironment, ShellOutput};
use crate::wire::typed::{Object, Read};
use serde_json::{Value, json};
use std::borrow::Cow;

pub(super) static KIND: ToolKind = ToolKind {
    tool_type: "shell",
    call_item: "shell_call",
    output_item: "shell_call_output",
    id_prefix: "sh",
    named: false,
    declare,
    read_call: |item, conversation| {
        let ShellCall { call_id, action } = ShellCall::of(item)?;
        conversation.push_builtin_call(&KIND, call_id, &action);
        Ok(())
    },
    read_output: |item, conversation| {
        let ShellOutput { call_id, output } = ShellOutput::of(item)?;
        // Some clients send the text alone instead of an array with one object per command.
        let text = output.text().unwrap_or_else(|| JsonStr::new(output.get()));
        conversation.push_output(call_id, text);
        Ok(())
    },
    open: |head, _| {
        Box::new(BufferedCall {
            kind: &KIND,
            head,
            defaults: &[("timeout_ms", || Value::Null), ("max_output_length", || Value::Null)],
            write: |id, call_id, status, action| OutputItem::ShellCall { id, status, call_id, action },
        })
    },
    // Clients read `commands`.
    takes_text: false,
    accepts: Some(|arguments| json::is_object(arguments, |action| has_strings(action, "commands"))),
};

/// Reads a `shell` of `tools`. With another `environment` it runs in a container of OpenAI's.
fn declare<'a>(tool: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    tool.note_all_but(&["environment"]);
    let environment: Cow<'_, str> = match tool.site("environment") {
        Some(environment) => ShellEnvironment::read(environment)?.r#type,
        None => Cow::Borrowed("local"),
    };
    if environment == "local" {
        builtin::declare(&KIND, DESCRIPTION, &parameters(), conversation);
    } else {
        conversation.report.dropped(Dropped::Tool, KIND.tool_type);
    }
    Ok(())
}

const DESCRIPTION: &str =
    "Runs shell commands on the user's machine, one after the other, and returns what they wrote.";

fn parameters() -> Value {
    json!({"type": "object", "properties": {
        "commands": {"type": "array", "items": {"type": "string"}, "description": "The commands, each as one would type it."},
        "timeout_ms": {"type": "integer", "description": "How long they may take."},
        "max_output_length": {"type": "integer", "description": "How many characters of output are wanted."},
    }, "required": ["commands"]})
}
