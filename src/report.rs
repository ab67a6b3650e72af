//! What a translation left out or repaired, in the request and in the reply.

use std::collections::{BTreeMap, BTreeSet};

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
