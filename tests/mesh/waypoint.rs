//! Istio's waypoint as Envoy's configuration, as istiod makes it. The other manifests are served by their control planes
//! (`tests/control_planes`); the listeners of a waypoint have filters that only Istio's own build of Envoy has.
//!
//! Only the fields that the manifest uses are accepted, so that every field is tested.

use crate::envoy_config::{
    WASM, any_port, bootstrap, cluster, fetched, listener, merge, socket, string_value,
};
use crate::manifest::{Manifest, array, assert_only, name, namespace};
use crate::world::World;
use serde_json::{Value, json};

/// Istio's name for the Service `vllm`.
const VLLM: &str = "outbound|8000||vllm.models.svc.cluster.local";

pub fn waypoint(manifest: &Manifest, world: &World) -> Value {
    let filters: Vec<Value> = manifest.all("WasmPlugin").map(wasm_filter).collect();
    let hosts: Vec<Value> = manifest.all("HTTPRoute").map(virtual_host).collect();
    // Istio has no idle timeout for streams.
    let manager = json!({"stream_idle_timeout": "0s"});
    let mut listener = listener("waypoint", &any_port(), &manager, &filters, &json!(hosts));
    for filter in manifest.all("EnvoyFilter") {
        array(&filter["spec"]["configPatches"]).iter().for_each(|patch| apply(patch, &mut listener));
    }
    bootstrap(&[listener], &[cluster(VLLM, &socket(world.vllm.address()))])
}

fn virtual_host(route: &Value) -> Value {
    assert_only(&route["spec"], &["parentRefs", "rules"]);
    let [rule] = array(&route["spec"]["rules"]) else { panic!("one rule: {route}") };
    assert_only(rule, &["matches", "timeouts", "backendRefs"]);
    let ([matches], [backend]) = (array(&rule["matches"]), array(&rule["backendRefs"])) else {
        panic!("one match, one backend: {rule}")
    };
    assert_only(matches, &["path"]);
    assert_eq!(matches["path"]["type"], "PathPrefix");
    assert_eq!(*backend, json!({"name": "vllm", "port": 8000}));
    let route = json!({"cluster": VLLM, "timeout": rule["timeouts"]["request"]});
    json!({"name": "vllm", "domains": ["*"], "routes": [
        {"match": {"path_separated_prefix": matches["path"]["value"]}, "route": route}
    ]})
}

fn wasm_filter(plugin: &Value) -> Value {
    let wasm = &plugin["spec"];
    assert_only(wasm, &["targetRefs", "match", "url", "failStrategy", "pluginConfig"]);
    let name = format!("{}.{}", namespace(plugin), name(plugin));
    json!({"name": name, "typed_config": {"@type": WASM, "config": {
        "name": name,
        "failure_policy": wasm["failStrategy"],
        "configuration": string_value(&wasm["pluginConfig"].to_string()),
        "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": fetched(&wasm["url"])}
    }}})
}

/// A part of an EnvoyFilter.
fn apply(patch: &Value, listener: &mut Value) {
    assert_eq!(patch["patch"]["operation"], "MERGE");
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    let value = &patch["patch"]["value"];
    match patch["applyTo"].as_str().unwrap() {
        "VIRTUAL_HOST" => {
            let hosts = manager["route_config"]["virtual_hosts"].as_array_mut().unwrap();
            hosts.iter_mut().for_each(|host| merge(host, value));
        }
        "NETWORK_FILTER" => {
            let filter = patch.pointer("/match/listener/filterChain/filter/name").unwrap();
            assert_eq!(filter, "envoy.filters.network.http_connection_manager");
            merge(manager, &value["typed_config"]);
        }
        other => panic!("nothing translates {other}"),
    }
}
