//! Tool search: the model asks the client which tools there are, and the found ones join the others.

use super::{
    Call, CallHead, Conversation, Declaration, Entry, EventWriter, OpenCall, Output, ToolKind, function,
};
use crate::error::ApiError;
use crate::json::{self, JsonStr};
use crate::report::Dropped;
use crate::wire::chat::request::Part;
use crate::wire::responses::{OutputItem, Status, ToolSearchCall, ToolSearchOutput, ToolSearchTool};
use crate::wire::typed::{Object, RawObject};
use serde_json::value::RawValue;

/// The tool has no name of its own; this is the function's.
const NAME: &str = "tool_search";

/// Declared: `tool_search`.
pub(super) fn declare<'a>(
    tool: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let tool = ToolSearchTool::of(tool)?;
    if tool.execution.as_deref() != Some("client") {
        conversation.report.dropped(Dropped::Tool, NAME);
        return Ok(());
    }
    conversation.tools.push(Declaration {
        namespace: None,
        name: NAME.into(),
        form: &FORM,
        description: tool.description,
        parameters: function::parameters(tool.parameters),
        strict: None,
        custom: None,
    });
    Ok(())
}

/// In the history: `tool_search_call`.
pub(super) fn read_call<'a>(
    item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let call = ToolSearchCall::of(item)?;
    let Some(call_id) = call.call_id else {
        conversation.report.dropped(Dropped::Item, "tool_search_call");
        return Ok(());
    };
    let arguments =
        JsonStr::new(call.arguments.as_ref().map_or("{}", |RawObject(arguments)| arguments.get()));
    let call = Call { call_id, namespace: None, name: NAME.into(), form: &FORM, arguments };
    conversation.entries.push(Entry::Call(call));
    Ok(())
}

/// In the history: `tool_search_output`. What was found can be called from now on.
pub(super) fn read_output<'a>(
    item: &Object<'_, 'a>,
    conversation: &mut Conversation<'a>,
) -> Result<(), ApiError> {
    let output = ToolSearchOutput::of(item)?;
    super::declare_all(item.site("tools"), conversation)?;
    let Some(call_id) = output.call_id else {
        conversation.report.dropped(Dropped::Item, "tool_search_output");
        return Ok(());
    };
    let parts = vec![Part::Text { text: JsonStr::new(output.tools.get()) }];
    conversation.entries.push(Entry::Output(Output { call_id, parts }));
    Ok(())
}

/// Coming back: `tool_search_call`. Its arguments are an object, so they cannot stream.
static FORM: ToolKind = ToolKind {
    item: "tool_search_call",
    open,
    holds: Some(|arguments| json::is_object(arguments, |_| true)),
};

#[derive(Debug)]
struct OpenToolSearch {
    id: String,
    head: CallHead,
}

fn open(head: CallHead, out: &mut EventWriter) -> Box<dyn OpenCall> {
    let id = out.id("tsc");
    out.begin(&item(&id, &head, Status::InProgress, &nothing()));
    Box::new(OpenToolSearch { id, head })
}

/// The arguments of a call that has none, or none yet.
fn nothing() -> Box<RawValue> {
    json::raw(&serde_json::json!({}))
}

fn item<'i>(id: &'i str, head: &'i CallHead, status: Status, arguments: &'i RawValue) -> OutputItem<'i> {
    OutputItem::ToolSearchCall { id, status, call_id: &head.call_id, execution: "client", arguments }
}

impl OpenCall for OpenToolSearch {
    fn arguments(&mut self, _piece: &JsonStr<'_>, _out: &mut EventWriter) {}

    fn complete(self: Box<Self>, arguments: JsonStr<'static>, out: &mut EventWriter) {
        let arguments = serde_json::from_str(&arguments.decode()).unwrap_or_else(|_| nothing());
        out.finish(&item(&self.id, &self.head, Status::Completed, &arguments));
    }

    fn cut(self: Box<Self>, _arguments: JsonStr<'static>, out: &mut EventWriter) {
        out.finish(&item(&self.id, &self.head, Status::Incomplete, &nothing()));
    }
}
