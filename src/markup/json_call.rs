//! Calls that are a JSON object with the name and the arguments, in the key names of all models.

use super::OfferedTools;
use super::dialects::Dialect;
use super::matching::{Match, floor_boundary};
use crate::json::{DepthScanner, is_object};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// The keys that a call can begin with.
const KEYS: &[&str] =
    &["name", "tool_name", "type", "function", "id", "tool_call_id", "arguments", "parameters"];

/// Whether a call begins here: a JSON object with one of the known keys first and, if that is the name, an offered
/// tool's name.
pub(super) fn begins(text: &str, tools: &OfferedTools) -> Match {
    let Some(inside) = text.strip_prefix('{').map(str::trim_start) else { return Match::No };
    let Some(key) = inside.strip_prefix('"') else { return Match::partial_if(inside.is_empty()) };
    let Some((key, after)) = key.split_once('"') else {
        return Match::partial_if(KEYS.iter().any(|known| known.starts_with(key)));
    };
    if !KEYS.contains(&key) {
        return Match::No;
    }
    if !NAMES.contains(&key) {
        return Match::Yes;
    }
    let after = after.trim_start();
    let Some(value) = after.strip_prefix(':').map(str::trim_start) else {
        return Match::partial_if(after.is_empty());
    };
    if value.is_empty() {
        return Match::Partial;
    }
    match value.strip_prefix('"').map(|name| name.split_once('"').ok_or(name)) {
        None if key == "function" && value.starts_with('{') => Match::Yes,
        None => Match::No,
        Some(Ok((name, _))) if tools.find(name).is_some() => Match::Yes,
        Some(Ok(_)) => Match::No,
        Some(Err(name)) => Match::partial_if(tools.may_become(name)),
    }
}

/// The keys whose value may be the name.
const NAMES: &[&str] = &["name", "tool_name", "function"];

/// Whether the beginning of a call names an offered tool.
pub(super) fn names_tool(text: &str, tools: &OfferedTools) -> bool {
    names(text).any(|name| tools.find(name).is_some())
}

/// The offered tool that an object calls which cannot be read as a call.
pub(super) fn damaged<'t>(object: &str, tools: &'t OfferedTools) -> Option<&'t str> {
    let has_arguments = || ARGUMENTS.iter().any(|key| object.contains(&format!("\"{key}\"")));
    let is_json = || is_object(object, |_| true);
    (has_arguments() || is_json()).then(|| tools.find(names(object).next()?)).flatten()
}

/// The values of the keys for names, in the order of the keys.
fn names(text: &str) -> impl Iterator<Item = &str> {
    NAMES.iter().flat_map(move |key| {
        text.match_indices(key).filter_map(move |(at, _)| {
            let (before, after) = (text.get(..at)?, text.get(at + key.len()..)?);
            let value = after.strip_prefix('"')?.trim_start().strip_prefix(':')?.trim_start();
            let value = value.strip_prefix('"')?;
            before.ends_with('"').then(|| value.split_once('"').map(|(name, _)| name)).flatten()
        })
    })
}

/// The longest closing tag, in bytes.
const MAX_CLOSE: usize = 32;

/// Where an object that began at `from` ends, although its last brackets are missing: a closing tag follows that is not
/// within a string. Before `new` there is none; `depth` has read the object up to there. At the end of the text, a tag
/// may also seem to be within a string.
pub(super) fn unclosed(
    text: &str,
    from: usize,
    new: usize,
    mut depth: DepthScanner,
    dialects: &[&Dialect],
    ended: bool,
) -> Option<usize> {
    let searched = floor_boundary(text, new.saturating_sub(MAX_CLOSE)).max(from);
    let rest = text.get(searched..)?;
    let tags = dialects.iter().flat_map(|dialect| dialect.close).filter(|tag| tag.len() > 3);
    let mut ends: Vec<usize> =
        tags.flat_map(|tag| rest.match_indices(tag)).map(|(at, _)| searched + at).collect();
    // By a cached number, as other lists are: a sort of its own would add 4 kB to the module.
    ends.sort_by_cached_key(|end| *end as u64);
    let mut read = new;
    let unclosed = ends.into_iter().find(|end| {
        // A tag has no quote, so one that began before `new` is in a string if the text at `new` is.
        depth.push(text.as_bytes().get(read..*end).unwrap_or_default());
        read = read.max(*end);
        // A string may have thousands of them, and each attempt to parse reads the whole object.
        !depth.is_in_string() && is_object_without_end(text.get(from..*end).unwrap_or_default())
    });
    let broken = || broken(text.get(from..)?, dialects).map(|end| from + end);
    unclosed.or_else(|| ended.then(broken).flatten())
}

/// Where an object with a mistake ends that hides its end: before the first closing tag that follows a bracket.
pub(super) fn broken(text: &str, dialects: &[&Dialect]) -> Option<usize> {
    let tags = dialects.iter().flat_map(|dialect| dialect.close).filter(|tag| tag.len() > 3);
    let ends = tags.flat_map(|tag| text.match_indices(tag)).map(|(at, _)| at);
    ends.filter(|end| text.get(..*end).unwrap_or_default().trim_end().ends_with(['}', ']'])).min()
}

fn is_object_without_end(text: &str) -> bool {
    ["}", "}}", "]}", "]}}"].iter().any(|end| is_object(&format!("{text}{end}"), |_| true))
}

/// The keys whose value may be the arguments.
const ARGUMENTS: &[&str] = &["arguments", "parameters", "args", "input"];

/// The other keys of a call.
const LABELS: &[&str] = &["type", "id", "tool_call_id", "call_id", "index"];

/// The name and the arguments. `is_tagged`: a tag says that it is a call. Without one, an object is a call only if it
/// has an object as its arguments and nothing else. Other JSON may name a tool by chance.
pub(super) fn parse(object: &str, is_tagged: bool) -> Option<(String, String)> {
    let fields: Fields = serde_json::from_str(object).ok()?;
    let inner: Option<Fields> =
        fields.get("function").and_then(|function| serde_json::from_str(function.get()).ok());
    let all = || [&fields].into_iter().chain(&inner);
    let find = |keys: &[&str]| all().find_map(|fields| keys.iter().find_map(|key| fields.get(*key)));
    let names = if inner.is_some() { &["name", "tool_name"] } else { NAMES };
    let name = serde_json::from_str(find(names)?.get()).ok()?;
    let is_only_a_call = !all().flatten().any(is_other_content);
    let arguments = match find(ARGUMENTS) {
        // The arguments as a JSON string, as Chat Completions has them.
        Some(raw) if raw.get().starts_with('"') => serde_json::from_str(raw.get()).ok()?,
        Some(raw) => raw.get().to_owned(),
        // Content under an unknown key may be the arguments.
        None if is_tagged && is_only_a_call => "{}".to_owned(),
        None => return None,
    };
    let is_call = is_tagged || is_only_a_call && is_object(&arguments, |_| true);
    is_call.then_some((name, arguments))
}

type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// Whether a field is no part of a call.
fn is_other_content((key, value): (&String, &&RawValue)) -> bool {
    let is_known = [NAMES, ARGUMENTS, LABELS].iter().any(|keys| keys.contains(&key.as_str()));
    !is_known && !["null", "\"\"", "{}", "[]"].contains(&value.get())
}
