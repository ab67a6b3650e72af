//! What all configurations have in common.

use crate::envoy_config::WASM;
use crate::manifest::{Manifest, array, read};
use crate::world::KEY;
use serde_json::{Value, json};
use std::process::Command;
use support::{Answer, Envoy, Upstream, local_reply_config, post_with, project};

/// The credential that a client of the mesh sends.
const CLIENTS_KEY: &str = "sk-of-the-client";

async fn ask(envoy: &Envoy, host: &str, model: &str) -> Answer {
    let request = json!({
        "model": model, "input": "Which files?", "stream": true,
        "tools": [{"type": "function", "name": "shell", "parameters": {"type": "object"}}],
        // Larger than the buffers that control planes configure.
        "instructions": "x".repeat(3 << 20)
    });
    let authorization = format!("Bearer {CLIENTS_KEY}");
    let headers = [("authorization", authorization.as_str()), ("host", host)];
    post_with(&envoy.responses_url(), &headers, request.to_string()).await
}

/// Checks that a Responses request returns a tool call and reaches the upstream as Chat Completions with this key and
/// `Host:`.
pub async fn assert_serves(
    envoy: &Envoy,
    (host, model): (&str, &str),
    upstream: &Upstream,
    key: Option<&str>,
    seen_as: &str,
) {
    upstream.clear().await;
    let call = json!({"id": "call_1", "name": "shell", "arguments": {"command": "ls"}});
    upstream.script(json!({"replies": [{"tool_calls": [call]}]})).await;
    let answer = ask(envoy, host, model).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let completed = answer.data_of("response.completed");
    assert_eq!(completed[0]["response"]["output"][0]["type"], "function_call", "{completed:?}");
    assert!(!answer.text().contains(KEY) && !format!("{:?}", answer.headers).contains(KEY));

    let [request] = &upstream.requests().await[..] else { panic!("one request") };
    assert_eq!(request.path, "/v1/chat/completions");
    let key = key.map(|key| format!("Bearer {key}"));
    assert_eq!(request.headers.get("authorization"), key.as_ref());
    assert_eq!(request.headers["host"], seen_as);
    assert!(!request.headers.contains_key("x-transponder-upstream"));
}

/// Envoy retries a request only if its body fits into the buffer of its route.
fn assert_long_requests_are_retried(bootstrap: &Value) {
    let listeners = bootstrap["static_resources"]["listeners"].as_array().unwrap().iter();
    let mut covered = 0;
    for listener in listeners.filter(|listener| listener.to_string().contains(WASM)) {
        let hosts = "/filter_chains/0/filters/0/typed_config/route_config/virtual_hosts";
        for host in listener.pointer(hosts).and_then(Value::as_array).unwrap() {
            let limits = [&host["request_body_buffer_limit"], &listener["per_connection_buffer_limit_bytes"]];
            let limit = limits.iter().find_map(|limit| limit.as_u64());
            assert!(limit >= Some(64 << 20), "{} of {}: {limit:?}", host["name"], listener["name"]);
            covered += 1;
        }
    }
    assert!(covered > 0);
}

pub async fn launch(bootstrap: &Value) -> Envoy {
    assert_long_requests_are_retried(bootstrap);
    let mut envoy = Envoy::launch(bootstrap).await;
    envoy.plant_secret(KEY);
    envoy.plant_secret(CLIENTS_KEY);
    envoy
}

