//! `docs/troubleshooting.md` explains every log line.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const PAGE: &str = include_str!("../../../docs/troubleshooting.md");

fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.collect()
}

/// The source without its tests.
fn source() -> String {
    let files = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let text = files.iter().map(|path| fs::read_to_string(path).unwrap());
    text.map(|text| text.split("#[cfg(test)]\nmod tests").next().unwrap().to_owned()).collect()
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
