//! Assembles tool calls from the fragments in which providers send them.
//!
//! In OpenAI's API, `index` identifies the call of a fragment, and `id` and `name` come once, with the first
//! fragment. Providers leave the index out, send 0 for every call, begin at 1, repeat the id or send an empty one, and
//! split the name. [`begins_another_call`] is the rule for all of them.

use super::call_arguments::Arguments;
use crate::json::{JsonStr, SurrogateJoiner, is_blank_string};
use crate::response::delta::{CallDelta, CallFormat};
use crate::wire::chat::reply::ToolCall;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// The calls of one reply, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct CallAssembler {
    calls: Vec<AssembledCall>,
    /// The choice whose fragments come now. Each choice counts its calls from 0.
    choice: u64,
}

/// One call, as far as it arrived.
#[derive(Debug, Default)]
struct AssembledCall {
    choice: u64,
    index: Option<u64>,
    id: String,
    name: String,
    arguments: Arguments,
    joiner: SurrogateJoiner,
    /// Its name came again after its arguments were complete: a repetition, or the name of another call.
    named_again: bool,
    /// Its fragments have different ids, so an id says nothing about where the next call begins.
    changes_id: bool,
    /// It came as `function_call`, which has no id. `tool_calls` may repeat it with one.
    is_legacy: bool,
}

/// Indices from here on are those of calls that were found in the text. No provider counts that far.
const FIRST_TEXT_CALL_INDEX: u64 = 1 << 32;

/// A fragment of a call, as the provider sent it.
#[derive(Debug, Default)]
pub(super) struct CallFragment<'a> {
    index: Option<u64>,
    id: Cow<'a, str>,
    name: &'a str,
    arguments: Option<&'a RawValue>,
    /// It is of a tool that the upstream declares as `custom`.
    is_custom: bool,
    is_legacy: bool,
    extra: Option<&'a RawValue>,
}

impl<'a> CallFragment<'a> {
    /// An element of `tool_calls`, in any form.
    pub(super) fn of(call: &'a ToolCall<'a>) -> Self {
        let (function, custom) = (call.function.as_ref(), call.custom.as_ref());
        let name = function.and_then(|f| f.name.as_deref()).or(custom.and_then(|c| c.name.as_deref()));
        Self {
            index: call.index.and_then(number),
            id: call.id.map(label).unwrap_or_default(),
            name: name.or(call.name.as_deref()).unwrap_or_default(),
            arguments: function.and_then(|f| f.arguments).or(custom.and_then(|c| c.input)).or(call.arguments),
            is_custom: custom.is_some(),
            is_legacy: false,
            extra: call.extra_content,
        }
    }

    /// A complete call that was found in the text, the `number`th of them, from 0.
    pub(super) fn from_text(number: u64, name: &'a str, arguments: &'a RawValue) -> Self {
        let index = Some(FIRST_TEXT_CALL_INDEX.saturating_add(number));
        Self { index, name, arguments: Some(arguments), ..Self::default() }
    }

    /// The deprecated single `function_call`.
    pub(super) fn legacy(name: Option<&'a str>, arguments: Option<&'a RawValue>) -> Self {
        let name = name.unwrap_or_default();
        Self { index: Some(0), name, arguments, is_legacy: true, ..Self::default() }
    }

    /// The same fragment, with this index.
    pub(super) fn at(self, index: u64) -> Self {
        Self { index: Some(index), ..self }
    }

    /// Whether it cannot begin a call. Some providers send white space after the arguments.
    fn is_empty(&self) -> bool {
        self.id.is_empty() && self.name.is_empty() && self.arguments.is_none_or(is_blank_string)
    }
}

/// A number; some providers write it as a string.
pub(super) fn number(raw: &RawValue) -> Option<u64> {
    raw.get().trim_matches('"').parse().ok()
}

/// A string; some providers write it as a number.
fn label(raw: &RawValue) -> Cow<'_, str> {
    match JsonStr::of(raw) {
        Some(text) => Cow::Owned(text.decode().into_owned()),
        None => Cow::Borrowed(raw.get()),
    }
}

