//! Calls that a model wrote into its reasoning. The upstream's parsers take all of that for reasoning.

use crate::json::JsonStr;
use crate::markup::{Scanner, Segment};

/// The calls at the end of a reply's reasoning. They count only if nothing else follows: a model may also think about a
/// call, and decide against it.
#[derive(Debug)]
pub(super) struct CallsInReasoning {
    scanner: Option<Scanner>,
    /// Name and arguments. A model that repeats a call in its reasoning means one.
    found: Vec<(String, String)>,
    /// What follows them.
    after: String,
    /// The reply has text.
    has_text: bool,
}

/// The longest text of tags after the calls, in bytes.
const MAX_TAGS: usize = 256;

impl CallsInReasoning {
    pub(super) fn new(scanner: Option<Scanner>) -> Self {
        Self { scanner, found: Vec::new(), after: String::new(), has_text: false }
    }

    pub(super) fn read(&mut self, reasoning: &JsonStr<'_>) {
        let Some(scanner) = &mut self.scanner else { return };
        if !scanner.lets_pass(reasoning.escaped()) {
            let segments = scanner.push(&reasoning.decode());
            self.add(segments);
        } else if !self.found.is_empty() {
            self.add_text(&reasoning.decode());
        }
    }

    fn add(&mut self, segments: Vec<Segment>) {
        for segment in segments {
            match segment {
                Segment::ToolCall { name, arguments } => {
                    self.forget_what_is_followed();
                    let call = (name, arguments);
                    if !self.found.contains(&call) {
                        self.found.push(call);
                    }
                }
                Segment::LostCall { .. } => self.found.clear(),
                Segment::Text(text) | Segment::Reasoning(text) | Segment::Unopened { text, .. } => {
                    self.add_text(&text);
                }
                Segment::Retract => {}
            }
        }
    }

    fn add_text(&mut self, text: &str) {
        if !self.found.is_empty() {
            self.after.push_str(text);
        }
        if self.after.len() > MAX_TAGS {
            self.forget_what_is_followed();
        }
    }

    /// Calls after which more than tags follows do not count.
    fn forget_what_is_followed(&mut self) {
        let after = std::mem::take(&mut self.after);
        if after.len() > MAX_TAGS || !is_only_tags(&after) {
            self.found.clear();
        }
    }

    /// The reply has this text, or a refusal.
    pub(super) fn notice_text(&mut self, text: &JsonStr<'_>) {
        self.has_text = self.has_text || !text.is_blank();
    }

    /// The reply has ended, without any other call. Moves the calls that are all there is.
    pub(super) fn take(&mut self) -> Vec<(String, String)> {
        let rest = self.scanner.as_mut().map(Scanner::flush).unwrap_or_default();
        self.add(rest);
        self.forget_what_is_followed();
        let found = std::mem::take(&mut self.found);
        if self.has_text { Vec::new() } else { found }
    }
}

fn is_only_tags(text: &str) -> bool {
    let mut rest = text.trim();
    while let Some((_, after)) = rest.strip_prefix('<').and_then(|tag| tag.split_once('>')) {
        rest = after.trim_start();
    }
    rest.is_empty()
}
