//! The configurations of `envoy/`, with the addresses of the test.

use super::bootstrap::manager_of;
use super::envoy::module;
use super::process::project;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;

/// A configuration of `envoy/fleet`, as [`shipped`] has it.
pub fn fleet(name: &str, clusters: &[(&str, &[SocketAddr])]) -> Value {
    shipped(&format!("fleet/{name}.yaml"), clusters)
}

/// A configuration, with free ports, the module of the test, and these endpoints in place of a cluster's.
pub fn shipped(file: &str, clusters: &[(&str, &[SocketAddr])]) -> Value {
    let text = std::fs::read_to_string(project().join("envoy").join(file)).expect("an example");
    let mut config: Value = serde_yaml_ng::from_str(&text).expect("YAML");
    config["admin"]["address"]["socket_address"]["port_value"] = json!(0);
    for listener in config["static_resources"]["listeners"].as_array_mut().expect("listeners") {
        if let Some(port) = listener.pointer_mut("/address/socket_address/port_value") {
            *port = json!(0);
        }
        if let Some(plugin) = plugin(listener) {
            *plugin.pointer_mut("/vm_config/code/local/filename").expect("a module") = json!(module());
        }
    }
    for cluster in config["static_resources"]["clusters"].as_array_mut().expect("clusters") {
        let Some((_, addresses)) = clusters.iter().find(|(name, _)| cluster["name"] == *name) else {
            continue;
        };
        cluster.as_object_mut().expect("a cluster").remove("transport_socket");
        let places = cluster
            .pointer_mut("/load_assignment/endpoints/0/lb_endpoints")
            .and_then(Value::as_array_mut)
            .expect("endpoints");
        assert_eq!(places.len(), addresses.len(), "{file}");
        for (place, address) in places.iter_mut().zip(*addresses) {
            let address = json!({"address": address.ip().to_string(), "port_value": address.port()});
            place["endpoint"]["address"]["socket_address"] = address;
        }
    }
    config
}

/// Replaces the key's directory in a configuration by one with this key.
pub fn with_key(config: &Value, name: &str, directory: &Path, key: &str) -> Value {
    let secret = json!({"resources": [{
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
        "name": format!("{name}-key"),
        "generic_secret": {"secret": {"inline_string": key}}
    }]});
    std::fs::write(directory.join("secret.yaml"), secret.to_string()).expect("a secret");
    let there = directory.to_str().expect("a path");
    let text = config.to_string().replace(&format!("/etc/transponder/{name}"), there);
    serde_json::from_str(&text).expect("JSON")
}

/// The filter's part of a listener, if it has the filter: Envoy's PluginConfig.
fn plugin(listener: &mut Value) -> Option<&mut Value> {
    let mut filters = manager_of(listener)["http_filters"].as_array_mut()?.iter_mut();
    filters.find(|filter| filter["name"] == "transponder")?.pointer_mut("/typed_config/config")
}
