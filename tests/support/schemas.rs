//! Published schemas, which `tests/schemas/setup` installs.

use std::io::Write;
use std::process::{Command, Stdio};

use super::project;
use serde_json::Value;

/// Stops the test with all that a schema has to say against a document; `kind` as in `tests/schemas/check.mjs`.
pub fn check(kind: &str, document: &Value) {
    let findings = findings(kind, document);
    assert!(findings.is_empty(), "{findings}");
}

pub fn findings(kind: &str, document: &Value) -> String {
    let mut node = Command::new("node")
        .args(["check.mjs", kind])
        .current_dir(project().join("tests/schemas"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("cannot start node");
    node.stdin.take().unwrap().write_all(document.to_string().as_bytes()).unwrap();
    let ended = node.wait_with_output().unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert_eq!(ended.status.success(), said.is_empty(), "run `tests/schemas/setup`: {said}");
    said
}