impl CallAssembler {
    /// Adds a fragment to its call. `None`: nothing in it is new.
    pub(super) fn add<'d>(&'d mut self, fragment: &'d CallFragment<'_>) -> Option<CallDelta<'d>> {
        let call = match self.find(fragment) {
            Some(call) => call,
            // Cloudflare ends a call with a fragment in which everything is null.
            None if fragment.is_empty() => return None,
            None => self.begin(fragment),
        };
        let assembled = self.calls.get_mut(call)?;
        if assembled.is_repeated_by(fragment) {
            return None;
        }
        let arguments = assembled.add(fragment);
        Some(CallDelta {
            call,
            id: &assembled.id,
            name: &assembled.name,
            label_bytes: fragment.id.len() + fragment.name.len(),
            arguments,
            format: assembled.arguments.format(),
            extra: fragment.extra,
        })
    }

    /// The next fragments are of this choice.
    pub(super) fn continue_choice(&mut self, choice: u64) {
        self.choice = choice;
    }

    /// How many calls have begun.
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// The call that a fragment continues.
    fn find(&self, fragment: &CallFragment<'_>) -> Option<usize> {
        let last_where = |holds: &dyn Fn(&AssembledCall) -> bool| {
            self.calls.iter().rposition(|call| call.choice == self.choice && holds(call))
        };
        let candidate = match fragment.index {
            Some(_) => last_where(&|call| call.index == fragment.index),
            None if !fragment.id.is_empty() => {
                last_where(&|call| call.id == fragment.id).or_else(|| last_where(&|_| true))
            }
            None => last_where(&|_| true),
        }?;
        let call = self.calls.get(candidate)?;
        let continues = !begins_another_call(&Evidence::of(fragment, call), call.progress())
            || call.is_repeated_by(fragment);
        continues.then_some(candidate)
    }

    /// Begins the call of a fragment. One that begins with arguments alone has the name that came before them.
    fn begin(&mut self, fragment: &CallFragment<'_>) -> usize {
        let announced = self.calls.last().filter(|last| last.named_again && fragment.name.is_empty());
        let name = announced.map(|last| last.name.clone()).unwrap_or_default();
        let choice = self.choice;
        self.calls.push(AssembledCall { choice, index: fragment.index, name, ..AssembledCall::default() });
        self.calls.len() - 1
    }
}

/// How a fragment compares with the call to which it seems to belong, by its index, by its id, or because that is last.
#[derive(Debug)]
struct Evidence {
    id: Id,
    name: Name,
    arguments: Presence,
    index: Presence,
}

/// How the fragment's id compares with the call's.
#[derive(Debug, Clone, Copy)]
enum Id {
    Absent,
    /// The call has no id yet.
    First,
    Same,
    Other,
}

/// How the fragment's name compares with the call's, as far as that has arrived.
#[derive(Debug, Clone, Copy)]
enum Name {
    Absent,
    /// The call has no name yet, although its arguments have begun.
    First,
    Same,
    Other,
}

#[derive(Debug, Clone, Copy)]
enum Presence {
    Absent,
    Present,
}

impl Presence {
    fn of(is_present: bool) -> Self {
        if is_present { Self::Present } else { Self::Absent }
    }
}

impl Evidence {
    fn of(fragment: &CallFragment<'_>, call: &AssembledCall) -> Self {
        Self {
            id: match &*fragment.id {
                "" => Id::Absent,
                _ if call.id.is_empty() => Id::First,
                id if id == call.id => Id::Same,
                _ if call.changes_id => Id::Absent,
                _ => Id::Other,
            },
            name: match fragment.name {
                "" => Name::Absent,
                _ if call.name.is_empty() && !call.arguments.is_empty() => Name::First,
                name if name == call.name => Name::Same,
                _ => Name::Other,
            },
            arguments: Presence::of(fragment.arguments.is_some_and(|raw| !is_blank_string(raw))),
            index: Presence::of(fragment.index.is_some()),
        }
    }
}

/// How far a call has come.
#[derive(Debug, Clone, Copy)]
enum Progress {
    /// It has no arguments yet.
    NoArguments,
    /// Its arguments have begun. The text of a custom tool stays here: nothing marks its end.
    Partial,
    /// Its arguments are `{}`, which may stand for others that follow.
    Placeholder,
    /// Its arguments are a JSON value whose last bracket has closed.
    Complete,
    /// Its arguments are complete, and its name came again after that.
    CompleteAndNamedAgain,
}

