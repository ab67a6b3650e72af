//! Ids of tool calls.

/// Similar ids, for an id that is already in use: its number is increased, or a number is appended if it has none. The
/// first `skip` of them are omitted. The form stays the same, because Kimi's chat template reads a tool's name from the
/// id: `functions.f:0`.
pub(crate) fn similar_ids(id: &str, skip: usize) -> impl Iterator<Item = String> {
    let stem = id.trim_end_matches(|char: char| char.is_ascii_digit());
    let digits = id.get(stem.len()..).unwrap_or_default();
    let (stem, number, width) = match digits.parse::<u32>() {
        Ok(number) => (stem.to_owned(), u64::from(number) + 1, digits.len()),
        Err(_) => (format!("{id}_"), 2, 1),
    };
    (number.saturating_add(skip as u64)..).map(move |number| format!("{stem}{number:0width$}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similar_ids_have_the_same_form() {
        for (id, expected) in [
            ("functions.f:0", ["functions.f:1", "functions.f:2"]),
            ("functions.f:9", ["functions.f:10", "functions.f:11"]),
            ("call_007", ["call_008", "call_009"]),
            ("0", ["1", "2"]),
            ("call_abc", ["call_abc_2", "call_abc_3"]),
            ("", ["_2", "_3"]),
            ("x99999999999999999999", ["x99999999999999999999_2", "x99999999999999999999_3"]),
        ] {
            assert_eq!(similar_ids(id, 1).next().as_deref(), expected.last().copied(), "{id}");
            assert_eq!(similar_ids(id, 0).take(2).collect::<Vec<_>>(), expected, "{id}");
        }
    }
}
