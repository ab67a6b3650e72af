//! The configurations of `envoy/fleet`, with the addresses of the test.

mod affinity;

use serde_json::{Value, json};
use std::net::SocketAddr;
use support::{module, project};

/// A configuration, with free ports, the module of the test, and these endpoints in place of a cluster's.
fn example(name: &str, clusters: &[(&str, &[SocketAddr])]) -> Value {
    let text = std::fs::read_to_string(project().join(format!("envoy/fleet/{name}.yaml"))).unwrap();
    let mut config: Value = serde_yaml_ng::from_str(&text).unwrap();
    config["admin"]["address"]["socket_address"]["port_value"] = json!(0);
    for listener in config["static_resources"]["listeners"].as_array_mut().unwrap() {
        listener["address"]["socket_address"]["port_value"] = json!(0);
        *plugin(listener).pointer_mut("/vm_config/code/local/filename").unwrap() = json!(module());
    }
    for cluster in config["static_resources"]["clusters"].as_array_mut().unwrap() {
        let Some((_, addresses)) = clusters.iter().find(|(name, _)| cluster["name"] == *name) else {
            continue;
        };
        cluster.as_object_mut().unwrap().remove("transport_socket");
        let places = cluster.pointer_mut("/load_assignment/endpoints/0/lb_endpoints").unwrap();
        let places = places.as_array_mut().unwrap();
        assert_eq!(places.len(), addresses.len(), "{name}");
        for (place, address) in places.iter_mut().zip(*addresses) {
            let address = json!({"address": address.ip().to_string(), "port_value": address.port()});
            place["endpoint"]["address"]["socket_address"] = address;
        }
    }
    config
}

/// The filter's part of a listener: Envoy's PluginConfig.
fn plugin(listener: &mut Value) -> &mut Value {
    let filters = listener.pointer_mut("/filter_chains/0/filters/0/typed_config/http_filters").unwrap();
    let mut filters = filters.as_array_mut().unwrap().iter_mut();
    let filter = filters.find(|filter| filter["name"] == "transponder").unwrap();
    filter.pointer_mut("/typed_config/config").unwrap()
}
