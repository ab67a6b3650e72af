//! The JSON path of an error. serde_json reports line and column, which are less helpful for people.

use super::{Bounds, Kind, Tape, TapeValue};
use std::fmt::Write as _;

/// The path to the value in which serde_json found an error, e.g. `models[0].match`. Empty for the root, and if `json`
/// is not valid JSON.
pub fn path_of(error: &serde_json::Error, json: &str) -> String {
    let lines_before = json.split_inclusive('\n').take(error.line().saturating_sub(1));
    // serde_json reports the position after the last byte that it read.
    let byte = (lines_before.map(str::len).sum::<usize>() + error.column()).saturating_sub(1);
    // serde_json's own limit on depth.
    let document = Tape::read(json, Bounds { depth: 128, values: json.len() });
    document.map(|document| path_to(document.root(), byte)).unwrap_or_default()
}

/// The path from `value` to the innermost value that contains this byte. A field's name counts as part of its value.
fn path_to(mut value: TapeValue<'_>, byte: usize) -> String {
    let mut path = String::new();
    while let Some(inner) = step(value, byte, &mut path) {
        value = inner;
    }
    path
}

/// The direct child that contains the byte; appends its step to the path.
fn step<'a>(value: TapeValue<'a>, byte: usize, path: &mut String) -> Option<TapeValue<'a>> {
    if value.kind() == Kind::Object {
        let (name, inner) =
            value.fields().find(|(name, inner)| (name.span().start..inner.span().end).contains(&byte))?;
        let dot = if path.is_empty() { "" } else { "." };
        // Writing to a String cannot fail.
        let _ = write!(path, "{dot}{}", name.string()?);
        return Some(inner);
    }
    let (index, inner) = value.elements()?.enumerate().find(|(_, inner)| inner.span().contains(&byte))?;
    let _ = write!(path, "[{index}]");
    Some(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_belongs_to_the_innermost_value() {
        let json = r#"{"a": [10, {"b": "c"}], "d": {}}"#;
        let document = Tape::read(json, Bounds { depth: 9, values: 99 }).unwrap();
        for (part, path) in [
            ("{\"a", ""),
            ("a", "a"),
            ("[10", "a"),
            ("10", "a[0]"),
            ("0,", "a[0]"),
            (", {", "a"),
            ("{\"b", "a[1]"),
            ("b", "a[1].b"),
            ("\"c\"", "a[1].b"),
            ("}]", "a[1]"),
            ("]", "a"),
            ("{}", "d"),
            ("}}", "d"),
        ] {
            assert_eq!(path_to(document.root(), json.find(part).unwrap()), path, "{part}");
        }
        assert_eq!(path_to(document.root(), json.len()), "");
    }
}
