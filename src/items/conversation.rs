//! The content of a request's items, independent of their types.

use super::kind::ToolKind;
use super::reference::Referenced;
use crate::json::{JsonStr, RawJson};
use crate::report::Report;
use crate::tools::names::significant;
use crate::wire::chat::request::{Content, Custom};
use crate::wire::responses::{Schema, TextFormat};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

/// The content of a request's items and tools.
#[derive(Debug, Default)]
pub struct Conversation<'a> {
    /// The entries of the history, in the order of the items.
    pub entries: Vec<Entry<'a>>,
    /// The tools that the request or its items declare.
    pub tools: Vec<Declaration<'a>>,
    /// Replacements for `reasoning.effort` and `text.format`, from `configuration_update` items.
    pub settings: Settings<'a>,
    /// The client asks for a compaction item: a summary of the conversation.
    pub compact: bool,
    /// The items whose reasoning the model does not get.
    pub withheld: Vec<Origin<'a>>,
    /// What was dropped or repaired while reading.
    pub report: Report,
}

/// The settings that items of the history change. Each applies until a later item replaces it.
#[derive(Debug, Default)]
pub struct Settings<'a> {
    /// Replaces `reasoning.effort`.
    pub effort: Option<Cow<'a, str>>,
    /// Replaces `text.format`.
    pub format: Option<TextFormat<'a>>,
}

/// One entry of the history.
#[derive(Debug)]
pub enum Entry<'a> {
    /// Text of the system or the developer.
    Instructions(Content<'a>),
    /// Content from the user.
    User(Content<'a>),
    /// Text of the model.
    Assistant(Content<'a>),
    /// Reasoning of the model.
    Reasoning(Reasoning<'a>),
    /// A call of a tool.
    Call(Call<'a>),
    /// The output of a tool.
    Output(Output<'a>),
    /// Only the id of an item was sent, instead of the item.
    Reference(Referenced<'a>),
}

/// The position of a reasoning item in the input.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Origin<'a> {
    /// The number of entries of the history before it.
    pub position: usize,
    /// Its `id`.
    pub id: Option<Cow<'a, str>>,
}

/// Reasoning of the model, and the state that the upstream needs back with it.
#[derive(Debug, Default)]
pub struct Reasoning<'a> {
    /// The item.
    pub origin: Origin<'a>,
    /// The text, if there is any.
    pub text: Option<JsonStr<'a>>,
    /// `reasoning_details`, as the upstream sent them.
    pub details: Vec<RawJson<'static>>,
    /// `extra_content` of tool calls, by `call_id`.
    pub calls: BTreeMap<String, RawJson<'static>>,
}

/// A call in the history.
#[derive(Debug)]
pub struct Call<'a> {
    /// `call_id`.
    pub call_id: Cow<'a, str>,
    /// The namespace in which the client declared the tool.
    pub namespace: Option<Cow<'a, str>>,
    /// The tool's name as the client declared it.
    pub name: Cow<'a, str>,
    /// The kind of the tool.
    pub kind: &'static ToolKind,
    /// The arguments of the upstream's function: a string that holds a JSON object.
    pub arguments: JsonStr<'a>,
    /// The plain text, if it is the call of a custom tool.
    pub input: Option<JsonStr<'a>>,
    /// The output may come in a later request.
    pub is_async: bool,
    /// The content of its output, once that was found.
    pub output: Option<Content<'a>>,
}

/// The output of a call in the history.
#[derive(Debug, Default)]
pub struct Output<'a> {
    /// `call_id` of the call.
    pub call_id: Cow<'a, str>,
    /// Text and images.
    pub content: Content<'a>,
}

/// A tool that the client declared, and the function that represents it upstream.
#[derive(Debug)]
pub struct Declaration<'a> {
    /// The namespace in which it was declared.
    pub namespace: Option<Cow<'a, str>>,
    /// The name that the client gave it.
    pub name: Cow<'a, str>,
    /// Its kind.
    pub kind: &'static ToolKind,
    /// Its description for the model.
    pub description: Option<JsonStr<'a>>,
    /// The JSON schema of the function's arguments.
    pub parameters: Schema<'a>,
    /// Whether the arguments must follow the schema.
    pub strict: Option<bool>,
    /// Its declaration for upstreams with custom tools, if it is one.
    pub custom: Option<Custom<'a>>,
    /// The outputs of its calls may come in later requests.
    pub is_async: bool,
}

impl<'a> Declaration<'a> {
    /// Adds a text to the description.
    pub(super) fn describe(&mut self, text: JsonStr<'a>) {
        let native = self.custom.as_mut().map(|custom| &mut custom.description);
        for description in [&mut self.description].into_iter().chain(native) {
            let own = description.take();
            *description = Some(JsonStr::joined(own.into_iter().chain([text.clone()]), "\n\n"));
        }
    }
}

impl<'a> Conversation<'a> {
    /// Marks the calls of asynchronous tools. Clients need not repeat that on the call.
    pub fn mark_async_calls(&mut self) {
        let tools = self.tools.iter().filter(|tool| tool.is_async);
        let mut names = BTreeSet::new();
        names.extend(tools.map(|tool| full_name(tool.namespace.as_deref(), &tool.name)));
        if names.is_empty() {
            return;
        }
        for entry in &mut self.entries {
            if let Entry::Call(call) = entry {
                call.is_async |= names.contains(&full_name(call.namespace.as_deref(), &call.name));
            }
        }
    }

    /// Declares the function that represents a tool whose type is its name.
    pub(super) fn push_builtin_tool(
        &mut self,
        kind: &'static ToolKind,
        description: Option<JsonStr<'a>>,
        parameters: Schema<'a>,
    ) {
        self.tools.push(Declaration {
            namespace: None,
            name: kind.tool_type.into(),
            kind,
            description,
            parameters,
            strict: None,
            custom: None,
            is_async: false,
        });
    }

    /// Adds a call of such a tool. `arguments`: a JSON object.
    pub(super) fn push_builtin_call(
        &mut self,
        kind: &'static ToolKind,
        call_id: Cow<'a, str>,
        arguments: &str,
    ) {
        self.entries.push(Entry::Call(Call {
            call_id,
            namespace: None,
            name: kind.tool_type.into(),
            kind,
            arguments: JsonStr::new(arguments),
            input: None,
            is_async: false,
            output: None,
        }));
    }

    /// Adds an output that is one text.
    pub(super) fn push_output(&mut self, call_id: Cow<'a, str>, text: JsonStr<'a>) {
        self.entries.push(Entry::Output(Output { call_id, content: Content::Text(text) }));
    }
}

fn full_name<'n>(namespace: Option<&'n str>, name: &'n str) -> (Option<&'n str>, &'n str) {
    (significant(namespace), name)
}
