//! Translates Istio's manifests to Envoy's configuration, as istiod and istio-agent do.

use crate::envoy_config::{
    WASM, any_port, bootstrap, cluster, fetched, listener, merge, socket, string_value, tls,
};
use crate::gateway_api;
use crate::manifest::{Manifest, array, assert_only, name, namespace};
use crate::world::{PROVIDER, World};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The proxy of a Gateway, or a waypoint.
pub fn gateway(manifest: &Manifest, world: &World) -> Value {
    mount_secrets(manifest, world);
    let virtual_hosts = gateway_api::virtual_hosts(manifest.all("HTTPRoute"), cluster_name);
    let filters = wasm_filters(manifest, "targetRefs");
    let mut envoy = envoy(manifest, world, &filters, &json!(virtual_hosts));
    patch(manifest, &mut envoy, 0);
    world.mounted(&envoy)
}

/// A client's sidecar in front of the sidecar of the Service.
pub fn sidecars(manifest: &Manifest, world: &World) -> Value {
    let virtual_services = manifest.all("VirtualService").map(|service| {
        let [http] = array(&service["spec"]["http"]) else { panic!("one route: {service}") };
        assert_only(http, &["timeout", "retries", "route"]);
        let retries = &http["retries"];
        json!({"name": name(service), "domains": ["*"], "routes": [{"match": {"prefix": "/"}, "route": {
            "cluster": "inbound",
            "timeout": http["timeout"],
            "retry_policy": {"retry_on": retries["retryOn"], "num_retries": retries["attempts"]}
        }}]})
    });
    let mut envoy = envoy(manifest, world, &[], &virtual_services.collect());

    let inbound = json!({"pipe": {"path": "@transponder-inbound"}});
    let all = json!([{"name": "inbound", "domains": ["*"], "routes": [
        {"match": {"prefix": "/"}, "route": {"cluster": cluster_name(&json!({"name": "vllm", "port": 8000})), "timeout": "0s"}}
    ]}]);
    let filters = wasm_filters(manifest, "selector");
    let resources = &mut envoy["static_resources"];
    resources["listeners"].as_array_mut().unwrap().push(listener(
        "inbound",
        &inbound,
        &connection_manager(),
        &filters,
        &all,
    ));
    resources["clusters"].as_array_mut().unwrap().push(cluster("inbound", &inbound));
    let inbound = resources["listeners"].as_array().unwrap().len() - 1;
    patch(manifest, &mut envoy, inbound);
    world.mounted(&envoy)
}

fn envoy(manifest: &Manifest, world: &World, filters: &[Value], virtual_hosts: &Value) -> Value {
    let outbound = listener("outbound", &any_port(), &connection_manager(), filters, virtual_hosts);
    let mut clusters: Vec<Value> = manifest.all("ServiceEntry").map(|entry| external(entry, world)).collect();
    let vllm = cluster(&cluster_name(&json!({"name": "vllm", "port": 8000})), &socket(world.vllm.address()));
    clusters.push(vllm);
    for rule in manifest.all("DestinationRule") {
        apply_destination_rule(rule, &mut clusters);
    }
    clusters.push(world.behind(PROVIDER, &world.provider));
    bootstrap(&[outbound, world.server(PROVIDER, false)], &clusters)
}

/// What Istio sets by default.
fn connection_manager() -> Value {
    json!({"stream_idle_timeout": "0s"})
}

/// Istio's name for the cluster of a Service in the namespace of the manifests, or of an external server.
fn cluster_name(backend: &Value) -> String {
    assert_only(backend, &["group", "kind", "name", "port"]);
    let (name, port) = (backend["name"].as_str().unwrap(), &backend["port"]);
    match backend["kind"].as_str() {
        Some("Hostname") => format!("outbound|{port}||{name}"),
        _ => format!("outbound|{port}||{name}.models.svc.cluster.local"),
    }
}

fn external(entry: &Value, world: &World) -> Value {
    assert_only(&entry["spec"], &["hosts", "location", "resolution", "ports"]);
    let ([host], [port]) = (array(&entry["spec"]["hosts"]), array(&entry["spec"]["ports"])) else {
        panic!("one host, one port: {entry}")
    };
    let name = format!("outbound|{}||{}", port["number"], host.as_str().unwrap());
    assert_eq!(port["targetPort"], 443, "where a host outside listens");
    cluster(&name, &world.address_of(PROVIDER))
}

fn apply_destination_rule(rule: &Value, clusters: &mut [Value]) {
    let (host, policy) = (rule["spec"]["host"].as_str().unwrap(), &rule["spec"]["trafficPolicy"]);
    assert_only(policy, &["tls", "connectionPool"]);
    let of_host = |cluster: &&mut Value| cluster["name"].as_str().unwrap().contains(&format!("||{host}"));
    let cluster = clusters.iter_mut().find(of_host).unwrap_or_else(|| panic!("no cluster of {host}"));
    if let Some(keepalive) = policy.pointer("/connectionPool/tcp/tcpKeepalive") {
        let seconds =
            |field: &str| keepalive[field].as_str().unwrap().trim_end_matches('s').parse::<u32>().unwrap();
        cluster["upstream_connection_options"]["tcp_keepalive"] = json!({
            "keepalive_time": seconds("time"), "keepalive_interval": seconds("interval"), "keepalive_probes": keepalive["probes"]
        });
    }
    if let Some(origination) = policy.get("tls") {
        assert_only(origination, &["mode", "sni", "subjectAltNames", "caCertificates"]);
        assert_eq!(origination["mode"], "SIMPLE");
        let names = array(&origination["subjectAltNames"]).iter();
        let names: Vec<Value> =
            names.map(|name| json!({"san_type": "DNS", "matcher": {"exact": name}})).collect();
        cluster["transport_socket"] = tls(&json!({
            "sni": origination["sni"],
            "common_tls_context": {"validation_context": {
                "trusted_ca": {"filename": origination["caCertificates"]}, "match_typed_subject_alt_names": names
            }}
        }));
    }
}

