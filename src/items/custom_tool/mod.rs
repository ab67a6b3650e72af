//! Custom tools. Their input is free text, such as a patch or a script, which may have to follow a grammar.
//!
//! Most Chat Completions upstreams only support functions, so a custom tool is declared as a function with one string
//! argument, `input`. In the reply, the input is taken out of that argument while it streams. Upstreams that support
//! custom tools get them unchanged (option `custom_tools`).
//!
//! ```json
//! {"type": "custom_tool_call", "id": "ctc_1", "status": "completed", "call_id": "call_1", "name": "apply_patch", "input": "*** Begin Patch\n"}
//! ```
//!
//! Reference: <https://platform.openai.com/docs/guides/function-calling#custom-tools>

mod input;

use super::{Call, CallHead, Conversation, Declaration, Entry, EventWriter, OpenCall, ToolKind, function};
use crate::error::ApiError;
use crate::json::{JsonStr, JsonStrBuilder, RawJson};
use crate::report::Repaired;
use crate::wire::chat::request::{Custom, CustomFormat, Grammar};
use crate::wire::responses::{CustomTool, CustomToolCall, DeltaTemplate, Event, OutputItem, Schema, Status};
use crate::wire::typed::Object;
use input::{InputReader, other_form};

/// The JSON schema of the function that represents a custom tool.
const PARAMETERS: &str = r#"{"additionalProperties":false,"properties":{"input":{"description":"The raw text, exactly as the tool takes it.","type":"string"}},"required":["input"],"type":"object"}"#;

/// Its row of [`super::KINDS`].
pub(super) static KIND: ToolKind = ToolKind {
    tool_type: "custom",
    call_item: "custom_tool_call",
    output_item: "custom_tool_call_output",
    id_prefix: "ctc",
    named: true,
    declare,
    read_call,
    read_output: function::read_output,
    open,
    takes_text: true,
    accepts: None,
};

/// Reads a declared tool of type `custom`.
fn declare<'a>(tool: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    let tool = CustomTool::of(tool)?;
    let description = describe(&tool);
    conversation.tools.push(Declaration {
        namespace: None,
        name: tool.name.clone(),
        kind: &KIND,
        description: Some(description),
        parameters: Schema::Own(RawJson::literal(PARAMETERS)),
        strict: None,
        custom: Some(native(&tool)),
        is_async: tool.r#async == Some(true),
    });
    Ok(())
}

/// The declaration for upstreams that support custom tools.
fn native<'a>(tool: &CustomTool<'a>) -> Custom<'a> {
    let grammar = tool.format.as_ref().and_then(|format| {
        Some(Grammar { syntax: format.syntax.clone(), definition: format.definition.clone()? })
    });
    Custom {
        name: tool.name.clone(),
        description: tool.description.clone(),
        format: grammar.map(|grammar| CustomFormat::Grammar { grammar }),
    }
}

/// The client's description requires raw text and may forbid JSON, so the model has to know how that applies to a
/// function.
fn describe(tool: &CustomTool<'_>) -> JsonStr<'static> {
    let definition = tool.format.as_ref().and_then(|format| format.definition.as_ref());
    let sent = tool.description.iter().chain(definition).map(|text| text.as_json().len());
    let mut text = JsonStrBuilder::with_capacity(sent.sum::<usize>() + 512);
    if let Some(description) = &tool.description {
        text.push(description);
        text.push(&JsonStr::new("\n\n"));
    }
    text.push(&JsonStr::new(
        "Put the whole text, as it is, into the argument `input`. Whatever is said above about raw text, \
         or about not using JSON, holds for the text inside `input`.",
    ));
    if let Some((format, definition)) = tool.format.as_ref().and_then(|f| Some((f, f.definition.as_ref()?))) {
        let syntax = format.syntax.as_deref().unwrap_or("given");
        text.push(&JsonStr::new(&format!("\n\nThe text must follow this {syntax} grammar:\n")));
        text.push(definition);
    }
    text.finish()
}

/// Reads an input item of type `custom_tool_call`.
fn read_call<'a>(item: &Object<'_, 'a>, conversation: &mut Conversation<'a>) -> Result<(), ApiError> {
    let call = CustomToolCall::of(item)?;
    conversation.entries.push(Entry::Call(Call {
        call_id: call.call_id,
        namespace: call.namespace,
        name: call.name,
        kind: &KIND,
        arguments: arguments(&call.input),
        input: Some(call.input),
        is_async: call.r#async == Some(true),
        output: None,
    }));
    Ok(())
}

