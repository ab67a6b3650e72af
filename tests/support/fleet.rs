//! The configurations of `envoy/fleet`, with the addresses of the test.

use super::envoy::module;
use super::process::project;
use serde_json::{Value, json};
use std::net::SocketAddr;

/// A configuration, with free ports, the module of the test, and these endpoints in place of a cluster's.
pub fn fleet(name: &str, clusters: &[(&str, &[SocketAddr])]) -> Value {
    let text = std::fs::read_to_string(project().join(format!("envoy/fleet/{name}.yaml")))
        .expect("the shape of the example");
    let mut config: Value = serde_yaml_ng::from_str(&text).expect("the shape of the example");
    config["admin"]["address"]["socket_address"]["port_value"] = json!(0);
    for listener in config["static_resources"]["listeners"].as_array_mut().expect("the shape of the example")
    {
        listener["address"]["socket_address"]["port_value"] = json!(0);
        *plugin(listener).pointer_mut("/vm_config/code/local/filename").expect("the shape of the example") =
            json!(module());
    }
    for cluster in config["static_resources"]["clusters"].as_array_mut().expect("the shape of the example") {
        let Some((_, addresses)) = clusters.iter().find(|(name, _)| cluster["name"] == *name) else {
            continue;
        };
        cluster.as_object_mut().expect("the shape of the example").remove("transport_socket");
        let places = cluster
            .pointer_mut("/load_assignment/endpoints/0/lb_endpoints")
            .expect("the shape of the example");
        let places = places.as_array_mut().expect("the shape of the example");
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
    let filters = listener
        .pointer_mut("/filter_chains/0/filters/0/typed_config/http_filters")
        .expect("the shape of the example");
    let mut filters = filters.as_array_mut().expect("the shape of the example").iter_mut();
    let filter = filters.find(|filter| filter["name"] == "transponder").expect("the shape of the example");
    filter.pointer_mut("/typed_config/config").expect("the shape of the example")
}