/// The filters of the WasmPlugins and TrafficExtensions that select their proxies in this way.
fn wasm_filters(manifest: &Manifest, by: &str) -> Vec<Value> {
    let plugins = manifest.all("WasmPlugin").map(|plugin| (plugin, &plugin["spec"]));
    let extensions =
        manifest.all("TrafficExtension").map(|extension| (extension, &extension["spec"]["wasm"]));
    plugins
        .chain(extensions)
        .map(|(object, wasm)| {
            assert!(object["spec"].get(by).is_some(), "{object}");
            let known = ["targetRefs", "selector", "match", "url", "failStrategy", "pluginConfig"];
            assert_only(wasm, &known);
            json!({"name": format!("{}.{}", namespace(object), name(object)), "typed_config": {"@type": WASM, "config": {
                "name": format!("{}.{}", namespace(object), name(object)),
                "failure_policy": wasm["failStrategy"],
                "configuration": string_value(&wasm["pluginConfig"].to_string()),
                "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": fetched(&wasm["url"])}
            }}})
        })
        .collect()
}

/// Secrets that the gateway's Deployment mounts.
fn mount_secrets(manifest: &Manifest, world: &World) {
    for options in manifest.all("ConfigMap") {
        let deployment: Value =
            serde_yaml_ng::from_str(options["data"]["deployment"].as_str().unwrap()).unwrap();
        let pod = &deployment["spec"]["template"]["spec"];
        for volume in array(&pod["volumes"]) {
            let mounts = array(&pod["containers"][0]["volumeMounts"]);
            let mount = mounts.iter().find(|mount| mount["name"] == volume["name"]).unwrap();
            let secret = volume["secret"]["secretName"].as_str().unwrap();
            world.mount(mount["mountPath"].as_str().unwrap(), manifest.find("Secret", secret).unwrap());
        }
    }
}

/// The EnvoyFilters for a listener, with istio-agent's part: it answers extension discovery with the module that it fetched.
fn patch(manifest: &Manifest, envoy: &mut Value, listener: usize) {
    let patches = manifest.all("EnvoyFilter").flat_map(|filter| array(&filter["spec"]["configPatches"]));
    let patches: Vec<&Value> = patches.collect();
    let extensions = patches.iter().filter(|patch| patch["applyTo"] == "EXTENSION_CONFIG");
    let extensions: BTreeMap<&str, Value> = extensions
        .map(|patch| {
            let value = &patch["patch"]["value"];
            let mut config = value["typed_config"].clone();
            let code = &mut config["config"]["vm_config"]["code"];
            *code = fetched(&code["remote"]["http_uri"]["uri"]);
            (value["name"].as_str().unwrap(), config)
        })
        .collect();
    for patch in patches {
        let (operation, value) = (patch["patch"]["operation"].as_str().unwrap(), &patch["patch"]["value"]);
        let manager =
            &format!("/static_resources/listeners/{listener}/filter_chains/0/filters/0/typed_config");
        match (patch["applyTo"].as_str().unwrap(), operation) {
            ("EXTENSION_CONFIG", "ADD") => {}
            ("HTTP_FILTER", "INSERT_BEFORE") => {
                let before = patch.pointer("/match/listener/filterChain/filter/subFilter/name").unwrap();
                let filters = envoy.pointer_mut(manager).unwrap()["http_filters"].as_array_mut().unwrap();
                let at = filters.iter().position(|filter| filter["name"] == *before).unwrap();
                assert_eq!(value["config_discovery"]["type_urls"], json!([WASM]));
                let config = &extensions[value["name"].as_str().unwrap()];
                filters.insert(at, json!({"name": value["name"], "typed_config": config}));
            }
            ("VIRTUAL_HOST", "MERGE") => {
                let hosts = &mut envoy.pointer_mut(manager).unwrap()["route_config"]["virtual_hosts"];
                hosts.as_array_mut().unwrap().iter_mut().for_each(|host| merge(host, value));
            }
            ("NETWORK_FILTER", "MERGE") => {
                let filter = patch.pointer("/match/listener/filterChain/filter/name").unwrap();
                assert_eq!(filter, "envoy.filters.network.http_connection_manager");
                merge(envoy.pointer_mut(manager).unwrap(), &value["typed_config"]);
            }
            ("CLUSTER", "MERGE") => {
                let of = &patch["match"]["cluster"];
                let name = format!("outbound|{}||{}", of["portNumber"], of["service"].as_str().unwrap());
                let clusters = envoy["static_resources"]["clusters"].as_array_mut().unwrap();
                merge(clusters.iter_mut().find(|cluster| cluster["name"] == *name).unwrap(), value);
            }
            other => panic!("nothing translates {other:?}"),
        }
    }
}
