//! Reproductions of faults that users of other translators, clients and servers reported.
//!
//! Each folder of `cases` is one report: the client's request, the configuration, the upstream's reply, and what is
//! right. `why.md` names the source and the rule. A report is an example of its kind; the tables in this folder try the
//! rest of the kind, and what resembles it and must stay as it is.

mod errors;
mod judge;
mod markup;
mod requests;
mod schemas;
mod tool_names;

use crate::support::*;
use judge::{Expected, Outcome};
use serde_json::json;
use std::path::{Path, PathBuf};
use transponder::request::Translated;

/// What a client gets for the upstream's reply.
fn outcome(translated: Translated, status: u16, upstream: &[u8]) -> Outcome {
    let mut reply = translated.reply;
    let mut out = Vec::new();
    reply.begin(status);
    reply.push(upstream, &mut out);
    reply.end(&mut out);
    match reply.error() {
        Some(error) if !out.starts_with(b"event:") => Outcome::Error(error.clone()),
        _ => Outcome::reply(&out),
    }
}

fn run(case: &Path, expected: &Expected) -> Outcome {
    let file = |name: &str| std::fs::read(case.join(name)).unwrap_or_default();
    let config = match file("config.json") {
        none if none.is_empty() => json!({}),
        config => serde_json::from_slice(&config).unwrap(),
    };
    let translated = match ask_text(file("request.json")).config(&config).translate() {
        Ok(translated) => translated,
        Err(error) => return Outcome::Error(error),
    };
    if expected.verb == "request" {
        return Outcome::Sent(serde_json::from_slice(&translated.body).unwrap());
    }
    let upstream = [file("upstream.sse"), file("upstream.json")].concat();
    outcome(translated, expected.status, &upstream)
}

#[test]
fn every_reported_fault_is_gone() {
    let mut cases: Vec<PathBuf> = Path::new("tests/core/reports/cases")
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    let mut faults = Vec::new();
    for case in &cases {
        let expected = Expected::read(&case.join("expect.json"));
        if let Err(fault) = expected.judge(&run(case, &expected)) {
            faults.push(format!("{}: {fault}", case.display()));
        }
    }
    assert_eq!(cases.len(), 27, "the cases are there");
    assert!(faults.is_empty(), "{} of {}:\n{}", faults.len(), cases.len(), faults.join("\n"));
}
