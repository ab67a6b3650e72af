//! Reports what a translation dropped and repaired.
//!
//! The request's report goes into the header `x-transponder-dropped`, the reply's into `metadata` of the
//! response; both go into the metrics and the access log, each entry as `kind:name`.

use std::collections::{BTreeMap, BTreeSet};

/// The kind of a dropped part. The names are values of the metrics' label `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    /// A citation that the Responses API cannot express, or that no text followed.
    Annotation,
    /// A request field that is too large to be repeated in every response event.
    Echo,
    /// A request field that the upstream does not accept.
    Field,
    /// An item of `input`.
    Item,
    /// A part of a message or of a tool output.
    Part,
    /// A tool that only OpenAI's servers can run.
    Tool,
    /// A call beyond the one that `parallel_tool_calls: false` allows.
    ToolCall,
}

impl Dropped {
    /// The names of all kinds, sorted.
    pub const NAMES: &'static [&'static str] =
        &["annotation", "echo", "field", "item", "part", "tool", "tool_call"];

    fn name(self) -> &'static str {
        match self {
            Self::Annotation => "annotation",
            Self::Echo => "echo",
            Self::Field => "field",
            Self::Item => "item",
            Self::Part => "part",
            Self::Tool => "tool",
            Self::ToolCall => "tool_call",
        }
    }
}

/// The kind of a repaired part. The names are values of the metrics' label `kind`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repaired {
    /// Arguments of a call that were not a JSON object.
    Arguments,
    /// A tool output without its call.
    CallOutput,
    /// A tool call without its output.
    ToolCall,
}

impl Repaired {
    /// The names of all kinds, sorted.
    pub const NAMES: &'static [&'static str] = &["arguments", "call_output", "tool_call"];

    fn name(self) -> &'static str {
        match self {
            Self::Arguments => "arguments",
            Self::CallOutput => "call_output",
            Self::ToolCall => "tool_call",
        }
    }
}

/// What was dropped and what was repaired.
#[derive(Debug, Default, Clone)]
pub struct Report {
    dropped: Notes,
    repaired: Notes,
}

/// Entries without duplicates, in the order of their first appearance.
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
    /// Reports a dropped part.
    pub fn dropped(&mut self, kind: Dropped, name: &str) {
        self.dropped.add(kind.name(), name);
    }

    /// Reports a repaired part.
    pub fn repaired(&mut self, kind: Repaired, name: &str) {
        self.repaired.add(kind.name(), name);
    }

    /// What was dropped, without duplicates, e.g. `tool:web_search`.
    pub fn all_dropped(&self) -> &[String] {
        &self.dropped.ordered
    }

    /// What was repaired, without duplicates, e.g. `arguments:shell`.
    pub fn all_repaired(&self) -> &[String] {
        &self.repaired.ordered
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_listed_by_its_name() {
        use Dropped::*;
        let dropped = [Annotation, Echo, Field, Item, Part, Tool, ToolCall];
        assert_eq!(dropped.map(Dropped::name), Dropped::NAMES);
        let repaired = [Repaired::Arguments, Repaired::CallOutput, Repaired::ToolCall];
        assert_eq!(repaired.map(Repaired::name), Repaired::NAMES);
    }

    #[test]
    fn an_entry_is_listed_once_in_the_order_of_appearance() {
        let mut report = Report::default();
        for name in ["b", "a", "b"] {
            report.dropped(Dropped::Tool, name);
        }
        report.dropped(Dropped::Item, "a");
        assert_eq!(report.all_dropped(), ["tool:b", "tool:a", "item:a"]);
    }
}
