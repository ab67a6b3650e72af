//! The README tells no lies about the configuration.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)] // Tests stop where they stand.

use std::collections::BTreeSet;
use transponder::config::Config;
use transponder::upstream::preset_names;

const README: &str = include_str!("../README.md");

fn between(begin: &str, end: &str) -> &'static str {
    let (_, rest) = README.split_once(begin).unwrap();
    rest.split_once(end).unwrap().0
}

/// The names in backticks at the beginning of each row of a table.
fn first_column(table: &'static str) -> BTreeSet<&'static str> {
    table.lines().filter_map(|row| row.strip_prefix("| `")?.split('`').next()).collect()
}

#[test]
fn the_example_is_a_valid_configuration() {
    Config::parse(between("```json", "```").as_bytes()).unwrap();
}

#[test]
fn the_presets_exist() {
    let listed = between("Presets: ", "\n").split('`').skip(1).step_by(2);
    let known: Vec<&str> = preset_names().collect();
    listed.for_each(|preset| assert!(known.contains(&preset), "{preset}"));
}

#[test]
fn the_options_exist() {
    // The error of an unknown option lists the known ones.
    let error = Config::parse(br#"{"upstream": {"no_such_option": 1}}"#).unwrap_err().to_string();
    let known: BTreeSet<&str> = error.split('`').skip(3).step_by(2).collect();
    assert!(known.len() > 10, "{error}");
    let listed = first_column(between("| Option |", "###"));
    assert!(listed.is_subset(&known), "{:?}", listed.difference(&known));
}
