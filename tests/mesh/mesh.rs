//! Each manifest serves a tool call, with the configuration that a control plane derives from it.

use crate::envoy_config::WASM;
use crate::manifest::Manifest;
use crate::world::{KEY, PROVIDER, World};
use crate::{envoy_gateway, istio};
use serde_json::{Value, json};
use std::process::Command;
use std::time::{Duration, Instant};
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

#[tokio::test]
async fn istio_gateway() {
    for plugin in ["WasmPlugin", "TrafficExtension"] {
        let world = World::new().await;
        let mut manifest = Manifest::apply(&["istio/gateway.yaml", "istio/traffic-extension.yaml"]);
        let other = if plugin == "WasmPlugin" { "TrafficExtension" } else { "WasmPlugin" };
        manifest.delete(other, "transponder");
        let envoy = launch(&istio::gateway(&manifest, &world)).await;
        assert_serves(&envoy, ("models", "m"), &world.vllm, Some(CLIENTS_KEY), "models").await;
        envoy.finish();
    }
}

#[tokio::test]
async fn istio_sidecar() {
    let world = World::new().await;
    let envoy = launch(&istio::sidecars(&Manifest::apply(&["istio/sidecar.yaml"]), &world)).await;
    assert_serves(&envoy, ("vllm:8000", "m"), &world.vllm, Some(CLIENTS_KEY), "vllm:8000").await;
    envoy.finish();
}

#[tokio::test]
async fn istio_waypoint() {
    let world = World::new().await;
    let envoy = launch(&istio::gateway(&Manifest::apply(&["istio/waypoint.yaml"]), &world)).await;
    assert_serves(&envoy, ("vllm:8000", "m"), &world.vllm, Some(CLIENTS_KEY), "vllm:8000").await;
    envoy.finish();
}

#[tokio::test]
async fn istio_external_provider() {
    let world = World::new().await;
    let envoy = launch(&istio::gateway(&Manifest::apply(&["istio/external-host.yaml"]), &world)).await;
    assert_serves(&envoy, ("models", "m"), &world.provider, Some(KEY), PROVIDER).await;
    envoy.finish();
}

/// Envoy does not restart, and every request has a key.
#[tokio::test]
async fn istio_takes_a_new_key_from_the_secret() {
    let world = World::new().await;
    let manifest = Manifest::apply(&["istio/external-host.yaml"]);
    let envoy = launch(&istio::gateway(&manifest, &world)).await;
    let mut secret = manifest.find("Secret", "together-key").unwrap().clone();
    let document = secret["stringData"]["secret.yaml"].as_str().unwrap().replace(KEY, "the-next-key");
    secret["stringData"]["secret.yaml"] = json!(document);
    world.mount("/etc/transponder/together-key", &secret);

    let begin = Instant::now();
    loop {
        world.provider.clear().await;
        assert_eq!(ask(&envoy, "models", "m").await.status, 200);
        let key = world.provider.requests().await[0].headers["authorization"].clone();
        if key == "Bearer the-next-key" {
            break;
        }
        assert_eq!(key, format!("Bearer {KEY}"));
        assert!(begin.elapsed() < Duration::from_secs(30), "Envoy does not see the new key");
    }
    envoy.finish();
}

#[tokio::test]
async fn istio_held_headers() {
    let world = World::new().await;
    let mut manifest = Manifest::apply(&["istio/external-host.yaml", "istio/held-headers.yaml"]);
    // Those of the other Gateway.
    manifest.delete("WasmPlugin", "transponder-together");
    manifest.delete("HTTPRoute", "together");
    let envoy = launch(&istio::gateway(&manifest, &world)).await;
    assert_serves(&envoy, ("models", "qwen"), &world.vllm, Some(CLIENTS_KEY), "models").await;
    assert_serves(&envoy, ("models", "together/qwen"), &world.provider, Some(KEY), PROVIDER).await;
    envoy.finish();
}

