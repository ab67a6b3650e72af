//! Shared by the tools whose arguments OpenAI defines, such as `shell`.
//!
//! The API defines the arguments of these tools and models are trained on them, so a declaration is only a
//! type. Upstream each is a function of that name. Its arguments are the object that the call item holds as
//! `action` or `operation`.

use super::{CallHead, Conversation, Declaration, EventWriter, OpenCall, ToolKind};
use crate::json::{JsonStr, RawJson};
use crate::wire::responses::{OutputItem, Schema, Status};
use serde_json::{Map, Value};

/// Declares the function that represents the tool upstream.
pub(super) fn declare(
    kind: &'static ToolKind,
    description: &str,
    parameters: &Value,
    conversation: &mut Conversation<'_>,
) {
    conversation.tools.push(Declaration {
        namespace: None,
        name: kind.tool_type.into(),
        kind,
        description: Some(JsonStr::new(description)),
        parameters: Schema::Own(RawJson::new(parameters)),
        strict: None,
        custom: None,
        is_async: false,
    });
}

/// Whether `object` has an array of strings in `field`.
pub(super) fn has_strings(object: &Map<String, Value>, field: &str) -> bool {
    let list = object.get(field).and_then(Value::as_array);
    list.is_some_and(|list| list.iter().all(Value::is_string))
}

/// Writes the item, given its id, the `call_id`, its status and its arguments.
pub(super) type Write = for<'i> fn(&'i str, &'i str, Status, &'i RawJson<'i>) -> OutputItem<'i>;

/// Fields that the item's arguments must have, and their values if the model omitted them.
pub(super) type Defaults = &'static [(&'static str, fn() -> Value)];

/// The arguments as clients read them.
pub(super) fn with_defaults(arguments: &JsonStr<'_>, defaults: Defaults) -> Map<String, Value> {
    let mut arguments: Map<String, Value> = serde_json::from_str(&arguments.decode()).unwrap_or_default();
    for (field, default) in defaults {
        arguments.entry(*field).or_insert_with(default);
    }
    arguments
}

/// A call whose item is only sent when its arguments are complete: clients read them as an object. If the
/// reply is cut, no item is sent, because clients would run half a command.
#[derive(Debug)]
pub(super) struct BufferedCall {
    pub(super) kind: &'static ToolKind,
    pub(super) head: CallHead,
    pub(super) defaults: Defaults,
    pub(super) write: Write,
}

impl OpenCall for BufferedCall {
    fn arguments(&mut self, _piece: &JsonStr<'_>, _out: &mut EventWriter) {}

    fn complete(self: Box<Self>, arguments: JsonStr<'static>, out: &mut EventWriter) {
        let arguments = RawJson::new(&with_defaults(&arguments, self.defaults));
        let id = out.id(self.kind.id_prefix);
        out.begin(&(self.write)(&id, &self.head.call_id, Status::InProgress, &arguments));
        out.finish(&(self.write)(&id, &self.head.call_id, Status::Completed, &arguments));
    }

    fn cut(self: Box<Self>, _arguments: JsonStr<'static>, _out: &mut EventWriter) {}
}
