//! The calls of a reply. Each is queued, open, delivered or surplus, and each state is a type that owns the call.

use super::replay::ReplayCollector;
use crate::error::ApiError;
use crate::items::{EventWriter, OpenCall, ToolKind, Toolbox};
use crate::json::{self, Completeness, JsonStr, JsonStrBuilder, RawJson, completeness};
use crate::response::context::CallIds;
use crate::response::delta::{CallDelta, CallFormat};
use crate::response::outcome::{Failure, Outcome, lost};
use crate::tools::call_id::similar_ids;
use std::collections::BTreeMap;

/// The part of a call that has arrived.
#[derive(Debug)]
struct Call {
    /// Its position among the calls of the reply.
    number: usize,
    /// The provider's id. Empty if it has not sent one.
    provider_id: String,
    name: String,
    arguments: JsonStrBuilder,
    beginning: Beginning,
    format: CallFormat,
    /// `extra_content`, which the provider needs back with the call.
    extra: Option<RawJson<'static>>,
}

/// How the arguments begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beginning {
    /// There is only white space so far.
    Blank,
    /// Like an object.
    Object,
    Other,
}

impl Beginning {
    /// How arguments begin that are blank before this piece.
    fn of(piece: &JsonStr<'_>) -> Self {
        match piece.decode().trim_start().as_bytes() {
            [] => Self::Blank,
            [b'{', ..] => Self::Object,
            _ => Self::Other,
        }
    }
}

/// A call whose item is not open yet, because its name may grow or another item is open.
#[derive(Debug)]
pub(super) struct QueuedCall(Call);

/// A call whose item is open. Fragments are written as they arrive.
#[derive(Debug)]
pub(super) struct OpenedCall {
    call: Call,
    /// The id for the client.
    id: String,
    kind: &'static ToolKind,
    item: Box<dyn OpenCall>,
    /// The item has no arguments yet. It gets them when they are complete.
    is_held: bool,
}

/// A call that the client has received complete. More arguments are an error.
#[derive(Debug)]
pub(super) struct DeliveredCall {
    number: usize,
    id: String,
    /// The type of its item, e.g. `function_call`.
    item_type: &'static str,
    /// `extra_content` that arrived after the item was opened.
    late_extra: Option<RawJson<'static>>,
}

impl Call {
    fn add(&mut self, delta: &CallDelta<'_>) {
        if self.provider_id.is_empty() {
            self.provider_id.push_str(delta.id);
        }
        self.arguments.push(&delta.arguments);
        if self.beginning == Beginning::Blank {
            self.beginning = Beginning::of(&delta.arguments);
        }
        self.format = delta.format;
        if let Some(extra) = delta.extra {
            self.extra = Some(RawJson::from(extra).into_owned());
        }
    }

    fn arguments(&self) -> JsonStr<'static> {
        self.arguments.clone().finish()
    }

    /// Whether the client gets the arguments only when they are complete. They must be an object, but do not begin like
    /// one, so their meaning is only known at the end.
    fn must_be_complete(&self, kind: &ToolKind) -> bool {
        !kind.takes_text && self.beginning != Beginning::Object
    }

    /// The complete arguments, in the form for the item.
    fn meant_arguments(&self, kind: &ToolKind) -> JsonStr<'static> {
        // A call without arguments is one with an empty object.
        let is_absent = if kind.takes_text {
            self.arguments.is_empty() && self.format != CallFormat::Text
        } else {
            self.beginning == Beginning::Blank
        };
        if is_absent {
            return JsonStr::new("{}");
        }
        let arguments = self.arguments();
        if self.must_be_complete(kind)
            && let Some(object) = json::object_within(&arguments.decode())
        {
            return JsonStr::new(&object);
        }
        arguments
    }

    /// Fails unless an item of this kind can hold the arguments, which are complete.
    fn check_arguments(&self, kind: &ToolKind) -> Result<(), ApiError> {
        if kind.accepts.is_none() && !self.must_be_complete(kind) {
            return Ok(());
        }
        let arguments = self.meant_arguments(kind);
        let decoded = arguments.decode();
        let accepted = match kind.accepts {
            Some(accepts) => accepts(decoded.trim()),
            None => decoded.starts_with('{'),
        };
        if accepted {
            return Ok(());
        }
        let item = kind.call_item;
        let why = if json::is_object(&decoded, |_| true) {
            format!("its arguments lack a field that a {item} requires, or a field has a wrong type")
        } else {
            format!("its arguments are not a JSON object, which a {item} requires")
        };
        Err(lost(&self.name, &self.provider_id, &why))
    }

    /// Fails unless the call is complete at the end of the reply.
    fn check_end(&self, kind: &ToolKind) -> Outcome {
        if self.name.trim().is_empty() {
            return Err(lost(&self.name, &self.provider_id, "it has no name").into());
        }
        // A JSON text whose last bracket has closed is complete or invalid, never truncated.
        if let CallFormat::Json { complete: false } = self.format {
            let arguments = self.arguments();
            let decoded = arguments.decode();
            let arguments = decoded.trim();
            // Older vLLM sends the finish reason `tool_calls` when the token limit cut a call.
            if !arguments.is_empty() && completeness(arguments) == Completeness::Truncated {
                return Err(Failure::Incomplete("max_output_tokens"));
            }
        }
        self.check_arguments(kind).map_err(Failure::from)
    }
}

