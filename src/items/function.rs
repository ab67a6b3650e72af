//! `function`: the only kind of tool that both APIs have.
//!
//! <https://developers.openai.com/api/docs/guides/function-calling>
//!
//! ```json
//! {"type": "function", "name": "add", "parameters": {"type": "object"}, "strict": true}
//! {"type": "function_call", "call_id": "call_1", "name": "add", "arguments": "{\"a\": 1}"}
//! {"type": "function_call_output", "call_id": "call_1", "output": "2"}
//! ```

use super::{
    Call, CallHead, Conversation, Declaration, Entry, EventWriter, OpenCall, Output, ToolKind, content,
};
use crate::error::ApiError;
use crate::json::{self, Completeness, JsonStr, RawJson};
use crate::report::{Repaired, Report};
use crate::wire::chat::request::Content;
use crate::wire::responses::{
    CallOutput, DeltaTemplate, Event, FunctionCall, FunctionTool, OutputItem, Schema, Status,
};
use crate::wire::typed::{Object, RawObject};
use std::borrow::Cow;

/// Its row of [`super::KINDS`]. Calls of undeclared tools also get this kind.
pub static KIND: ToolKind = ToolKind {
    tool_type: "function",
    call_item: "function_call",
    output_item: "function_call_output",
    id_prefix: "fc",
    named: true,
    declare,
    read_call,
    read_output,
    open,
    takes_text: false,
    accepts: None,
};

/// Reads a `function` of `tools`.
fn declare<'a>(tool: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    let tool = FunctionTool::of(tool)?;
    conversation.tools.push(Declaration {
        namespace: None,
        name: tool.name,
        kind: &KIND,
        description: tool.description,
        parameters: parameters(tool.parameters),
        strict: tool.strict,
        custom: None,
        is_async: tool.r#async == Some(true),
    });
    Ok(())
}

/// The schema of the arguments. Upstreams require an object schema, even if the function has no parameters.
pub(super) fn parameters(declared: Option<RawObject<'_>>) -> Schema<'_> {
    match declared {
        Some(RawObject(schema)) if schema.get() != "{}" => Schema::Sent(schema),
        _ => Schema::Own(RawJson::literal(r#"{"properties":{},"type":"object"}"#)),
    }
}

/// Reads a `function_call`.
fn read_call<'a>(item: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    let call = FunctionCall::of(item)?;
    let arguments = arguments(call.arguments, &call.name, &mut conversation.report);
    conversation.entries.push(Entry::Call(Call {
        call_id: call.call_id,
        namespace: call.namespace,
        name: call.name,
        kind: &KIND,
        arguments,
        input: None,
        is_async: call.r#async == Some(true),
        output: None,
    }));
    Ok(())
}

/// The arguments as a string that holds an object. Chat templates parse the arguments of earlier calls, and some
/// upstreams return 500 if they are not an object. Invalid arguments are kept, wrapped into one.
fn arguments<'a>(written: Option<JsonStr<'a>>, name: &str, report: &mut Report) -> JsonStr<'a> {
    let Some(written) = written else { return JsonStr::new("{}") };
    if written.is_surely_object() {
        return written;
    }
    let decoded = written.decode();
    match decoded.trim() {
        "" => JsonStr::new("{}"),
        object if object.starts_with('{') && json::completeness(object) == Completeness::Complete => {
            match json::without_lone_surrogates(object) {
                Cow::Borrowed(_) => written,
                Cow::Owned(mended) => {
                    report.repaired(Repaired::Arguments, name);
                    JsonStr::new(&mended)
                }
            }
        }
        other => {
            report.repaired(Repaired::Arguments, name);
            let object = json::object_within(other);
            JsonStr::new(&object.unwrap_or_else(|| format!("{{\"_raw\":{}}}", written.as_json())))
        }
    }
}

/// Reads a `function_call_output` or a `custom_tool_call_output`.
pub(super) fn read_output<'a>(
    item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let CallOutput { call_id, name, namespace, output } = CallOutput::of(item)?;
    let content = content::read(item.located("output", output), &mut conversation.report)?;
    let call_id = call_id.filter(|id| !id.is_empty() || has_call_without_id(&conversation.entries));
    conversation.entries.push(match call_id {
        Some(call_id) => Entry::Output(Output { call_id, content }),
        // Codex adds such outputs to the history without a call before them. A tool message requires a call.
        None => {
            let heading = heading(namespace.as_deref(), name.as_deref());
            let mut user = Content::Text(JsonStr::new(&heading));
            user.append(content);
            Entry::User(user)
        }
    });
    Ok(())
}

/// Some clients return calls without an id, if the upstream sent none, and also omit it in the outputs.
fn has_call_without_id(entries: &[Entry<'_>]) -> bool {
    entries.iter().any(|entry| matches!(entry, Entry::Call(call) if call.call_id.is_empty()))
}

/// Shows the model that an output is not from the user.
fn heading(namespace: Option<&str>, name: Option<&str>) -> String {
    match (namespace, name) {
        (Some(namespace), Some(name)) => format!("[Output of the tool {namespace}.{name}]"),
        (None, Some(name)) => format!("[Output of the tool {name}]"),
        (_, None) => "[Output of a tool]".to_owned(),
    }
}

/// A `function_call` item that receives its arguments.
#[derive(Debug)]
struct OpenFunction {
    id: String,
    output_index: usize,
    head: CallHead,
    deltas: DeltaTemplate,
}

fn open(head: CallHead, out: &mut EventWriter) -> Box<dyn OpenCall> {
    let id = out.id(KIND.id_prefix);
    let output_index = out.begin(&item(&id, &head, Status::InProgress, &JsonStr::new("")));
    let deltas = out.deltas(&Event::FunctionCallArgumentsDelta {
        sequence_number: 0,
        item_id: &id,
        output_index,
        delta: &JsonStr::new(""),
    });
    Box::new(OpenFunction { id, output_index, head, deltas })
}

fn item<'i>(id: &'i str, head: &'i CallHead, status: Status, arguments: &'i JsonStr<'i>) -> OutputItem<'i> {
    OutputItem::FunctionCall {
        id,
        status,
        arguments,
        call_id: &head.call_id,
        name: &head.name,
        namespace: head.namespace.as_deref(),
    }
}

impl OpenCall for OpenFunction {
    fn arguments(&mut self, piece: &JsonStr<'_>, out: &mut EventWriter) {
        out.send_delta(&self.deltas, piece);
    }

    fn complete(self: Box<Self>, arguments: JsonStr<'static>, out: &mut EventWriter) {
        out.send(|sequence_number| Event::FunctionCallArgumentsDone {
            sequence_number,
            item_id: &self.id,
            output_index: self.output_index,
            name: &self.head.name,
            arguments: &arguments,
        });
        out.finish(&item(&self.id, &self.head, Status::Completed, &arguments));
    }

    fn cut(self: Box<Self>, arguments: JsonStr<'static>, out: &mut EventWriter) {
        out.finish(&item(&self.id, &self.head, Status::Incomplete, &arguments));
    }
}
