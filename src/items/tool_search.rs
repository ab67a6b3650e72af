//! `tool_search`: the model asks the client for tools. The tools that the client finds are declared from then on.
//!
//! <https://developers.openai.com/api/docs/guides/tools-tool-search>
//!
//! ```json
//! {"type": "tool_search", "execution": "client", "parameters": {"type": "object"}}
//! {"type": "tool_search_call", "call_id": "call_1", "execution": "client", "arguments": {"query": "crm"}}
//! {"type": "tool_search_output", "call_id": "call_1", "tools": [{"type": "function", "name": "find"}]}
//! ```

use super::{CallHead, Conversation, EventWriter, OpenCall, ToolKind, function};
use crate::error::ApiError;
use crate::json::{self, JsonStr, RawJson};
use crate::report::Dropped;
use crate::wire::responses::{OutputItem, Status, ToolSearchCall, ToolSearchOutput, ToolSearchTool};
use crate::wire::typed::{Object, RawObject};

pub(super) static KIND: ToolKind = ToolKind {
    tool_type: "tool_search",
    call_item: "tool_search_call",
    output_item: "tool_search_output",
    id_prefix: "tsc",
    named: false,
    declare,
    read_call,
    read_output,
    open,
    takes_text: false,
    accepts: Some(|arguments| json::is_object(arguments, |_| true)),
};

/// Reads a `tool_search` of `tools`. With another `execution` OpenAI's servers search.
fn declare<'a>(tool: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    let tool = ToolSearchTool::of(tool)?;
    if tool.execution.as_deref() != Some("client") {
        conversation.report.dropped(Dropped::Tool, KIND.tool_type);
        return Ok(());
    }
    conversation.push_builtin_tool(&KIND, tool.description, function::parameters(tool.parameters));
    Ok(())
}

/// Reads a `tool_search_call`. One without a `call_id` was answered by OpenAI's servers.
fn read_call<'a>(item: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    let call = ToolSearchCall::of(item)?;
    let Some(call_id) = call.call_id else {
        conversation.report.dropped(Dropped::Item, KIND.call_item);
        return Ok(());
    };
    let arguments = call.arguments.as_ref().map_or("{}", |RawObject(arguments)| arguments.get());
    conversation.push_builtin_call(&KIND, call_id, arguments);
    Ok(())
}

/// Reads a `tool_search_output`. The model can call the tools in it from then on.
fn read_output<'a>(item: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    let output = ToolSearchOutput::of(item)?;
    super::declare_all(item.field("tools"), conversation)?;
    let Some(call_id) = output.call_id else {
        conversation.report.dropped(Dropped::Item, KIND.output_item);
        return Ok(());
    };
    conversation.push_output(call_id, JsonStr::new(output.tools.get()));
    Ok(())
}

/// A `tool_search_call` item that has started. Its arguments are an object, so they cannot be streamed.
#[derive(Debug)]
struct OpenToolSearch {
    id: String,
    head: CallHead,
}

fn open(head: CallHead, out: &mut EventWriter) -> Box<dyn OpenCall> {
    let id = out.id(KIND.id_prefix);
    out.begin(&item(&id, &head, Status::InProgress, &no_arguments()));
    Box::new(OpenToolSearch { id, head })
}

/// The arguments of a call that has none, or none yet.
fn no_arguments() -> RawJson<'static> {
    RawJson::literal("{}")
}

fn item<'i>(id: &'i str, head: &'i CallHead, status: Status, arguments: &'i RawJson<'i>) -> OutputItem<'i> {
    OutputItem::ToolSearchCall { id, status, call_id: &head.call_id, execution: "client", arguments }
}

impl OpenCall for OpenToolSearch {
    fn arguments(&mut self, _piece: &JsonStr<'_>, _out: &mut EventWriter) {}

    fn complete(self: Box<Self>, arguments: JsonStr<'static>, out: &mut EventWriter) {
        let arguments = serde_json::from_str(&arguments.decode()).unwrap_or_else(|_| no_arguments());
        out.finish(&item(&self.id, &self.head, Status::Completed, &arguments));
    }

    fn cut(self: Box<Self>, _arguments: JsonStr<'static>, out: &mut EventWriter) {
        out.finish(&item(&self.id, &self.head, Status::Incomplete, &no_arguments()));
    }
}