impl QueuedCall {
    pub(super) fn new(delta: &CallDelta<'_>) -> Self {
        let mut queued = Self(Call {
            number: delta.call,
            provider_id: String::new(),
            name: String::new(),
            arguments: JsonStrBuilder::default(),
            beginning: Beginning::Blank,
            format: delta.format,
            extra: None,
        });
        queued.add(delta);
        queued
    }

    pub(super) fn is(&self, delta: &CallDelta<'_>) -> bool {
        self.0.number == delta.call
    }

    pub(super) fn add(&mut self, delta: &CallDelta<'_>) {
        if self.0.name != delta.name {
            delta.name.clone_into(&mut self.0.name);
        }
        self.0.add(delta);
    }

    pub(super) fn name(&self) -> &str {
        &self.0.name
    }

    pub(super) fn has_arguments(&self) -> bool {
        !self.0.arguments.is_empty() || self.is_placeholder()
    }

    /// Whether its arguments are `{}` unless others follow.
    pub(super) fn is_placeholder(&self) -> bool {
        self.0.format == CallFormat::Placeholder
    }

    pub(super) fn take_extra(&mut self) -> Option<RawJson<'static>> {
        self.0.extra.take()
    }

    pub(super) fn check_end(&self, toolbox: &Toolbox) -> Outcome {
        self.0.check_end(toolbox.kind_of(&self.0.name))
    }
}

impl OpenedCall {
    /// Opens the item and writes the arguments that arrived so far.
    pub(super) fn open(queued: QueuedCall, id: String, toolbox: &Toolbox, writer: &mut EventWriter) -> Self {
        let QueuedCall(call) = queued;
        let head = toolbox.head_of(&call.name, id.clone());
        let kind = toolbox.kind_of(&call.name);
        let item = (kind.open)(head, writer);
        let mut opened = Self { call, id, kind, item, is_held: true };
        opened.send(JsonStr::default(), writer);
        opened
    }

    pub(super) fn is(&self, delta: &CallDelta<'_>) -> bool {
        self.call.number == delta.call
    }

    /// Adds a fragment. Its name is ignored, because the client already has the name.
    pub(super) fn add(&mut self, delta: &CallDelta<'_>, writer: &mut EventWriter) {
        self.call.add(delta);
        if !delta.arguments.is_empty() {
            self.send(delta.arguments.borrowed(), writer);
        }
    }

    /// Passes on the next piece and those that were held before it, unless the arguments must be complete first.
    fn send(&mut self, piece: JsonStr<'_>, writer: &mut EventWriter) {
        if self.call.must_be_complete(self.kind) {
            return;
        }
        let piece = if self.is_held { self.call.arguments() } else { piece };
        match self.call.format {
            CallFormat::Text => self.item.raw(&piece, writer),
            CallFormat::Json { .. } | CallFormat::Placeholder if piece.is_empty() => return,
            CallFormat::Json { .. } | CallFormat::Placeholder => self.item.arguments(&piece, writer),
        }
        self.is_held = false;
    }

    /// Whether its arguments are complete as far as that can be known before the reply ends.
    pub(super) fn is_complete(&self) -> bool {
        self.call.format == CallFormat::Json { complete: true }
    }

    /// Whether its arguments are `{}` unless others follow.
    pub(super) fn is_placeholder(&self) -> bool {
        self.call.format == CallFormat::Placeholder
    }

    pub(super) fn check_arguments(&self) -> Result<(), ApiError> {
        self.call.check_arguments(self.kind)
    }

