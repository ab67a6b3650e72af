//! Tools whose arguments OpenAI defines and which the client runs: `shell`, `local_shell` and `apply_patch`.
//!
//! Their declarations say nothing but their type: the models know them by heart. Upstream each is a function
//! of that name, whose arguments are what the item calls `action` or `operation`.

use super::{Call, CallHead, Conversation, Declaration, Entry, EventWriter, OpenCall, Output, ToolKind};
use crate::error::ApiError;
use crate::json::{self, JsonStr, RawJson};
use crate::report::Dropped;
use crate::wire::chat::request::Part;
use crate::wire::responses::{
    ApplyPatchCall, ApplyPatchOutput, LocalShellCall, LocalShellOutput, OutputItem, ShellCall, ShellOutput,
    Status,
};
use crate::wire::typed::{Object, RawObject};
use serde_json::{Map, Value, json, value::RawValue};
use std::borrow::Cow;

/// Declared: `shell`. In a container of OpenAI's own it would be a hosted tool.
pub(super) fn declare_shell<'a>(
    tool: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let environment: Cow<'_, str> = match tool.site("environment") {
        Some(environment) => environment.object()?.get("type")?,
        None => Cow::Borrowed("local"),
    };
    match &*environment {
        "local" => conversation.tools.push(SHELL.declaration()),
        _ => conversation.report.dropped(Dropped::Tool, SHELL.name),
    }
    Ok(())
}

/// Declared: `local_shell`.
pub(super) fn declare_local_shell<'a>(
    _tool: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    conversation.tools.push(LOCAL_SHELL.declaration());
    Ok(())
}

/// Declared: `apply_patch`.
pub(super) fn declare_apply_patch<'a>(
    _tool: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    conversation.tools.push(APPLY_PATCH.declaration());
    Ok(())
}

/// In the history: `shell_call`.
pub(super) fn read_shell<'a>(
    item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let ShellCall { call_id, action } = ShellCall::of(item)?;
    conversation.entries.push(SHELL.call(call_id, &action));
    Ok(())
}

/// In the history: `local_shell_call`.
pub(super) fn read_local_shell<'a>(
    item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let LocalShellCall { call_id, action } = LocalShellCall::of(item)?;
    conversation.entries.push(LOCAL_SHELL.call(call_id, &action));
    Ok(())
}

/// In the history: `apply_patch_call`.
pub(super) fn read_apply_patch<'a>(
    item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let ApplyPatchCall { call_id, operation } = ApplyPatchCall::of(item)?;
    conversation.entries.push(APPLY_PATCH.call(call_id, &operation));
    Ok(())
}

/// In the history: `shell_call_output`, for each command what it wrote and how it ended.
pub(super) fn read_shell_output<'a>(
    item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let ShellOutput { call_id, output } = ShellOutput::of(item)?;
    // Clients that know no other form send the text alone.
    let text = output.text().unwrap_or_else(|| JsonStr::new(output.get()));
    conversation.entries.push(answer(call_id, text));
    Ok(())
}

/// In the history: `local_shell_call_output`. Its `id` is the id of the call.
pub(super) fn read_local_shell_output<'a>(
    item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let LocalShellOutput { call_id, id, output } = LocalShellOutput::of(item)?;
    let call_id = call_id.or(id).ok_or_else(|| ApiError::missing(item.path_to("id")))?;
    conversation.entries.push(answer(call_id, output));
    Ok(())
}

/// In the history: `apply_patch_call_output`.
pub(super) fn read_apply_patch_output<'a>(
    item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let ApplyPatchOutput { call_id, status, output } = ApplyPatchOutput::of(item)?;
    let text = match output {
        Some(output) => JsonStr::new(&format!("{status}: {}", output.decode())),
        None => JsonStr::new(&status),
    };
    conversation.entries.push(answer(call_id, text));
    Ok(())
}

fn answer<'a>(call_id: Cow<'a, str>, text: JsonStr<'a>) -> Entry<'a> {
    Entry::Output(Output { call_id, parts: vec![Part::Text { text }] })
}

/// One of these tools.
struct Builtin {
    name: &'static str,
    description: &'static str,
    parameters: fn() -> Value,
    form: ToolKind,
}

impl Builtin {
    fn declaration(&'static self) -> Declaration<'static> {
        Declaration {
            namespace: None,
            name: Cow::Borrowed(self.name),
            form: &self.form,
            description: Some(JsonStr::new(self.description)),
            parameters: RawJson::new(&(self.parameters)()),
            strict: None,
            custom: None,
        }
    }

    fn call<'a>(&'static self, call_id: Cow<'a, str>, arguments: &RawObject<'_>) -> Entry<'a> {
        let arguments = JsonStr::new(arguments.0.get());
        Entry::Call(Call { call_id, namespace: None, name: self.name.into(), form: &self.form, arguments })
    }
}

