//! Where a call begins, and the name of its tool.

use super::OfferedTools;
use super::dialects::{Dialect, FUNCTOOLS, JSON, Name, PYTHON};
use super::json_call;
use super::matching::{Match, find_within, first_tag};
use crate::tools::names::is_name_char;

/// Whether a call in this dialect begins here.
pub(super) fn begins_call(dialect: &Dialect, after_tag: bool, rest: &str, tools: &OfferedTools) -> Match {
    let Some(Name { before, after, .. }) = &dialect.name else { return json_call::begins(rest, tools) };
    if before.is_empty() {
        return bare_name(after_tag, after, rest, tools);
    }
    Match::with_tag(rest, before)
}

/// More text is needed.
pub(super) struct Undecided;

/// The dialect of the calls with which a text may begin without any tag: a JSON object, a list of them, with `functools`
/// before it or without, or a list of calls in Python.
pub(super) fn untagged(text: &str, tools: &OfferedTools) -> Result<Option<&'static Dialect>, Undecided> {
    if tools.is_empty() {
        return Ok(None);
    }
    match text.strip_prefix('[').map(str::trim_start) {
        Some("") => Err(Undecided),
        None if text.len() < FUNCTOOLS.len() && FUNCTOOLS.starts_with(text) => Err(Undecided),
        None if text.starts_with('{') || text.starts_with(FUNCTOOLS) => Ok(Some(JSON)),
        Some(list) if list.starts_with('{') => Ok(Some(JSON)),
        Some(list) if begins_call(PYTHON, true, list, tools) == Match::Yes => Ok(Some(PYTHON)),
        _ => Ok(None),
    }
}

/// Whether a name without any markup before it begins here.
fn bare_name(after_tag: bool, after: &[&str], rest: &str, tools: &OfferedTools) -> Match {
    if !after_tag || rest.is_empty() {
        return Match::No;
    }
    let is_name = match first_tag(rest, after) {
        Some(found) => complete_name(rest, found, after, tools).is_some(),
        None => may_become_name(rest, after, tools),
    };
    if is_name { Match::Yes } else { Match::No }
}

/// The tool whose name ends where the tag was found. A name that would have been rejected while it arrived is also
/// rejected here, so that the result does not depend on the pieces of the text.
pub(super) fn complete_name<'t>(
    text: &str,
    (end, tag): (usize, &str),
    after: &[&str],
    tools: &'t OfferedTools,
) -> Option<&'t str> {
    let mut arrived = text.get(..end + tag.len())?.chars();
    arrived.next_back();
    may_become_name(arrived.as_str(), after, tools).then(|| tools.find(text.get(..end)?)).flatten()
}

/// Whether `text` can become the name of an offered tool. It may already hold the beginning of the tag after it.
pub(super) fn may_become_name(text: &str, after: &[&str], tools: &OfferedTools) -> bool {
    let begins_tag =
        |at: &usize| text.get(*at..).is_some_and(|tail| after.iter().any(|tag| tag.starts_with(tail)));
    let end = text.char_indices().map(|(at, _)| at).find(begins_tag);
    tools.may_become(text.get(..end.unwrap_or(text.len())).unwrap_or_default())
}

/// The longest text between a name and the end of its tag, in bytes.
pub(super) const MAX_GAP: usize = 80;

/// Whether a call of any tool with tagged arguments begins here: the tag of the name, and then an argument or the end.
pub(super) fn begins_tagged_call(text: &str, dialect: &Dialect) -> Match {
    let Some(name) = &dialect.name else { return Match::No };
    let before = if name.before.is_empty() { dialect.open } else { std::slice::from_ref(&name.before) };
    let Some(after) = before.iter().find_map(|tag| text.strip_prefix(tag)) else {
        return Match::partial_if(before.iter().any(|tag| tag.starts_with(text)));
    };
    let rest = after.trim_start_matches(|char| is_name_char(char) || ".:/".contains(char));
    if rest.len() == after.len() {
        return Match::partial_if(after.is_empty());
    }
    let rest = match find_within(rest, name.end, MAX_GAP) {
        Ok(end) => rest.get(end + name.end.len()..).unwrap_or_default(),
        Err(undecided) => return undecided,
    };
    let keys = || dialect.argument_tags().iter().map(|tags| tags.key);
    let is_read_again = |tag: &str| dialect.close.contains(&tag) || keys().any(|key| key == tag);
    let of_name = name.after.iter().find(|tag| rest.starts_with(**tag) && !is_read_again(tag));
    let rest = of_name.and_then(|tag| rest.strip_prefix(tag)).unwrap_or(rest).trim_start();
    let next = || keys().chain(dialect.close.iter().copied());
    if next().any(|tag| rest.starts_with(tag)) {
        return Match::Yes;
    }
    Match::partial_if(next().chain(name.after.iter().copied()).any(|tag| tag.starts_with(rest)))
}

/// White space, and what may stand between calls.
pub(super) fn is_separator(char: char) -> bool {
    char.is_whitespace() || ",;[".contains(char)
}
