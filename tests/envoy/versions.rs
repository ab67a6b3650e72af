//! The table of Envoy versions in docs/quick-start/envoy.md, for the Envoy in use. `make versions` runs it for each
//! version of the table.

use std::path::Path;
use std::process::Command;
use support::{Headers, MODULES, bootstrap, envoy_binary, module, native_module, project};
use tempfile::TempDir;

const KEY: &str = "sk-of-the-upstream";

/// The minor version of the Envoy in use, e.g. `1.40`.
fn version() -> String {
    let output = Command::new(envoy_binary()).arg("--version").output().unwrap();
    // "envoy  version: <commit>/1.40.0/Clean/RELEASE/BoringSSL"
    let output = String::from_utf8(output.stdout).unwrap();
    let version = output.split('/').find(|part| part.starts_with("1.")).unwrap();
    version.rsplit_once('.').unwrap().0.to_owned()
}

fn read(file: &str) -> String {
    std::fs::read_to_string(project().join(file)).unwrap()
}

/// The rows of the table, of which the first has the versions.
fn table() -> Vec<Vec<String>> {
    let page = read("docs/quick-start/envoy.md");
    let (_, table) = page.split_once("\n| Envoy |").expect("a table of Envoy versions");
    let rows = table.lines().take_while(|row| !row.is_empty()).filter(|row| !row.starts_with("|---"));
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// The table's cells by the first cell of their row, for one version.
fn column(version: &str) -> Vec<(String, String)> {
    let table = table();
    let at = table[0].iter().position(|cell| cell == version);
    let at = at.unwrap_or_else(|| panic!("the table has no column for Envoy {version}"));
    table[1..].iter().map(|row| (row[0].clone(), row[at + 1].clone())).collect()
}

/// Whether the Envoy in use accepts a configuration, and loads the module with it.
fn accepts(config: &str) -> bool {
    let files = TempDir::new().unwrap();
    let path = files.path().join("envoy.yaml");
    std::fs::write(&path, config.replace("/etc/transponder", &prepared(files.path()))).unwrap();
    let mut validation = Command::new(envoy_binary());
    validation.args(["--mode", "validate", "-c"]).arg(path).env("UPSTREAM_API_KEY", KEY);
    validation.env(MODULES, native_module().parent().unwrap());
    validation.output().unwrap().status.success()
}

/// A directory with the files that a configuration may name.
fn prepared(files: &Path) -> String {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    for directory in ["server", "client", "together"] {
        let directory = files.join(directory);
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(directory.join("tls.crt"), certified.cert.pem()).unwrap();
        std::fs::write(directory.join("tls.key"), certified.signing_key.serialize_pem()).unwrap();
    }
    std::fs::write(files.join("company-ca.crt"), certified.cert.pem()).unwrap();
    std::fs::write(files.join("together/secret.yaml"), "resources: []").unwrap();
    std::fs::copy(module(), files.join("transponder.wasm")).unwrap();
    files.display().to_string()
}

/// A configuration of this repository, with the paths of its files where `accepts` finds them.
fn shipped(file: &str) -> String {
    let text = read(file).replace("/etc/ssl/certs/ca-certificates.crt", "/etc/transponder/company-ca.crt");
    text.replace("/etc/envoy/", "/etc/transponder/")
        .replace("target/transponder.wasm", "/etc/transponder/transponder.wasm")
}

/// What `make run` starts Envoy with. The key itself is only in Envoy's environment.
fn printed_by_make_run(options: &[&str], key: Option<&str>) -> String {
    let mut print = Command::new(project().join("envoy/run.py"));
    print.args(["--print", "--upstream", "http://127.0.0.1:1/v1", "--preset", "generic"]).args(options);
    print.env("ENVOY", envoy_binary()).env("TRANSPONDER_WASM", module()).env_remove("UPSTREAM_API_KEY");
    print.envs(key.map(|key| ("UPSTREAM_API_KEY", key)));
    String::from_utf8(print.output().unwrap().stdout).unwrap()
}

#[test]
fn the_table_tells_which_configurations_this_envoy_accepts() {
    let upstream = "127.0.0.1:1".parse().unwrap();
    let version = version();
    for (row, cell) in column(&version) {
        let accepted = match row.as_str() {
            "The module" => accepts(&bootstrap(upstream, "{}", Headers::Flow).to_string()),
            "The module with `hold_request_headers`" => {
                let config = r#"{"hold_request_headers": true}"#;
                accepts(&bootstrap(upstream, config, Headers::Held).to_string())
            }
            "The native module" => accepts(&bootstrap(upstream, "{}", Headers::Native).to_string()),
            "`make run`" => accepts(&printed_by_make_run(&[], None)),
            "`make run` with `UPSTREAM_API_KEY`" => accepts(&printed_by_make_run(&[], Some(KEY))),
            "`make run` with `NATIVE=1`" => accepts(&printed_by_make_run(&["--native"], None)),
            "The Compose demo" => accepts(&shipped("examples/docker-compose/envoy.yaml")),
            file => accepts(&shipped(file.trim_matches('`'))),
        };
        let expected = if accepted { "yes" } else { "no" };
        assert_eq!(cell, expected, "{row}, Envoy {version}");
    }
}

/// What is promised elsewhere is in the table, and what is in the table is tested.
#[test]
fn pages_and_workflows_name_the_versions_of_the_table() {
    let table = table();
    let versions = &table[0];
    let accepting = |row: &str| -> Vec<&String> {
        let cells = table.iter().find(|cells| cells[0] == row).unwrap_or_else(|| panic!("a row {row}"));
        versions
            .iter()
            .zip(&cells[1..])
            .filter(|(_, cell)| *cell == "yes")
            .map(|(version, _)| version)
            .collect()
    };
    let range = |row: &str| {
        let accepting = accepting(row);
        format!("{} to {} are tested", accepting[0], accepting.last().unwrap())
    };
    let readme = range("The module");
    assert!(read("README.md").contains(&readme), "README.md: {readme}");
    let native = format!("| Envoy versions | {readme} | {} |", range("The native module"));
    assert!(read("docs/quick-start/native.md").contains(&native), "docs/quick-start/native.md: {native}");

    let minor = |version: &str| version.rsplit_once('.').unwrap().0.to_owned();
    let makefile = read("Makefile");
    let (_, all) = makefile.split_once("\nversions: VERSIONS ?= ").unwrap();
    let all: Vec<_> = all.lines().next().unwrap().split(' ').collect();
    assert!(all.iter().map(|version| minor(version)).eq(versions.iter().cloned()), "{all:?}");
    // `make test` tests the newest, which envoy/get-envoy.sh fetches, and the oldest that is supported.
    let workflow = read(".github/workflows/test.yml");
    for version in all {
        let tested = workflow.contains(version)
            || makefile.contains(&format!("envoy/test-versions.sh {version}\n"))
            || read("envoy/get-envoy.sh").contains(&format!("fetched_version=${{1:-{version}}}"));
        assert!(tested, "nothing tests Envoy {version}");
    }
}