/// Envoy's own reply if the upstream's breaks off while its headers are held. It passes no filter. With Envoy Gateway,
/// the patch that holds headers also sets this format.
#[test]
fn every_configuration_gives_envoys_own_answers_the_apis_shape() {
    let printed = Command::new(project().join("envoy/run.py"))
        .args(["--print", "--upstream", "http://127.0.0.1:1/v1", "--preset", "generic"])
        .output()
        .unwrap();
    let compose = std::fs::read_to_string(project().join("examples/docker-compose/envoy.yaml")).unwrap();
    let envoys = [
        ("make run", serde_yaml_ng::from_slice(&printed.stdout).unwrap()),
        ("compose", serde_yaml_ng::from_str(&compose).unwrap()),
        ("corporate", read("corporate.yaml").remove(0)),
        ("two upstreams", read("two-upstreams.yaml").remove(0)),
    ];
    for (name, bootstrap) in &envoys {
        let listeners = array(&bootstrap["static_resources"]["listeners"]).iter();
        let filtered: Vec<&Value> =
            listeners.filter(|listener| listener.to_string().contains(WASM)).collect();
        assert!(!filtered.is_empty(), "{name}");
        for listener in filtered {
            let manager = &listener["filter_chains"][0]["filters"][0]["typed_config"];
            assert_has_our_mappers(&manager["local_reply_config"], name);
        }
    }
    for file in ["gateway", "external-host", "waypoint", "sidecar", "held-headers", "state", "inference-pool"]
    {
        let manifest = Manifest::apply(&[&format!("istio/{file}.yaml")]);
        let patches = manifest.all("EnvoyFilter").flat_map(|filter| array(&filter["spec"]["configPatches"]));
        let of_managers: Vec<&Value> = patches
            .filter(|patch| patch["applyTo"] == "NETWORK_FILTER")
            .map(|patch| &patch["patch"]["value"]["typed_config"]["local_reply_config"])
            .collect();
        let [config] = of_managers[..] else { panic!("one in {file}") };
        assert_has_our_mappers(config, file);
    }
    for file in ["held-headers", "native"] {
        let manifest = Manifest::apply(&[&format!("gateway/{file}.yaml")]);
        let mut patches =
            manifest.all("EnvoyPatchPolicy").flat_map(|policy| array(&policy["spec"]["jsonPatches"]));
        let patch = patches.find(|patch| patch["operation"]["path"] == "local_reply_config").unwrap();
        assert_has_our_mappers(&patch["operation"]["value"], file);
    }
}

fn assert_has_our_mappers(config: &Value, name: &str) {
    let expected = local_reply_config()["mappers"].as_array().unwrap().clone();
    let mappers = config["mappers"].as_array().unwrap_or_else(|| panic!("{name} has none"));
    assert_eq!(mappers[..expected.len()], expected, "{name}");
}

/// Envoy Gateway retries a request only if its body fits into the buffer of the connection.
#[test]
fn envoy_gateway_retries_long_requests() {
    for file in ["gateway", "held-headers", "native", "state"] {
        let manifest = Manifest::apply(&[&format!("gateway/{file}.yaml")]);
        let policies: Vec<&Value> = manifest.all("ClientTrafficPolicy").collect();
        let [policy] = policies[..] else { panic!("one in {file}") };
        assert_eq!(policy["spec"]["connection"]["bufferLimit"], "128Mi", "{file}");
    }
}

/// `tests/envoy/state` runs the configuration of plain Envoy with a real server. The manifests add the same cluster and have the
/// same store, so what holds for one holds for all.
#[test]
fn every_control_plane_has_the_store_of_plain_envoy() {
    let plain = read("fleet/state.yaml").remove(0);
    let resources = &plain["static_resources"];
    let is_store = |cluster: &&Value| cluster["name"] == "responses";
    let cluster = array(&resources["clusters"]).iter().find(is_store).unwrap();
    let plugin = resources["listeners"][0].pointer(
        "/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/config/configuration/value",
    );
    let plugin: Value = serde_json::from_str(plugin.and_then(Value::as_str).unwrap()).unwrap();

    let istio = Manifest::apply(&["istio/state.yaml"]);
    let mut patches = istio.all("EnvoyFilter").flat_map(|filter| array(&filter["spec"]["configPatches"]));
    let added = patches.find(|patch| patch["applyTo"] == "CLUSTER").unwrap();
    assert_eq!(&added["patch"], &json!({"operation": "ADD", "value": cluster}));
    let [filter] = istio.all("WasmPlugin").collect::<Vec<_>>()[..] else { panic!("one") };
    assert_eq!(filter["spec"]["pluginConfig"], plugin);

    let gateway = Manifest::apply(&["gateway/state.yaml"]);
    let [policy] = gateway.all("EnvoyPatchPolicy").collect::<Vec<_>>()[..] else { panic!("one") };
    let [patch] = array(&policy["spec"]["jsonPatches"]) else { panic!("one") };
    assert_eq!(patch["name"], "responses");
    assert_eq!(patch["operation"], json!({"op": "add", "path": "", "value": cluster}));
    let [policy] = gateway.all("EnvoyExtensionPolicy").collect::<Vec<_>>()[..] else { panic!("one") };
    assert_eq!(policy["spec"]["wasm"][0]["config"], plugin);

    // Each mounts the key where the cluster reads it.
    let file = "/etc/transponder/responses/credentials";
    assert!(cluster.to_string().contains(file));
    for manifest in [&istio, &gateway] {
        let [secret] = manifest.all("Secret").collect::<Vec<_>>()[..] else { panic!("one") };
        assert!(secret["stringData"]["credentials"].as_str().unwrap().starts_with("[default]\n"));
        let objects = json!(manifest.objects).to_string();
        assert!(objects.contains("/etc/transponder/responses") && objects.contains("responses-key"));
    }
}
