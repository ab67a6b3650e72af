//! Compares tags with a text that may still grow.

pub(super) use crate::json::floor_boundary;

/// Whether a text begins with a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    No,
    /// More text decides.
    Partial,
    Yes,
}

impl Match {
    pub(super) fn partial_if(may_match: bool) -> Self {
        if may_match { Self::Partial } else { Self::No }
    }

    pub(super) fn with_tag(text: &str, tag: &str) -> Self {
        if text.starts_with(tag) { Self::Yes } else { Self::partial_if(tag.starts_with(text)) }
    }

    /// Without regard to the case of ASCII letters.
    pub(super) fn with_tag_in_any_case(text: &str, tag: &str) -> Self {
        let same_start = |length: usize| match (text.get(..length), tag.get(..length)) {
            (Some(text), Some(tag)) => text.eq_ignore_ascii_case(tag),
            _ => false,
        };
        if same_start(tag.len()) { Self::Yes } else { Self::partial_if(same_start(text.len())) }
    }
}

/// The position of a tag, without regard to the case of ASCII letters.
pub(super) fn find_in_any_case(text: &str, tag: &str) -> Option<usize> {
    text.as_bytes().windows(tag.len()).position(|bytes| bytes.eq_ignore_ascii_case(tag.as_bytes()))
}

/// The first of these tags in a text, and its position.
pub(super) fn first_tag<'t>(text: &str, tags: &[&'t str]) -> Option<(usize, &'t str)> {
    tags.iter().filter_map(|tag| Some((text.find(tag)?, *tag))).min_by_key(|(at, _)| *at)
}

/// The position of a tag that begins within the first `most` bytes of a text.
pub(super) fn find_within(text: &str, tag: &str, most: usize) -> Result<usize, Match> {
    let longest = most + tag.len();
    let beginning = text.get(..floor_boundary(text, longest.min(text.len()))).unwrap_or_default();
    beginning.find(tag).ok_or(Match::partial_if(text.len() < longest))
}

/// The length of the longest end of `text` with which `tag` begins, other than the tag itself.
pub(super) fn partial_tag_at_end(text: &str, tag: &str) -> usize {
    let longest = tag.len().saturating_sub(1).min(text.len());
    let begins_tag =
        |length: &usize| text.get(text.len() - length..).is_some_and(|tail| tag.starts_with(tail));
    (0..=longest).rev().find(begins_tag).unwrap_or(0)
}
