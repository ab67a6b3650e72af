//! Where the value of an argument ends, if a model may have left out the tag after it.

use super::dialects::{ArgumentTags, Dialect};
use super::matching::Match;

#[derive(Debug)]
pub(super) enum ValueEnd {
    /// Here, before a tag of which `tag` bytes belong to the value's markup.
    At { end: usize, tag: usize },
    /// More text is needed, from this position on.
    NotBefore(usize),
}

/// The longest name of an argument, in bytes.
const MAX_KEY: usize = 96;

/// A value ends at its closing tag. If that is missing, it ends before the tag of another declared argument, or before
/// the tags that close the call if the text or another call follows them. Otherwise those are a part of the value.
pub(super) fn find(
    rest: &str,
    tags: &ArgumentTags,
    dialect: &Dialect,
    text_ended: bool,
    is_declared: impl Fn(&str) -> bool,
) -> ValueEnd {
    let starts = rest.match_indices('<').map(|(at, _)| at);
    for at in starts {
        let here = rest.get(at..).unwrap_or_default();
        let found = match Match::with_tag(here, tags.value_end) {
            Match::Yes => return ValueEnd::At { end: at, tag: tags.value_end.len() },
            Match::Partial => Match::Partial,
            Match::No => {
                or(next_argument(here, dialect, &is_declared), || end_of_call(here, dialect, text_ended))
            }
        };
        match found {
            Match::Yes => return ValueEnd::At { end: at, tag: 0 },
            Match::Partial => return ValueEnd::NotBefore(at),
            Match::No => {}
        }
    }
    ValueEnd::NotBefore(rest.len())
}

fn or(first: Match, second: impl FnOnce() -> Match) -> Match {
    if first == Match::No { second() } else { first }
}

/// Whether the tag of a declared argument begins here.
fn next_argument(here: &str, dialect: &Dialect, is_declared: impl Fn(&str) -> bool) -> Match {
    let forms = dialect.argument_tags().iter();
    let found = forms.map(|tags| match here.strip_prefix(tags.key) {
        None => Match::partial_if(tags.key.starts_with(here)),
        Some(after) => match after.split_once(tags.key_end) {
            Some((key, _)) if key.len() <= MAX_KEY && is_declared(key.trim()) => Match::Yes,
            Some(_) => Match::No,
            None => Match::partial_if(after.len() <= MAX_KEY),
        },
    });
    found.fold(Match::No, |all, one| or(all, || one))
}

/// Whether the tags that close a call begin here, and the text or another call follows.
fn end_of_call(here: &str, dialect: &Dialect, text_ended: bool) -> Match {
    let mut rest = here;
    let mut closes = false;
    while let Some(after) = dialect.close.iter().find_map(|tag| rest.strip_prefix(tag)) {
        closes = true;
        rest = after.trim_start();
    }
    let name = dialect.name.iter().map(|name| name.before).filter(|before| !before.is_empty());
    let opening: Vec<&str> = dialect.open.iter().copied().chain(name).collect();
    let may_be = |tag: &&str| tag.len() > rest.len() && tag.starts_with(rest);
    match closes {
        true if rest.is_empty() && text_ended => Match::Yes,
        true if opening.iter().any(|tag| rest.starts_with(tag)) => Match::Yes,
        true => Match::partial_if(opening.iter().chain(dialect.close).any(may_be)),
        false => Match::partial_if(dialect.close.iter().any(may_be)),
    }
}
