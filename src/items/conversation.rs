//! What the items of a request mean, in terms that no longer depend on their type.

use super::event_writer::{CallHead, EventWriter};
use crate::config::History;
use crate::json::{JsonStr, RawJson};
use crate::report::Report;
use crate::wire::chat::request::{Custom, Part};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// A request's conversation, item by item.
#[derive(Debug, Default)]
pub struct Conversation<'a> {
    /// What becomes of items that lack what they stand for.
    pub history: History,
    /// What was said and called.
    pub entries: Vec<Entry<'a>>,
    /// The tools that were declared, wherever.
    pub tools: Vec<Declaration<'a>>,
    /// The client asks for a summary of it all, in a compaction item.
    pub compact: bool,
    /// What was left out.
    pub report: Report,
}

/// One thing that was said, called or answered.
#[derive(Debug)]
pub enum Entry<'a> {
    /// By the system or the developer.
    Instructions(Vec<Part<'a>>),
    /// By the user.
    User(Vec<Part<'a>>),
    /// By the model, aloud.
    Assistant(Vec<Part<'a>>),
    /// By the model, to itself.
    Reasoning(Thought<'a>),
    /// A tool was called.
    Call(Call<'a>),
    /// A tool answered.
    Output(Output<'a>),
    /// A tool was called, but only a reference to the call was sent.
    LostCall,
}

/// What the model thought, and what the host sent with it to have it back.
#[derive(Debug, Default)]
pub struct Thought<'a> {
    /// The text, if there is any.
    pub text: Option<JsonStr<'a>>,
    /// `reasoning_details`.
    pub details: Vec<Box<RawValue>>,
    /// `extra_content` of calls, by their ids.
    pub calls: BTreeMap<String, Box<RawValue>>,
}

/// A call of a tool, as it stands in the history.
#[derive(Debug)]
pub struct Call<'a> {
    /// Its id.
    pub call_id: Cow<'a, str>,
    /// The namespace that holds the tool.
    pub namespace: Option<Cow<'a, str>>,
    /// The tool, as the client named it.
    pub name: Cow<'a, str>,
    /// The form of the call.
    pub form: &'static ToolKind,
    /// What the upstream sees as the function's arguments: a string that holds an object.
    pub arguments: JsonStr<'a>,
}

/// The answer of a tool.
#[derive(Debug)]
pub struct Output<'a> {
    /// The call.
    pub call_id: Cow<'a, str>,
    /// Text and images.
    pub parts: Vec<Part<'a>>,
}

/// A tool that the client declared, and the function that stands for it upstream.
#[derive(Debug)]
pub struct Declaration<'a> {
    /// The namespace that holds it.
    pub namespace: Option<Cow<'a, str>>,
    /// Its name.
    pub name: Cow<'a, str>,
    /// The form in which its calls come back.
    pub form: &'static ToolKind,
    /// What it does.
    pub description: Option<JsonStr<'a>>,
    /// The JSON schema of its arguments upstream.
    pub parameters: RawJson<'a>,
    /// The arguments must follow the schema.
    pub strict: Option<bool>,
    /// Its declaration at hosts that know custom tools, if it is one.
    pub custom: Option<Custom<'a>>,
}

/// The form in which a tool's calls come back.
#[derive(Debug)]
pub struct ToolKind {
    /// The type of the item, e.g. `function_call`.
    pub item: &'static str,
    /// Begins an item of that type.
    pub open: fn(CallHead, &mut EventWriter) -> Box<dyn OpenCall>,
    /// Whether the item can hold these arguments; absent where it holds any, because they stand in it as text.
    pub holds: Option<fn(&str) -> bool>,
}

/// An item of a call that has begun and waits for its arguments.
pub trait OpenCall: Debug {
    /// The next piece of the arguments, as the upstream writes them.
    fn arguments(&mut self, piece: &JsonStr<'_>, out: &mut EventWriter);

    /// The next piece of the raw text, where the host knows the tool as `custom`.
    fn raw(&mut self, piece: &JsonStr<'_>, out: &mut EventWriter) {
        self.arguments(piece, out);
    }

    /// The arguments are whole: `arguments` is the sum of the pieces. Closes the item.
    fn complete(self: Box<Self>, arguments: JsonStr<'static>, out: &mut EventWriter);

    /// The reply was cut within the arguments. Closes the item as incomplete, or leaves it open where half of it
    /// would be taken for the whole.
    fn cut(self: Box<Self>, arguments: JsonStr<'static>, out: &mut EventWriter);
}

impl PartialEq for ToolKind {
    fn eq(&self, other: &Self) -> bool {
        self.item == other.item
    }
}