#[tokio::test]
async fn envoy_gateway_and_its_external_provider() {
    let world = World::new().await;
    let manifest = Manifest::apply(&["gateway/gateway.yaml", "gateway/external-host.yaml"]);
    let envoy = launch(&envoy_gateway::envoy(&manifest, &world)).await;
    assert_serves(&envoy, ("models", "m"), &world.vllm, Some(CLIENTS_KEY), "models").await;
    assert_serves(&envoy, ("together.models.example.com", "m"), &world.provider, Some(KEY), PROVIDER).await;
    envoy.finish();
}

/// The objects of the Gateway that holds headers, without those of the other Gateway.
fn gateway_with_held_headers() -> Manifest {
    let files = ["gateway/gateway.yaml", "gateway/external-host.yaml", "gateway/held-headers.yaml"];
    let mut manifest = Manifest::apply(&files);
    // Those of the other Gateway.
    manifest.delete("Gateway", "models");
    manifest.delete("ClientTrafficPolicy", "models");
    manifest.delete("EnvoyExtensionPolicy", "transponder");
    manifest.delete("EnvoyExtensionPolicy", "transponder-together");
    manifest.delete("HTTPRoute", "vllm");
    manifest.delete("HTTPRoute", "together");
    manifest
}

#[tokio::test]
async fn envoy_gateway_held_headers() {
    let world = World::new().await;
    let envoy = launch(&envoy_gateway::envoy(&gateway_with_held_headers(), &world)).await;
    assert_serves(&envoy, ("models", "qwen"), &world.vllm, Some(CLIENTS_KEY), "models").await;
    assert_serves(&envoy, ("models", "together/qwen"), &world.provider, Some(KEY), PROVIDER).await;
    envoy.finish();
}

/// Envoy's own reply if the upstream's breaks off while its headers are held. It passes no filter. With Envoy Gateway,
/// the patch that holds headers also sets this format.
#[tokio::test]
async fn every_configuration_gives_envoys_own_answers_the_apis_shape() {
    let world = World::new().await;
    let yaml = |file: &str| {
        serde_yaml_ng::from_str(&std::fs::read_to_string(project().join(file)).unwrap()).unwrap()
    };
    let printed = Command::new(project().join("envoy/run.py"))
        .args(["--print", "--upstream", "http://127.0.0.1:1/v1", "--preset", "generic"])
        .output()
        .unwrap();
    let istio = |files: &[&str]| istio::gateway(&Manifest::apply(files), &world);
    let all: [(&str, Value); 9] = [
        ("make run", serde_yaml_ng::from_slice(&printed.stdout).unwrap()),
        ("corporate", yaml("envoy/corporate.yaml")),
        ("two upstreams", yaml("envoy/two-upstreams.yaml")),
        ("compose", yaml("examples/docker-compose/envoy.yaml")),
        ("Istio's gateway", istio(&["istio/gateway.yaml"])),
        ("its external provider", istio(&["istio/external-host.yaml"])),
        ("its waypoint", istio(&["istio/waypoint.yaml"])),
        ("its sidecars", istio::sidecars(&Manifest::apply(&["istio/sidecar.yaml"]), &world)),
        ("Envoy Gateway", envoy_gateway::envoy(&gateway_with_held_headers(), &world)),
    ];
    let expected = local_reply_config()["mappers"].as_array().unwrap().clone();
    for (name, bootstrap) in &all {
        let listeners = bootstrap["static_resources"]["listeners"].as_array().unwrap().iter();
        let filtered: Vec<&Value> =
            listeners.filter(|listener| listener.to_string().contains(WASM)).collect();
        assert!(!filtered.is_empty(), "{name}");
        for listener in filtered {
            let mappers =
                &listener["filter_chains"][0]["filters"][0]["typed_config"]["local_reply_config"]["mappers"];
            let mappers = mappers.as_array().unwrap_or_else(|| panic!("{name} has none"));
            assert_eq!(mappers[..expected.len()], expected, "{name}");
        }
    }
}
