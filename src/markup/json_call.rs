//! Calls that are a JSON object with the name and the arguments, in the key names of all models.

use super::OfferedTools;
use super::matching::Match;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

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
    let named = |after: &str| {
        let value = after.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
        tools.find(value.split_once('"')?.0).map(drop)
    };
    NAMES.iter().any(|key| text.split(&format!("\"{key}\"")).skip(1).any(|after| named(after).is_some()))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct JsonCall<'a> {
    #[serde(borrow, alias = "tool_name")]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    function: Option<&'a RawValue>,
    #[serde(borrow, alias = "parameters", alias = "args", alias = "input")]
    arguments: Option<&'a RawValue>,
}

/// The name and the arguments.
pub(super) fn parse(object: &str) -> Option<(String, String)> {
    let JsonCall { name, function, arguments } = serde_json::from_str(object).ok()?;
    let name = match (name, function) {
        (Some(name), _) => name.into_owned(),
        (None, Some(function)) if function.get().starts_with('{') => return parse(function.get()),
        (None, Some(function)) => serde_json::from_str(function.get()).ok()?,
        (None, None) => return None,
    };
    let arguments = match arguments {
        // The arguments as a JSON string, as Chat Completions has them.
        Some(raw) if raw.get().starts_with('"') => serde_json::from_str(raw.get()).ok()?,
        Some(raw) => raw.get().to_owned(),
        None => "{}".to_owned(),
    };
    Some((name, arguments))
}
