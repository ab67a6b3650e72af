//! The table of known deviations in `docs/upstreams.md` is complete.

use std::fs;
use std::path::Path;

const PAGE: &str = include_str!("../../../docs/upstreams.md");
const REPORTS: &str = "tests/core/reports";

/// The cells of each row.
fn deviations() -> Vec<Vec<&'static str>> {
    let (_, section) = PAGE.split_once("## Known deviations").unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ")).skip(1);
    rows.map(|row| row.trim_matches('|').split(" | ").map(str::trim).collect()).collect()
}

/// The tests that a row names.
fn tests(row: &[&'static str]) -> Vec<&'static str> {
    row[4].split(", ").map(|test| test.trim_matches('`')).collect()
}

#[test]
fn every_deviation_says_who_what_how_sure_and_which_test() {
    let rows = deviations();
    assert!(rows.len() > 30, "{}", rows.len());
    for row in rows {
        assert!(row.len() == 5 && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        assert!(["rule", "guess"].iter().any(|word| row[3].starts_with(word)), "{row:?}");
        for test in tests(&row) {
            let exists = Path::new(test).exists() || Path::new(REPORTS).join(test).exists();
            assert!(exists, "{test} of {row:?}");
        }
    }
}

#[test]
fn every_report_has_a_row() {
    let rows = deviations();
    for case in fs::read_dir(Path::new(REPORTS).join("cases")).unwrap() {
        let case = format!("cases/{}", case.unwrap().file_name().to_string_lossy());
        assert_eq!(rows.iter().filter(|row| tests(row).contains(&&*case)).count(), 1, "{case}");
    }
}
