//! Calls that an upstream leaves in the text and sends in `tool_calls` too.

use super::call_fragment::CallFragment;
use crate::json::JsonStrBuilder;
use crate::response::delta::{CallDelta, CallFormat, Delta, DeltaSink};
use crate::response::outcome::Failure;
use crate::tools::names::Names;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Leaves out a call that came in the other place before. While a call in the text may come again, the next ones wait
/// until they are complete.
#[derive(Debug)]
pub(super) struct RepeatedCalls {
    tools: Rc<Names>,
    /// Calls in the text are read. Otherwise all calls pass.
    reads_text: bool,
    /// The name and arguments of each call in the text that was not repeated so far.
    in_text: Vec<(String, Value)>,
    /// All calls by their number in the reply.
    calls: BTreeMap<usize, SeenCall>,
}

#[derive(Debug, Default)]
struct SeenCall {
    part: CallPart,
    progress: Progress,
    is_in_text: bool,
    /// The same call came in the text.
    is_repeated: bool,
}

#[derive(Debug, Default)]
enum Progress {
    #[default]
    Held,
    /// Its number among the calls that are not left out.
    Passed(usize),
    LeftOut,
}

/// The part of a call that has arrived.
#[derive(Debug, Default)]
struct CallPart {
    id: String,
    name: String,
    label_bytes: usize,
    arguments: JsonStrBuilder,
    format: Option<CallFormat>,
    extra: Option<Box<RawValue>>,
}

impl RepeatedCalls {
    pub(super) fn new(tools: Rc<Names>, reads_text: bool) -> Self {
        Self { tools, reads_text, in_text: Vec::new(), calls: BTreeMap::new() }
    }

    /// Passes on the next delta of a call, unless it may belong to a repetition.
    pub(super) fn pass(
        &mut self,
        delta: CallDelta<'_>,
        fragment: &CallFragment<'_>,
        sink: &mut impl DeltaSink,
    ) -> Result<(), Failure> {
        if !self.reads_text {
            return sink.delta(Delta::Call(&delta));
        }
        let (next, waits) = (self.next_number(), !self.in_text.is_empty());
        let call = self.calls.entry(delta.call).or_insert_with(|| SeenCall {
            progress: if waits { Progress::Held } else { Progress::Passed(next) },
            is_in_text: fragment.is_in_text(),
            ..SeenCall::default()
        });
        call.part.add(&delta);
        if call.is_in_text {
            return self.pass_from_text(delta, next, sink);
        }
        match call.progress {
            Progress::Passed(number) => sink.delta(Delta::Call(&CallDelta { call: number, ..delta })),
            Progress::LeftOut => Ok(()),
            Progress::Held if delta.format == (CallFormat::Json { complete: true }) => {
                self.decide(delta.call, sink)
            }
            Progress::Held => Ok(()),
        }
    }

    /// A call in the text comes in one piece.
    fn pass_from_text(
        &mut self,
        delta: CallDelta<'_>,
        next: usize,
        sink: &mut impl DeltaSink,
    ) -> Result<(), Failure> {
        let arguments = value(&delta.arguments.decode());
        let earlier = self.calls.values_mut().find(|call| {
            !call.is_in_text && !call.is_repeated && call.part.is(delta.name, &arguments, &self.tools)
        });
        let progress = match earlier {
            Some(earlier) => {
                earlier.is_repeated = true;
                Progress::LeftOut
            }
            None => {
                self.in_text.push((delta.name.to_owned(), arguments));
                sink.delta(Delta::Call(&CallDelta { call: next, ..delta }))?;
                Progress::Passed(next)
            }
        };
        if let Some(call) = self.calls.get_mut(&delta.call) {
            call.progress = progress;
        }
        Ok(())
    }

    /// No call goes on: decides about all that still wait.
    pub(super) fn finish(&mut self, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        let calls: Vec<usize> = self.calls.keys().copied().collect();
        calls.into_iter().try_for_each(|call| self.decide(call, sink))
    }

    /// Whether `tool_calls` has a call of this tool.
    pub(super) fn has_call_of(&self, tool: &str) -> bool {
        self.calls.values().any(|call| !call.is_in_text && call.part.is_of(tool, &self.tools))
    }

    fn decide(&mut self, call: usize, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        let next = self.next_number();
        let Some(SeenCall { part, progress: progress @ Progress::Held, is_repeated, .. }) =
            self.calls.get_mut(&call)
        else {
            return Ok(());
        };
        let repeated =
            self.in_text.iter().position(|(name, arguments)| part.is(name, arguments, &self.tools));
        if let Some(repeated) = repeated {
            self.in_text.remove(repeated);
            *is_repeated = true;
            *progress = Progress::LeftOut;
            return Ok(());
        }
        *progress = Progress::Passed(next);
        part.pass(next, sink)
    }

    fn next_number(&self) -> usize {
        self.calls.values().filter(|call| matches!(call.progress, Progress::Passed(_))).count()
    }
}

impl CallPart {
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

    fn is_of(&self, tool: &str, tools: &Names) -> bool {
        tools
            .resolve(&self.name)
            .and_then(|number| tools.get(number))
            .is_some_and(|named| *named.upstream == *tool)
    }

    fn is(&self, tool: &str, arguments: &Value, tools: &Names) -> bool {
        self.is_of(tool, tools) && value(&self.arguments.clone().finish().decode()) == *arguments
    }

    fn pass(&self, call: usize, sink: &mut impl DeltaSink) -> Result<(), Failure> {
        let Some(format) = self.format else { return Ok(()) };
        sink.delta(Delta::Call(&CallDelta {
            call,
            id: &self.id,
            name: &self.name,
            label_bytes: self.label_bytes,
            arguments: self.arguments.clone().finish(),
            format,
            extra: self.extra.as_deref(),
        }))
    }
}

/// The arguments, which may be written as a string. No text and `null` mean that there are none.
fn value(arguments: &str) -> Value {
    let none = || Value::Object(serde_json::Map::new());
    if arguments.trim().is_empty() {
        return none();
    }
    match serde_json::from_str(arguments) {
        Ok(Value::String(inner)) => serde_json::from_str(&inner).unwrap_or_default(),
        Ok(Value::Null) => none(),
        other => other.unwrap_or_default(),
    }
}
