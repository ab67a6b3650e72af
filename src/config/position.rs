//! Positions in the text of a configuration, and the JSON paths that they have.

use super::check::join;
use super::error::Errors;
use crate::json::{Bounds, Kind, Tape, TapeValue};

/// A position in the text of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
}

/// The position at which a path begins. A field begins with its name. If the text does not have the complete path, the
/// position of the innermost part that it has.
pub(super) fn of(path: &str, text: &str) -> Option<Position> {
    let tape = tape(text)?;
    let mut found = offset(tape.root(), text);
    let (mut value, mut rest) = (tape.root(), path);
    while let Some((begin, inner, after)) = step(value, rest) {
        found = offset(begin, text);
        (value, rest) = (inner, after);
    }
    let before = text.get(..found?)?;
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    let column = before.get(line_start..)?.chars().count() + 1;
    Some(Position { line: before.matches('\n').count() + 1, column })
}

/// Adds an error for each key that an object has twice. serde_json would silently use the last one.
pub(super) fn refuse_duplicates(text: &str, errors: &mut Errors) {
    if let Some(tape) = tape(text) {
        duplicates(tape.root(), "", errors);
    }
}

fn duplicates(value: TapeValue<'_>, at: &str, errors: &mut Errors) {
    let mut names = Vec::new();
    for (name, inner) in value.fields() {
        let name = name.string().unwrap_or_default();
        let path = join(at, &name);
        if names.contains(&name) {
            errors.add(&path, format!("`{name}` is given twice"));
        }
        duplicates(inner, &path, errors);
        names.push(name);
    }
    for (index, element) in value.elements().into_iter().flatten().enumerate() {
        duplicates(element, &format!("{at}[{index}]"), errors);
    }
}

fn tape(text: &str) -> Option<Tape<'_>> {
    // serde_json, which has read the text before, does not go deeper either.
    Tape::read(text, Bounds { depth: 128, values: text.len() }).ok()
}

fn offset(value: TapeValue<'_>, text: &str) -> Option<usize> {
    (value.get().as_ptr() as usize).checked_sub(text.as_ptr() as usize)
}

/// The first step of a path: the position and value of that part, and the rest of the path.
fn step<'a, 'p>(value: TapeValue<'a>, path: &'p str) -> Option<(TapeValue<'a>, TapeValue<'a>, &'p str)> {
    if value.kind() == Kind::Object {
        return value.fields().find_map(|(name, inner)| {
            let rest = path.strip_prefix(&*name.string()?)?;
            ends_name(rest).then(|| (name, inner, rest.strip_prefix('.').unwrap_or(rest)))
        });
    }
    let (index, rest) = path.strip_prefix('[')?.split_once(']')?;
    let element = value.elements()?.nth(index.parse().ok()?)?;
    Some((element, element, rest.strip_prefix('.').unwrap_or(rest)))
}

/// Whether a name ends where the rest of its path begins.
pub(super) fn ends_name(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['.', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_a_line_and_a_column() {
        let text = "{\n  \"a\": [1, {\"b\": 2}],\n  \"é\": {\"c\": 3}, \"d.e\": 4\n}";
        for (path, (line, column)) in [
            ("", (1, 1)),
            ("a", (2, 3)),
            ("a[0]", (2, 9)),
            ("a[1].b", (2, 13)),
            ("a[1].missing", (2, 12)),
            ("é.c", (3, 9)),
            ("d.e", (3, 18)),
            ("missing", (1, 1)),
        ] {
            assert_eq!(super::of(path, text), Some(Position { line, column }), "{path}");
        }
    }
}
