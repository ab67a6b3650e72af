//! `envoy/corporate.yaml` with other addresses and files: a site with its own authority, a vLLM that requires
//! certificates, and clients that have them.

use crate::envoy_config::{any_port, cluster, listener, tls};
use crate::manifest::{Manifest, read};
use crate::mesh::{assert_serves, launch};
use crate::world::{KEY, PROVIDER, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::process::Command;
use support::{Envoy, Upstream, envoy_binary, module, post_with, project};
use tempfile::TempDir;

const OURS: &str = "models.example.internal";
const VLLM: &str = "vllm.example.internal";

fn corporate() -> Value {
    read("corporate.yaml").remove(0)
}

fn connection_manager(envoy: &Value) -> &Value {
    &envoy["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
}

/// The filter's PluginConfig.
fn plugin(envoy: &Value) -> &Value {
    let filters = connection_manager(envoy)["http_filters"].as_array().unwrap();
    &filters.iter().find(|filter| filter["name"] == "transponder").unwrap()["typed_config"]["config"]
}

/// A listener that adds TLS to the clients' requests. It selects the client certificate by the `Host:` of the request.
/// `nobody` has no certificate.
fn clients(world: &World) -> (Value, Vec<Value>) {
    let names = ["alice", "bob", "nobody"];
    let hosts = names.map(|name| {
        json!({"name": name, "domains": [name], "routes": [
            {"match": {"prefix": "/"}, "route": {"cluster": name, "timeout": "0s"}}
        ]})
    });
    let clusters = names.map(|name| {
        let mut cluster = cluster(name, &world.address_of(OURS));
        let certificates = match name {
            "nobody" => json!([]),
            _ => json!([world.certify(&format!("/etc/clients/{name}"), name)]),
        };
        cluster["transport_socket"] = tls(&json!({"sni": OURS, "common_tls_context": {
            "tls_certificates": certificates,
            "validation_context": {
                "trusted_ca": world.trusted(),
                "match_typed_subject_alt_names": [{"san_type": "DNS", "matcher": {"exact": OURS}}]
            }
        }}));
        cluster
    });
    (listener("front", &any_port(), &json!({}), &[], &json!(hosts)), clusters.into())
}

async fn start(world: &World) -> Envoy {
    launch(&site(world)).await
}

fn site(world: &World) -> Value {
    world.certify("/etc/transponder/server", OURS);
    world.certify("/etc/transponder/client", "envoy.example.internal");
    world.write("/etc/transponder/company-ca.crt", &world.authority());
    std::fs::copy(module(), world.in_pod("/etc/transponder/transponder.wasm")).unwrap();
    let secret = json!({"resources": [{
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
        "name": "together-key",
        "generic_secret": {"secret": {"inline_string": KEY}}
    }]});
    world.write("/etc/transponder/together/secret.yaml", &secret.to_string());

    let mut envoy = corporate();
    envoy["admin"]["address"] = any_port();
    let resources = &mut envoy["static_resources"];
    resources["listeners"][0]["address"] = world.address_of(OURS);
    for (cluster, name) in resources["clusters"].as_array_mut().unwrap().iter_mut().zip([VLLM, PROVIDER]) {
        cluster["type"] = json!("STATIC"); // a socket has no name to resolve
        let address =
            &mut cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"];
        assert_eq!(address["socket_address"]["address"], name);
        *address = world.address_of(name);
    }
    let (front, mut more) = clients(world);
    more.extend([world.behind(VLLM, &world.vllm), world.behind(PROVIDER, &world.provider)]);
    resources["clusters"].as_array_mut().unwrap().extend(more);
    let listeners = resources["listeners"].as_array_mut().unwrap();
    listeners.extend([front, world.server(VLLM, true), world.server(PROVIDER, false)]);
    world.mounted(&envoy)
}

#[tokio::test]
async fn corporate_chooses_the_server_by_the_model_and_keeps_the_keys() {
    let world = World::new().await;
    let envoy = start(&world).await;
    assert_serves(&envoy, ("alice", "qwen"), &world.vllm, None, VLLM).await;
    assert_serves(&envoy, ("alice", "together/qwen"), &world.provider, Some(KEY), PROVIDER).await;

    // Without a certificate, there is no connection.
    let answer = post_with(&envoy.responses_url(), &[("host", "nobody")], "{}").await;
    assert_eq!(answer.status, 503);

    let log = envoy.logged();
    let line = log.lines().find(|line| line.contains("\"transponder.outcome\":\"completed\"")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["client"], "CN=alice");
    assert_eq!(line["gen_ai.request.model"], "qwen");
    assert_eq!(line["envoy.cluster"], "vllm");
    envoy.finish();
}

#[tokio::test]
async fn corporate_serves_long_requests_while_a_server_is_down() {
    let world = World::new().await;
    let mut envoy = site(&world);
    let vllm = &mut envoy["static_resources"]["clusters"][0];
    assert_eq!(vllm["name"], "vllm");
    let servers = vllm["load_assignment"]["endpoints"][0]["lb_endpoints"].as_array_mut().unwrap();
    servers.push(json!({"endpoint": {"address": world.address_of("down.example.internal")}}));
    let envoy = launch(&envoy).await;
    // Without a conversation, each request goes to any of the two.
    for _ in 0..16 {
        assert_serves(&envoy, ("alice", "qwen"), &world.vllm, None, VLLM).await;
    }
    assert!(envoy.stat("cluster.vllm.upstream_rq_retry").await > 0);
    envoy.finish();
}

#[tokio::test]
async fn corporate_keeps_conversations_at_one_server() {
    const SECOND: &str = "vllm-2.example.internal";
    let world = World::new().await;
    let replica = Upstream::start().await;
    let mut config = site(&world);
    let clusters = config["static_resources"]["clusters"].as_array_mut().unwrap();
    let servers = clusters[0]["load_assignment"]["endpoints"][0]["lb_endpoints"].as_array_mut().unwrap();
    servers.push(json!({"endpoint": {"address": world.address_of(SECOND)}}));
    clusters.push(world.behind(SECOND, &replica));
    // It is another server of the same name.
    let mut server = world.server(VLLM, true);
    server["name"] = json!(SECOND);
    server["address"] = world.address_of(SECOND);
    let replace = server.to_string().replace(&format!("behind {VLLM}"), &format!("behind {SECOND}"));
    let listeners = config["static_resources"]["listeners"].as_array_mut().unwrap();
    listeners.push(serde_json::from_str(&replace).unwrap());
    let envoy = launch(&world.mounted(&config)).await;

    for turn in 0..3 {
        for conversation in 0..12 {
            let id = format!("conversation {conversation}");
            let headers = [("host", "alice"), ("session-id", &id)];
            let body = json!({"model": "qwen", "input": format!("turn {turn}"), "instructions": id});
            let answer = post_with(&envoy.responses_url(), &headers, body.to_string()).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }
    let mut total = 0;
    for server in [&world.vllm, &replica] {
        let mut turns = BTreeMap::new();
        for body in server.bodies().await {
            *turns.entry(body["messages"][0]["content"].to_string()).or_insert(0) += 1;
        }
        assert!(!turns.is_empty() && turns.values().all(|turns| *turns == 3), "{turns:?}");
        total += turns.len();
    }
    assert_eq!(total, 12);
    envoy.finish();
}

#[tokio::test]
async fn corporate_limits_each_client_by_itself() {
    let world = World::new().await;
    let envoy = start(&world).await;
    let ask = async |client: &str| post_with(&envoy.responses_url(), &[("host", client)], "{}").await;
    let (mut served, mut answer) = (0, ask("alice").await);
    // An error of the filter: a request without a model.
    while answer.status == 400 {
        served += 1;
        answer = ask("alice").await;
    }
    // A new minute may have begun meanwhile.
    assert!((60..=120).contains(&served), "{served}");
    assert_eq!(answer.status, 429);
    assert_eq!(answer.json()["error"]["code"], "rate_limit_exceeded");
    assert_eq!(answer.header("retry-after"), Some("5"));
    assert_eq!(ask("bob").await.status, 400);
    envoy.finish();
}

/// The shipped configuration, with other paths.
#[test]
fn corporate_passes_envoys_own_validation() {
    let pod = TempDir::new().unwrap();
    let here = pod.path().display().to_string();
    let certified = rcgen::generate_simple_self_signed([OURS.to_owned()]).unwrap();
    for directory in ["server", "client", "together"] {
        std::fs::create_dir(pod.path().join(directory)).unwrap();
        std::fs::write(pod.path().join(directory).join("tls.crt"), certified.cert.pem()).unwrap();
        std::fs::write(pod.path().join(directory).join("tls.key"), certified.signing_key.serialize_pem())
            .unwrap();
    }
    std::fs::write(pod.path().join("company-ca.crt"), certified.cert.pem()).unwrap();
    std::fs::write(pod.path().join("together/secret.yaml"), "resources: []").unwrap();
    std::fs::copy(module(), pod.path().join("transponder.wasm")).unwrap();
    let text = std::fs::read_to_string(project().join("envoy/corporate.yaml")).unwrap();
    let text = text.replace("/etc/transponder", &here);
    let text = text.replace("/etc/ssl/certs/ca-certificates.crt", &format!("{here}/company-ca.crt"));
    std::fs::write(pod.path().join("corporate.yaml"), text).unwrap();

    let mut validate = Command::new(envoy_binary());
    let validated =
        validate.args(["--mode", "validate", "-c"]).arg(pod.path().join("corporate.yaml")).output().unwrap();
    assert!(validated.status.success(), "{}", String::from_utf8_lossy(&validated.stderr));
}

/// The template of `make run` defines the log fields, the labels and buckets, and the capabilities of the module.
#[test]
fn corporate_logs_measures_and_restricts_as_make_run_does() {
    let mut print = Command::new(project().join("envoy/run.py"));
    let print = print.args(["--print", "--upstream", "http://127.0.0.1:1/v1"]).output().unwrap();
    let made: Value = serde_yaml_ng::from_slice(&print.stdout).unwrap();
    let corporate = corporate();
    assert_eq!(corporate["stats_config"], made["stats_config"]);
    let capabilities = |envoy: &Value| plugin(envoy)["capability_restriction_config"].clone();
    assert!(capabilities(&made)["allowed_capabilities"].is_object());
    assert_eq!(capabilities(&corporate), capabilities(&made));
    let gateway = Manifest::apply(&["gateway/gateway.yaml", "gateway/native.yaml"]);
    for proxy in gateway.all("EnvoyProxy") {
        let merged = proxy["spec"]["bootstrap"]["value"].as_str().unwrap();
        let merged: Value = serde_yaml_ng::from_str(merged).unwrap();
        assert_eq!(merged["stats_config"], made["stats_config"]);
    }
    let format = |envoy: &Value| {
        let log = &connection_manager(envoy)["access_log"][0]["typed_config"]["log_format"];
        log["json_format"].as_object().unwrap().clone()
    };
    let logged = format(&corporate);
    for (field, value) in format(&made) {
        assert_eq!(logged.get(&field), Some(&value), "{field}");
    }
}