    pub(super) fn check_end(&self) -> Outcome {
        self.call.check_end(self.kind)
    }

    /// Closes the item.
    pub(super) fn complete(self, writer: &mut EventWriter) -> DeliveredCall {
        let Self { call, id, kind, mut item, is_held } = self;
        if is_held {
            let arguments = call.meant_arguments(kind);
            item.arguments(&arguments, writer);
            item.complete(arguments, writer);
        } else {
            item.complete(call.arguments.finish(), writer);
        }
        DeliveredCall { number: call.number, id, item_type: kind.call_item, late_extra: call.extra }
    }

    /// Closes the item as incomplete.
    pub(super) fn cut(self, writer: &mut EventWriter) {
        let Self { call, kind, mut item, is_held, .. } = self;
        if is_held && !call.arguments.is_empty() {
            let arguments = call.meant_arguments(kind);
            item.arguments(&arguments, writer);
            item.cut(arguments, writer);
        } else {
            item.cut(call.arguments.finish(), writer);
        }
    }
}

impl DeliveredCall {
    /// Adds a fragment that came after the item was closed. White space changes nothing.
    pub(super) fn add(&mut self, delta: &CallDelta<'_>) -> Result<(), ApiError> {
        if let Some(extra) = delta.extra {
            self.late_extra = Some(RawJson::from(extra).into_owned());
        }
        if delta.arguments.is_blank() {
            return Ok(());
        }
        Err(lost(delta.name, delta.id, "more arguments came after they were complete"))
    }
}

/// How many similar ids are tried for a call whose id is in use.
const MAX_SIMILAR_IDS: usize = 1000;

/// The calls whose items are complete, and the counts of all calls.
#[derive(Debug)]
pub(super) struct CallLog {
    /// The ids in use, including those of the conversation.
    ids: CallIds,
    /// How many calls were begun, without the surplus ones.
    begun: usize,
    delivered: Vec<DeliveredCall>,
    /// The names of the calls beyond the one that `parallel_tool_calls: false` allows.
    surplus: BTreeMap<usize, String>,
}

impl CallLog {
    pub(super) fn new(ids: CallIds) -> Self {
        Self { ids, begun: 0, delivered: Vec::new(), surplus: BTreeMap::new() }
    }

    /// Counts the call with this number.
    pub(super) fn begin(&mut self, number: usize) {
        self.begun = self.begun.max(number + 1);
    }

    pub(super) fn begun(&self) -> usize {
        self.begun
    }

    /// The id for the client: the provider's. If another call of the conversation has it, an id of the same form,
    /// because the provider's chat template may read the id in the next request.
    pub(super) fn assign_id(&mut self, call: &QueuedCall, writer: &EventWriter) -> String {
        let QueuedCall(call) = call;
        let id = &call.provider_id;
        if !id.is_empty() {
            let similar = similar_ids(id, 0).take(MAX_SIMILAR_IDS);
            let free = std::iter::once(id.clone()).chain(similar).find(|id| self.ids.insert(id));
            if let Some(free) = free {
                return free;
            }
        }
        let minted = writer.call_id(call.number);
        self.ids.insert(&minted);
        minted
    }

    pub(super) fn add_delivered(&mut self, call: DeliveredCall) {
        self.delivered.push(call);
    }

    pub(super) fn delivered_mut(&mut self, number: usize) -> Option<&mut DeliveredCall> {
        self.delivered.iter_mut().find(|call| call.number == number)
    }

    /// The item types of the delivered calls.
    pub(super) fn delivered_types(&self) -> Vec<&'static str> {
        self.delivered.iter().map(|call| call.item_type).collect()
    }

    /// How many calls were begun and not delivered.
    pub(super) fn lost(&self) -> usize {
        self.begun.saturating_sub(self.delivered.len())
    }

    pub(super) fn add_surplus(&mut self, delta: &CallDelta<'_>) {
        self.surplus.insert(delta.call, delta.name.to_owned());
    }

    pub(super) fn surplus_names(&self) -> impl Iterator<Item = &str> {
        self.surplus.values().map(String::as_str)
    }

    /// Moves `extra_content` that arrived after its item was opened.
    pub(super) fn take_late_extras(&mut self, replay: &mut ReplayCollector) {
        for call in &mut self.delivered {
            replay.add_call(&call.id, call.late_extra.take());
        }
    }
}
