//! Golden files: the body that each preset makes of a rich Codex request, a rich SDK request and one for a structured answer.
//!
//! `tests/upstream/presets.rs` sends the same bodies to the strict upstream of each preset.

mod requests;

use requests::{codex, sdk, structured, translated};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use transponder::upstream::preset_names;

#[test]
fn the_bodies_of_each_preset() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../../golden");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for preset in preset_names() {
            let requests = [("codex", codex(preset)), ("sdk", sdk()), ("structured", structured())];
            let shown = requests.map(|(client, request)| {
                let translated = translated(preset, &request);
                let body: Value = serde_json::from_slice(&translated.body).unwrap();
                let dropped = translated.report.all_dropped().to_vec();
                json!({"client": client, "path": translated.path, "dropped": dropped, "body": body})
            });
            insta::assert_json_snapshot!(format!("preset-{preset}"), shown);
        }
    });
}

#[test]
fn each_preset_is_documented() {
    let page = include_str!("../../../../docs/upstreams.md");
    let headings = page.lines().filter(|line| line.starts_with("## "));
    let documented: Vec<&str> =
        headings.filter_map(|line| line.split_once("(`")?.1.strip_suffix("`)")).collect();
    assert_eq!(documented, preset_names().collect::<Vec<_>>());
}

/// By the provider's name in the base URL, or by a server's answers.
#[test]
fn make_run_finds_each_preset() {
    let script = include_str!("../../../../envoy/find_preset.py");
    let table = |begin: &str, end: &str| {
        let (_, rest) = script.split_once(begin).unwrap();
        rest.split_once(end).unwrap().0.lines().filter_map(|row| row.split('"').nth(3))
    };
    let found: BTreeSet<&str> =
        table("\nPROVIDERS = {\n", "\n}").chain(table("\nRULES = [\n", "\n]")).collect();
    assert_eq!(found, preset_names().collect());
}
