//! What follows the name of a call: arguments, the end of the call, or the prose of a model that writes about the tag.

use super::call_start::MAX_GAP;
use super::dialects::Dialect;
use super::matching::{Match, find_within, first_tag, floor_boundary};

/// The most white space between a name and its arguments, in bytes.
const MAX_BLANK: usize = 1024;
/// No tag is longer, in bytes.
const MAX_TAG: usize = 64;

/// What follows a name and the tag in which it is, after `gap` bytes of white space.
pub(super) enum AfterName {
    Undecided,
    Argument {
        gap: usize,
    },
    Object {
        gap: usize,
    },
    End {
        gap: usize,
    },
    /// Arguments that are not in the form of the dialect.
    UnknownForm,
    /// Words on the same line: the model writes about the tag.
    Prose,
}

/// The first tag after arguments in an unknown form.
pub(super) enum NextTag {
    Argument,
    End,
    /// Another call begins.
    Opening,
}

/// The length of the rest of the tag in which a name is. What belongs to the arguments also ends it.
pub(super) fn tag_length(dialect: &Dialect, rest: &str) -> Result<usize, Match> {
    let end = dialect.name.as_ref().map_or("", |name| name.end);
    let tag_end = find_within(rest, end, MAX_GAP);
    let next = first_tag(rest, &keys_and_closes(dialect)).map(|(at, _)| at).into_iter().chain(rest.find('{'));
    match (next.min().filter(|at| *at <= MAX_GAP), tag_end) {
        (Some(next), Ok(at)) if at < next => Ok(at + end.len()),
        (Some(next), _) => Ok(next),
        (None, Ok(at)) => Ok(at + end.len()),
        (None, Err(_)) => Err(Match::partial_if(rest.len() < MAX_GAP + MAX_TAG)),
    }
}

/// Decides by the first character that is no white space.
pub(super) fn read(dialect: &Dialect, rest: &str) -> AfterName {
    let in_fence = dialect.close.contains(&FENCE);
    let next = rest.trim_start_matches(|char: char| char.is_whitespace() || in_fence && char == '`');
    let gap = rest.len() - next.len();
    let is_key = |tag: &&str| dialect.argument_tags().iter().any(|tags| tags.key == *tag);
    let tags = keys_and_closes(dialect);
    let Some(first) = next.chars().next().filter(|_| gap <= MAX_BLANK) else {
        return if gap <= MAX_BLANK { AfterName::Undecided } else { AfterName::Prose };
    };
    if first == dialect.arguments.bracket() {
        return AfterName::Object { gap };
    }
    if let Some(tag) = tags.iter().find(|tag| next.starts_with(**tag)) {
        return if is_key(tag) { AfterName::Argument { gap } } else { AfterName::End { gap } };
    }
    if tags.iter().any(|tag| tag.starts_with(next)) {
        return AfterName::Undecided;
    }
    let is_attached = gap == 0 && (first.is_alphanumeric() || first == '<');
    let is_below = rest.get(..gap).unwrap_or_default().contains('\n');
    if is_attached || is_below { AfterName::UnknownForm } else { AfterName::Prose }
}

/// The first tag in `text` after `searched`. `Err`: there is none up to this position.
pub(super) fn next_tag(dialect: &Dialect, text: &str, searched: usize) -> Result<(usize, NextTag), usize> {
    let rest = text.get(searched..).unwrap_or_default();
    let mut tags = keys_and_closes(dialect);
    tags.extend(dialect.opening_tags());
    let Some((at, tag)) = first_tag(rest, &tags) else {
        let end = floor_boundary(text, text.len().saturating_sub(MAX_TAG));
        return Err(end.max(searched));
    };
    let found = if dialect.close.contains(&tag) {
        NextTag::End
    } else if dialect.argument_tags().iter().any(|tags| tags.key == tag) {
        NextTag::Argument
    } else {
        NextTag::Opening
    };
    Ok((searched + at, found))
}

/// The fence around the arguments of DeepSeek V3.
const FENCE: &str = "```";

fn keys_and_closes(dialect: &Dialect) -> Vec<&'static str> {
    let keys = dialect.argument_tags().iter().map(|tags| tags.key);
    keys.chain(dialect.close.iter().copied().filter(|tag| *tag != FENCE)).collect()
}
