//! Calls that an upstream leaves in the text and sends in `tool_calls` too.

use super::call_fragment::CallFragment;
use crate::json::JsonStrBuilder;
use crate::response::delta::{CallDelta, CallFormat, Delta, DeltaSink};
use crate::response::outcome::Failure;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Leaves out a call that repeats one in the text. A call with the name of one in the text waits until it is complete;
/// all others pass at once.
#[derive(Debug, Default)]
pub(super) struct RepeatedCalls {
    /// The name and arguments of each call in the text that was not repeated so far.
    in_text: Vec<(String, Value)>,
    /// How many calls came before the first one in the text was known.
    before: usize,
    /// The later calls by their number in the reply.
    later: BTreeMap<usize, LaterCall>,
}

#[derive(Debug)]
enum LaterCall {
    Held(HeldCall),
    /// Its number among the calls that are not left out.
    Passed(usize),
    LeftOut,
}

/// The part of a call that has arrived.
#[derive(Debug, Default)]
struct HeldCall {
    id: String,
    name: String,
    label_bytes: usize,
    arguments: JsonStrBuilder,
    format: Option<CallFormat>,
    extra: Option<Box<RawValue>>,
}

impl RepeatedCalls {
    /// A call came in the text, with these arguments as a JSON string.
    pub(super) fn add_in_text(&mut self, name: &str, arguments: &RawValue) {
        let arguments = serde_json::from_str::<String>(arguments.get()).unwrap_or_default();
        self.in_text.push((name.to_owned(), value(&arguments)));
    }

    /// Passes on the next delta of a call, unless it may belong to a repetition.
    pub(super) fn pass(
        &mut self,
        delta: CallDelta<'_>,
        fragment: &CallFragment<'_>,
        sink: &mut impl DeltaSink,
    ) -> Result<(), Failure> {
        if self.in_text.is_empty() && self.later.is_empty() {
            self.before = self.before.max(delta.call + 1);
        }
        if delta.call < self.before {
            return sink.delta(Delta::Call(&delta));
        }
        let may_repeat = !fragment.is_in_text() && self.in_text.iter().any(|(name, _)| name == delta.name);
        let next = self.next_number();
        let later = self.later.entry(delta.call).or_insert_with(|| {
            if may_repeat { LaterCall::Held(HeldCall::default()) } else { LaterCall::Passed(next) }
        });
        match later {
            LaterCall::Passed(number) => sink.delta(Delta::Call(&CallDelta { call: *number, ..delta })),
            LaterCall::LeftOut => Ok(()),
            LaterCall::Held(held) => {
                held.add(&delta);
                let is_complete = delta.format == CallFormat::Json { complete: true };
                if is_complete { self.decide(delta.call, sink) } else { Ok(()) }
            }
        }
    }

    /// No call goes on: decides about all that still wait.
    pub(super) fn finish(&mut self, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        let calls: Vec<usize> = self.later.keys().copied().collect();
        calls.into_iter().try_for_each(|call| self.decide(call, sink))
    }

    fn decide(&mut self, call: usize, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        let next = self.next_number();
        let Some(later) = self.later.get_mut(&call) else { return Ok(()) };
        let LaterCall::Held(held) = later else { return Ok(()) };
        let held = std::mem::take(held);
        if let Some(repeated) = self.in_text.iter().position(|in_text| held.is(in_text)) {
            self.in_text.remove(repeated);
            *later = LaterCall::LeftOut;
            return Ok(());
        }
        *later = LaterCall::Passed(next);
        held.pass(next, sink)
    }

    fn next_number(&self) -> usize {
        let passed = self.later.values().filter(|call| matches!(call, LaterCall::Passed(_)));
        self.before + passed.count()
    }
}

impl HeldCall {
    fn add(&mut self, delta: &CallDelta<'_>) {
        delta.id.clone_into(&mut self.id);
        delta.name.clone_into(&mut self.name);
        self.label_bytes += delta.label_bytes;
        self.arguments.push(&delta.arguments);
        self.format = Some(delta.format);
        if let Some(extra) = delta.extra {
            self.extra = Some(extra.to_owned());
        }
    }

    fn is(&self, (name, arguments): &(String, Value)) -> bool {
        self.name == *name && value(&self.arguments.clone().finish().decode()) == *arguments
    }

    fn pass(self, call: usize, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        let Some(format) = self.format else { return Ok(()) };
        let (arguments, label_bytes) = (self.arguments.finish(), self.label_bytes);
        let extra = self.extra.as_deref();
        sink.delta(Delta::Call(&CallDelta {
            call,
            id: &self.id,
            name: &self.name,
            label_bytes,
            arguments,
            format,
            extra,
        }))
    }
}

/// The arguments; no text means that there are none.
fn value(arguments: &str) -> Value {
    if arguments.trim().is_empty() {
        return Value::Object(serde_json::Map::new());
    }
    serde_json::from_str(arguments).unwrap_or_default()
}
