//! `docs/responses.md` has a row for everything in the types of the pinned openai package.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use support::project;
use tokio::process::Command;

/// The limit. Loading the package takes seconds on a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// The entries without a row in a page.
async fn missing_in(page: &Path) -> Vec<String> {
    let python = project().join(".tools/clients/bin/python");
    assert!(python.exists(), "the clients are missing: run `tests/clients/setup`");
    let script = project().join("tests/clients/drift.py");
    let mut command = Command::new(python);
    let child = command.arg(script).arg(page).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let output =
        tokio::time::timeout(PATIENCE, child.wait_with_output()).await.expect("an end in time").unwrap();
    let lines: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(output.status.success(), lines.is_empty(), "{lines:?}");
    lines
}

#[tokio::test]
async fn everything_in_the_types_has_a_row() {
    assert_eq!(missing_in(&project().join("docs/responses.md")).await, [""; 0]);
}

/// The page without one row of each table.
#[tokio::test]
async fn a_missing_row_is_found() {
    let rows = [
        ("| `access_programs` |", "field access_programs"),
        ("| `reasoning.context` |", "field reasoning.context"),
        ("| `item_reference` |", "item item_reference"),
        ("| `input_file` |", "part input_file"),
        ("| `programmatic_tool_calling` |", "tool programmatic_tool_calling"),
        ("| `allowed_callers` |", "key allowed_callers of function"),
        ("| `environment.skills` |", "key environment.skills of shell"),
        ("| `input_image.detail` |", "value original of input_image.detail"),
        ("| `{\"type\": \"file_search\"}` |", "tool_choice file_search"),
        ("| `json_object` |", "text.format json_object"),
        ("| `file_search_call.results` |", "include file_search_call.results"),
        ("| `response.queued` |", "event response.queued"),
        ("| `file_path` |", "annotation file_path"),
        ("| `background` |", "response key background"),
        ("| `usage.input_tokens`,", "response key usage.output_tokens_details"),
        ("| `response.status` |", "value cancelled of response.status"),
    ];
    let page = std::fs::read_to_string(project().join("docs/responses.md")).unwrap();
    let kept = page.lines().filter(|line| !rows.iter().any(|(row, _)| line.starts_with(row)));
    let mut changed = tempfile::NamedTempFile::new().unwrap();
    kept.for_each(|line| writeln!(changed, "{line}").unwrap());
    let missing = missing_in(changed.path()).await;
    for (row, what) in rows {
        assert!(page.contains(&format!("\n{row}")), "{row}");
        assert!(missing.iter().any(|line| line == what), "{what} is not in {missing:#?}");
    }
}