static SHELL: Builtin = Builtin {
    name: "shell",
    description: "Runs shell commands on the user's machine, one after the other, and returns what they wrote.",
    parameters: || {
        json!({"type": "object", "properties": {
            "commands": {"type": "array", "items": {"type": "string"}, "description": "The commands, each as one would type it."},
            "timeout_ms": {"type": "integer", "description": "How long they may take."},
            "max_output_length": {"type": "integer", "description": "How many characters of output are wanted."},
        }, "required": ["commands"]})
    },
    form: ToolKind {
        item: "shell_call",
        open: |head, _| {
            OpenBuiltin::open(
                head,
                "sh",
                &[("timeout_ms", || Value::Null), ("max_output_length", || Value::Null)],
                |id, call_id, status, action| OutputItem::ShellCall { id, status, call_id, action },
            )
        },
        // What clients read of the item.
        holds: Some(|arguments| json::is_object(arguments, |action| has_texts(action, "commands"))),
    },
};

static LOCAL_SHELL: Builtin = Builtin {
    name: "local_shell",
    description: "Runs a program on the user's machine and returns what it wrote.",
    parameters: || {
        json!({"type": "object", "properties": {
            "command": {"type": "array", "items": {"type": "string"}, "description": "The program and its arguments, e.g. [\"bash\", \"-lc\", \"ls\"]."},
            "working_directory": {"type": "string", "description": "Where it runs."},
            "env": {"type": "object", "additionalProperties": {"type": "string"}, "description": "Environment variables."},
            "timeout_ms": {"type": "integer", "description": "How long it may take."},
        }, "required": ["command"]})
    },
    form: ToolKind {
        item: "local_shell_call",
        open: |head, _| {
            OpenBuiltin::open(
                head,
                "lsh",
                &[("type", || "exec".into()), ("env", || json!({}))],
                |id, call_id, status, action| OutputItem::LocalShellCall { id, status, call_id, action },
            )
        },
        // What clients read of the item.
        holds: Some(|arguments| json::is_object(arguments, |action| has_texts(action, "command"))),
    },
};

static APPLY_PATCH: Builtin = Builtin {
    name: "apply_patch",
    description: "Creates, updates or deletes one file. The diff is in the V4A format: for an update, hunks of \
                  `@@` and, below it, lines that begin with a space (context), `-` (removed) or `+` (added); \
                  for a new file, all its lines, each after a `+`.",
    parameters: || {
        json!({"type": "object", "properties": {
            "type": {"type": "string", "enum": ["create_file", "update_file", "delete_file"]},
            "path": {"type": "string", "description": "The file."},
            "diff": {"type": "string", "description": "The diff; not needed to delete."},
        }, "required": ["type", "path"]})
    },
    form: ToolKind {
        item: "apply_patch_call",
        open: |head, _| {
            OpenBuiltin::open(head, "apc", &[], |id, call_id, status, operation| OutputItem::ApplyPatchCall {
                id,
                status,
                call_id,
                operation,
            })
        },
        // What clients read of the item.
        holds: Some(|arguments| json::is_object(arguments, is_operation)),
    },
};

fn has_texts(object: &Map<String, Value>, field: &str) -> bool {
    let list = object.get(field).and_then(Value::as_array);
    list.is_some_and(|list| list.iter().all(Value::is_string))
}

fn is_operation(operation: &Map<String, Value>) -> bool {
    let has_text = |field: &str| operation.get(field).is_some_and(Value::is_string);
    match operation.get("type").and_then(Value::as_str) {
        Some("create_file" | "update_file") => has_text("path") && has_text("diff"),
        Some("delete_file") => has_text("path"),
        _ => false,
    }
}

/// How the item is written, given its id, the call's, its state and its arguments.
type Write = for<'i> fn(&'i str, &'i str, Status, &'i RawValue) -> OutputItem<'i>;
/// Fields that the item must have, and their values if the model left them out.
type Defaults = &'static [(&'static str, fn() -> Value)];

/// Coming back: an item of one of these types. Clients read its arguments as an object, so it begins
/// only when they are whole. What was cut never begins: half a command is none.
#[derive(Debug)]
struct OpenBuiltin {
    head: CallHead,
    prefix: &'static str,
    defaults: Defaults,
    write: Write,
}

impl OpenBuiltin {
    fn open(head: CallHead, prefix: &'static str, defaults: Defaults, write: Write) -> Box<dyn OpenCall> {
        Box::new(Self { head, prefix, defaults, write })
    }
}

impl OpenCall for OpenBuiltin {
    fn arguments(&mut self, _piece: &JsonStr<'_>, _out: &mut EventWriter) {}

    fn complete(self: Box<Self>, arguments: JsonStr<'static>, out: &mut EventWriter) {
        let mut arguments: Map<String, Value> = serde_json::from_str(&arguments.decode()).unwrap_or_default();
        for (field, default) in self.defaults {
            arguments.entry(*field).or_insert_with(default);
        }
        let arguments = json::raw(&arguments);
        let id = out.id(self.prefix);
        out.begin(&(self.write)(&id, &self.head.call_id, Status::InProgress, &arguments));
        out.finish(&(self.write)(&id, &self.head.call_id, Status::Completed, &arguments));
    }

    fn cut(self: Box<Self>, _arguments: JsonStr<'static>, _out: &mut EventWriter) {}
}
