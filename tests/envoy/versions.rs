//! The table of Envoy versions in docs/quick-start/envoy.md, for the Envoy in use. `make versions` runs it for each
//! version of the table.

use std::path::Path;
use std::process::Command;
use support::{Headers, bootstrap, envoy_binary, module, project};
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

/// The table's cells by the first cell of their row, for one version.
fn column(version: &str) -> Vec<(String, String)> {
    let page = std::fs::read_to_string(project().join("docs/quick-start/envoy.md")).unwrap();
    let (_, table) = page.split_once("| Envoy |").expect("a table of Envoy versions");
    let mut rows =
        table.lines().map(|row| row.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>());
    let at = rows.next().unwrap().iter().position(|cell| *cell == version);
    let at = at.unwrap_or_else(|| panic!("the table has no column for Envoy {version}"));
    let rows = rows.skip(1).take_while(|cells| cells.len() > 1);
    rows.map(|cells| (cells[0].to_owned(), cells[at + 1].to_owned())).collect()
}

/// Whether the Envoy in use accepts a configuration, and loads the module with it.
fn accepts(config: &str) -> bool {
    let files = TempDir::new().unwrap();
    let path = files.path().join("envoy.yaml");
    std::fs::write(&path, config.replace("/etc/transponder", &prepared(files.path()))).unwrap();
    let mut validation = Command::new(envoy_binary());
    validation.args(["--mode", "validate", "-c"]).arg(path).env("UPSTREAM_API_KEY", KEY);
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
    let text = std::fs::read_to_string(project().join(file)).unwrap();
    let text = text.replace("/etc/ssl/certs/ca-certificates.crt", "/etc/transponder/company-ca.crt");
    text.replace("/etc/envoy/", "/etc/transponder/")
        .replace("target/transponder.wasm", "/etc/transponder/transponder.wasm")
}

/// What `make run` starts Envoy with. The key itself is only in Envoy's environment.
fn printed_by_make_run(key: Option<&str>) -> String {
    let mut print = Command::new(project().join("envoy/run.py"));
    print.args(["--print", "--upstream", "http://127.0.0.1:1/v1", "--preset", "generic"]);
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
            "`make run`" => accepts(&printed_by_make_run(None)),
            "`make run` with `UPSTREAM_API_KEY`" => accepts(&printed_by_make_run(Some(KEY))),
            "The Compose demo" => accepts(&shipped("examples/docker-compose/envoy.yaml")),
            file => accepts(&shipped(file.trim_matches('`'))),
        };
        let expected = if accepted { "yes" } else { "no" };
        assert_eq!(cell, expected, "{row}, Envoy {version}");
    }
}
