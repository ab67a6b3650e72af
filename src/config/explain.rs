//! Rewrites serde's errors for users: the expected key or value, the one that was probably meant, and the object in
//! which a misplaced key belongs.

use super::error::without_position;
use super::raw::{RawConfig, RawRule};
use super::{Catalog, Limits, Price, Search, error::Errors};
use crate::upstream::{Options, Reasoning, ReasoningReplay};
use serde::de::DeserializeOwned;

/// The message for an error in a value of the configuration.
pub(super) fn message(error: &serde_json::Error) -> String {
    let message = without_position(error);
    let about = |prefix: &str| message.strip_prefix(prefix)?.split_once(", expected ");
    if let Some((key, expected)) = about("unknown field ") {
        return unknown_key(key.trim_matches('`'), &names_in(expected));
    }
    if let Some((word, expected)) = about("unknown variant ") {
        return unknown("value", word.trim_matches('`'), &names_in(expected));
    }
    if let Some((found, expected)) = about("invalid type: ").or_else(|| about("invalid value: ")) {
        let expected = plain(expected);
        // In place of the headers of a store, a text may be a secret, and the message is logged.
        let is_hidden = expected == "an object" && found.starts_with("string ");
        let found = if is_hidden { "a string" } else { shown(found) };
        return format!("expected {expected}, found {found}");
    }
    missing(error).map_or(message, |key| format!("`{key}` is missing"))
}

/// The key that an object lacks, if that is the error.
pub(super) fn missing(error: &serde_json::Error) -> Option<String> {
    let message = without_position(error);
    Some(message.strip_prefix("missing field `")?.strip_suffix('`')?.to_owned())
}

/// The message for an unknown word: the one that was probably meant, or all known ones.
pub(super) fn unknown(what: &str, word: &str, known: &[&str]) -> String {
    match closest(word, known.iter().copied()) {
        Some(close) => format!("unknown {what} `{word}`, did you mean `{close}`?"),
        None => format!("unknown {what} `{word}`, expected one of: {}", known.join(", ")),
    }
}

/// Rejects a word that is not in a list.
pub(super) fn check_word(at: &str, what: &str, word: &str, known: &[&str], errors: &mut Errors) {
    if !known.contains(&word) {
        errors.add(at, unknown(what, word, known));
    }
}

fn unknown_key(key: &str, known: &[&str]) -> String {
    let homes = homes();
    if let Some((place, _)) = homes.iter().find(|(_, keys)| keys.iter().any(|known| known == key)) {
        return format!("`{key}` belongs {place}");
    }
    if closest(key, known.iter().copied()).is_none() {
        for (place, keys) in &homes {
            if let Some(close) = closest(key, keys.iter().map(String::as_str)) {
                return format!("unknown key `{key}`, did you mean `{close}`? It belongs {place}");
            }
        }
    }
    unknown("key", key, known)
}

/// The objects of a configuration and their keys.
fn homes() -> [(&'static str, Vec<String>); 9] {
    let mut upstream = keys_of::<Options>();
    upstream.push("preset".to_owned());
    [
        ("at the top level", keys_of::<RawConfig>()),
        ("in a rule of `models`", keys_of::<RawRule>()),
        ("inside `upstream`", upstream),
        ("inside `reasoning` of an upstream", keys_of::<Reasoning>()),
        ("inside `reasoning_replay` of an upstream", keys_of::<ReasoningReplay>()),
        ("inside `limits`", keys_of::<Limits>()),
        ("inside `catalog` of a rule", keys_of::<Catalog>()),
        ("inside `search`", keys_of::<Search>()),
        ("inside `price` of a rule", keys_of::<Price>()),
    ]
}

/// The keys of an object, which serde lists when it rejects one.
fn keys_of<T: DeserializeOwned>() -> Vec<String> {
    let error = serde_json::from_str::<T>(r#"{"": null}"#).err();
    let message = error.map(|error| without_position(&error)).unwrap_or_default();
    let (_, expected) = message.split_once(", expected ").unwrap_or_default();
    names_in(expected).into_iter().map(str::to_owned).collect()
}

/// The names between backticks.
fn names_in(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// An expectation without the names of Rust's types.
fn plain(expected: &str) -> &str {
    match expected {
        "usize" | "u64" => "a whole number",
        "f64" => "a number",
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list",
        "a map" => "an object",
        _ if expected.starts_with("struct ") => "an object",
        _ => expected,
    }
}

/// A value that was found, without its type if the value itself shows it.
fn shown(found: &str) -> &str {
    let kinds = ["string ", "integer ", "floating point ", "boolean "];
    match found {
        "sequence" => "a list",
        "map" => "an object",
        _ => kinds.iter().find_map(|kind| found.strip_prefix(kind)).unwrap_or(found),
    }
}

/// The known word that differs by a typing error, if there is one.
fn closest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Swapping two letters counts as two.
    let most = word.chars().count().div_ceil(3);
    let near = known.map(|known| (distance(word, known), known)).filter(|(distance, _)| *distance <= most);
    near.min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// Levenshtein's distance: the fewest characters to insert, delete or replace.
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (index, char) in one.chars().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        let Some((first, rest)) = row.split_first_mut() else { break };
        *first = left;
        for (cell, expected) in rest.iter_mut().zip(other.chars()) {
            let replaced = diagonal + usize::from(char != expected);
            diagonal = *cell;
            left = replaced.min(*cell + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_counts_typing_errors() {
        for (one, other, expected) in [
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("vlm", "vllm", 1),
            ("sytem", "system", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(one, other), expected, "{one} {other}");
            assert_eq!(distance(other, one), expected, "{other} {one}");
        }
    }

    #[test]
    fn every_object_lists_its_keys() {
        for (place, keys) in homes() {
            assert!(keys.len() > 1 && keys.iter().all(|key| !key.is_empty()), "{place}: {keys:?}");
        }
    }
}
