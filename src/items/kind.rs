//! The kinds of tools that the client runs, one row each.
//!
//! A row holds everything that depends on the kind: how it is declared, how its calls and outputs are read
//! from `input`, and how its calls are written to `output`. To add a kind, write its file and add the row
//! to [`KINDS`].

use super::{Conversation, EventWriter};
use crate::error::ApiError;
use crate::json::JsonStr;
use crate::wire::typed::Object;
use std::fmt::Debug;

/// Reads one tool of `tools` or one item of `input` into the conversation. Errors are 400 and name the field.
pub(super) type Read = for<'a> fn(&Object<'_, 'a>, &mut Conversation<'a>) -> Result<(), ApiError>;

/// One kind of tool.
#[derive(Debug)]
pub struct ToolKind {
    /// `type` in `tools`, e.g. `function`.
    pub tool_type: &'static str,
    /// `type` of a call, e.g. `function_call`.
    pub call_item: &'static str,
    /// `type` of the output of a call, e.g. `function_call_output`.
    pub output_item: &'static str,
    /// Ids of its call items begin with this and an underscore, e.g. `fc`.
    pub id_prefix: &'static str,
    /// The client names each tool of this kind. Otherwise there is one, and its type is its name.
    pub named: bool,
    pub(super) declare: Read,
    pub(super) read_call: Read,
    pub(super) read_output: Read,
    /// Starts the item of a call. Whether it is sent at once depends on the kind.
    pub open: fn(CallHead, &mut EventWriter) -> Box<dyn OpenCall>,
    /// The arguments hold free text, so arguments of any form may be that text. Otherwise they must be an object.
    pub takes_text: bool,
    /// Whether a call item can hold these arguments. `None` if the item holds them as they are.
    pub accepts: Option<fn(&str) -> bool>,
}

/// All kinds.
pub static KINDS: &[&ToolKind] = &[
    &super::function::KIND,
    &super::custom_tool::KIND,
    &super::tool_search::KIND,
    &super::shell::KIND,
    &super::local_shell::KIND,
    &super::apply_patch::KIND,
];

/// The `type` of each kind's call item, in the order of [`KINDS`].
#[allow(clippy::indexing_slicing)] // Evaluated at compile time, where an index out of range is an error.
pub static CALL_ITEMS: [&str; KINDS.len()] = {
    let mut types = [""; KINDS.len()];
    let mut row = 0;
    while row < KINDS.len() {
        types[row] = KINDS[row].call_item;
        row += 1;
    }
    types
};

/// The properties of a call that are known when its item starts.
#[derive(Debug, Clone)]
pub struct CallHead {
    /// `call_id`, which the output repeats.
    pub call_id: String,
    /// The tool's name as the client declared it.
    pub name: String,
    /// The namespace in which the client declared the tool.
    pub namespace: Option<String>,
}

/// A call item that has started and receives its arguments.
pub trait OpenCall: Debug {
    /// Adds the next piece of the arguments, as the upstream writes them.
    fn arguments(&mut self, piece: &JsonStr<'_>, out: &mut EventWriter);

    /// Adds the next piece of the input, if the upstream has custom tools and sends it as plain text.
    fn raw(&mut self, piece: &JsonStr<'_>, out: &mut EventWriter) {
        self.arguments(piece, out);
    }

    /// Closes the item. `arguments` is the concatenation of all pieces.
    fn complete(self: Box<Self>, arguments: JsonStr<'static>, out: &mut EventWriter);

    /// The reply ended before the arguments did. Closes the item as incomplete, or sends nothing if a client
    /// would run the incomplete call.
    fn cut(self: Box<Self>, arguments: JsonStr<'static>, out: &mut EventWriter);
}

impl ToolKind {
    /// The reader of an item type, if the type belongs to this kind.
    fn reader(&self, item_type: &str) -> Option<Read> {
        match item_type {
            _ if item_type == self.call_item => Some(self.read_call),
            _ if item_type == self.output_item => Some(self.read_output),
            _ => None,
        }
    }
}

/// The kind that a `type` in `tools` names.
pub(super) fn of_tool(tool_type: &str) -> Option<&'static ToolKind> {
    KINDS.iter().copied().find(|kind| kind.tool_type == tool_type)
}

/// The reader of a call or output item.
pub(super) fn item_reader(item_type: &str) -> Option<Read> {
    KINDS.iter().find_map(|kind| kind.reader(item_type))
}

/// Whether the client names each tool of this type. `None` if there is no kind of this type.
pub fn is_named(tool_type: &str) -> Option<bool> {
    of_tool(tool_type).map(|kind| kind.named)
}

/// Whether the ids of call items begin with this prefix.
pub(super) fn is_call_prefix(prefix: &str) -> bool {
    KINDS.iter().any(|kind| kind.id_prefix == prefix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_kinds_share_a_type_or_an_id_prefix() {
        for column in [
            |kind: &ToolKind| kind.tool_type,
            |kind: &ToolKind| kind.call_item,
            |kind: &ToolKind| kind.output_item,
            |kind: &ToolKind| kind.id_prefix,
        ] {
            let values: BTreeSet<_> = KINDS.iter().map(|kind| column(kind)).collect();
            assert_eq!(values.len(), KINDS.len(), "{values:?}");
        }
    }
}
