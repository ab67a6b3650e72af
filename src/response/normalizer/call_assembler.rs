//! Assembles tool calls from the fragments in which providers send them.
//!
//! In OpenAI's API, `index` identifies the call of a fragment, and `id` and `name` come once, with the first
//! fragment. Providers leave the index out, send 0 for every call, begin at 1, repeat the id or send an empty one, and
//! split the name. [`begins_another_call`] is the rule for all of them.

mod next_call;

use super::call_arguments::Arguments;
use super::call_fragment::CallFragment;
use crate::json::{JsonStr, SurrogateJoiner, is_blank_string};
use crate::response::delta::{CallDelta, CallFormat};
use crate::tools::names::Names;
use next_call::{Evidence, Progress, begins_another_call};
use std::collections::BTreeSet;
use std::rc::Rc;

/// The calls of one reply, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct CallAssembler {
    calls: Vec<AssembledCall>,
    /// The tools that may be called.
    tools: Rc<Names>,
    /// The choice whose fragments come now. Each choice counts its calls from 0.
    choice: u64,
    /// `tool_calls` came, so that `function_call` only repeats them.
    has_tool_calls: bool,
    /// The calls that have something under a key that is not read.
    unread: BTreeSet<usize>,
}

/// The part of a call that has arrived.
#[derive(Debug, Default)]
struct AssembledCall {
    position: Position,
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

/// The position of a call, as the provider states it.
#[derive(Debug, Default)]
struct Position {
    choice: u64,
    /// Its position among the calls of the choice.
    index: Option<u64>,
}

impl CallAssembler {
    pub(super) fn new(tools: Rc<Names>) -> Self {
        Self { tools, ..Self::default() }
    }

    /// Adds a fragment to its call. `None`: nothing in it is new.
    pub(super) fn add<'d>(&'d mut self, fragment: &'d CallFragment<'_>) -> Option<CallDelta<'d>> {
        let call = match self.find(fragment) {
            Some(call) => call,
            // Cloudflare ends a call with a fragment in which everything is null.
            None if fragment.is_empty() => return None,
            None => self.begin(fragment),
        };
        if fragment.is_unread {
            self.unread.insert(call);
        }
        let assembled = self.calls.get_mut(call)?;
        if assembled.is_repeated_by(fragment) {
            return None;
        }
        let arguments = assembled.add(fragment, &self.tools);
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

    /// No fragment follows: the next call of which a piece was held back.
    pub(super) fn release(&mut self) -> Option<CallDelta<'_>> {
        let calls = self.calls.iter_mut().enumerate();
        calls.filter_map(|(number, call)| Some((number, call.arguments.release()?, call))).next().map(
            |(number, arguments, call)| CallDelta {
                call: number,
                id: &call.id,
                name: &call.name,
                label_bytes: 0,
                arguments,
                format: call.arguments.format(),
                extra: None,
            },
        )
    }

    /// The next fragments come from `tool_calls`.
    pub(super) fn begin_tool_calls(&mut self) {
        self.has_tool_calls = true;
    }

    /// Whether any fragment came from `tool_calls`.
    pub(super) fn has_tool_calls(&self) -> bool {
        self.has_tool_calls
    }

    /// Whether exactly one call has this id.
    pub(super) fn knows(&self, id: &str) -> bool {
        let has_id = |call: &&AssembledCall| call.position.choice == self.choice && call.id == id;
        !id.is_empty() && self.calls.iter().filter(has_id).count() == 1
    }

    /// The name and the id of a call whose arguments can only be what was not read.
    pub(super) fn unread(&self) -> Option<(&str, &str)> {
        let mut unread = self.unread.iter().filter_map(|number| self.calls.get(*number));
        unread.find(|call| call.arguments.is_empty()).map(|call| (&*call.name, &*call.id))
    }

    /// Whether no call can have this name, of which either may be a piece.
    pub(super) fn lacks(&self, name: &str) -> bool {
        let is_alike = |call: &AssembledCall| call.name.contains(name) || name.contains(&call.name);
        !self.calls.iter().any(is_alike)
    }

    /// How many calls have begun.
    pub(super) fn len(&self) -> usize {
        self.calls.len()
    }

    /// The call that a fragment continues.
    fn find(&self, fragment: &CallFragment<'_>) -> Option<usize> {
        let last_where = |holds: &dyn Fn(&AssembledCall) -> bool| {
            self.calls.iter().rposition(|call| call.position.choice == self.choice && holds(call))
        };
        let candidate = match fragment.index {
            Some(_) => {
                let has_index = |call: &AssembledCall| call.position.index == fragment.index;
                let has_id = |call: &AssembledCall| !fragment.id.is_empty() && call.id == fragment.id;
                last_where(&|call| has_index(call) && has_id(call))
                    .or_else(|| last_where(&has_index))
                    .or_else(|| last_where(&|call| call.position.index.is_none() && has_id(call)))
                    .or_else(|| self.last_without_index(fragment))
            }
            None if !fragment.id.is_empty() => {
                last_where(&|call| call.id == fragment.id).or_else(|| last_where(&|_| true))
            }
            None => last_where(&|_| true),
        }?;
        let call = self.calls.get(candidate)?;
        let continues = !begins_another_call(&Evidence::of(fragment, call), call.progress(fragment))
            || call.is_repeated_by(fragment);
        continues.then_some(candidate)
    }

    /// The last call, if it began without an index and gets it with its arguments. `None` if they may be another's.
    fn last_without_index(&self, fragment: &CallFragment<'_>) -> Option<usize> {
        let is_of_choice = |call: &&AssembledCall| call.position.choice == self.choice;
        let lacks_index = |call: &AssembledCall| is_of_choice(&call) && call.position.index.is_none();
        let mut without = self.calls.iter().enumerate().filter(|(_, call)| lacks_index(call));
        let (number, last) = without.next_back()?;
        let has_its_name = last.arguments.is_empty() && fragment.name == last.name;
        let has_no_other_label = fragment.id.is_empty() && (fragment.name.is_empty() || has_its_name);
        let is_complete = last.arguments.format() == CallFormat::Json { complete: true };
        // `{}` may be the arguments of another call, or stand there until they come. Then the index decides.
        let place = self.calls.iter().take(number).filter(is_of_choice).count();
        let at_its_place = fragment.index == u64::try_from(place).ok();
        let is_over = |call: &AssembledCall| {
            call.arguments.format() == CallFormat::Json { complete: true }
                || at_its_place && call.arguments.may_be_complete()
        };
        let goes_on = !is_complete || last.is_repeated_by(fragment);
        let is_of_last = has_no_other_label && goes_on && without.all(|(_, call)| is_over(call));
        is_of_last.then_some(number)
    }

    /// Begins the call of a fragment. One that begins with arguments alone has the name that came before them, which
    /// looked like a part of the last call.
    fn begin(&mut self, fragment: &CallFragment<'_>) -> usize {
        let has_other_label = |call: &AssembledCall| {
            !fragment.name.is_empty() || !fragment.id.is_empty() && fragment.id != call.id
        };
        let announced = self.calls.last().filter(|last| last.named_again && !has_other_label(last));
        let name = announced.map(|last| last.name.clone()).unwrap_or_default();
        let position = Position { choice: self.choice, index: fragment.index };
        self.calls.push(AssembledCall { position, name, ..AssembledCall::default() });
        self.calls.len() - 1
    }
}

