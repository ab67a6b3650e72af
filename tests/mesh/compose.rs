//! `examples/docker-compose`: Docker Compose checks the file as far as possible without a daemon, and a real Envoy runs
//! its configuration.

use crate::envoy_config::any_port;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Codex, Envoy, Upstream, envoy_binary, module, project};

fn directory() -> PathBuf {
    project().join("examples/docker-compose")
}

fn yaml(file: &Path) -> Value {
    serde_yaml_ng::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// The services as Docker Compose understands them.
fn services() -> Value {
    let compose = project().join("tests/schemas/.venv/bin/docker-compose");
    let mut command = Command::new(compose);
    command.arg("--file").arg(directory().join("compose.yaml")).args(["config", "--format", "json"]);
    let config = command.output().expect("run `tests/schemas/setup`");
    assert!(config.status.success(), "{}", String::from_utf8_lossy(&config.stderr));
    assert!(config.stderr.is_empty(), "{}", String::from_utf8_lossy(&config.stderr));
    let mut config: Value = serde_json::from_slice(&config.stdout).unwrap();
    config["services"].take()
}

/// The file of the repository that a service has at a path.
fn mounted(service: &Value, target: &str) -> PathBuf {
    let mut volumes = service["volumes"].as_array().unwrap().iter();
    let volume =
        volumes.find(|volume| volume["target"] == target).unwrap_or_else(|| panic!("{target} in {service}"));
    volume["source"].as_str().unwrap().into()
}

#[test]
fn docker_compose_accepts_it_and_every_file_is_there() {
    let services = services();
    for (name, service) in services.as_object().unwrap() {
        for volume in
            service["volumes"].as_array().into_iter().flatten().filter(|volume| volume["type"] == "bind")
        {
            let source = Path::new(volume["source"].as_str().unwrap());
            // Docker creates a directory in place of a missing file, and Envoy would then read a directory.
            assert!(source.is_file(), "{name}: {} is missing", source.display());
        }
        let published = service["ports"].as_array().into_iter().flatten();
        published.for_each(|port| assert_eq!(port["host_ip"], "127.0.0.1", "{name} is open to the network"));
    }
}

#[test]
fn each_service_finds_what_it_reads() {
    let services = services();
    // Prometheus reads the rules next to its configuration, and scrapes Envoy's admin interface.
    let prometheus = yaml(&mounted(&services["prometheus"], "/etc/prometheus/prometheus.yml"));
    for rules in prometheus["rule_files"].as_array().unwrap() {
        mounted(&services["prometheus"], &format!("/etc/prometheus/{}", rules.as_str().unwrap()));
    }
    let mut plain = yaml(&project().join("envoy/prometheus/prometheus.yml"));
    plain["scrape_configs"][0]["static_configs"][0]["targets"] = json!(["envoy:9901"]);
    assert_eq!(prometheus, plain);

    // Grafana reads dashboards where its provider looks for them.
    let providers =
        yaml(&mounted(&services["grafana"], "/etc/grafana/provisioning/dashboards/transponder.yml"));
    let path = providers["providers"][0]["options"]["path"].as_str().unwrap();
    mounted(&services["grafana"], &format!("{path}/transponder.json"));
    mounted(&services["grafana"], "/etc/grafana/provisioning/datasources/prometheus.yml");

    let command = services["envoy"]["command"].as_array().unwrap();
    mounted(&services["envoy"], command[2].as_str().unwrap());
}

const MODULE: &str = "/etc/envoy/transponder.wasm";

#[test]
fn its_envoy_is_that_of_make_run() {
    mounted(&services()["envoy"], MODULE);
    let mut print = Command::new(project().join("envoy/run.py"));
    print.args(["--print", "--upstream", "http://ollama:11434/v1", "--preset", "ollama"]);
    print.args(["--listen", "0.0.0.0:8080", "--admin", "0.0.0.0:9901"]);
    let printed = print.env("TRANSPONDER_WASM", MODULE).env("ENVOY", envoy_binary()).output().unwrap();
    let here = std::fs::read_to_string(directory().join("envoy.yaml")).unwrap();
    assert_eq!(
        here,
        String::from_utf8(printed.stdout).unwrap(),
        "make it anew: envoy/run.py --print with these options and TRANSPONDER_WASM={MODULE}"
    );
}

/// The real Codex, with the configuration to paste, through the demo's Envoy.
#[tokio::test]
async fn codex_works_with_the_pasted_configuration() {
    let upstream = Upstream::start().await;
    let mut config = yaml(&directory().join("envoy.yaml"));
    config["admin"]["address"] = any_port();
    let resources = &mut config["static_resources"];
    resources["listeners"][0]["address"] = any_port();
    let endpoint =
        &mut resources["clusters"][0]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"];
    assert_eq!(endpoint["address"]["socket_address"], json!({"address": "ollama", "port_value": 11434}));
    endpoint["address"] = support::socket(upstream.address());
    let text = config.to_string().replace(MODULE, module().to_str().unwrap());
    let envoy = Envoy::launch(&serde_json::from_str(&text).unwrap()).await;

    let paste = std::fs::read_to_string(project().join("examples/codex/config.toml")).unwrap();
    let codex = Codex::new(&envoy.base_url());
    let paste = paste.replace("http://127.0.0.1:8080/v1", &envoy.base_url());
    std::fs::write(codex.home().join("config.toml"), paste).unwrap();

    let call =
        json!({"id": "call_1", "name": "exec_command", "arguments": {"cmd": "echo from-codex > made.txt"}});
    upstream.script(json!({"replies": [{"tool_calls": [call]}, {"text": "Done."}]})).await;
    let turn = codex.exec_as_configured(&[], "Make a file.").await;
    turn.assert_completed();
    assert_eq!(turn.messages(), ["Done."]);
    assert_eq!(std::fs::read_to_string(codex.workdir().join("made.txt")).unwrap().trim(), "from-codex");
    assert_eq!(upstream.bodies().await[0]["model"], "qwen3:4b");
    envoy.finish();
}
