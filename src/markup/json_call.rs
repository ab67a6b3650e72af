//! Calls that are a JSON object which names itself, in the spellings of all models.

use super::offer::Offer;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// Whether something begins here.
#[derive(PartialEq)]
pub(super) enum Fit {
    No,
    Maybe,
    Yes,
}

/// The keys of an object that is a call.
const KEYS: &[&str] =
    &["name", "tool_name", "type", "function", "id", "tool_call_id", "arguments", "parameters"];

/// Whether a JSON object begins here that can be a call: by its first key and, if that is the name, by the name.
pub(super) fn fit(text: &str, offer: &Offer) -> Fit {
    let Some(inside) = text.strip_prefix('{').map(str::trim_start) else { return Fit::No };
    let Some(key) = inside.strip_prefix('"') else {
        return if inside.is_empty() { Fit::Maybe } else { Fit::No };
    };
    let Some((key, after)) = key.split_once('"') else {
        return if KEYS.iter().any(|known| known.starts_with(key)) { Fit::Maybe } else { Fit::No };
    };
    if !KEYS.contains(&key) {
        return Fit::No;
    }
    if !["name", "tool_name", "function"].contains(&key) {
        return Fit::Yes;
    }
    let after = after.trim_start();
    let Some(value) = after.strip_prefix(':').map(str::trim_start) else {
        return if after.is_empty() { Fit::Maybe } else { Fit::No };
    };
    match (value.is_empty(), value.strip_prefix('"')) {
        (true, _) => Fit::Maybe,
        (_, None) => {
            if key == "function" && value.starts_with('{') {
                Fit::Yes
            } else {
                Fit::No
            }
        }
        (_, Some(name)) => match name.split_once('"') {
            Some((name, _)) if offer.find(name).is_some() => Fit::Yes,
            None if offer.may_become(name) => Fit::Maybe,
            _ => Fit::No,
        },
    }
}

/// A call as a JSON object, in the spellings of all models.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Spoken<'a> {
    #[serde(borrow, alias = "tool_name")]
    name: Option<Cow<'a, str>>,
    #[serde(borrow)]
    function: Option<&'a RawValue>,
    #[serde(borrow, alias = "parameters", alias = "args", alias = "input")]
    arguments: Option<&'a RawValue>,
}

/// The name and the arguments of a call that is a JSON object.
pub(super) fn spoken(object: &str) -> Option<(String, String)> {
    let Spoken { name, function, arguments } = serde_json::from_str(object).ok()?;
    let name = match (name, function) {
        (Some(name), _) => name.into_owned(),
        (None, Some(function)) if function.get().starts_with('{') => return spoken(function.get()),
        (None, Some(function)) => serde_json::from_str(function.get()).ok()?,
        (None, None) => return None,
    };
    let arguments = match arguments {
        // Some write the JSON of the arguments as a string, as it stands in the API.
        Some(raw) if raw.get().starts_with('"') => serde_json::from_str(raw.get()).ok()?,
        Some(raw) => raw.get().to_owned(),
        None => "{}".to_owned(),
    };
    Some((name, arguments))
}
