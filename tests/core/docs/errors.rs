//! `docs/errors.md` lists every error code.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use transponder::error::{Code, Stage};
use transponder::metrics::REFUSALS;

const STAGES: [(Stage, &str); 5] = [
    (Stage::Headers, "Request rejected by its headers or size"),
    (Stage::Request, "Request rejected by its body"),
    (Stage::Upstream, "Error from the upstream, or from Envoy on its behalf"),
    (Stage::Reply, "Error after the reply has begun"),
    (Stage::Any, "Error of the filter itself"),
];

fn tables() -> String {
    let mut text = String::new();
    for (stage, heading) in STAGES {
        write!(text, "### {heading}\n\n| code | status | when | what to do |\n|---|---|---|---|\n").unwrap();
        for code in Code::ALL.iter().filter(|code| code.stage() == stage) {
            let status = match code.status() {
                0 => "same as upstream".to_owned(),
                status => status.to_string(),
            };
            writeln!(text, "| `{}` | {status} | {} | {} |", code.name(), code.when(), code.remedy()).unwrap();
        }
        text.push('\n');
    }
    text
}

/// `INSTA_UPDATE=always cargo test --test core the_page_holds_the_table` writes the page.
#[test]
fn the_page_holds_the_table() {
    let page = std::fs::read_to_string("docs/errors.md").unwrap();
    let (before, rest) = page.split_once("<!-- table -->\n").expect("the mark before the table");
    let (table, after) = rest.split_once("<!-- /table -->").expect("the mark after it");
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        let page = format!("{before}<!-- table -->\n{}<!-- /table -->{after}", tables());
        return std::fs::write("docs/errors.md", page).unwrap();
    }
    assert_eq!(table, tables());
}

#[test]
fn no_code_is_written_by_hand() {
    let mut sources = Vec::new();
    collect(Path::new("src"), &mut sources);
    assert!(sources.len() > 40);
    for (file, source) in &sources {
        let by_hand =
            source.lines().find(|line| line.contains(".code(\"") && !line.trim_start().starts_with("//"));
        assert_eq!(by_hand, None, "{file}: a code that is not in the table");
    }
    let all: String = sources.into_iter().map(|(_, source)| source).collect();
    let used = |code: &Code| {
        all.contains(&format!("Code::{code:?}")) || all.contains(&format!("\"{}\"", code.name()))
    };
    assert!(Code::ALL.iter().all(used));
}

/// The HTTP status of such an error would be 0.
#[test]
fn codes_with_the_status_of_the_upstream_are_not_given_to_of() {
    let mut sources = Vec::new();
    collect(Path::new("src"), &mut sources);
    for (file, source) in &sources {
        let calls = source.split("ApiError::of(").skip(1).map(str::trim_start);
        let codes = calls.filter_map(|call| call.strip_prefix("Code::")?.split(',').next());
        for name in codes {
            let code = Code::ALL.iter().find(|code| format!("{code:?}") == name).unwrap();
            assert_ne!(code.status(), 0, "{file}: {name}");
        }
    }
}

#[test]
fn each_code_is_there_once_and_each_refusal_has_a_series() {
    let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(names.len(), Code::ALL.len());
    for code in Code::ALL.iter().filter(|code| matches!(code.stage(), Stage::Headers | Stage::Request)) {
        assert!(REFUSALS.series(&[code.name()]).contains(code.name()), "{code:?}");
    }
}

fn collect(directory: &Path, into: &mut Vec<(String, String)>) {
    for entry in directory.read_dir().unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into)
        } else {
            into.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()))
        }
    }
}
