//! `docs/troubleshooting.md` knows every code of an error and every line of the log that stand in the source.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // Tests stop where they stand.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use transponder::metrics::{OTHER, REFUSALS, Values};

const PAGE: &str = include_str!("../docs/troubleshooting.md");

fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.collect()
}

/// All of the source but its tests.
fn source() -> String {
    let files = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let text = files.iter().map(|path| fs::read_to_string(path).unwrap());
    text.map(|text| text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned()).collect()
}

/// The string literals that follow these words.
fn literals_after(source: &str, words: &str) -> BTreeSet<String> {
    let after = source.split(words).skip(1);
    after.filter_map(|rest| Some(rest.strip_prefix('"')?.split('"').next()?.to_owned())).collect()
}

/// The codes of all errors that are the filter's own.
fn codes() -> BTreeSet<String> {
    let source = source();
    let mut codes = literals_after(&source, ".code(");
    let kinds = literals_after(&source, ".code(format!(");
    assert_eq!(kinds.len(), 2, "{kinds:?}");
    for kind in kinds {
        codes.extend(["integer", "decimal"].map(|number| kind.replace("{kind}", number)));
    }
    let words = source.split('"').filter(|word| word.starts_with("upstream_") && word.len() > 16);
    let is_word = |word: &&str| word.chars().all(|char| char.is_ascii_lowercase() || char == '_');
    codes.extend(words.filter(is_word).map(str::to_owned));
    assert!(codes.len() > 20, "{codes:?}");
    codes
}

#[test]
fn every_code_is_explained() {
    for code in codes() {
        assert!(PAGE.contains(&format!("\n| `{code}` |")), "{code} is not in docs/troubleshooting.md");
    }
}

/// The codes in the table below a heading.
fn table(heading: &str) -> BTreeSet<String> {
    let section = PAGE.split(&format!("### {heading}\n")).nth(1).unwrap().split("\n#").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    rows.map(str::to_owned).collect()
}

#[test]
fn every_refusal_is_counted_under_its_own_code() {
    let Values::Of(counted) = REFUSALS.labels[0].values else { panic!() };
    let counted = counted.iter().filter(|code| **code != OTHER).map(|code| (*code).to_owned());
    assert_eq!(counted.collect::<BTreeSet<_>>(), table("Before anything goes up"));
}

#[test]
fn every_line_of_the_log_is_explained() {
    let source = source();
    let mut lines = BTreeSet::new();
    for call in source.split("log::").skip(1) {
        let is_call = ["error!(", "warn!(", "info!(", "debug!("].iter().any(|level| call.starts_with(level));
        if is_call {
            let text = call.split('"').nth(1).unwrap();
            let head = text.split(['{', ':', '\\']).next().unwrap().trim_end();
            lines.insert(head.trim_end_matches(" either").to_owned());
        }
    }
    assert!(lines.len() >= 6, "{lines:?}");
    for line in lines {
        let line = line.split(" while").next().unwrap();
        assert!(PAGE.contains(&format!("| `{line}")), "`{line}` is not in docs/troubleshooting.md");
    }
}
