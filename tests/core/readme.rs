//! The README tells no lies about the configuration.

use transponder::config::Config;
use transponder::upstream::preset_names;

const README: &str = include_str!("../../README.md");

fn between(begin: &str, end: &str) -> &'static str {
    let (_, rest) = README.split_once(begin).unwrap();
    rest.split_once(end).unwrap().0
}

#[test]
fn the_example_is_a_valid_configuration() {
    Config::parse(between("```json", "```").as_bytes()).unwrap();
}

#[test]
fn the_presets_are_these() {
    let listed: Vec<&str> = between("Presets: ", "\n").split('`').skip(1).step_by(2).collect();
    let known: Vec<&str> = preset_names().collect();
    assert_eq!(listed, known);
}

#[test]
fn the_links_lead_somewhere() {
    let targets = README.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let files = targets.map(|(target, _)| target).filter(|target| !target.contains("://"));
    for file in files {
        assert!(std::path::Path::new(file).exists(), "{file}");
    }
}
