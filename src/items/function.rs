//! Function tools: the kind that both APIs know.

use super::{
    Call, CallHead, Conversation, Declaration, Entry, EventWriter, OpenCall, Output, ToolKind, content,
};
use crate::error::ApiError;
use crate::json::{self, Completeness, JsonStr, RawJson};
use crate::report::{Repaired, Report};
use crate::wire::responses::DeltaTemplate;
use crate::wire::responses::{CallOutput, Event, FunctionCall, FunctionTool, OutputItem, Status};
use crate::wire::typed::{Object, RawObject};
use std::borrow::Cow;

/// Declared: `function`.
pub(super) fn declare<'a>(
    tool: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let tool = FunctionTool::of(tool)?;
    conversation.tools.push(Declaration {
        namespace: None,
        name: tool.name,
        form: &FORM,
        description: tool.description,
        parameters: parameters(tool.parameters),
        strict: tool.strict,
        custom: None,
    });
    Ok(())
}

/// Hosts demand an object schema, also of a function that takes nothing.
pub(super) fn parameters(declared: Option<RawObject<'_>>) -> RawJson<'_> {
    match declared {
        Some(RawObject(schema)) if schema.get() != "{}" => schema,
        _ => RawJson::literal(r#"{"properties":{},"type":"object"}"#),
    }
}

/// In the history: `function_call`.
pub(super) fn read_call<'a>(
    item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let call = FunctionCall::of(item)?;
    let arguments = arguments(call.arguments, &call.name, &mut conversation.report);
    conversation.entries.push(Entry::Call(Call {
        call_id: call.call_id,
        namespace: call.namespace,
        name: call.name,
        form: &FORM,
        arguments,
    }));
    Ok(())
}

/// Chat templates parse the arguments of earlier calls, and some hosts answer 500 if they are no object:
/// what the model wrote wrongly is kept, but wrapped.
fn arguments<'a>(written: Option<JsonStr<'a>>, name: &str, report: &mut Report) -> JsonStr<'a> {
    let Some(written) = written else { return JsonStr::new("{}") };
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
        _ => {
            report.repaired(Repaired::Arguments, name);
            JsonStr::new(&format!("{{\"_raw\":{}}}", written.as_json()))
        }
    }
}

/// In the history: `function_call_output` and `custom_tool_call_output`.
pub(super) fn read_output<'a>(
    item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let CallOutput { call_id } = CallOutput::of(item)?;
    let parts = content::parts(item.site("output"), &mut conversation.report)?;
    conversation.entries.push(Entry::Output(Output { call_id, parts }));
    Ok(())
}

/// Coming back: `function_call`.
pub static FORM: ToolKind = ToolKind { item: "function_call", open, holds: None };

#[derive(Debug)]
struct OpenFunction {
    id: String,
    output_index: usize,
    head: CallHead,
    deltas: DeltaTemplate,
}

fn open(head: CallHead, out: &mut EventWriter) -> Box<dyn OpenCall> {
    let id = out.id("fc");
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
