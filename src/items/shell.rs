//! `shell`: the model runs commands on the client's machine.
//!
//! <https://developers.openai.com/api/docs/guides/tools-shell>
//!
//! ```json
//! {"type": "shell"}
//! {"type": "shell_call", "call_id": "call_1", "action": {"commands": ["ls"], "timeout_ms": 1000, "max_output_length": null}}
//! {"type": "shell_call_output", "call_id": "call_1", "output": [{"stdout": "a\n", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}]}
//! ```

use super::builtin::{self, Field, are_readable, has_strings};
use super::{CallHead, Conversation, EventWriter, OpenCall, ToolKind};
use crate::error::ApiError;
use crate::json::{self, JsonStr, RawJson};
use crate::report::Dropped;
use crate::wire::responses::{Event, OutputItem, ShellCall, ShellEnvironment, ShellOutput, Status};
use crate::wire::typed::{Object, Read};
use serde_json::{Value, json};
use std::borrow::Cow;

/// The argument with the commands.
const COMMANDS: &str = "commands";

pub(super) static KIND: ToolKind = ToolKind {
    tool_type: "shell",
    call_item: "shell_call",
    output_item: "shell_call_output",
    id_prefix: "sh",
    named: false,
    declare,
    read_call: |item, conversation| {
        let ShellCall { call_id, action } = ShellCall::of(item)?;
        conversation.push_builtin_call(&KIND, call_id, action.0.get());
        Ok(())
    },
    read_output: |item, conversation| {
        let ShellOutput { call_id, output } = ShellOutput::of(item)?;
        // Some clients send the text alone instead of an array with one object per command.
        let text = output.text().unwrap_or_else(|| JsonStr::new(output.get()));
        conversation.push_output(call_id, text);
        Ok(())
    },
    open: |head, _| Box::new(OpenShell { head }),
    takes_text: false,
    accepts: Some(|arguments| {
        json::is_object(arguments, |action| has_strings(action, COMMANDS) && are_readable(action, FIELDS))
    }),
};

const FIELDS: &[Field] = &[
    Field { name: "timeout_ms", read: builtin::whole_number, default: Some(|| Value::Null) },
    Field { name: "max_output_length", read: builtin::whole_number, default: Some(|| Value::Null) },
];

/// A call whose item is only sent when its arguments are complete, command by command. If the reply is cut, no item is
/// sent, because clients would run half a command.
#[derive(Debug)]
struct OpenShell {
    head: CallHead,
}

impl OpenCall for OpenShell {
    fn arguments(&mut self, _piece: &JsonStr<'_>, _out: &mut EventWriter) {}

    fn complete(self: Box<Self>, arguments: JsonStr<'static>, out: &mut EventWriter) {
        let mut action = builtin::as_read(&arguments, FIELDS);
        let complete = RawJson::new(&action);
        let commands = action.insert(COMMANDS.to_owned(), json!([]));
        let opened = RawJson::new(&action);
        let (id, call_id) = (out.id(KIND.id_prefix), &self.head.call_id);
        let item = |status, action| OutputItem::ShellCall { id: &id, status, call_id, action };
        let output_index = out.begin(&item(Status::InProgress, &opened));
        let commands =
            commands.as_ref().and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        for (command_index, command) in commands.enumerate() {
            send_command(output_index, command_index, &JsonStr::new(command), out);
        }
        out.finish(&item(Status::Completed, &complete));
    }

    fn cut(self: Box<Self>, _arguments: JsonStr<'static>, _out: &mut EventWriter) {}
}

fn send_command(output_index: usize, command_index: usize, command: &JsonStr<'_>, out: &mut EventWriter) {
    let nothing = &JsonStr::default();
    out.send(|sequence_number| Event::ShellCommandAdded {
        sequence_number,
        output_index,
        command_index,
        command: nothing,
    });
    if !command.is_empty() {
        out.send(|sequence_number| Event::ShellCommandDelta {
            sequence_number,
            output_index,
            command_index,
            delta: command,
        });
    }
    out.send(|sequence_number| Event::ShellCommandDone {
        sequence_number,
        output_index,
        command_index,
        command,
    });
}

/// Reads a `shell` of `tools`. With another `environment` it runs in a container of OpenAI's.
fn declare<'a>(tool: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    tool.note_all_but(&["environment"]);
    let environment: Cow<'_, str> = match tool.field("environment") {
        Some(environment) => ShellEnvironment::read(environment)?.r#type,
        None => Cow::Borrowed("local"),
    };
    if environment == "local" {
        builtin::declare(&KIND, DESCRIPTION, PARAMETERS, conversation);
    } else {
        conversation.report.dropped(Dropped::Tool, KIND.tool_type);
    }
    Ok(())
}

const DESCRIPTION: &str =
    "Runs shell commands on the user's machine, one after the other, and returns what they wrote.";

const PARAMETERS: &str = r#"{"properties":{"commands":{"description":"The commands, each as one would type it.","items":{"type":"string"},"type":"array"},"max_output_length":{"description":"How many characters of output are wanted.","type":"integer"},"timeout_ms":{"description":"How long they may take.","type":"integer"}},"required":["commands"],"type":"object"}"#;
