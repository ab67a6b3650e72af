//! The README's examples are valid, and every link and path in the documentation leads somewhere.

use std::fs;
use std::path::{Path, PathBuf};
use transponder::config::Config;
use transponder::upstream::preset_names;

const README: &str = include_str!("../../../README.md");

fn between(begin: &str, end: &str) -> &'static str {
    let (_, rest) = README.split_once(begin).unwrap();
    rest.split_once(end).unwrap().0
}

#[test]
fn the_example_is_a_valid_configuration() {
    Config::parse(between("```json", "```").as_bytes()).unwrap();
}

#[test]
fn the_listed_presets_exist() {
    let listed: Vec<&str> = between("Presets: ", "\n").split('`').skip(1).step_by(2).collect();
    let known: Vec<&str> = preset_names().collect();
    assert_eq!(listed, known);
}

/// The README and all other pages, with their paths.
fn pages() -> Vec<(PathBuf, String)> {
    let mut pages = Vec::new();
    for directory in
        [".", "docs", "docs/adr", "docs/contributing", "docs/quick-start", ".github/ISSUE_TEMPLATE"]
    {
        let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
        let files = files.filter(|path| path.extension().is_some_and(|end| end == "md"));
        pages.extend(files.map(|path| (path.clone(), fs::read_to_string(path).unwrap())));
    }
    pages
}

/// The anchors of a page's headings, as GitHub derives them.
fn anchors(page: &str) -> Vec<String> {
    let headings =
        page.lines().filter_map(|line| line.strip_prefix('#')).map(|line| line.trim_matches(['#', ' ']));
    let anchor = |heading: &str| {
        let kept = heading.chars().filter(|char| char.is_alphanumeric() || [' ', '-', '_'].contains(char));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let pages = pages();
    assert!(pages.len() > 25);
    for (path, page) in pages {
        let targets = page.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        for (target, _) in targets.filter(|(target, _)| !target.contains("://")) {
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let file = if file.is_empty() { path.clone() } else { path.with_file_name("").join(file) };
            assert!(file.exists(), "{}: {target}", path.display());
            let is_there =
                || anchors(&fs::read_to_string(&file).unwrap()).iter().any(|known| known == anchor);
            assert!(anchor.is_empty() || is_there(), "{}: {target}", path.display());
        }
    }
}

/// Paths are in backticks. Those with a `*` or a placeholder are patterns.
#[test]
fn every_path_exists() {
    let roots = ["src/", "tests/", "envoy/", "examples/", "docs/", "benches/", "fuzz/", ".github/"];
    let mut found = 0;
    for (page_path, page) in pages() {
        for code in page.split('`').skip(1).step_by(2) {
            let path = code.split("::").next().unwrap();
            if roots.iter().any(|root| path.starts_with(root)) && !path.contains(['*', '<', ' ', '\n']) {
                assert!(Path::new(path).exists(), "{}: {path}", page_path.display());
                found += 1;
            }
        }
    }
    assert!(found > 200, "{found}");
}