/// Whether a fragment begins another call than the one to which it seems to belong.
fn begins_another_call(evidence: &Evidence, progress: Progress) -> bool {
    use Presence::{Absent, Present};
    use Progress::{Complete, CompleteAndNamedAgain, NoArguments, Partial, Placeholder};

    let Evidence { id, name, arguments, index } = *evidence;
    match (id, name, arguments, index, progress) {
        // Some vLLM versions send a new id with each piece of a call. Only complete arguments end it.
        (Id::Other, Name::Same | Name::First, _, Present, Partial) => false,
        // A new id with a name: providers that send the index 0 for every call, or none.
        (Id::Other, Name::Same | Name::Other | Name::First, _, _, _) => true,
        // A new id without a name may be a new id for the same call, until that is complete.
        (Id::Other, Name::Absent, _, _, NoArguments | Partial) => false,
        (Id::Other, Name::Absent, Present, _, Placeholder | Complete | CompleteAndNamedAgain) => true,
        (Id::Other, Name::Absent, Absent, _, Placeholder | Complete | CompleteAndNamedAgain) => false,

        // The usual continuation that repeats the id, or an id that comes late.
        (Id::Same | Id::First, Name::Absent, _, _, _) => false,

        // TGI gives each call the id "0" and sends it in one fragment.
        (Id::Same, _, Present, _, Complete | CompleteAndNamedAgain) => true,
        (Id::Same, Name::Other, Present, _, Placeholder) => true,
        // llama-cpp-python repeats id and name in every fragment, and ends with white space.
        (Id::Same, _, _, _, _) => false,

        // The usual continuation. Its arguments are another call's if the name came again before them.
        (Id::Absent, Name::Absent, Present, _, CompleteAndNamedAgain) => true,
        (Id::Absent, Name::Absent, Present, _, NoArguments | Partial | Placeholder | Complete) => false,
        (Id::Absent, Name::Absent, Absent, _, _) => false,

        // A name that comes after the arguments began.
        (Id::Absent | Id::First, Name::First, Present, _, Complete | CompleteAndNamedAgain) => true,
        (Id::Absent | Id::First, Name::First, _, _, _) => false,

        // Some providers repeat the name with every fragment. With an index, only arguments begin a call then.
        (Id::Absent | Id::First, Name::Same, _, _, NoArguments | Partial) => false,
        (Id::Absent | Id::First, Name::Same, Absent, Present, _) => false,
        (Id::Absent | Id::First, Name::Same, Present, Present, _) => true,
        (Id::Absent | Id::First, Name::Same, _, Absent, _) => true,

        // Another name may be the rest of this call's name, until the arguments begin.
        (Id::Absent | Id::First, Name::Other, _, _, NoArguments) => false,
        // The index counts more than the name, until the arguments are complete.
        (Id::Absent | Id::First, Name::Other, _, Present, Partial) => false,
        (Id::Absent | Id::First, Name::Other, _, Absent, Partial) => true,
        (Id::Absent | Id::First, Name::Other, _, _, Placeholder | Complete | CompleteAndNamedAgain) => true,
    }
}

impl AssembledCall {
    fn progress(&self) -> Progress {
        match (self.arguments.format(), self.named_again) {
            (CallFormat::Json { complete: true }, true) => Progress::CompleteAndNamedAgain,
            (CallFormat::Json { complete: true }, false) => Progress::Complete,
            (CallFormat::Placeholder, true) => Progress::CompleteAndNamedAgain,
            (CallFormat::Placeholder, false) => Progress::Placeholder,
            _ if self.arguments.is_empty() => Progress::NoArguments,
            _ => Progress::Partial,
        }
    }

    /// Whether the fragment is this complete call once more. Some providers end the reply with such a repetition. A call
    /// of its own would have an id of its own, or a name if the provider sends no ids.
    fn is_repeated_by(&self, fragment: &CallFragment<'_>) -> bool {
        let Some(arguments) = fragment.arguments.filter(|raw| self.arguments.is_repeated_by(raw)) else {
            return false;
        };
        let has_same_id = if self.id.is_empty() {
            self.is_legacy || fragment.id.is_empty() && fragment.name.is_empty()
        } else {
            fragment.id.is_empty() || fragment.id == self.id
        };
        has_same_id && (fragment.name.is_empty() || fragment.name == self.name) && !is_blank_string(arguments)
    }

    /// Adds a fragment of this call. Returns what it adds to the arguments.
    fn add<'a>(&mut self, fragment: &'a CallFragment<'_>) -> JsonStr<'a> {
        if fragment.is_custom {
            self.arguments.make_text();
        }
        if self.id.is_empty() {
            self.id.push_str(&fragment.id);
        }
        self.changes_id |= !fragment.id.is_empty() && fragment.id != self.id;
        self.is_legacy |= fragment.is_legacy;
        let is_complete = match self.arguments.format() {
            CallFormat::Json { complete } => complete,
            CallFormat::Placeholder => fragment.id.is_empty(),
            CallFormat::Text => false,
        };
        self.named_again |= is_complete && !fragment.name.is_empty();
        // A name comes once, or in pieces, or complete with every fragment.
        if (self.arguments.is_empty() || self.name.is_empty()) && self.name != fragment.name {
            self.name.push_str(fragment.name);
        }
        let Some(raw) = fragment.arguments else { return JsonStr::new("") };
        // Some providers send the object itself in place of a string.
        let arguments = self.joiner.push(raw).unwrap_or_else(|| JsonStr::new(raw.get()));
        self.arguments.push(arguments)
    }
}

#[cfg(test)]
mod tests;
