//! What `make` lists and what its parameters select.

use std::process::Command;
use support::project;

fn make(words: &[&str]) -> String {
    let mut command = Command::new("make");
    command.args(words).current_dir(project()).env_remove("NATIVE");
    let ended = command.output().unwrap();
    assert!(ended.status.success(), "{ended:?}");
    String::from_utf8(ended.stdout).unwrap()
}

#[test]
fn the_help_lists_every_target() {
    let makefile = std::fs::read_to_string(project().join("Makefile")).unwrap();
    let (_, public) = makefile.split_once(".PHONY: help ").unwrap();
    let help = make(&[]);
    for target in public.lines().next().unwrap().split(' ') {
        let begins = format!("make {target} ");
        assert!(help.lines().any(|line| line.starts_with(&begins)), "{target} is not in\n{help}");
    }
    for line in help.lines() {
        assert!(line.chars().count() <= 120, "{} characters: {line}", line.chars().count());
    }
}

/// `envoy/run.py` reads the same values: `run::the_native_module_runs_only_when_asked`.
#[test]
fn the_native_module_is_built_only_when_asked() {
    for target in ["run", "image"] {
        for (value, wanted) in
            [("1", true), ("yes", true), ("0", false), ("no", false), ("false", false), ("", false)]
        {
            let commands = make(&["--dry-run", target, &format!("NATIVE={value}")]);
            assert_eq!(commands.contains("build-module.sh"), wanted, "{target} NATIVE={value}:\n{commands}");
        }
    }
}
