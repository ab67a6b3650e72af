//! Where a call begins, and the name of its tool.

use super::OfferedTools;
use super::dialects::{Dialect, Name};
use super::json_call;
use super::matching::{Match, first_tag};

/// Whether a call in this dialect begins here.
pub(super) fn begins_call(dialect: &Dialect, after_tag: bool, rest: &str, tools: &OfferedTools) -> Match {
    let Some(Name { before, after, .. }) = &dialect.name else { return json_call::begins(rest, tools) };
    if before.is_empty() {
        return bare_name(after_tag, after, rest, tools);
    }
    Match::with_tag(rest, before)
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

/// White space, and what may stand between calls.
pub(super) fn is_separator(char: char) -> bool {
    char.is_whitespace() || ",;[".contains(char)
}
