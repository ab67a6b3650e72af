//! Shared by the tools whose arguments OpenAI defines, such as `shell`.
//!
//! The API defines the arguments of these tools and models are trained on them, so a declaration is only a
//! type. Upstream each is a function of that name. Its arguments are the object that the call item holds as
//! `action` or `operation`.

use super::{CallHead, Conversation, EventWriter, OpenCall, ToolKind};
use crate::json::{JsonStr, RawJson};
use crate::wire::responses::{OutputItem, Schema, Status};
use serde_json::{Map, Value};

/// Declares the function that represents the tool upstream.
pub(super) fn declare(
    kind: &'static ToolKind,
    description: &str,
    parameters: &'static str,
    conversation: &mut Conversation<'_>,
) {
    let parameters = Schema::Own(RawJson::literal(parameters));
    conversation.push_builtin_tool(kind, Some(JsonStr::new(description)), parameters);
}

/// Whether `object` has an array of strings in `field`.
pub(super) fn has_strings(object: &Map<String, Value>, field: &str) -> bool {
    let list = object.get(field).and_then(Value::as_array);
    list.is_some_and(|list| list.iter().all(Value::is_string))
}

/// Writes the item, given its id, the `call_id`, its status and its arguments.
pub(super) type Write = for<'i> fn(&'i str, &'i str, Status, &'i RawJson<'i>) -> OutputItem<'i>;

/// An optional field of the item's arguments.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// The value as clients read it, or `None` if it has a wrong type.
    pub(super) read: fn(&Value) -> Option<Value>,
    /// The value if the model omitted it or wrote `null`; `None` if the item may lack it.
    pub(super) default: Option<fn() -> Value>,
}

impl Field {
    /// The value that the model wrote.
    fn given<'v>(&self, arguments: &'v Map<String, Value>) -> Option<&'v Value> {
        arguments.get(self.name).filter(|value| !value.is_null())
    }
}

pub(super) fn text(value: &Value) -> Option<Value> {
    value.is_string().then(|| value.clone())
}

/// An object whose values are strings.
pub(super) fn texts(value: &Value) -> Option<Value> {
    value.as_object().filter(|fields| fields.values().all(Value::is_string)).map(|_| value.clone())
}

/// A whole number. Some models write it as a string, or as `5.0`.
pub(super) fn whole_number(value: &Value) -> Option<Value> {
    let written = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    written.strip_suffix(".0").unwrap_or(&written).parse::<u64>().ok().map(Value::from)
}

/// Whether clients can read each of these fields. Codex drops an item with a field of a wrong type.
pub(super) fn are_readable(arguments: &Map<String, Value>, fields: &[Field]) -> bool {
    fields.iter().all(|field| field.given(arguments).is_none_or(|value| (field.read)(value).is_some()))
}

/// The arguments as clients read them.
pub(super) fn as_read(arguments: &JsonStr<'_>, fields: &[Field]) -> Map<String, Value> {
    let mut arguments: Map<String, Value> = serde_json::from_str(&arguments.decode()).unwrap_or_default();
    for field in fields {
        let value =
            field.given(&arguments).and_then(field.read).or_else(|| field.default.map(|value| value()));
        match value {
            Some(value) => drop(arguments.insert(field.name.to_owned(), value)),
            None => drop(arguments.remove(field.name)),
        }
    }
    arguments
}

/// A call whose item is only sent when its arguments are complete: clients read them as an object. If the
/// reply is cut, no item is sent, because clients would run half a command.
#[derive(Debug)]
pub(super) struct BufferedCall {
    pub(super) kind: &'static ToolKind,
    pub(super) head: CallHead,
    pub(super) fields: &'static [Field],
    pub(super) write: Write,
}

impl OpenCall for BufferedCall {
    fn arguments(&mut self, _piece: &JsonStr<'_>, _out: &mut EventWriter) {}

    fn complete(self: Box<Self>, arguments: JsonStr<'static>, out: &mut EventWriter) {
        let arguments = RawJson::new(&as_read(&arguments, self.fields));
        let id = out.id(self.kind.id_prefix);
        out.begin(&(self.write)(&id, &self.head.call_id, Status::InProgress, &arguments));
        out.finish(&(self.write)(&id, &self.head.call_id, Status::Completed, &arguments));
    }

    fn cut(self: Box<Self>, _arguments: JsonStr<'static>, _out: &mut EventWriter) {}
}
