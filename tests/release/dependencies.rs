//! The rules of `deny.toml` for licences and sources, checked without cargo-deny, which takes minutes to build.

use serde_json::Value;
use std::process::Command;
use support::project;

/// All packages that `Cargo.lock` names, as cargo describes them.
pub(crate) fn packages() -> Vec<Value> {
    let metadata =
        Command::new(env!("CARGO")).args(["metadata", "--format-version", "1", "--locked"]).output();
    let metadata = metadata.unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: Value = serde_json::from_slice(&metadata.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

/// The licences that `deny.toml` allows.
fn allowed() -> Vec<String> {
    let rules = std::fs::read_to_string(project().join("deny.toml")).unwrap();
    let (_, list) = rules.split_once("allow = [").unwrap();
    let (list, _) = list.split_once(']').unwrap();
    list.split(',')
        .map(|name| name.trim().trim_matches('"').to_owned())
        .filter(|name| !name.is_empty())
        .collect()
}

/// Whether an SPDX expression is satisfied: `AND` needs all of its parts, `OR` one. (`/` is an old way to write `OR`.)
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    let plain = expression.replace(['(', ')'], "").replace('/', " OR ");
    // The expressions put `OR` into parentheses, so splitting at `AND` first is correct.
    plain.split(" AND ").all(|all| all.split(" OR ").any(|one| allowed.iter().any(|name| name == one.trim())))
}

#[test]
fn every_dependency_has_a_licence_that_is_allowed_and_comes_from_the_registry() {
    let (packages, allowed) = (packages(), allowed());
    assert!(packages.len() > 50 && allowed.len() > 5);
    for package in &packages {
        let (name, licence) = (&package["name"], package["license"].as_str().unwrap_or_default());
        assert!(is_allowed(licence, &allowed), "{name} is under '{licence}'");
        let source = package["source"].as_str();
        assert!(source.is_none_or(|source| source.starts_with("registry+")), "{name} comes from {source:?}");
    }
}

#[test]
fn a_forbidden_licence_or_source_is_noticed() {
    let allowed = ["MIT".to_owned(), "Apache-2.0".to_owned()];
    for (expression, expected) in
        [("MIT", true), ("GPL-3.0 OR MIT", true), ("(MIT OR GPL-3.0) AND GPL-3.0", false), ("", false)]
    {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}
