//! What the items of a request mean, in terms that no longer depend on their type.

use super::outbox::{CallHead, Outbox};
use crate::chat::request::{Custom, Part};
use crate::config::History;
use crate::json::{Raw, Text};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
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
    pub text: Option<Text<'a>>,
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
    pub form: &'static Form,
    /// What the upstream sees as the function's arguments: a string that holds an object.
    pub arguments: Text<'a>,
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
    pub form: &'static Form,
    /// What it does.
    pub description: Option<Text<'a>>,
    /// The JSON schema of its arguments upstream.
    pub parameters: Raw<'a>,
    /// The arguments must follow the schema.
    pub strict: Option<bool>,
    /// Its declaration at hosts that know custom tools, if it is one.
    pub custom: Option<Custom<'a>>,
}

/// The form in which a tool's calls come back.
#[derive(Debug)]
pub struct Form {
    /// The type of the item, e.g. `function_call`.
    pub item: &'static str,
    /// Begins an item of that type.
    pub open: fn(CallHead, &mut Outbox) -> Box<dyn OpenCall>,
    /// Whether the item can hold these arguments; absent where it holds any, because they stand in it as text.
    pub holds: Option<fn(&str) -> bool>,
}

/// An item of a call that has begun and waits for its arguments.
pub trait OpenCall: Debug {
    /// The next piece of the arguments, as the upstream writes them.
    fn arguments(&mut self, piece: &Text<'_>, out: &mut Outbox);

    /// The next piece of the raw text, where the host knows the tool as `custom`.
    fn raw(&mut self, piece: &Text<'_>, out: &mut Outbox) {
        self.arguments(piece, out);
    }

    /// The arguments are whole: `arguments` is the sum of the pieces. Closes the item.
    fn complete(self: Box<Self>, arguments: Text<'static>, out: &mut Outbox);

    /// The reply was cut within the arguments. Closes the item as incomplete, or leaves it open where half of it
    /// would be taken for the whole.
    fn cut(self: Box<Self>, arguments: Text<'static>, out: &mut Outbox);
}

impl PartialEq for Form {
    fn eq(&self, other: &Self) -> bool {
        self.item == other.item
    }
}

/// What did not pass as it was, on either way.
#[derive(Debug, Default, Clone)]
pub struct Report {
    dropped: Notes,
    repaired: Notes,
}

/// Each once, in the order of their first appearance.
#[derive(Debug, Default, Clone)]
struct Notes {
    ordered: Vec<String>,
    /// The names, by kind.
    known: BTreeMap<&'static str, BTreeSet<String>>,
}

impl Notes {
    fn add(&mut self, kind: &'static str, name: &str) {
        let known = self.known.entry(kind).or_default();
        if !known.contains(name) {
            known.insert(name.to_owned());
            self.ordered.push(format!("{kind}:{name}"));
        }
    }
}

impl Report {
    /// Something was left out: `kind` is `tool`, `item`, `field`, `part`, `annotation`, `tool_call` or `echo`.
    pub fn dropped(&mut self, kind: &'static str, name: &str) {
        self.dropped.add(kind, name);
    }

    /// Something was broken and could be mended: `kind` is `tool_call`, `call_output` or `arguments`.
    pub fn repaired(&mut self, kind: &'static str, name: &str) {
        self.repaired.add(kind, name);
    }

    /// What was left out, each once, e.g. `tool:web_search`.
    pub fn all_dropped(&self) -> &[String] {
        &self.dropped.ordered
    }

    /// What was mended, each once, e.g. `arguments:shell`.
    pub fn all_repaired(&self) -> &[String] {
        &self.repaired.ordered
    }
}