/// The arguments of the function that represents the tool.
fn arguments(input: &JsonStr<'_>) -> JsonStr<'static> {
    // Every escape of the input, and of its quotes, takes another backslash.
    let bytes = input.as_json().len();
    let mut arguments = JsonStrBuilder::with_capacity(bytes + bytes / 4 + 32);
    arguments.push_text("{\"input\":");
    arguments.push_text(input.as_json());
    arguments.push_text("}");
    arguments.finish()
}

#[derive(Debug)]
struct OpenCustom {
    id: String,
    output_index: usize,
    head: CallHead,
    reader: InputReader,
    /// The upstream supports custom tools: it sends the input itself, not a function's arguments.
    is_raw: bool,
    input: JsonStrBuilder,
    deltas: DeltaTemplate,
}

fn open(head: CallHead, out: &mut EventWriter) -> Box<dyn OpenCall> {
    let id = out.id(KIND.id_prefix);
    let output_index = out.begin(&item(&id, &head, Status::InProgress, &JsonStr::default()));
    let deltas = out.deltas(&Event::CustomToolCallInputDelta {
        sequence_number: 0,
        item_id: &id,
        output_index,
        delta: &JsonStr::default(),
    });
    Box::new(OpenCustom {
        id,
        output_index,
        head,
        reader: InputReader::default(),
        is_raw: false,
        input: JsonStrBuilder::default(),
        deltas,
    })
}

fn item<'i>(id: &'i str, head: &'i CallHead, status: Status, input: &'i JsonStr<'i>) -> OutputItem<'i> {
    OutputItem::CustomToolCall {
        id,
        status,
        call_id: &head.call_id,
        name: &head.name,
        namespace: head.namespace.as_deref(),
        input,
    }
}

impl OpenCustom {
    fn deliver(&mut self, delta: &JsonStr<'_>, out: &mut EventWriter) {
        if delta.is_empty() {
            return;
        }
        self.input.push(delta);
        out.send_delta(&self.deltas, delta);
    }
}

impl OpenCall for OpenCustom {
    fn arguments(&mut self, piece: &JsonStr<'_>, out: &mut EventWriter) {
        let delta = self.reader.push(piece);
        self.deliver(&delta, out);
    }

    fn raw(&mut self, piece: &JsonStr<'_>, out: &mut EventWriter) {
        self.is_raw = true;
        self.deliver(piece, out);
    }

    fn complete(mut self: Box<Self>, arguments: JsonStr<'static>, out: &mut EventWriter) {
        let is_read = self.is_raw || self.reader.began();
        if !is_read || self.reader.deviates() {
            out.report_mut().repaired(Repaired::Arguments, &self.head.name);
        }
        let rest =
            if is_read { self.reader.finish() } else { JsonStr::new(&other_form(&arguments.decode())) };
        self.deliver(&rest, out);
        let input = self.input.finish();
        out.send(|sequence_number| Event::CustomToolCallInputDone {
            sequence_number,
            item_id: &self.id,
            output_index: self.output_index,
            input: &input,
        });
        out.finish(&item(&self.id, &self.head, Status::Completed, &input));
    }

    /// Leaves the item open. Half a script looks like a complete one, and clients run every item that is closed, whatever
    /// its status.
    fn cut(self: Box<Self>, _arguments: JsonStr<'static>, _out: &mut EventWriter) {}
}
