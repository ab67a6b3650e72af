//! Calls that a model wrote into its reasoning. The upstream's parsers take all of that for reasoning.

use crate::json::JsonStr;
use crate::markup::{Scanner, Segment};

/// The calls in the reasoning of a reply. They count only if nothing else follows: a model may also think about a call.
#[derive(Debug)]
pub(super) struct CallsInReasoning {
    scanner: Option<Scanner>,
    /// Name and arguments.
    found: Vec<(String, String)>,
    /// The reply has text.
    has_text: bool,
}

impl CallsInReasoning {
    pub(super) fn new(scanner: Option<Scanner>) -> Self {
        Self { scanner, found: Vec::new(), has_text: false }
    }

    pub(super) fn read(&mut self, reasoning: &JsonStr<'_>) {
        if let Some(scanner) = &mut self.scanner
            && !scanner.lets_pass(reasoning.escaped())
        {
            let calls = scanner.push(&reasoning.decode()).into_iter().filter_map(|segment| match segment {
                Segment::ToolCall { name, arguments } => Some((name, arguments)),
                _ => None,
            });
            self.found.extend(calls);
        }
    }

    /// The reply has this text, or a refusal.
    pub(super) fn notice_text(&mut self, text: &JsonStr<'_>) {
        self.has_text = self.has_text || !text.is_blank();
    }

    /// The reply has ended, without any other call. Moves the calls that are all there is.
    pub(super) fn take(&mut self) -> Vec<(String, String)> {
        let found = std::mem::take(&mut self.found);
        if self.has_text { Vec::new() } else { found }
    }
}