impl AssembledCall {
    /// Its progress when this fragment arrives.
    fn progress(&self, fragment: &CallFragment<'_>) -> Progress {
        match (self.arguments.format(), self.named_again) {
            _ if self.arguments.hold_beginning_of(fragment.arguments) => Progress::Partial,
            _ if self.arguments.hold_complete_piece() => Progress::Provisional,
            (CallFormat::Placeholder, false) => Progress::Provisional,
            (CallFormat::Placeholder, true) => Progress::CompleteAndNamedAgain,
            (CallFormat::Json { complete: true }, true) => Progress::CompleteAndNamedAgain,
            (CallFormat::Json { complete: true }, false) => Progress::Complete,
            _ if self.arguments.is_empty() => Progress::NoArguments,
            _ if self.arguments.are_blank() => Progress::Blank,
            (CallFormat::Text, _) => Progress::Text,
            (CallFormat::Json { complete: false }, _) => Progress::Partial,
        }
    }

    /// Whether the fragment is this complete call once more. Some providers end the reply with such a repetition. A new
    /// call would have a new id, or a name if the provider sends no ids.
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
    fn add<'a>(&mut self, fragment: &'a CallFragment<'_>, tools: &Names) -> JsonStr<'a> {
        if fragment.is_custom {
            self.arguments.make_text();
        }
        if self.id.is_empty() {
            self.id.push_str(&fragment.id);
        }
        self.position.index = self.position.index.or(fragment.index);
        self.changes_id |= !fragment.id.is_empty() && fragment.id != self.id;
        self.is_legacy |= fragment.is_legacy;
        let is_complete = match self.arguments.format() {
            CallFormat::Json { complete } => complete,
            CallFormat::Placeholder => fragment.id.is_empty() && self.id.is_empty(),
            CallFormat::Text => false,
        };
        self.named_again |= is_complete && !self.name.is_empty() && !fragment.name.is_empty();
        if (self.arguments.is_empty() || self.name.is_empty()) && self.name != fragment.name {
            self.add_name(fragment.name, tools);
        }
        let Some(raw) = fragment.arguments else { return JsonStr::new("") };
        // Some providers send the object itself instead of a string.
        let arguments = self.joiner.push(raw).unwrap_or_else(|| JsonStr::new(raw.get()));
        self.arguments.push(arguments)
    }

    /// A name comes once, in pieces, or complete or as far as it is known with every fragment.
    fn add_name(&mut self, piece: &str, tools: &Names) {
        let joined = format!("{}{piece}", self.name);
        let is_cumulative = piece.starts_with(&self.name);
        self.name = if is_cumulative && tools.has_beginning(piece) && !tools.has_beginning(&joined) {
            piece.to_owned()
        } else {
            joined
        };
    }
}

#[cfg(test)]
mod tests;
