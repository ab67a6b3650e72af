//! Envoy's configuration: the filter in front of one upstream, and the parts that tests change.

use super::envoy::{Headers, module, native_module};
use super::process::project;
use serde_json::{Value, json};
use std::net::SocketAddr;

pub(super) const NATIVE_FILTER: &str =
    "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter";

/// One listener with the filter, one route, one cluster.
pub fn bootstrap(upstream: SocketAddr, plugin_config: &str, headers: Headers) -> Value {
    let filters = json!([
        {"name": "transponder", "typed_config": filter(plugin_config, headers)},
        {"name": "router", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
        }}
    ]);
    json!({
        "admin": {"address": socket("127.0.0.1:0".parse().expect("an address"))},
        "static_resources": {
            "listeners": [{
                "name": "listener",
                "address": socket("127.0.0.1:0".parse().expect("an address")),
                "filter_chains": [{"filters": [{"name": "http", "typed_config": http_connection_manager(&filters)}]}]
            }],
            "clusters": [cluster("upstream", upstream)]
        }
    })
}

fn filter(config: &str, headers: Headers) -> Value {
    let config = json!({"@type": "type.googleapis.com/google.protobuf.StringValue", "value": config});
    if headers == Headers::Native {
        let module = native_module();
        assert!(module.is_file(), "{} is missing: run `make test`, or `make module`", module.display());
        return json!({
            "@type": NATIVE_FILTER,
            "dynamic_module_config": {"name": "transponder", "metrics_namespace": "wasmcustom"},
            "filter_name": "transponder",
            "filter_config": config
        });
    }
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm",
        "config": plugin(&config, headers)
    })
}

fn plugin(config: &Value, headers: Headers) -> Value {
    let mut plugin = json!({
        "name": "transponder",
        "failure_policy": "FAIL_RELOAD",
        "configuration": config,
        // In vm_config it needs Envoy 1.40.
        "capability_restriction_config": {"allowed_capabilities": capabilities()},
        "vm_config": {
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": module()}}
        }
    });
    if headers == Headers::Held {
        plugin["allow_on_headers_stop_iteration"] = json!(true);
    }
    plugin
}

/// The functions that the module may import and export, as in `envoy/envoy.yaml`. The tests show that no others are
/// needed.
pub fn capabilities() -> serde_json::Map<String, Value> {
    let example = std::fs::read_to_string(project().join("envoy/envoy.yaml")).expect("the example");
    let (_, list) = example.split_once("allowed_capabilities:").expect("a list of capabilities");
    let entries = list.lines().skip(1).map_while(|line| line.trim().strip_suffix(": {}"));
    entries.map(|name| (name.to_owned(), json!({}))).collect()
}

/// The format of Envoy's local replies, as in `envoy/envoy.yaml`.
pub fn local_reply_config() -> Value {
    let example = std::fs::read_to_string(project().join("envoy/envoy.yaml")).expect("the example");
    let (_, rest) = example.split_once("local_reply_config:\n").expect("a configuration of local replies");
    let (mappers, _) = rest.split_once("          http_filters:").expect("the next field");
    serde_yaml_ng::from_str(mappers).expect("YAML")
}

fn http_connection_manager(filters: &Value) -> Value {
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "http",
        // Without it Envoy itself rejects an upgrade, and clients never get the filter's 426.
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "route_config": {"virtual_hosts": [{
            "name": "all", "domains": ["*"],
            // As in envoy/envoy.yaml: without it Envoy retries no long request.
            "request_body_buffer_limit": 128 << 20,
            "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "upstream", "timeout": "0s"}}]
        }]},
        "local_reply_config": local_reply_config(),
        "http_filters": filters
    })
}

pub fn cluster(name: &str, address: SocketAddr) -> Value {
    json!({
        "name": name, "type": "STATIC", "connect_timeout": "5s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [
            {"endpoint": {"address": socket(address)}}
        ]}]}
    })
}

/// An address in a configuration.
pub fn socket(address: SocketAddr) -> Value {
    json!({"socket_address": {"address": address.ip().to_string(), "port_value": address.port()}})
}

/// The HTTP connection manager of the first listener.
pub fn manager(bootstrap: &mut Value) -> &mut Value {
    manager_of(&mut bootstrap["static_resources"]["listeners"][0])
}

/// The HTTP connection manager of a listener.
pub fn manager_of(listener: &mut Value) -> &mut Value {
    listener.pointer_mut("/filter_chains/0/filters/0/typed_config").expect("a connection manager")
}

/// The HTTP filters of the first listener.
pub fn http_filters(bootstrap: &mut Value) -> &mut Vec<Value> {
    manager(bootstrap)["http_filters"].as_array_mut().expect("HTTP filters")
}

/// The first virtual host of the first listener.
pub fn virtual_host(bootstrap: &mut Value) -> &mut Value {
    &mut manager(bootstrap)["route_config"]["virtual_hosts"][0]
}

/// The routes of that virtual host.
pub fn routes(bootstrap: &mut Value) -> &mut Vec<Value> {
    virtual_host(bootstrap)["routes"].as_array_mut().expect("routes")
}

/// The clusters.
pub fn clusters(bootstrap: &mut Value) -> &mut Vec<Value> {
    bootstrap["static_resources"]["clusters"].as_array_mut().expect("clusters")
}

/// Sets how Envoy speaks HTTP with the endpoints of a cluster.
pub fn set_http_options(cluster: &mut Value, mut options: Value) {
    options["@type"] = json!("type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions");
    cluster["typed_extension_protocol_options"] =
        json!({"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": options});
}
