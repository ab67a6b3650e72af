//! What the beginning of a reply can be.

use super::dialects::REASONING;
use super::matching::find_in_any_case;

/// Where the reply's reasoning is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReasoningRule {
    NotSought,
    InText,
    /// In a field. Reasoning in the text counts only with its closing tag.
    InField,
}

/// Whether the first text of a reply is reasoning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplyStart {
    /// It is reasoning after an opening tag.
    Text,
    /// It is reasoning: the chat template put the opening tag into the prompt.
    Reasoning,
}

/// A place where reasoning may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Reply,
    /// The reply begins within reasoning.
    InReasoning,
    AfterReasoning,
}

impl Start {
    /// Whether the text before a closing tag at `end`, which has no opening tag, can be reasoning.
    pub(super) fn allows_reasoning(self, text: &str, end: usize) -> bool {
        let before = text.get(..end).unwrap_or_default();
        match self {
            Self::Reply => {
                !before.ends_with('`')
                    && !REASONING.iter().any(|(open, _)| find_in_any_case(before, open).is_some())
            }
            Self::InReasoning => true,
            Self::AfterReasoning => false,
        }
    }
}
